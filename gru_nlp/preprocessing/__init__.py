"""Text to tensors and back: learned from the training split, saved in the checkpoint."""
