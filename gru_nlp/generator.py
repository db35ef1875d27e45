"""Texts continued by a language model, token by token, from a checkpoint file alone; no Lightning, no datasets.

How it works. A prompt is read as a whole; then each step draws a token a text, and the unit's state, which is all that
is kept, moves on: a token costs the same at any length. Tokens become text as they come (``Unfolding``): the last ones
are decoded together with those before them, since a blank, or half a character, is only seen there.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor, nn

from gru_nlp import checkpoint
from gru_nlp.decoding.drawing import Drawing
from gru_nlp.errors import UserError
from gru_nlp.models.base import Model
from gru_nlp.preprocessing.base import Preprocessor, Record
from gru_nlp.text.special import BOS, EOS, PAD, UNK

#: Tokens of bytes that half a character may have.
HALVES = 8
#: Decoded at the place of half a character.
REPLACEMENT = "\ufffd"


@dataclass(frozen=True)
class Limits:
    """When a text ends.

    Attributes:
        max_tokens: most tokens that are drawn.
        stop: strings that end it, and are left out.
    """

    max_tokens: int = 200
    stop: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.max_tokens < 1:
            raise UserError(f"max_tokens={self.max_tokens} must be at least 1")
        if not all(isinstance(text, str) and text for text in self.stop):
            raise UserError(f"stop={list(self.stop)} must be a list of texts: stop=['.']")


class Drawn(NamedTuple):
    """What a step gave for one text: the new piece of it, and the token with its log-probability."""

    row: int
    piece: str
    token: int
    log_probability: float


class Unfolding:
    """Text of tokens as they come.

    Args:
        preprocessor: of the model.
        context: tokens of the line so far.
        stop: strings that end the text.
    """

    def __init__(self, preprocessor: Preprocessor, context: Sequence[int], stop: Sequence[str]) -> None:
        self.preprocessor = preprocessor
        self.ids = list(context)[-HALVES:]
        self.read = len(self.ids)
        self.stop = stop
        self.held = ""  # what may be the beginning of a string that ends the text
        self.stopped = False

    def add(self, token: int) -> str:
        """Return what can be told of the text now that ``token`` has come."""
        return self._until_stop(self._piece(token))

    def rest(self) -> str:
        """Return what is left at the end."""
        held, self.held = self.held, ""
        return held

    def _piece(self, token: int) -> str:
        if token == EOS:
            self.ids, self.read = [], 0
            return "\n"
        self.ids.append(token)
        before = self.preprocessor.text_of(self.ids[: self.read])
        whole = self.preprocessor.text_of(self.ids)
        if whole.endswith(REPLACEMENT) and len(self.ids) - self.read < HALVES:
            return ""
        self.ids, self.read = self.ids[self.read :], len(self.ids) - self.read
        return whole[len(before) :]

    def _until_stop(self, piece: str) -> str:
        text = self.held + piece
        places = [place for stop in self.stop if (place := text.find(stop)) >= 0]
        if places:
            self.stopped, self.held = True, ""
            return text[: min(places)]
        kept = max((n for stop in self.stop for n in range(1, len(stop)) if text.endswith(stop[:n])), default=0)
        self.held = text[len(text) - kept :]
        return text[: len(text) - kept]


class Generator:
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
        self.preprocessor = preprocessor
        self.model = cast(Model[Any], model.eval().to(device))
        self.device = device
        self.names = preprocessor.tokens()

    @classmethod
    def from_checkpoint(cls, path: str | Path, device: str = "cpu", trusted: Sequence[str] = ()) -> "Generator":
        """Load a checkpoint file, or the best one of a run folder.

        Raises:
            UserError: as ``Predictor.from_checkpoint``; or it is no language model.
        """
        preprocessor, model = checkpoint.restore(checkpoint.load(path), trusted)
        preprocessor.prompt("")
        return cls(preprocessor, model, device)

    def __call__(
        self, prompt: str = "", *, drawing: Drawing | None = None, limits: Limits | None = None, seed: int = 1
    ) -> Record:
        """Continue one text: ``text`` (without the prompt), ``log_probability``, and ``tokens``, each with its own.

        Raises:
            UserError: the prompt holds what the model has never seen.
        """
        return self.records([prompt], drawing or Drawing(), limits or Limits(), seed)[0]

    def records(self, prompts: Sequence[str], drawing: Drawing, limits: Limits, seed: int) -> list[Record]:
        """Continue several texts together; the n-th is drawn by ``seed`` + n, whatever stands beside it."""
        pieces: list[list[Drawn]] = [[] for _ in prompts]
        for drawn in self.stream(prompts, drawing, limits, seed):
            pieces[drawn.row].append(drawn)
        return [
            {
                "prompt": prompt,
                "text": "".join(drawn.piece for drawn in row),
                "log_probability": sum(drawn.log_probability for drawn in row),
                "tokens": [[self.names[drawn.token], drawn.log_probability] for drawn in row],
            }
            for prompt, row in zip(prompts, pieces, strict=True)
        ]

    @torch.inference_mode()
    def stream(self, prompts: Sequence[str], drawing: Drawing, limits: Limits, seed: int) -> Iterator[Drawn]:
        """Yield what each step draws for each text that has not ended; nothing of it is kept.

        Raises:
            UserError: a prompt holds what the model has never seen.
        """
        ids = [self.preprocessor.prompt(prompt) for prompt in prompts]
        texts = [Unfolding(self.preprocessor, _last_line(row), limits.stop) for row in ids]
        generators = [torch.Generator(self.device).manual_seed((seed + place) % 2**63) for place in range(len(ids))]
        scores, state = self._read(ids)
        seen = self._seen(ids, scores.shape[1]) if drawing.repetition_penalty != 1.0 else None
        running = list(range(len(ids)))
        for count in range(1, limits.max_tokens + 1):
            scores[:, [PAD, UNK, BOS]] = float("-inf")  # which are no text
            tokens = drawing(scores, seen, [generators[row] for row in running])  # (B,)
            likely = scores.gather(1, tokens[:, None])[:, 0]
            for row, token, log_probability in zip(running, tokens.tolist(), likely.tolist(), strict=True):
                piece = texts[row].add(token)
                last = count == limits.max_tokens and not texts[row].stopped
                yield Drawn(row, piece + texts[row].rest() if last else piece, token, log_probability)
            kept = [place for place, row in enumerate(running) if not texts[row].stopped]
            if not kept or count == limits.max_tokens:
                return
            if seen is not None:
                seen[torch.arange(len(running)), tokens] = True
            if len(kept) < len(running):
                places = torch.tensor(kept, device=self.device)
                running = [running[place] for place in kept]
                tokens, state = tokens[places], state.index_select(1, places)
                seen = None if seen is None else seen[places]
            scores, state = self.model.go_on(tokens, state)

    def _read(self, ids: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
        """Read each prompt by itself, so that none depends on the length of another."""
        known: dict[tuple[int, ...], tuple[Tensor, Tensor]] = {}
        for row in map(tuple, ids):
            if row not in known:
                known[row] = self.model.begin(torch.tensor([row], device=self.device))
        found = [known[tuple(row)] for row in ids]
        return torch.cat([scores for scores, _ in found]), torch.cat([state for _, state in found], dim=1)

    def _seen(self, ids: Sequence[Sequence[int]], size: int) -> Tensor:
        seen = torch.zeros(len(ids), size, dtype=torch.bool, device=self.device)
        for place, row in enumerate(ids):
            seen[place, list(row)] = True
        return seen


def _last_line(ids: Sequence[int]) -> Sequence[int]:
    """Return the tokens after the last end of a line."""
    ends = [place for place, token in enumerate(ids) if token == EOS]
    return ids[ends[-1] + 1 :] if ends else ids
