"""One label for a sequence: sentiment, topics, intents, images read row by row."""

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, cast

import torch
from torch import Tensor, nn

from gru_nlp.batch import SequenceBatch
from gru_nlp.errors import UserError
from gru_nlp.models.base import Beginning, Model
from gru_nlp.models.graphs import Answers, Axes, Graph, Sizes, drawn_ids, drawn_lengths, standing_in
from gru_nlp.nn.embedding import MakeEmbedding
from gru_nlp.nn.encoder import MakeEncoder
from gru_nlp.nn.losses import LabelLoss
from gru_nlp.nn.masking import variational_dropout
from gru_nlp.nn.pooling import MakePooling
from gru_nlp.nn.wide import Bags, Labelled, WideLinear
from gru_nlp.outputs import Classification
from gru_nlp.text.special import PAD, UNK

#: N-grams of training from which the wide part is solved at most, over all texts; they take some 30 bytes each.
MOST_IDS = 1 << 26


class Classifier(Model[SequenceBatch[Tensor]]):
    """Recurrent encoder, pooling, dropout, linear layer; a kind of classifier makes its inputs.

    Attributes:
        part_names: what its logits are made of; scores of each are told where there are several.

    Args:
        input_size: features of a step.
        num_labels: number of labels C.
        encoder: makes the encoder from the input size.
        pooling: makes the pooling from the encoder's output size.
        dropout: share of pooled features dropped before the linear layer.
    """

    runner = "label"
    part_names: tuple[str, ...] = ("recurrent",)
    #: What its graph reads, with the open axes; B rows, T steps.
    read: ClassVar[dict[str, Axes]] = {"inputs": {0: "B", 1: "T"}, "lengths": {0: "B"}}

    def __init__(
        self,
        input_size: int,
        *,
        num_labels: int,
        encoder: MakeEncoder,
        pooling: MakePooling,
        dropout: float,
    ) -> None:
        super().__init__()
        self.encoder = encoder(input_size)
        self.pooling = pooling(self.encoder.output_size)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(self.pooling.output_size, num_labels)

    def floors(self) -> list[list[nn.Module]]:
        """Return the recurrent layers, the last one first."""
        return self.encoder.floors()

    @abstractmethod
    def inputs(self, batch: SequenceBatch[Tensor]) -> Tensor:
        """Return what the encoder reads, ``(B, T, D)``."""

    def recurrent(self, batch: SequenceBatch[Tensor]) -> Tensor:
        """Return the recurrent part's logits ``(B, C)``."""
        states, final = self.encoder(self.inputs(batch), batch.lengths)  # (B, T, H), (B, H)
        pooled = self.pooling(states, final, batch.lengths)
        return cast(Tensor, self.output(self.dropout(pooled)))

    def parts(self, batch: SequenceBatch[Tensor]) -> list[Tensor]:
        """Return the logits ``(B, C)`` of each part, in the order of ``part_names``."""
        return [self.recurrent(batch)]

    def join(self, parts: Sequence[Tensor]) -> Tensor:
        """Return the model's logits ``(B, C)`` from those of its parts."""
        return parts[0]

    def share(self, shares: Tensor) -> None:
        """Let the parts count by ``shares`` ``(P,)`` from now on; nothing to share out where there is but one."""

    def solve(
        self, texts: Iterable[SequenceBatch[Tensor]], unseen: Iterable[SequenceBatch[Tensor]], loss: LabelLoss
    ) -> None:
        """Set the weights that are solved for rather than trained, from all of training and validation; here none.

        Args:
            texts: batches of training.
            unseen: batches of validation.
            loss: of logits.
        """

    def forward(self, batch: SequenceBatch[Tensor]) -> Tensor:
        """Return logits ``(B, C)``."""
        return self.join(self.parts(batch))

    def predict(self, batch: SequenceBatch[Tensor], top_k: int = 1) -> Classification[Tensor]:
        """Return the probabilities of all labels, the ``top_k`` best among them."""
        return self.answer(self(batch))

    def answer(self, logits: Tensor) -> Classification[Tensor]:
        """Return what logits ``(B, C)`` say."""
        return Classification((logits / self.temperature).softmax(dim=1))

    def drawn(self, sizes: Sizes, random: torch.Generator) -> tuple[Tensor, ...]:
        """Return what its graph reads, of some sizes, by chance.

        Raises:
            UserError: a kind of classifier that does not say so is not exported.
        """
        raise UserError(f"models of the kind {type(self).__name__} are not exported")

    def graphs(self) -> list[Graph]:
        """Return the graph of its logits."""
        return [Graph("model", _Logits(self), self.read, {"logits": {0: "B"}}, self.drawn)]

    def by_graphs(self, answers: Answers) -> "Classifier":
        """Return one of a single part, the logits of the graph."""

        def parts(batch: SequenceBatch[Tensor]) -> list[Tensor]:
            fields = (batch.inputs, batch.lengths, batch.ngrams, batch.bags)
            return list(answers["model"](*fields[: len(self.read)]))

        return standing_in(self, part_names=("recurrent",), parts=parts, join=lambda parts: parts[0])

    def kept(self) -> dict[str, Any]:
        """Return the temperature."""
        return {"temperature": self.temperature}


class _Logits(nn.Module):
    """The logits of a classifier from what is in its batches, one by one."""

    def __init__(self, model: Classifier) -> None:
        super().__init__()
        self.model = model

    def forward(
        self, inputs: Tensor, lengths: Tensor, ngrams: Tensor | None = None, bags: Tensor | None = None
    ) -> Tensor:
        return cast(Tensor, self.model(SequenceBatch(inputs, lengths, None, ngrams, bags)))


class SequenceClassifier(Classifier):
    """A label for a sequence of tokens.

    Attributes:
        exclusive: whether a sequence has just one of the labels.

    Args:
        vocabulary_size: number of token ids.
        unseen_words: how many of the last tokens only pretrained vectors know.
        num_ngrams: number of ids of n-grams; 0: there is no wide part.
        wide: which n-grams are learned from the data; the preprocessor reads it, as ``preprocessing.wide``.
        embedding: makes the embedding from the vocabulary size and the ids of padding and of the unknown token.
        num_labels, encoder, pooling, dropout: as in ``Classifier``.
    """

    exclusive: ClassVar[bool] = True
    shares: Tensor | None

    def __init__(
        self,
        *,
        vocabulary_size: int,
        num_labels: int,
        embedding: MakeEmbedding,
        encoder: MakeEncoder,
        pooling: MakePooling,
        dropout: float,
        unseen_words: int = 0,
        num_ngrams: int = 0,
        wide: str = "none",
    ) -> None:
        table = embedding(vocabulary_size, unseen=unseen_words, padding_id=PAD, unknown_id=UNK)
        super().__init__(table.output_size, num_labels=num_labels, encoder=encoder, pooling=pooling, dropout=dropout)
        self.embedding = table
        self.vocabulary_size, self.num_ngrams = vocabulary_size, num_ngrams
        self.wide = WideLinear(num_ngrams, num_labels, exclusive=self.exclusive) if num_ngrams else None
        if self.wide is not None:
            self.part_names = ("recurrent", "wide")
            self.read = {**self.read, "ngrams": {0: "M"}, "bags": {0: "2B"}}  # type: ignore[misc]
        self.register_buffer("shares", torch.full((2,), 0.5) if self.wide is not None else None)

    def parts(self, batch: SequenceBatch[Tensor]) -> list[Tensor]:
        """Return the logits ``(B, C)`` of the recurrent part and, where there is one, of the wide part."""
        alone = super().parts(batch)
        return alone if self.wide is None else [*alone, self.wide(bags_of(batch))]

    def join(self, parts: Sequence[Tensor]) -> Tensor:
        """Return the sum of the parts' logits, each by its share."""
        return parts[0] if self.shares is None else self.shares[0] * parts[0] + self.shares[1] * parts[1]

    def share(self, shares: Tensor) -> None:
        """Let the parts count by ``shares`` ``(2,)``."""
        self.shares = shares

    def solve(
        self, texts: Iterable[SequenceBatch[Tensor]], unseen: Iterable[SequenceBatch[Tensor]], loss: LabelLoss
    ) -> None:
        """Solve the wide part."""
        if self.wide is not None:
            self.wide.solve(together(texts), together(unseen), loss)

    def inputs(self, batch: SequenceBatch[Tensor]) -> Tensor:
        """Look up the tokens."""
        return cast(Tensor, self.embedding(batch.inputs))

    def floors(self) -> list[list[nn.Module]]:
        """Return the recurrent layers, the last one first, and the embedding."""
        return [*super().floors(), [self.embedding]]

    def begin_from(self, start: Beginning) -> int:
        """Take over the embedding, and the layers of both directions, as far as there are any."""
        self.embedding.take_over(start.table, start.known)
        return self.encoder.begin_from(start.forward, start.backward)

    def load_vectors(self, vectors: Tensor, found: Tensor) -> None:
        """Hand them to the embedding."""
        self.embedding.load_vectors(vectors, found)

    def drawn(self, sizes: Sizes, random: torch.Generator) -> tuple[Tensor, ...]:
        """Draw ids, and some n-grams a bag where there is a wide part, here and there none."""
        lengths = drawn_lengths(sizes, random)
        ids = drawn_ids(self.vocabulary_size, lengths, random)
        if not self.num_ngrams:
            return ids, lengths
        counts = torch.randint(sizes.steps + 2, (2 * sizes.rows,), generator=random) // 2
        ngrams = torch.randint(self.num_ngrams, (int(counts.sum()),), generator=random)
        return ids, lengths, ngrams.int(), (counts.cumsum(0) - counts).int()


def bags_of(batch: SequenceBatch[Tensor]) -> Bags:
    """Return the n-grams of a batch, which must have some."""
    assert batch.ngrams is not None
    assert batch.bags is not None
    return Bags(batch.ngrams, batch.bags)


def together(batches: Iterable[SequenceBatch[Tensor]]) -> Labelled:
    """Return the n-grams and the labels of all batches as one, up to the batch that brings ``MOST_IDS``."""
    ids, starts, targets, size = [], [], [], 0
    for batch in batches:
        bags = bags_of(batch)
        assert batch.targets is not None
        ids.append(bags.ids)
        starts.append(bags.starts + size)
        targets.append(batch.targets)
        size += len(bags.ids)
        if size > MOST_IDS:
            break
    return Labelled(Bags(torch.cat(ids), torch.cat(starts)), torch.cat(targets))


class FrameClassifier(Classifier):
    """A label for a sequence of frames.

    Args:
        frame_size: features of a frame.
        input_dropout: share of a frame's features dropped, the same ones in all frames of a sequence.
        num_labels, encoder, pooling, dropout: as in ``Classifier``.
    """

    def __init__(
        self,
        *,
        frame_size: int,
        num_labels: int,
        encoder: MakeEncoder,
        pooling: MakePooling,
        input_dropout: float,
        dropout: float,
    ) -> None:
        super().__init__(frame_size, num_labels=num_labels, encoder=encoder, pooling=pooling, dropout=dropout)
        self.frame_size = frame_size
        self.input_dropout = input_dropout

    def inputs(self, batch: SequenceBatch[Tensor]) -> Tensor:
        """Return the frames."""
        return variational_dropout(batch.inputs, self.input_dropout, self.training)

    def drawn(self, sizes: Sizes, random: torch.Generator) -> tuple[Tensor, ...]:
        """Draw frames."""
        frames = torch.randn(sizes.rows, sizes.steps, self.frame_size, generator=random)
        return frames, drawn_lengths(sizes, random)
