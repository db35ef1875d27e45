"""One label for a sequence: sentiment, topics, intents, images read row by row."""

from abc import abstractmethod
from typing import cast

from torch import Tensor, nn

from gru_nlp.batch import Classification, SequenceBatch
from gru_nlp.models.base import Model
from gru_nlp.nn.embedding import MakeEmbedding
from gru_nlp.nn.encoder import MakeEncoder
from gru_nlp.nn.masking import variational_dropout
from gru_nlp.nn.pooling import MakePooling
from gru_nlp.text.special import PAD, UNK


class Classifier(Model[SequenceBatch[Tensor]]):
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
        encoder: MakeEncoder,
        pooling: MakePooling,
        dropout: float,
    ) -> None:
        super().__init__()
        self.encoder = encoder(input_size)
        self.pooling = pooling(self.encoder.output_size)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(self.pooling.output_size, num_labels)

    @abstractmethod
    def inputs(self, batch: SequenceBatch[Tensor]) -> Tensor:
        """Return what the encoder reads, ``(B, T, D)``."""

    def forward(self, batch: SequenceBatch[Tensor]) -> Tensor:
        """Return logits ``(B, C)``."""
        states, final = self.encoder(self.inputs(batch), batch.lengths)  # (B, T, H), (B, H)
        pooled = self.pooling(states, final, batch.lengths)
        return cast(Tensor, self.output(self.dropout(pooled)))

    def predict(self, batch: SequenceBatch[Tensor], top_k: int = 1) -> Classification[Tensor]:
        """Return the probabilities of all labels, the ``top_k`` best among them."""
        logits: Tensor = self(batch)
        return Classification(logits.softmax(dim=1))


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
        embedding: MakeEmbedding,
        encoder: MakeEncoder,
        pooling: MakePooling,
        dropout: float,
    ) -> None:
        table = embedding(vocabulary_size, unseen=0, padding_id=PAD, unknown_id=UNK)
        super().__init__(table.output_size, num_labels=num_labels, encoder=encoder, pooling=pooling, dropout=dropout)
        self.embedding = table

    def inputs(self, batch: SequenceBatch[Tensor]) -> Tensor:
        """Look up the tokens."""
        return cast(Tensor, self.embedding(batch.inputs))

    def load_vectors(self, vectors: Tensor, found: Tensor) -> None:
        """Hand them to the embedding."""
        self.embedding.load_vectors(vectors, found)


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
        self.input_dropout = input_dropout

    def inputs(self, batch: SequenceBatch[Tensor]) -> Tensor:
        """Return the frames."""
        return variational_dropout(batch.inputs, self.input_dropout, self.training)
