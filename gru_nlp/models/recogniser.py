"""Speech to text: a recurrent encoder over stacked frames, and connectionist temporal classification."""

from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from gru_nlp.batch import SequencePairBatch
from gru_nlp.decoding.ctc import BLANK, CTCDecoding, recognise
from gru_nlp.errors import UserError
from gru_nlp.models.base import Model
from gru_nlp.models.graphs import Answers, Graph, Sizes, drawn_lengths, standing_in
from gru_nlp.nn.dropout import Dropout
from gru_nlp.nn.encoder import MakeEncoder
from gru_nlp.nn.masking import padding_mask, variational_dropout
from gru_nlp.outputs import Recognition
from gru_nlp.tensors import to_array


class Recogniser(Model[SequencePairBatch[Tensor]]):
    """Frames, several of them a step, an encoder, and what is said at each step: a token, or nothing.

    Joining frames, each of them once (Sak et al. 2015), makes a recording so many times shorter. The loss is the
    negative log-probability of a transcript by all of its paths (Graves et al. 2006). Shapes: T frames, V tokens with
    the blank in the place of padding.

    Attributes:
        stack: frames of a step.

    Args:
        frame_size: features of a frame.
        vocabulary_size: V.
        encoder: makes the encoder from the features of a step.
        decoding: strategy of ``predict``.
        input_dropout: share of a step's features dropped, the same ones in all steps of a recording.
        dropout: share of the encoder's states dropped.

    Raises:
        UserError: the strategy is one of translators.
    """

    def __init__(
        self,
        *,
        frame_size: int,
        vocabulary_size: int,
        stack: int,
        encoder: MakeEncoder,
        decoding: CTCDecoding,
        input_dropout: float,
        dropout: float,
    ) -> None:
        super().__init__()
        if not isinstance(decoding, CTCDecoding):
            told = f"decoding: {type(decoding).__name__} writes token by token, as translators do"
            raise UserError(f"{told}: set decoding=ctc_greedy or decoding=ctc_beam")
        self.frame_size, self.stack = frame_size, stack
        self.encoder = encoder(stack * frame_size)
        self.output = nn.Linear(self.encoder.output_size, vocabulary_size)
        self.decoding = decoding
        self.input_dropout, self.dropout = input_dropout, Dropout(dropout)

    runner = "speech"

    def steps(self, lengths: Any) -> Any:
        """Return how many steps recordings of so many frames have, as tensors or arrays; the last may not be full."""
        return (lengths + (self.stack - 1)) // self.stack

    def log_probabilities(self, inputs: Tensor, lengths: Tensor) -> Tensor:
        """Frames ``(B, T, F)`` of ``lengths`` ``(B,)`` -> log-probabilities of each step ``(B, steps, V)``."""
        return self.scores(self.stacked(inputs, lengths), self.steps(lengths))

    def stacked(self, inputs: Tensor, lengths: Tensor) -> Tensor:
        """Frames ``(B, T, F)`` -> several a step ``(B, steps, stack F)``, zeros behind each recording's end."""
        real = padding_mask(lengths, inputs.shape[1])[:, :, None]
        frames = inputs.masked_fill(~real, 0.0)  # of which the last step may have some
        missing = -inputs.shape[1] % self.stack
        return nn.functional.pad(frames, (0, 0, 0, missing)).reshape(len(inputs), -1, self.stack * self.frame_size)

    def scores(self, stacked: Tensor, steps: Tensor) -> Tensor:
        """Steps ``(B, T, stack F)``, so many of each recording ``(B,)`` -> log-probabilities ``(B, T, V)``."""
        stacked = variational_dropout(stacked, self.input_dropout, self.training)
        states, _ = self.encoder(stacked, steps)
        return cast(Tensor, self.output(self.dropout(states))).float().log_softmax(dim=2)

    def forward(self, batch: SequencePairBatch[Tensor]) -> tuple[Tensor, Tensor]:
        """Return the loss of each transcript ``(B,)`` in nats, and the log-probabilities of its steps.

        A recording with fewer steps than its transcript needs has no path: its loss is 0, and teaches nothing.
        """
        assert batch.targets is not None
        assert batch.target_lengths is not None
        scores = self.log_probabilities(batch.inputs, batch.lengths)
        steps, sizes = self.steps(batch.lengths), batch.target_lengths
        losses = nn.functional.ctc_loss(
            scores.transpose(0, 1), batch.targets, steps, sizes, BLANK, reduction="none", zero_infinity=True
        )
        return losses, scores

    def heard(self, scores: Tensor, lengths: Tensor, decoding: CTCDecoding, most: int = 1) -> Recognition[Any]:
        """Search by a strategy, as arrays, what log-probabilities ``(B, steps, V)`` of ``lengths`` ``(B,)`` say."""
        return recognise(to_array(scores), to_array(self.steps(lengths)), decoding, most, self.stack)

    def predict(self, batch: SequencePairBatch[Tensor], top_k: int = 1) -> Recognition[Tensor]:
        """Recognise a batch by the model's own strategy; the ``top_k`` best texts, as far as it follows so many."""
        scores = self.log_probabilities(batch.inputs, batch.lengths)
        return self.heard(scores, batch.lengths, self.decoding, top_k).map(torch.from_numpy)

    def floors(self) -> Sequence[Sequence[nn.Module]]:
        """Return the encoder's layers, the last one first."""
        return self.encoder.floors()

    def graphs(self) -> list[Graph]:
        """Return the graph of ``scores``."""
        read, given = {"inputs": {0: "B", 1: "T"}, "lengths": {0: "B"}}, {"log_probabilities": {0: "B", 1: "T"}}
        return [Graph("model", _Scores(self), read, given, self.drawn)]

    def drawn(self, sizes: Sizes, random: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return steps, and how many each recording has, by chance."""
        steps = torch.randn(sizes.rows, sizes.steps, self.stack * self.frame_size, generator=random)
        return steps, drawn_lengths(sizes, random)

    def by_graphs(self, answers: Answers) -> "Recogniser":
        """Return one whose scores are the graph's."""
        return standing_in(self, scores=lambda stacked, steps: answers["model"](stacked, steps)[0])

    def kept(self) -> dict[str, Any]:
        """Return how many frames are a step."""
        return {"stack": self.stack}


class _Scores(nn.Module):
    """What ``scores`` does."""

    def __init__(self, model: Recogniser) -> None:
        super().__init__()
        self.model = model

    def forward(self, inputs: Tensor, lengths: Tensor) -> Tensor:
        return self.model.scores(inputs, lengths)
