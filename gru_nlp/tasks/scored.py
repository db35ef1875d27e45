"""The half of a task that scores: what it keeps of each batch, and what can be asked of it afterwards.

Testing keeps the outputs of each batch as arrays, in the order in which the sampler gave the rows; validation does so
only where who scores asks for it.
"""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from lightning import LightningModule
from torch import Tensor

from gru_nlp.batch import AnyArray, Batch
from gru_nlp.metrics.confidence import Judged
from gru_nlp.metrics.tally import Tally
from gru_nlp.tasks.choosing import StandIn


class Scored(LightningModule):
    """A module that scores batches, and knows what became of them.

    Attributes:
        latest: scores of ``validation`` and ``test`` by name, with every digit, where the log rounds to float32.
        outputs: what ``Preprocessor.decode`` takes, a batch each.
        keeps_rows: whether what each row adds to the scores, and the outputs of a validation, are kept, set by who
            scores.
    """

    #: How the scores are computed, stored beside them.
    scorer: str
    #: Whether each row of a batch has an answer, which is worth keeping.
    answers_rows: ClassVar[bool] = True

    def __init__(self) -> None:
        super().__init__()
        self.latest: dict[str, dict[str, float]] = {}
        self.outputs: list[Any] = []
        self.keeps_rows = False

    @abstractmethod
    def score(self, batch: Any, stage: str) -> Any:
        """Add a batch to the scores of ``stage``; return what ``Preprocessor.decode`` takes: outputs as arrays."""

    @abstractmethod
    def scores(self, stage: str) -> dict[str, float]:
        """Return the scores of ``stage`` by name, ``<stage>/<score>``, and start them anew."""

    def details(self, stage: str) -> dict[str, Any]:
        """Return what ``metrics.json`` says beside the scores, such as the scores of each class; by default nothing."""
        return {}

    def judged(self, stage: str) -> Judged | None:
        """Return how sure the model was of its latest answers, and which were right; None: it does not say."""
        return None

    def floor(self) -> float:
        """Return up to which value the monitored score, in the latest validation, is that of having learned nothing."""
        return 0.0

    def stand_in(self, scores: Mapping[str, float]) -> StandIn | None:
        """Return what decides between validations on the floor; None: nothing does."""
        loss = scores.get("validation/loss")
        return None if loss is None else StandIn("validation/loss", loss)

    def tallies(self, stage: str, columns: Mapping[str, AnyArray]) -> list[Tally]:
        """Return what each row that this process has just scored adds to the scores, and keep it no longer.

        By default nothing is known of single rows, so that scores have no intervals.

        Args:
            stage: ``validation`` or ``test``.
            columns: the encoded columns of one number a row of the split.
        """
        return []

    def confusion(self, stage: str) -> AnyArray | None:
        """Return counts ``(C, C)`` of true labels, down, that were taken for others, across; None: there is no such."""
        return None

    def on_validation_epoch_start(self) -> None:
        """Forget the outputs of an earlier pass."""
        self.outputs = []

    def validation_step(self, batch: Batch[Tensor] | None, batch_idx: int) -> None:
        """Score a batch; where rows are kept, keep its outputs too."""
        if batch is not None:
            found = self.score(batch, "validation")
            if self.keeps_rows and self.answers_rows:
                self.outputs.append(found)

    def on_test_epoch_start(self) -> None:
        """Forget the outputs of an earlier pass."""
        self.outputs = []

    def test_step(self, batch: Batch[Tensor] | None, batch_idx: int) -> None:
        """Score a batch and keep its outputs, in the order of the batches."""
        if batch is not None:
            found = self.score(batch, "test")
            if self.answers_rows:
                self.outputs.append(found)

    def on_test_epoch_end(self) -> None:
        """Log the scores."""
        self.latest["test"] = self.scores("test")
        self.log_dict(self.latest["test"])
