"""How well text is foretold, by the token, the word, the character and the byte."""

import math
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torchmetrics import Metric

from gru_nlp.batch import AnyArray
from gru_nlp.metrics.tally import ratio
from gru_nlp.tensors import to_array

#: Above this, an exponential is no number of Python's.
MOST = 700.0


class LanguageModelReport(NamedTuple):
    """Scores of a text; ``loss`` in nats a token, ``unknown`` the share of tokens that are unknown."""

    loss: float
    perplexity: float
    word_perplexity: float
    nats_per_character: float
    bits_per_character: float
    bits_per_byte: float
    unknown: float


class LanguageModelMetric(Metric):
    """Sums of log-probabilities, tokens, unknown ones, characters, bytes and words."""

    full_state_update = False
    sums: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.add_state("sums", torch.zeros(6, dtype=torch.float64), dist_reduce_fx="sum")

    def update(self, log_probabilities: Tensor, tokens: int, unknown: int, sizes: Tensor) -> None:
        """Add a batch: log-probabilities ``(B, T)``, how many are real, how many unknown, and sizes ``(B, 3)``."""
        counts = torch.tensor([tokens, unknown], dtype=torch.float64, device=self.sums.device)
        total = -log_probabilities.double().sum()
        self.sums += torch.cat([total[None], counts, sizes.double().sum(dim=0)])

    def compute(self) -> LanguageModelReport:
        """Return the scores of everything seen since the last reset."""
        found = sum_scores(to_array(self.sums)[None])
        return LanguageModelReport(**{name: float(values[0]) for name, values in found.items()})


def sum_scores(sums: AnyArray) -> dict[str, AnyArray]:
    """Return the scores, ``(B,)`` each, of sums ``(B, 6)``."""
    nats, tokens, unknown, characters, count, words = sums.T
    per_token, per_character = ratio(nats, tokens), ratio(nats, characters)
    return {
        "loss": per_token,
        "perplexity": np.exp(np.minimum(per_token, MOST)),
        "word_perplexity": np.exp(np.minimum(ratio(nats, words), MOST)),
        "nats_per_character": per_character,
        "bits_per_character": per_character / math.log(2),
        "bits_per_byte": ratio(nats, count) / math.log(2),
        "unknown": ratio(unknown, tokens),
    }
