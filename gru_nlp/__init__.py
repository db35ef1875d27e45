"""Train, evaluate and run small recurrent text models on your own text."""

__version__ = "0.1.0"
