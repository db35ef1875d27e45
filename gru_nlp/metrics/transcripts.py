"""Word and character error rates of transcripts, and their loss, over counts that add up across processes."""

from collections.abc import Sequence
from itertools import chain

import numpy as np
import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.functional.text import edit_distance

from gru_nlp.batch import AnyArray
from gru_nlp.metrics.tally import Tally, dense, ratio
from gru_nlp.tensors import to_array

#: Errors and size of words and of characters; loss and tokens; transcripts that are exact, and all.
COUNTS = 8


def distances(found: Sequence[Sequence[str]], true: Sequence[Sequence[str]]) -> AnyArray:
    """Return the least insertions, deletions and substitutions ``(N,)`` that make one of the other, by torchmetrics.

    Its distance is of the characters of texts, so that each different unit becomes a character.
    """
    units = {unit: chr(place) for place, unit in enumerate(dict.fromkeys(chain(*found, *true)), start=0x10000)}
    said, wanted = (["".join(units[unit] for unit in row) for row in side] for side in (found, true))
    counts: Tensor = edit_distance(said, wanted, reduction="none")
    return counts.numpy().astype(np.float64)


class TranscriptMetric(Metric):
    """Errors of words and of characters as shares of those of the true transcripts; above 1 where much is added."""

    full_state_update = False
    sums: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.add_state("sums", torch.zeros(COUNTS, dtype=torch.float64), dist_reduce_fx="sum")

    def tally(self, found: Sequence[str], true: Sequence[str], losses: AnyArray, tokens: AnyArray) -> Tally:
        """Return what each transcript, its loss and the number of its tokens ``(B,)`` add to the counts."""
        words, columns = (_words(found), _words(true)), []
        for said, wanted in (words, (found, true)):
            columns += [distances(said, wanted), np.array([len(row) for row in wanted])]
        exact = [one == other for one, other in zip(*words, strict=True)]
        return dense(np.column_stack([*columns, losses, tokens, exact, np.ones(len(exact))]), self.sum_scores)

    def sum_scores(self, sums: AnyArray) -> dict[str, AnyArray]:
        """Return the scores, ``(B,)`` each, of sums ``(B, 8)``.

        ``exact_match`` is the share of right transcripts, ``loss`` the mean of a token.
        """
        wrong, words, strange, characters, losses, tokens, exact, total = sums.T
        rates = {"wer": ratio(wrong, words), "cer": ratio(strange, characters)}
        return rates | {"exact_match": ratio(exact, total), "loss": ratio(losses, tokens)}

    def update(self, found: Tally) -> None:
        """Add what transcripts add to the counts."""
        self.sums += torch.from_numpy(found.total()[0]).to(self.sums.device)

    def compute(self) -> dict[str, float]:
        """Return the scores of everything seen since the last reset by name, as ``sum_scores`` does."""
        return {name: float(values[0]) for name, values in self.sum_scores(to_array(self.sums)[None]).items()}


def _words(texts: Sequence[str]) -> list[list[str]]:
    return [text.split() for text in texts]
