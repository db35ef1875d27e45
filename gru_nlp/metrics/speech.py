"""How far speech is from a recording, over sums that add up across processes."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torchmetrics import Metric

from gru_nlp.batch import AnyArray
from gru_nlp.metrics.tally import Tally, dense, ratio
from gru_nlp.tensors import to_array

#: Mel cepstra that are compared, beside the first, which is loudness.
CEPSTRA = 13
#: Distances and steps of paths; loss and steps; frames said and recorded; texts that ended by themselves, and all.
COUNTS = 8


def cepstra(frames: AnyArray) -> AnyArray:
    """Return the mel cepstra ``(T, K)`` of log-mel frames ``(T, M)``, without the first.

    The cosine transform of log power (Davis and Mermelstein 1980, eq. 1), a mean over the bands.
    """
    bands = frames.shape[1]
    orders = np.arange(1, min(CEPSTRA, bands - 1) + 1)[:, None]
    waves = np.cos(np.pi * orders * (np.arange(bands) + 0.5) / bands) / bands
    found: AnyArray = frames.astype(np.float64) @ waves.T
    return found


def distortions(found: AnyArray, true: AnyArray) -> AnyArray:
    """Return the mel-cepstral distortion in dB (Kubichek 1993) of each pair of frames, ``(T, M)`` and ``(U, M)``."""
    one, other = cepstra(found), cepstra(true)
    squared = np.square(one).sum(1)[:, None] + np.square(other).sum(1)[None] - 2 * one @ other.T
    apart: AnyArray = 10 / np.log(10) * np.sqrt(2 * np.maximum(squared, 0.0))
    return apart


def warped(distances: AnyArray) -> float:
    """Return the least sum of distances ``(T, U)`` along a path from both beginnings to both ends.

    The symmetric form of Sakoe and Chiba (1978, table I, P = 0): a step along both counts twice, so that each path
    counts T + U distances. Cells of one diagonal do not depend on each other, and are computed together.
    """
    rows, columns = distances.shape
    # The last diagonal and the one before, by row, each behind the row before the first: there all paths begin.
    last, before = np.full(rows + 1, np.inf), np.full(rows + 1, np.inf)
    before[0] = 0.0
    for diagonal in range(rows + columns - 1):
        first, end = max(0, diagonal - columns + 1), min(rows, diagonal + 1)
        places = np.arange(first, end)
        own = distances[places, diagonal - places]
        now = np.full(rows + 1, np.inf)
        straight = np.minimum(last[first:end], last[first + 1 : end + 1]) + own
        now[first + 1 : end + 1] = np.minimum(straight, before[first:end] + 2 * own)
        last, before = now, last
    return float(last[rows])


class SpeechMetric(Metric):
    """Mel-cepstral distortion after dynamic time warping, and what else is counted of speech."""

    full_state_update = False
    sums: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.add_state("sums", torch.zeros(COUNTS, dtype=torch.float64), dist_reduce_fx="sum")

    def tally(
        self, found: Sequence[AnyArray], true: Sequence[AnyArray], ended: AnyArray, losses: AnyArray, steps: AnyArray
    ) -> Tally:
        """Return what each text adds to the sums.

        Args:
            found, true: log-mel frames ``(T, M)`` of each, spoken and recorded.
            ended: whether it ended by itself, ``(B,)``.
            losses, steps: with the true past, a sum over steps, and their number, ``(B,)``.
        """
        pairs = list(zip(found, true, strict=True))
        paths = [(warped(distortions(*pair)), sum(map(len, pair))) for pair in pairs]
        sizes = [(len(one), len(other)) for one, other in pairs]
        columns = [np.array(paths), losses, steps, np.array(sizes), ended, np.ones(len(pairs))]
        return dense(np.column_stack(columns), self.sum_scores)

    def sum_scores(self, sums: AnyArray) -> dict[str, AnyArray]:
        """Return the scores, ``(B,)`` each, of sums ``(B, 8)``.

        ``mcd`` is in dB, the mean over the path; ``loss`` the mean of a step; ``duration`` how long speech is as a
        share of the recordings; ``ended`` the share of texts that end by themselves.
        """
        apart, pairs, losses, steps, said, recorded, ended, total = sums.T
        scores = {"mcd": ratio(apart, pairs), "loss": ratio(losses, steps)}
        return scores | {"duration": ratio(said, recorded), "ended": ratio(ended, total)}

    def update(self, found: Tally) -> None:
        """Add what texts add to the sums."""
        self.sums += torch.from_numpy(found.total()[0]).to(self.sums.device)

    def compute(self) -> dict[str, float]:
        """Return the scores of everything seen since the last reset by name, as ``sum_scores`` does."""
        return {name: float(values[0]) for name, values in self.sum_scores(to_array(self.sums)[None]).items()}
