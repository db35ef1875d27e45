"""Texts continued by a language model, token by token, from a checkpoint file alone; no Lightning, no datasets."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from gru_nlp import checkpoint
from gru_nlp.continuing import MARKS, Continuer, Walk
from gru_nlp.decoding.chance import draw
from gru_nlp.decoding.drawing import Drawing
from gru_nlp.models.base import Model
from gru_nlp.preprocessing.base import Preprocessor


class Generator(Continuer):
    """A trained language model with its preprocessing, called with the beginnings of texts.

    Example::

        generator = Generator.from_checkpoint("runs/my-run")
        generator("One morning", limits=Limits(50))  # {"text": " Anna lost a red hat...", "log_probability": ...}

    Args:
        preprocessor: fitted.
        model: trained.
        device: where the model runs.
    """

    def __init__(self, preprocessor: Preprocessor, model: nn.Module, device: str = "cpu") -> None:
        super().__init__(preprocessor)
        self.model = cast(Model[Any], model.eval().to(device))
        self.device = device

    @classmethod
    def from_checkpoint(cls, path: str | Path, device: str = "cpu", trusted: Sequence[str] = ()) -> "Generator":
        """Load a checkpoint file, or the best one of a run folder.

        Raises:
            UserError: as ``Predictor.from_checkpoint``; or it is no language model.
        """
        preprocessor, model = checkpoint.restore(checkpoint.load(path), trusted)
        preprocessor.prompt("")
        return cls(preprocessor, model, device)

    def _walk(self, ids: Sequence[Sequence[int]], drawing: Drawing, seeds: Sequence[int]) -> Walk:
        return _Walk(self.model, self.device, ids, drawing, seeds)


class _Walk(Walk):
    """Texts that are being continued by a model of torch's.

    Args:
        model: of language.
        device: where it runs.
        ids: of the prompts' tokens.
        drawing: how tokens are drawn.
        seeds: of each text's random numbers.
    """

    @torch.inference_mode()
    def __init__(
        self, model: Model[Any], device: str, ids: Sequence[Sequence[int]], drawing: Drawing, seeds: Sequence[int]
    ) -> None:
        self.model = model
        self.device = device
        self.drawing = drawing
        self.generators = [torch.Generator(device).manual_seed(seed) for seed in seeds]
        self.scores, self.state = self._read(ids)
        self.seen = self._seen(ids) if drawing.repetition_penalty != 1.0 else None
        self.tokens: Tensor

    @torch.inference_mode()
    def draw(self) -> tuple[list[int], list[float]]:
        """Draw a token a text; return them with their log-probabilities."""
        self.scores[:, list(MARKS)] = float("-inf")
        self.tokens = draw(self.drawing, self.scores, self.seen, self.generators)  # (B,)
        likely = self.scores.gather(1, self.tokens[:, None])[:, 0]
        if self.seen is not None:
            self.seen[torch.arange(len(self.tokens)), self.tokens] = True
        return self.tokens.tolist(), likely.tolist()

    @torch.inference_mode()
    def go_on(self, kept: Sequence[int]) -> None:
        """Read the tokens just drawn of the texts at the places ``kept``; the others have ended."""
        tokens, state = self.tokens, self.state
        if len(kept) < len(tokens):
            places = torch.tensor(kept, device=self.device)
            self.generators = [self.generators[place] for place in kept]
            tokens, state = tokens[places], state.index_select(1, places)
            self.seen = None if self.seen is None else self.seen[places]
        self.scores, self.state = self.model.go_on(tokens, state)

    def _read(self, ids: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
        """Read each prompt by itself, so that none depends on the length of another."""
        known: dict[tuple[int, ...], tuple[Tensor, Tensor]] = {}
        for row in map(tuple, ids):
            if row not in known:
                known[row] = self.model.begin(torch.tensor([row], device=self.device))
        found = [known[tuple(row)] for row in ids]
        return torch.cat([scores for scores, _ in found]), torch.cat([state for _, state in found], dim=1)

    def _seen(self, ids: Sequence[Sequence[int]]) -> Tensor:
        seen = torch.zeros(self.scores.shape, dtype=torch.bool, device=self.device)
        for place, row in enumerate(ids):
            seen[place, list(row)] = True
        return seen
