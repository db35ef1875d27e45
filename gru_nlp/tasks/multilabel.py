"""Several labels a text: binary cross-entropy, thresholds fitted on validation, micro and macro F1."""

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from gru_nlp.batch import SequenceBatch
from gru_nlp.metrics.confidence import Judged
from gru_nlp.metrics.multilabel import MultilabelReport, Seen, fit_thresholds, report, tally
from gru_nlp.metrics.tally import Tally
from gru_nlp.models.classifier import Classifier
from gru_nlp.models.multilabel import MultilabelClassifier
from gru_nlp.nn.losses import AnyLabels
from gru_nlp.nn.temperature import any_label_temperature
from gru_nlp.outputs import Labelling
from gru_nlp.preprocessing.base import Preprocessor
from gru_nlp.tasks.base import Recipe
from gru_nlp.tasks.labels import LabelsTask
from gru_nlp.tensors import to_array


class MultilabelTask(LabelsTask[MultilabelReport]):
    """A binary cross-entropy a label; each validation fits the labels' thresholds before it is scored with them.

    Args:
        recipe, preprocessor: as in ``LabelsTask``.
    """

    model: MultilabelClassifier
    scorer = (
        "micro F1, macro F1 over the labels that occur, and the share of texts with just their labels, thresholds a "
        "label fitted on validation; loss: mean binary cross-entropy a label"
    )

    def __init__(self, recipe: Recipe, preprocessor: Preprocessor) -> None:
        super().__init__(recipe, preprocessor, Seen)

    def classifier(self) -> Classifier:
        """Return the model's own."""
        return self.model.classifier

    def label_loss(self) -> AnyLabels:
        """Return the binary cross-entropy of all labels of a text."""
        return AnyLabels()

    def loss(self, batch: SequenceBatch[Tensor]) -> Tensor:
        """Return the mean binary cross-entropy over labels and texts of the part that is trained, the recurrent one."""
        assert batch.targets is not None
        logits = self.classifier().recurrent(batch)
        return binary_cross_entropy_with_logits(logits, batch.targets[:, :-1].to(logits.dtype))

    def answer(self, logits: Tensor) -> Labelling[Tensor]:
        """Return what the present thresholds say."""
        return self.model.choose(logits)

    def fitted_temperature(self, logits: Tensor, targets: Tensor) -> float:
        """Return that of the sigmoids of all labels."""
        return any_label_temperature(logits, targets[:, :-1])

    def judge(self, logits: Tensor, targets: Tensor) -> Judged:
        """Return how likely it finds each label of each text, one after the other, and whether the text has it."""
        sure, before = self.answer(logits).probabilities.flatten(), logits.sigmoid().flatten()
        right = targets[:, :-1].flatten() > 0
        return Judged(to_array(sure), to_array(before), to_array(right), self.model.temperature)

    def report_of(self, seen: tuple[Tensor, Tensor], stage: str, view: int) -> MultilabelReport:
        """Return the scores by the thresholds of a view; in validation, fit them first."""
        logits, targets = seen
        thresholds = self.model.all_thresholds()[view]
        if stage == "validation":
            with torch.no_grad():
                thresholds.copy_(fit_thresholds(logits.sigmoid(), targets[:, :-1]))
        return report(logits, targets, thresholds)

    def tallies_of(self, logits: Tensor, targets: Tensor, view: int) -> list[Tally]:
        """Return what each row adds by the thresholds of a view."""
        return [tally(logits, targets, self.model.all_thresholds()[view])]

    def scores(self, stage: str) -> dict[str, float]:
        """Return micro and macro F1, those of each of several parts too, subset accuracy and loss."""
        found = self.view_reports(stage)
        return {
            **{f"{stage}/micro_f1{view}": each.micro_f1 for view, each in found.items()},
            **{f"{stage}/macro_f1{view}": each.macro_f1 for view, each in found.items()},
            f"{stage}/subset_accuracy": found[""].subset_accuracy,
            f"{stage}/loss": found[""].loss,
        }
