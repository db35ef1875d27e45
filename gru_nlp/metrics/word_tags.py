"""Accuracy of a tag a word, over all words and over those that training does not have; scores of each tag."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torchmetrics import Metric

from gru_nlp.batch import AnyArray
from gru_nlp.metrics.classification import ClassScores
from gru_nlp.metrics.tally import Tally, ratio, sparse


class WordTagReport(NamedTuple):
    """Scores as fractions of one; a ratio with an empty denominator is 0.

    Attributes:
        scores: over all words, by name.
        per_label: in the order of the tags' ids.
        confusion: ``(C, C)`` counts true tags (down) by those that were said (across).
    """

    scores: dict[str, float]
    per_label: list[ClassScores]
    confusion: AnyArray


class WordTagMetric(Metric):
    """Counts of (true tag, said tag), and of words that training does not have: right ones, and all.

    Args:
        num_labels: number of tags C.
    """

    full_state_update = False
    confusion: Tensor
    unmet: Tensor

    def __init__(self, num_labels: int) -> None:
        super().__init__()
        self.num_labels = num_labels
        self.add_state("confusion", torch.zeros(num_labels, num_labels, dtype=torch.int64), dist_reduce_fx="sum")
        self.add_state("unmet", torch.zeros(2, dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, said: AnyArray, true: AnyArray, unmet: AnyArray) -> None:
        """Add words: ids of tags ``(N,)``, and whether training lacks the word ``(N,)``."""
        pairs = torch.from_numpy(true * self.num_labels + said)
        counts = torch.bincount(pairs, minlength=self.confusion.numel()).view_as(self.confusion)
        self.confusion += counts.to(self.confusion.device)
        self.unmet += torch.tensor([int((unmet & (said == true)).sum()), int(unmet.sum())], device=self.unmet.device)

    def compute(self) -> WordTagReport:
        """Return the scores of everything seen since the last reset."""
        confusion = self.confusion.cpu().numpy()
        right, support, said = confusion.diagonal(), confusion.sum(axis=1), confusion.sum(axis=0)
        sums = np.concatenate([np.stack([right, support, said], axis=1).ravel(), self.unmet.cpu().numpy()])
        scores = {name: float(value[0]) for name, value in sum_scores(sums[None].astype(np.float64)).items()}
        ratios = ratio(right, said), ratio(right, support), ratio(2 * right, support + said), support
        return WordTagReport(
            scores, [ClassScores(*row) for row in zip(*(one.tolist() for one in ratios), strict=True)], confusion
        )


def tally(said: Sequence[AnyArray], true: Sequence[AnyArray], unmet: Sequence[AnyArray], num_labels: int) -> Tally:
    """Return what each sentence adds to right words, true ones and said ones of each tag, and to words never met.

    Args:
        said, true: ids of the tags of each sentence's words.
        unmet: whether training lacks each word.
        num_labels: number of tags C.
    """
    rows = np.repeat(np.arange(len(true)), [len(row) for row in true])
    found, wanted, new = (np.concatenate(part) for part in (said, true, unmet))
    right, width = found == wanted, 3 * num_labels + 2
    entries = (
        (rows[right], 3 * wanted[right], 1.0),
        (rows, 3 * wanted + 1, 1.0),
        (rows, 3 * found + 2, 1.0),
        (rows[new & right], width - 2, 1.0),
        (rows[new], width - 1, 1.0),
    )
    return sparse(entries, len(true), width, sum_scores)


def sum_scores(sums: AnyArray) -> dict[str, AnyArray]:
    """Return accuracy, that of words never met, and macro F1, ``(B,)`` each, of sums ``(B, 3 C + 2)``."""
    right, support, said = (sums[:, place:-2:3] for place in range(3))
    return {
        "accuracy": ratio(right.sum(axis=1), support.sum(axis=1)),
        "accuracy_unseen": ratio(sums[:, -2], sums[:, -1]),
        "macro_f1": ratio(ratio(2 * right, support + said).sum(axis=1), ((support + said) > 0).sum(axis=1)),
    }
