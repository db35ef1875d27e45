"""Texts to sound, from a checkpoint file alone; imports neither Lightning nor datasets."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

import torch
from torch import nn

from gru_nlp import checkpoint
from gru_nlp.batch import AnyArray
from gru_nlp.models.synthesiser import Synthesiser
from gru_nlp.preprocessing.base import Preprocessor
from gru_nlp.preprocessing.rows import RowError
from gru_nlp.preprocessing.synthesis import SynthesisPreprocessor
from gru_nlp.speech.griffin_lim import GriffinLim
from gru_nlp.speech.mel import Floats
from gru_nlp.tensors import to_array, to_tensors
from gru_nlp.text.special import EOS


class Spoken(NamedTuple):
    """The speech of a text.

    Attributes:
        waveform: ``(N,)``, values about -1 to 1.
        frames: log-mel, ``(T, M)``.
        weights: ``(G, S)``, to which characters the model attended at each of its steps.
        characters: of the text, S of them, the end mark among them.
        ended: whether it ended by itself, and not at the limit of its length.
    """

    waveform: Floats
    frames: Floats
    weights: AnyArray
    characters: list[str]
    ended: bool


class Narrator:
    """A trained synthesiser with its preprocessing, called with texts.

    Example::

        narrator = Narrator.from_checkpoint("runs/my-run")
        (spoken,) = narrator(["three nine one"], speaker="anna")
        spoken.waveform, narrator.sample_rate

    Args:
        preprocessor: fitted.
        model: trained.
        device: where the model runs.

    Raises:
        UserError: it is no synthesiser.
    """

    def __init__(self, preprocessor: Preprocessor, model: nn.Module, device: str = "cpu") -> None:
        preprocessor.utterances([], None)
        self.preprocessor = cast(SynthesisPreprocessor, preprocessor)
        self.model = cast(Synthesiser, model.eval().to(device))
        self.device = device
        self.griffin_lim = GriffinLim(self.preprocessor.log_mel)

    @classmethod
    def from_checkpoint(cls, path: str | Path, device: str = "cpu", trusted: Sequence[str] = ()) -> "Narrator":
        """Load a checkpoint file, or the best one of a run folder.

        Raises:
            UserError: as ``Predictor.from_checkpoint``; or it is no synthesiser.
        """
        preprocessor, model = checkpoint.restore(checkpoint.load(path), trusted)
        return cls(preprocessor, model, device)

    @property
    def sample_rate(self) -> int:
        """Samples a second of what is spoken."""
        return self.preprocessor.log_mel.sample_rate

    @property
    def speakers(self) -> list[str]:
        """Names of who can speak."""
        return list(self.preprocessor.speakers)

    def __call__(self, texts: Sequence[str], speaker: str | None = None, batch_size: int = 32) -> Iterator[Spoken]:
        """Yield the speech of each text, in their order; a text is spoken alike whatever stands beside it.

        Args:
            texts: each with something to speak.
            speaker: one of ``speakers``; None: the first.
            batch_size: most texts that the model speaks together.

        Raises:
            UserError: there is no such speaker.
            RowError: a text is empty, or has what training does not have.
        """
        empty = [row for row, text in enumerate(texts) if not text.strip()]
        if empty:
            raise RowError(empty[0], "there is nothing to speak")
        columns = self.preprocessor.utterances(texts, speaker)
        names = self.preprocessor.tokens()
        for start in range(0, len(texts), batch_size):
            part = {name: values[start : start + batch_size] for name, values in columns.items()}
            for row, (frames, weights, ended) in enumerate(self._said(part)):
                ids = part["ids"][row]
                characters = ["" if index == EOS else names[index] for index in ids]
                yield Spoken(self.griffin_lim(frames), frames, weights[:, : len(ids)], characters, ended)

    def _said(self, columns: dict[str, Sequence[Any]]) -> Iterator[tuple[Floats, AnyArray, bool]]:
        """Yield frames, attention, and whether it ended by itself, of each text."""
        batch = self.preprocessor.collate(columns, training=False)
        with torch.inference_mode():
            said = self.model.predict(to_tensors(batch, self.device)).map(to_array)
        all_frames = self.preprocessor.log_mels(said.frames, said.lengths)
        for frames, weights, ended in zip(all_frames, said.weights, said.ended.tolist(), strict=True):
            steps = len(frames) * len(weights) // said.frames.shape[1]
            yield frames, weights[:steps], ended
