"""Layers that know torch alone: embedding, recurrent cells, encoder, pooling."""
