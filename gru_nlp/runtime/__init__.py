"""A trained model from the folder that ``gru-nlp export`` wrote, by onnxruntime, tokenizers and numpy; never torch.

What comes after a graph is computed in numpy; each file that does so names the one in torch whose numbers it gives.
"""

from gru_nlp.runtime.runner import Generator, Runner

__all__ = ["Generator", "Runner"]
