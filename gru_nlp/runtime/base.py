"""What a runner asks of every kind of model, whatever its graphs."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from gru_nlp.batch import AnyArray
from gru_nlp.decoding.grid import Demand
from gru_nlp.errors import UserError
from gru_nlp.outputs import Hypotheses
from gru_nlp.runtime.folder import Folder


class GraphModel(ABC):
    """A model as graphs: arrays in, arrays out; ``gru_nlp.models.base.Model`` is the one in torch.

    Args:
        folder: checked but for its graphs.
        threads: most that one call of a graph computes with.

    Raises:
        UserError: a graph, or an option of the folder, is broken.
    """

    @abstractmethod
    def __init__(self, folder: Folder, threads: int) -> None: ...

    @property
    def n_best(self) -> int:
        """How many hypotheses of a text it gives; 0: it searches for none."""
        return 0

    @abstractmethod
    def predict(self, batch: Any, top_k: int = 1) -> Any:
        """Answer a batch of arrays; among the answers of a row are its ``top_k`` best, as far as it has so many."""

    def forced(self, batch: Any, demands: Sequence[Demand]) -> Hypotheses[AnyArray]:
        """Answer a batch by hypotheses that hold what is demanded of each.

        Raises:
            UserError: it is no translator.
        """
        raise UserError("only a translator says what is demanded")

    def align(self, batch: Any) -> AnyArray:
        """Return what the model attended to, ``(B, T, S)``, as it reads the targets of a batch.

        Raises:
            UserError: it is no translator.
        """
        raise UserError("alignments need a translator, which this is not")

    def begin(self, prompts: Sequence[Sequence[int]]) -> tuple[AnyArray, AnyArray]:
        """Read prompts, lists of ids.

        Returns:
            Log-probabilities ``(B, V)`` of the token that follows, and what the model keeps, rows second.

        Raises:
            UserError: it is no language model.
        """
        raise UserError("no language model, which alone continues text")

    def go_on(self, tokens: AnyArray, before: AnyArray) -> tuple[AnyArray, AnyArray]:
        """Read one token ``(B,)`` more of each text; return as ``begin`` does.

        Raises:
            UserError: it is no language model.
        """
        raise UserError("no language model, which alone continues text")
