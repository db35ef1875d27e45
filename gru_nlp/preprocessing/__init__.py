"""Text to arrays and back: learned from the training split, saved in the checkpoint; knows no torch."""
