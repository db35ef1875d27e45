"""One label for a sequence: sentiment, topics, intents."""

from collections.abc import Callable
from typing import cast

from torch import Tensor, nn

from gru_nlp.batch import SequenceBatch
from gru_nlp.text.special import PAD, UNK


class SequenceClassifier(nn.Module):
    """Embedding, recurrent encoder, pooling, dropout, linear layer.

    Args:
        vocabulary_size: number of token ids.
        num_labels: number of labels C.
        embedding: makes the embedding from the vocabulary size and the ids of padding and of the unknown token.
        encoder: makes the encoder from the embedding's output size.
        pooling: makes the pooling from the encoder's output size.
        dropout: share of pooled features dropped before the linear layer.
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
        super().__init__()
        self.embedding = embedding(vocabulary_size, unseen=0, padding_id=PAD, unknown_id=UNK)
        self.encoder = encoder(cast(int, self.embedding.output_size))
        self.pooling = pooling(cast(int, self.encoder.output_size))
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(cast(int, self.pooling.output_size), num_labels)

    def forward(self, batch: SequenceBatch) -> Tensor:
        """Return logits ``(B, C)``."""
        states, final = self.encoder(self.embedding(batch.inputs), batch.lengths)  # (B, T, H), (B, H)
        pooled = self.pooling(states, final, batch.lengths)
        return cast(Tensor, self.output(self.dropout(pooled)))

    def predict(self, batch: SequenceBatch) -> Tensor:
        """Return label probabilities ``(B, C)``."""
        return self(batch).softmax(dim=1)  # type: ignore[no-any-return]
