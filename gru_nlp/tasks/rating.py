"""Ratings: a classifier's cross-entropy, and scores that know how far off an answer is."""

from torch import Tensor

from gru_nlp.errors import UserError
from gru_nlp.metrics.rating import mean_absolute_error, quadratic_kappa, tally
from gru_nlp.metrics.tally import Tally
from gru_nlp.preprocessing.base import Preprocessor
from gru_nlp.tasks.base import Recipe
from gru_nlp.tasks.classification import ClassificationTask
from gru_nlp.tensors import to_array


class RatingTask(ClassificationTask):
    """Classification of labels that are numbers.

    Ratings that training does not have count as wrong in accuracy, and are left out of the two other scores.

    Args:
        recipe, preprocessor, label_smoothing, class_weights: as in ``ClassificationTask``.

    Raises:
        UserError: the preprocessor has labels that are no numbers.
    """

    scorer = (
        f"{ClassificationTask.scorer}; mean absolute error and quadratic weighted kappa of that label, by the ratings' "
        "values"
    )

    def __init__(
        self, recipe: Recipe, preprocessor: Preprocessor, *, label_smoothing: float, class_weights: str
    ) -> None:
        super().__init__(recipe, preprocessor, label_smoothing=label_smoothing, class_weights=class_weights)
        try:
            self.values = list(map(float, self.label_names))
        except ValueError:
            raise UserError("this task needs labels that are numbers: set preprocessing=rating") from None

    def tallies_of(self, logits: Tensor, targets: Tensor, view: int) -> list[Tally]:
        """Return what each row adds to these two scores beside a classifier's."""
        own = tally(to_array(logits.argmax(dim=1)), to_array(targets), self.values)
        return [*super().tallies_of(logits, targets, view), own]

    def scores(self, stage: str) -> dict[str, float]:
        """Return mean absolute error and quadratic kappa beside a classifier's scores."""
        scores = super().scores(stage)
        confusion = self.reports[stage].confusion
        return {
            **scores,
            f"{stage}/mae": mean_absolute_error(confusion, self.values),
            f"{stage}/quadratic_kappa": quadratic_kappa(confusion, self.values),
        }
