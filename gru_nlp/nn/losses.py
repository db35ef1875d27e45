"""What the logits of labels cost, where each text has one label and where it has any number of them.

Shapes: B texts, C labels.
"""

from abc import ABC, abstractmethod

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, one_hot


class LabelLoss(ABC):
    """A convex loss of logits, the negative logarithm of how likely they find the labels of a text.

    A text without a label that is known weighs nothing.
    """

    @abstractmethod
    def rows(self, targets: Tensor) -> Tensor:
        """Return what each text weighs in the mean, ``(B,)``."""

    @abstractmethod
    def indicators(self, targets: Tensor, num_labels: int) -> Tensor:
        """Return 1 where a text has a label, else 0, as numbers ``(B, C)``; all texts have known labels."""

    @abstractmethod
    def mean(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the mean loss of logits ``(B, C)`` over texts, a scalar; all texts have known labels."""

    @abstractmethod
    def slopes(self, logits: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Return the loss of each text, ``(B,)``, and its gradient by the logits, ``(B, C)``, neither weighted."""


class OneLabel(LabelLoss):
    """The cross-entropy of a softmax, for targets ``(B,)``, the label of each text; below 0 it is not known.

    Args:
        weights: of the labels, ``(C,)``; None: all weigh the same.
    """

    def __init__(self, weights: Tensor | None = None) -> None:
        self.weights = weights

    def rows(self, targets: Tensor) -> Tensor:
        """Return the weight of each text's label; 0 where it is not known."""
        known = (targets >= 0).float()
        return known if self.weights is None else known * self.weights[targets.clamp(min=0)]

    def indicators(self, targets: Tensor, num_labels: int) -> Tensor:
        """Return 1 in the column of each text's label."""
        return one_hot(targets, num_labels).float()

    def mean(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the weighted mean."""
        # A model of bfloat16 has weights of bfloat16.
        weights = None if self.weights is None else self.weights.to(logits.dtype)
        return cross_entropy(logits, targets, weight=weights)

    def slopes(self, logits: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Return minus the log-probability of each label, and all probabilities less 1 at the label."""
        chances = logits.log_softmax(dim=1)
        losses = -chances.gather(1, targets[:, None])[:, 0]
        slopes = chances.exp_()
        slopes[torch.arange(len(slopes)), targets] -= 1.0
        return losses, slopes


class AnyLabels(LabelLoss):
    """The sum over labels of the cross-entropy of a sigmoid, for targets ``(B, C + 1)``: 1 where a text has a label.

    The last column, of labels that training does not have, costs nothing. Summed rather than averaged over labels, it
    is as many problems as there are labels, each of which a penalty meets as it meets one of two labels.
    """

    def rows(self, targets: Tensor) -> Tensor:
        """Return 1 for each text: it is known of every one which labels it has."""
        return torch.ones(len(targets), device=targets.device)

    def indicators(self, targets: Tensor, num_labels: int) -> Tensor:
        """Return the columns of labels that training has."""
        return targets[:, :num_labels].float()

    def mean(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the mean over texts of the sum over labels."""
        wanted = self.indicators(targets, logits.shape[1]).to(logits.dtype)
        return binary_cross_entropy_with_logits(logits, wanted) * logits.shape[1]

    def slopes(self, logits: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Return the sum over labels, and all probabilities less 1 at the labels."""
        wanted = self.indicators(targets, logits.shape[1])
        losses = binary_cross_entropy_with_logits(logits, wanted, reduction="none").sum(dim=1)
        return losses, logits.sigmoid().sub_(wanted)
