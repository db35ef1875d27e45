"""One label for a sequence: sentiment, topics, intents, images read row by row."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import cast

from torch import Tensor, nn

from gru_nlp.batch import SequenceBatch
from gru_nlp.nn.masking import variational_dropout
from gru_nlp.text.special import PAD, UNK


class Classifier(nn.Module, ABC):
    """Recurrent encoder, pooling, dropout, linear layer; a kind of classifier makes its inputs.

    Args:
        input_size: features of a step.
        num_labels: number of labels C.
        encoder: makes the encoder from the input size.
        pooling: makes the pooling from the encoder's output size.
        dropout: share of pooled features dropped before the linear layer.
    """

    def __init__(
        self,
        input_size: int,
        *,
        num_labels: int,
        encoder: Callable[[int], nn.Module],
        pooling: Callable[[int], nn.Module],
        dropout: float,
    ) -> None:
        super().__init__()
        self.encoder = encoder(input_size)
        self.pooling = pooling(cast(int, self.encoder.output_size))
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(cast(int, self.pooling.output_size), num_labels)

    @abstractmethod
    def inputs(self, batch: SequenceBatch) -> Tensor:
        """Return what the encoder reads, ``(B, T, D)``."""

    def forward(self, batch: SequenceBatch) -> Tensor:
        """Return logits ``(B, C)``."""
        states, final = self.encoder(self.inputs(batch), batch.lengths)  # (B, T, H), (B, H)
        pooled = self.pooling(states, final, batch.lengths)
        return cast(Tensor, self.output(self.dropout(pooled)))

    def predict(self, batch: SequenceBatch) -> Tensor:
        """Return label probabilities ``(B, C)``."""
        return self(batch).softmax(dim=1)  # type: ignore[no-any-return]


class SequenceClassifier(Classifier):
    """A label for a sequence of tokens.

    Args:
        vocabulary_size: number of token ids.
        embedding: makes the embedding from the vocabulary size and the ids of padding and of the unknown token.
        num_labels, encoder, pooling, dropout: as in ``Classifier``.
    """

    def __init__(
        self,
        *,
        vocabulary_size: int,
        num_labels: int,
        embedding: Callable[..., nn.Module],
        encoder: Callable[[int], nn.Module],
        pooling: Callable[[int], nn.Module],
        dropout: float,
    ) -> None:
        table = embedding(vocabulary_size, unseen=0, padding_id=PAD, unknown_id=UNK)
        size = cast(int, table.output_size)
        super().__init__(size, num_labels=num_labels, encoder=encoder, pooling=pooling, dropout=dropout)
        self.embedding = table

    def inputs(self, batch: SequenceBatch) -> Tensor:
        """Look up the tokens."""
        return cast(Tensor, self.embedding(batch.inputs))


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
        encoder: Callable[[int], nn.Module],
        pooling: Callable[[int], nn.Module],
        input_dropout: float,
        dropout: float,
    ) -> None:
        super().__init__(frame_size, num_labels=num_labels, encoder=encoder, pooling=pooling, dropout=dropout)
        self.input_dropout = input_dropout

    def inputs(self, batch: SequenceBatch) -> Tensor:
        """Return the frames."""
        return variational_dropout(batch.inputs, self.input_dropout, self.training)
