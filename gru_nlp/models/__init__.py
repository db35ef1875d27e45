"""Models: tensors and sizes only; no text, no files, no training loop."""
