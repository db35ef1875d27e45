"""Texts continued token by token, whatever computes what may follow; knows neither torch nor another runtime.

How it works. A prompt is read as a whole; then each step draws a token a text, and the unit's state, which is all that
is kept, moves on: a token costs the same at any length. Tokens become text as they come (``Unfolding``): the last ones
are decoded together with those before them, since a blank, or half a character, is only seen there. What reads and
draws is a ``Walk``, of which each runtime has its own.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from gru_nlp.decoding.drawing import Drawing
from gru_nlp.errors import UserError
from gru_nlp.preprocessing.base import Preprocessor
from gru_nlp.preprocessing.rows import Record
from gru_nlp.text.special import BOS, EOS, PAD, UNK

#: Tokens of bytes that half a character may have.
HALVES = 8
#: Decoded at the place of half a character.
REPLACEMENT = "\ufffd"
#: Tokens that are no text, and never drawn.
MARKS = (PAD, UNK, BOS)


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


class Walk(ABC):
    """Texts that are being continued together; each is drawn by random numbers of its own."""

    @abstractmethod
    def draw(self) -> tuple[list[int], list[float]]:
        """Draw a token a text; return them with their log-probabilities."""

    @abstractmethod
    def go_on(self, kept: Sequence[int]) -> None:
        """Read the tokens just drawn of the texts at the places ``kept``; the others have ended."""


class Continuer(ABC):
    """What is called with the beginnings of texts, and continues them.

    Args:
        preprocessor: fitted, of a language model.
    """

    def __init__(self, preprocessor: Preprocessor) -> None:
        self.preprocessor = preprocessor
        self.names = preprocessor.tokens()

    @abstractmethod
    def _walk(self, ids: Sequence[Sequence[int]], drawing: Drawing, seeds: Sequence[int]) -> Walk:
        """Read the tokens of prompts, each drawn on by one of ``seeds``."""

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

    def stream(self, prompts: Sequence[str], drawing: Drawing, limits: Limits, seed: int) -> Iterator[Drawn]:
        """Yield what each step draws for each text that has not ended; nothing of it is kept.

        Raises:
            UserError: a prompt holds what the model has never seen.
        """
        ids = [self.preprocessor.prompt(prompt) for prompt in prompts]
        texts = [Unfolding(self.preprocessor, _last_line(row), limits.stop) for row in ids]
        walk = self._walk(ids, drawing, [(seed + place) % 2**63 for place in range(len(ids))])
        running = list(range(len(ids)))
        for count in range(1, limits.max_tokens + 1):
            for row, token, log_probability in zip(running, *walk.draw(), strict=True):
                piece = texts[row].add(token)
                last = count == limits.max_tokens and not texts[row].stopped
                yield Drawn(row, piece + texts[row].rest() if last else piece, token, log_probability)
            kept = [place for place, row in enumerate(running) if not texts[row].stopped]
            if not kept or count == limits.max_tokens:
                return
            running = [running[place] for place in kept]
            walk.go_on(kept)


def _last_line(ids: Sequence[int]) -> Sequence[int]:
    """Return the tokens after the last end of a line."""
    ends = [place for place, token in enumerate(ids) if token == EOS]
    return ids[ends[-1] + 1 :] if ends else ids
