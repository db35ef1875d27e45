"""Tokenizers, special tokens and pretrained word vectors; knows no torch."""
