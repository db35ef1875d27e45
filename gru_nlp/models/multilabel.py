"""Any number of labels for a sequence: each by itself, from its own threshold on."""

from typing import Any, cast

import torch
from torch import Tensor, nn

from gru_nlp.batch import SequenceBatch
from gru_nlp.models.base import Beginning, Model
from gru_nlp.models.classifier import SequenceClassifier
from gru_nlp.models.graphs import Answers, Graph, standing_in
from gru_nlp.nn.embedding import MakeEmbedding
from gru_nlp.nn.encoder import MakeEncoder
from gru_nlp.nn.pooling import MakePooling
from gru_nlp.outputs import Labelling

#: Before any threshold is fitted.
EVEN = 0.5


class _Scores(SequenceClassifier):
    """A logit a label for a sequence of tokens, which may have several of the labels."""

    exclusive = False


class MultilabelClassifier(Model[SequenceBatch[Tensor]]):
    """A classifier whose scores become a probability a label, by a sigmoid, instead of one distribution.

    Attributes:
        thresholds: ``(C,)`` the probability from which on a label is said of a text; part of the weights, so that a
            checkpoint has those that its weights were validated with.
        part_thresholds: ``(P, C)`` those from which on each of several parts alone says it; None: there is but one.

    Args:
        several_labels: number of labels C, any of which a sequence may have.
        vocabulary_size, embedding, encoder, pooling, dropout, unseen_words, num_ngrams, wide: as in
            ``SequenceClassifier``.
    """

    runner = "labels"
    thresholds: Tensor
    part_thresholds: Tensor | None

    def __init__(
        self,
        *,
        vocabulary_size: int,
        several_labels: int,
        embedding: MakeEmbedding,
        encoder: MakeEncoder,
        pooling: MakePooling,
        dropout: float,
        unseen_words: int = 0,
        num_ngrams: int = 0,
        wide: str = "none",
    ) -> None:
        super().__init__()
        self.classifier = _Scores(
            vocabulary_size=vocabulary_size,
            num_labels=several_labels,
            embedding=embedding,
            encoder=encoder,
            pooling=pooling,
            dropout=dropout,
            unseen_words=unseen_words,
            num_ngrams=num_ngrams,
            wide=wide,
        )
        parts = len(self.classifier.part_names)
        self.register_buffer("thresholds", torch.full((several_labels,), EVEN))
        self.register_buffer("part_thresholds", torch.full((parts, several_labels), EVEN) if parts > 1 else None)
        self.register_load_state_dict_post_hook(check_thresholds)  # type: ignore[no-untyped-call]

    def forward(self, batch: SequenceBatch[Tensor]) -> Tensor:
        """Return logits ``(B, C)``, each of which stands for itself."""
        return cast(Tensor, self.classifier(batch))

    def predict(self, batch: SequenceBatch[Tensor], top_k: int = 1) -> Labelling[Tensor]:
        """Return the probabilities of all labels, and which of them reach their thresholds."""
        return self.choose(self(batch))

    def choose(self, logits: Tensor) -> Labelling[Tensor]:
        """Return what logits ``(B, C)`` say; the thresholds are of probabilities that no temperature has changed."""
        logits = logits.float()
        return Labelling((logits / self.temperature).sigmoid(), logits.sigmoid() >= self.thresholds)

    def all_thresholds(self) -> list[Tensor]:
        """Return the thresholds of the whole, then those of each of several parts, ``(C,)`` each."""
        return [self.thresholds, *([] if self.part_thresholds is None else self.part_thresholds)]

    def begin_from(self, start: Beginning) -> int:
        """Hand it to the classifier."""
        return self.classifier.begin_from(start)

    def floors(self) -> list[list[nn.Module]]:
        """Return those of the classifier."""
        return self.classifier.floors()

    def load_vectors(self, vectors: Tensor, found: Tensor) -> None:
        """Hand them to the embedding."""
        self.classifier.load_vectors(vectors, found)

    def graphs(self) -> list[Graph]:
        """Return the graph of its logits."""
        return self.classifier.graphs()

    def by_graphs(self, answers: Answers) -> "MultilabelClassifier":
        """Return one whose classifier is that of the graph."""
        return standing_in(self, classifier=self.classifier.by_graphs(answers))

    def kept(self) -> dict[str, Any]:
        """Return temperature and thresholds."""
        return {"temperature": self.temperature, "thresholds": self.thresholds.tolist()}


def check_thresholds(model: MultilabelClassifier, keys: Any) -> None:
    """Refuse thresholds of a file that are no probabilities.

    Raises:
        RuntimeError: some are not, as torch does where weights do not fit.
    """
    thresholds = torch.stack(model.all_thresholds())
    if not bool(((thresholds >= 0.0) & (thresholds <= 1.0)).all()):
        raise RuntimeError("thresholds that are not from 0 to 1")
