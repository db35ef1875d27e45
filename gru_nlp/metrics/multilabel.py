"""Several labels a text: thresholds that are fitted for F1, and the scores that they give."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat

from gru_nlp.batch import AnyArray
from gru_nlp.metrics.tally import Tally, ratio, sparse
from gru_nlp.tensors import to_array

#: How many true examples of a label the common threshold counts for beside the label's own (LOG.md, 2026-11-27).
COMMON = 20
#: Probabilities nearer to 0 and 1 are no thresholds.
EDGE = 1e-6
#: Where there is nothing to fit a threshold on.
EVEN = 0.5


class LabelScores(NamedTuple):
    """The scores of one label; ``support`` counts its true examples, ``threshold`` is what it was said from on."""

    precision: float
    recall: float
    f1: float
    support: int
    threshold: float


class MultilabelReport(NamedTuple):
    """Scores as fractions of one; ``per_label`` in the order of the label ids."""

    micro_f1: float
    macro_f1: float
    subset_accuracy: float
    loss: float
    per_label: list[LabelScores]


class Seen(Metric):
    """Logits and targets of all rows in one process, since a threshold can only be fitted on all of them together."""

    full_state_update = False
    logits: list[Tensor]
    targets: list[Tensor]

    def __init__(self) -> None:
        super().__init__(sync_on_compute=False)
        self.add_state("logits", [])
        self.add_state("targets", [])

    def update(self, logits: Tensor, targets: Tensor) -> None:
        """Add a batch: logits ``(B, C)``, targets ``(B, C + 1)``."""
        self.logits.append(logits.float())
        self.targets.append(targets.to(torch.int32))

    def compute(self) -> tuple[Tensor, Tensor]:
        """Return logits ``(N, C)`` and targets ``(N, C + 1)`` of everything seen since the last reset."""
        return dim_zero_cat(self.logits), dim_zero_cat(self.targets)


def fit_thresholds(probabilities: Tensor, targets: Tensor) -> Tensor:
    """Return the threshold of each label, ``(C,)``: between its own best one and the best one of all labels together.

    The threshold with a label's best F1 follows chance where examples are few: SCut, of which Yang 2001 (section 3)
    says that it overfits rare labels. So the common one, with the best micro F1, counts for ``COMMON`` examples in a
    mean of the two over their log-odds: frequent labels have their own, rare ones the common one.

    Args:
        probabilities: ``(N, C)``.
        targets: ``(N, C)``, 1 where a row has the label, else 0.
    """
    support = targets.sum(dim=0, dtype=torch.float64)
    own = _log_odds(best_cuts(probabilities, targets))
    common = _log_odds(best_cuts(probabilities.reshape(-1, 1), targets.reshape(-1, 1)))
    return torch.sigmoid((support * own + COMMON * common) / (support + COMMON)).float()


def _log_odds(thresholds: Tensor) -> Tensor:
    return torch.logit(thresholds.double(), eps=EDGE)


def best_cuts(probabilities: Tensor, targets: Tensor) -> Tensor:
    """Return, a column, the threshold with the best F1: half-way between the last score above it and the next one.

    Args:
        probabilities, targets: ``(N, C)``.

    Returns:
        ``(C,)``; ``EVEN`` for a column without true examples.
    """
    ordered, rows = probabilities.sort(dim=0, descending=True)
    hits = targets.gather(0, rows).cumsum(dim=0, dtype=torch.float64)
    taken = torch.arange(1, len(ordered) + 1, device=ordered.device)[:, None]
    below = torch.cat([ordered[1:], torch.zeros_like(ordered[:1])])
    f1 = 2 * hits / (taken + hits[-1])
    best = f1.masked_fill(ordered == below, -1.0).argmax(dim=0, keepdim=True)  # equal scores go together
    high, low = ordered.gather(0, best)[0], below.gather(0, best)[0]
    middle = (high + low) / 2
    return torch.where(hits[-1] > 0, torch.where(middle > low, middle, high), EVEN)


def report(logits: Tensor, targets: Tensor, thresholds: Tensor) -> MultilabelReport:
    """Return the scores of labels that are said from ``thresholds`` ``(C,)`` on.

    Macro F1 is the plain mean of F1 over the labels that occur among the true or the predicted ones. A label that
    training does not have is one that was missed: in micro F1, and of its whole row in subset accuracy; all such count
    as one label more in macro F1, whose own F1 is 0, and not in the loss. A ratio with an empty denominator is 0.

    Args:
        logits: ``(N, C)``.
        targets: ``(N, C + 1)``, the last column counting labels that training does not have.
        thresholds: probabilities.
    """
    known, unknown = targets[:, :-1], targets[:, -1].double()
    said = logits.sigmoid() >= thresholds
    support, predicted = known.sum(dim=0).double(), said.sum(dim=0).double()
    correct = (said & known.bool()).sum(dim=0).double()
    f1 = 2 * correct / (support + predicted).clamp(min=1)
    occurring = (support + predicted) > 0
    labels = int(occurring.sum()) + bool(unknown.sum() > 0)
    exact = (said == known.bool()).all(dim=1) & (unknown == 0)
    columns = (correct / predicted.clamp(min=1), correct / support.clamp(min=1), f1, support.long(), thresholds)
    return MultilabelReport(
        micro_f1=float(2 * correct.sum() / (support.sum() + predicted.sum() + unknown.sum()).clamp(min=1)),
        macro_f1=float(f1[occurring].sum() / max(labels, 1)),
        subset_accuracy=float(exact.double().mean()),
        loss=float(binary_cross_entropy_with_logits(logits.double(), known.double())),
        per_label=[LabelScores(*row) for row in zip(*(column.tolist() for column in columns), strict=True)],
    )


def tally(logits: Tensor, targets: Tensor, thresholds: Tensor) -> Tally:
    """Return what each row adds to right, true and said labels of each kind, unknown ones, exact rows, losses, rows.

    Args:
        logits, targets, thresholds: as ``report`` takes them.
    """
    known, unknown = targets[:, :-1], to_array(targets[:, -1].double())
    said, true = to_array(logits.sigmoid() >= thresholds), to_array(known) > 0
    size, width = len(said), 3 * said.shape[1] + 4
    losses = binary_cross_entropy_with_logits(logits.double(), known.double(), reduction="none").mean(dim=1)
    exact = (said == true).all(axis=1) & (unknown == 0)
    marks = [np.nonzero(mark) for mark in (said & true, true, said)]
    ends = (unknown, exact, to_array(losses), 1.0)
    entries = [(rows, 3 * labels + place, 1.0) for place, (rows, labels) in enumerate(marks)]
    entries += [(np.arange(size), width - 4 + place, end) for place, end in enumerate(ends)]
    return sparse(entries, size, width, sum_scores)


def sum_scores(sums: AnyArray) -> dict[str, AnyArray]:
    """Return micro and macro F1, subset accuracy and loss, ``(B,)`` each, of sums ``(B, 3 C + 4)``."""
    correct, support, predicted = (sums[:, place:-4:3] for place in range(3))
    unknown, exact, loss, count = sums[:, -4:].T
    labels = ((support + predicted) > 0).sum(axis=1) + (unknown > 0)
    return {
        "micro_f1": ratio(2 * correct.sum(axis=1), (support + predicted).sum(axis=1) + unknown),
        "macro_f1": ratio(ratio(2 * correct, support + predicted).sum(axis=1), labels),
        "subset_accuracy": ratio(exact, count),
        "loss": ratio(loss, count),
    }
