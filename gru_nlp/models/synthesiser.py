"""Text to speech: characters are encoded, and an attentional decoder writes frames, several at a step.

How it works, after Wang et al. (2017) and Shen et al. (2018). Characters go through embedding and encoder; beside each
of the encoder's states stands the speaker's vector. A decoder of translation attends to them. What it reads at a step
is not the last word but the last group of frames, through two layers that drop half of their features (``Prenet``):
else a frame is so well foretold by the one before that the text is never looked at. Its features become the next group
of frames and one number that says whether speech ends with it. Dropout is for training alone, so that a text is always
spoken in the same way, whatever stands beside it in a batch.

Reading goes on from left to right. ``forward`` teaches that by a penalty for attention far from the diagonal (Tachibana
et al. 2018, section 4.1); where ``monotone`` is set, attention can do nothing else (``nn.monotone``).

Shapes: S characters, T frames of M bands, G steps of r frames each, the last one filled up by its last frame.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

from gru_nlp.batch import SpeakingBatch
from gru_nlp.errors import UserError
from gru_nlp.models.base import Model
from gru_nlp.models.graphs import Graph
from gru_nlp.nn.decoder import MakeDecoder
from gru_nlp.nn.decoder_state import DecoderState
from gru_nlp.nn.dropout import Dropout
from gru_nlp.nn.embedding import MakeEmbedding
from gru_nlp.nn.encoder import MakeEncoder
from gru_nlp.nn.masking import gather_steps, padding_mask
from gru_nlp.nn.monotone import MonotoneAttention
from gru_nlp.outputs import Speech
from gru_nlp.text.special import PAD, UNK

#: How far from the diagonal attention may stray, as a share of text and speech (Tachibana et al. 2018: g).
STRAYING = 0.2
#: Frames after which any speech ends: a stranger's model may never say that it does.
LONGEST = 20_000
#: What an untrained model gives for the end of speech, a logit: most steps are not the last.
GOES_ON = -2.0


class Losses(NamedTuple):
    """What each recording of a batch costs, summed over its steps, ``(B,)`` all.

    Attributes:
        frames: absolute and squared differences of frames, means over a step.
        stop: cross-entropy of whether speech ends, in nats.
        attention: how much of the attention strays from the diagonal.
        steps: their number.
    """

    frames: Tensor
    stop: Tensor
    attention: Tensor
    steps: Tensor


class Prenet(nn.Sequential):
    """What the decoder reads of the last frames: two layers, much of which is dropped in training.

    Args:
        input_size: features of a group of frames.
        size: of each layer.
        dropout: share of their features dropped.
    """

    def __init__(self, input_size: int, size: int, dropout: float) -> None:
        layers = [nn.Linear(input_size, size), nn.ReLU(), Dropout(dropout)]
        super().__init__(*layers, nn.Linear(size, size), nn.ReLU(), Dropout(dropout))


class Synthesiser(Model[SpeakingBatch[Tensor]]):
    """Embedding and encoder of characters, a vector a speaker, and a decoder of frames.

    Args:
        vocabulary_size: number of character ids.
        num_speakers: number of speakers.
        frame_size: bands M of a frame.
        embedding: makes an embedding from a vocabulary size and the ids of padding and of the unknown token.
        encoder: makes the encoder from the embedding's output size.
        decoder: makes the decoder from the sizes of what it reads and attends to, and the size of its features.
        speaker_size: features of a speaker's vector.
        size: features of the prenet, and of what frames are made of.
        frames_per_step: r.
        most_frames: a text's speech ends at the latest after so many frames a character, the end mark among these, and
            after 20,000 in all.
        prenet_dropout: share of the prenet's features dropped.
        dropout: share of the encoder's states dropped.
        monotone: whether attention stays or goes on to the next characters, and does nothing else.
    """

    def __init__(
        self,
        *,
        vocabulary_size: int,
        num_speakers: int,
        frame_size: int,
        embedding: MakeEmbedding,
        encoder: MakeEncoder,
        decoder: MakeDecoder,
        speaker_size: int,
        size: int,
        frames_per_step: int,
        most_frames: int,
        prenet_dropout: float,
        dropout: float,
        monotone: bool,
    ) -> None:
        super().__init__()
        self.frame_size, self.frames_per_step = frame_size, frames_per_step
        self.most_frames = most_frames
        self.source = embedding(vocabulary_size, unseen=0, padding_id=PAD, unknown_id=UNK)
        self.encoder = encoder(self.source.output_size)
        self.speakers = nn.Embedding(num_speakers, speaker_size)
        self.decoder = decoder(size, self.encoder.output_size + speaker_size, output_size=size)
        if monotone:
            self.decoder.attention = MonotoneAttention(self.decoder.attention)
        self.prenet = Prenet(frames_per_step * frame_size, size, prenet_dropout)
        self.frames = nn.Linear(size, frames_per_step * frame_size)
        self.stop = nn.Linear(size, 1)
        nn.init.constant_(self.stop.bias, GOES_ON)
        self.dropout = Dropout(dropout)

    def start(self, batch: SpeakingBatch[Tensor]) -> DecoderState:
        """Encode texts; return the decoder's state before its first step."""
        states, final = self.encoder(self.source(batch.inputs), batch.lengths)
        speakers = self.speakers(batch.speakers)  # (B, V)
        everywhere = speakers[:, None].expand(-1, states.shape[1], -1)
        beside = torch.cat([self.dropout(states), everywhere], dim=2)
        return self.decoder.start(beside, torch.cat([self.dropout(final), speakers], dim=1), batch.lengths)

    def steps(self, frames: Tensor) -> Tensor:
        """Return the steps of numbers of frames."""
        return (frames + (self.frames_per_step - 1)) // self.frames_per_step

    def forward(self, batch: SpeakingBatch[Tensor]) -> Losses:
        """Return what each recording costs, every step read with the true past."""
        assert batch.frames is not None
        assert batch.frame_lengths is not None
        steps = self.steps(batch.frame_lengths)
        targets = self._grouped(batch.frames, batch.frame_lengths, int(steps.max()))  # (B, G, r M)
        past = nn.functional.pad(targets, (0, 0, 1, 0))[:, :-1]
        features, weights = self.decoder.attended(self.prenet(past), self.start(batch))
        real = padding_mask(steps, targets.shape[1])
        apart = self.frames(features) - targets
        ends = real & ~padding_mask(steps - 1, targets.shape[1])
        stop = cross_entropy(self.stop(features)[:, :, 0], ends.to(apart.dtype), reduction="none")
        strayed = (weights * straying(steps, batch.lengths, *weights.shape[1:])).sum(dim=2)
        parts = (apart.abs().mean(dim=2) + apart.square().mean(dim=2), stop, strayed)
        frames, ending, attention = (torch.where(real, part, 0.0).sum(dim=1) for part in parts)
        return Losses(frames, ending, attention, steps)

    def _grouped(self, frames: Tensor, lengths: Tensor, steps: int) -> Tensor:
        """Return frames ``(B, T, M)`` as ``(B, G, r M)``; after each recording's end its last frame goes on."""
        places = torch.arange(steps * self.frames_per_step, device=frames.device)
        index = torch.minimum(places[None], lengths[:, None] - 1)
        return gather_steps(frames, index).reshape(len(frames), steps, -1)

    @torch.inference_mode()
    def predict(self, batch: SpeakingBatch[Tensor], top_k: int = 1) -> Speech[Tensor]:
        """Speak texts, each until it says that it ends, or to its limit; there is but one way to speak each."""
        state, steps = self.start(batch), self.steps((batch.lengths * self.most_frames).clamp(max=LONGEST))
        ended = torch.zeros_like(steps, dtype=torch.bool)
        last = state.hidden.new_zeros(len(steps), 1, self.frames_per_step * self.frame_size)
        said, weights = list[Tensor](), list[Tensor]()
        while len(said) < int(steps.max()):
            step = self.decoder.step(self.prenet(last), state)
            state, last = self.decoder.gone_on(step), self.frames(step.features)
            said.append(last)
            weights.append(step.weights)
            ends = (self.stop(step.features)[:, 0, 0] > 0) & (len(said) <= steps)
            ended, steps = ended | ends, steps.masked_fill(ends, len(said))
        frames = torch.cat(said, dim=1).reshape(len(steps), -1, self.frame_size)
        lengths = steps * self.frames_per_step
        silent = ~padding_mask(lengths, frames.shape[1])[:, :, None]
        return Speech(frames.masked_fill(silent, 0.0), lengths, torch.cat(weights, dim=1), ended)

    def floors(self) -> list[list[nn.Module]]:
        """Return the encoder's layers, the last one first, and the embedding."""
        return [*self.encoder.floors(), [self.source]]

    def graphs(self) -> list[Graph]:
        """Refuse: there are none.

        Raises:
            UserError: always.
        """
        raise UserError("a synthesiser is not exported: use gru-nlp speak")


def straying(steps: Tensor, lengths: Tensor, most_steps: int, most_characters: int) -> Tensor:
    """Return how far each step's attention to each character is from the diagonal, ``(B, G, S)``, from 0 to 1.

    Args:
        steps: of speech, ``(B,)``.
        lengths: of texts, ``(B,)``.
        most_steps, most_characters: G and S.
    """
    spoken = torch.arange(most_steps, device=steps.device)[None] / steps[:, None]
    read = torch.arange(most_characters, device=steps.device)[None] / lengths[:, None]
    apart = read[:, None, :] - spoken[:, :, None]
    return 1.0 - torch.exp(-apart.square() / (2 * STRAYING**2))
