"""What predictor and tasks ask of every model, whatever its kind."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

from torch import Tensor, nn

from gru_nlp.batch import AnyArray
from gru_nlp.decoding.grid import Demand
from gru_nlp.errors import UserError
from gru_nlp.models.graphs import Answers, Graph
from gru_nlp.outputs import Hypotheses, Outputs

#: The batch of tensors that a kind of model reads.
Read = TypeVar("Read", bound=tuple[Any, ...])


class Beginning(NamedTuple):
    """What a language model hands on to the models that begin from it.

    Attributes:
        table: a vector a token, ``(V, E)``; of a model's own tokens, in the order of their ids, where it begins.
        known: which of them the language models have, ``(V,)``.
        forward: layers that read forwards, the first one first; None: it has none.
        backward: the same backwards.
        output: the weights of what follows the layers, by their names; they serve a language model alone.
    """

    table: Tensor
    known: Tensor
    forward: nn.ModuleList | None
    backward: nn.ModuleList | None
    output: Mapping[str, Tensor]


class Model(nn.Module, ABC, Generic[Read]):
    """Sizes in the constructor, tensors in ``forward``, answers by ``predict``.

    Attributes:
        temperature: by which scores are divided where they become confidences; see ``nn.temperature``.
    """

    temperature: float = 1.0
    #: What answers by its graphs where there is no torch, by the name that it has there; empty: nothing does.
    runner: ClassVar[str] = ""

    def settle(self) -> None:
        """Get ready to answer many batches with the weights as they are; must be called again when they change."""

    @abstractmethod
    def predict(self, batch: Read, top_k: int = 1) -> Outputs[Tensor]:
        """Answer a batch; among the answers of a row are its ``top_k`` best, as far as it has so many."""

    def forced(self, batch: Read, demands: Sequence[Demand]) -> Hypotheses[AnyArray]:
        """Answer a batch by hypotheses that hold what is demanded of each.

        Raises:
            UserError: it is no translator.
        """
        raise UserError("only a translator says what is demanded")

    def align(self, batch: Read) -> Tensor:
        """Return what the model attended to, ``(B, T, S)``, as it reads the targets of a batch.

        Raises:
            UserError: it is no single translator.
        """
        raise UserError("alignments need a single translator, neither a classifier nor an ensemble")

    def begin(self, prompts: Tensor) -> tuple[Tensor, Tensor]:
        """Read prompts ``(B, T)`` of one length.

        Returns:
            Log-probabilities ``(B, V)`` of the token that follows, and what the model keeps, rows second.

        Raises:
            UserError: it is no language model.
        """
        raise UserError("no language model, which alone continues text: use predict or translate")

    def go_on(self, tokens: Tensor, before: Tensor) -> tuple[Tensor, Tensor]:
        """Read one token ``(B,)`` more of each text; return as ``begin`` does.

        Raises:
            UserError: it is no language model.
        """
        raise UserError("no language model, which alone continues text: use predict or translate")

    def handed_on(self, direction: str) -> Beginning:
        """Return what other models may begin from.

        Args:
            direction: ``forward`` or ``backward``, in which its text is read.

        Raises:
            UserError: it is no language model.
        """
        raise UserError("no language model, which alone others begin from")

    def begin_from(self, start: Beginning) -> int:
        """Take over what language models handed on; return how many of their layers fit.

        Raises:
            UserError: none fits, or models of this kind begin from nothing.
        """
        raise UserError("pretrained serves models of text, which this is not: leave it out")

    def graphs(self) -> list[Graph]:
        """Return the graphs that a runtime without torch answers by.

        Raises:
            UserError: there are none of models of this kind.
        """
        raise UserError(f"models of the kind {type(self).__name__} are not exported")

    def by_graphs(self, answers: Answers) -> "Model[Read]":
        """Return what scores as this model does, but computes by what stands for its graphs.

        Raises:
            UserError: there are none of models of this kind.
        """
        raise UserError(f"models of the kind {type(self).__name__} are not exported")

    def kept(self) -> dict[str, Any]:
        """Return what such a runtime needs beside the graphs, as plain values."""
        return {}

    def floors(self) -> Sequence[Sequence[nn.Module]]:
        """Return what lies below the top of the model, from there down; nothing where it is not told apart."""
        return ()

    def load_vectors(self, vectors: Tensor, found: Tensor) -> None:
        """Copy pretrained ``vectors`` ``(V, D)`` into the embedding where ``found`` ``(V,)`` is True.

        Raises:
            UserError: it has no embedding that takes any.
        """
        raise UserError("embedding.vectors serves models of words, which this is not: leave it out")
