"""Recordings of single words, strung together at random: what a recogniser of connected words learns from.

The recordings of a split are strung by themselves, so that none of the test split is heard in training.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import ClassVar

import numpy as np

from gru_nlp.data.corpus import Recipe
from gru_nlp.data.layouts import Row
from gru_nlp.data.recordings import LabelledRecording, RecordingCorpus, TranscribedRecording
from gru_nlp.data.values import column_names
from gru_nlp.data.where import Found, HeldOut
from gru_nlp.errors import UserError

#: Times that a recording may be heard at most, and words of the longest string.
MOST_REPEATS, MOST_WORDS = 1000, 1000


@dataclass(frozen=True)
class Stringing:
    """How recordings are strung together.

    Attributes:
        repeats: strings in which each recording is heard.
        least, most: words of a string.
        seed: of what is drawn.
    """

    repeats: int
    least: int
    most: int
    seed: int

    def strings(self, rows: Sequence[Row]) -> list[list[Row]]:
        """Return strings of recordings, each of one speaker, in a random order.

        Each recording is heard as often as any other of its speaker, but for a last string that is too short.
        """
        random = np.random.default_rng(self.seed)
        speakers: dict[str, list[Row]] = {}
        for row in rows:
            speakers.setdefault(row["speaker"], []).append(row)
        made: list[list[Row]] = []
        for own in speakers.values():
            turns = [own[place] for _ in range(self.repeats) for place in random.permutation(len(own)).tolist()]
            while len(turns) >= self.least:
                count = int(random.integers(self.least, self.most + 1))
                made.append(turns[:count])
                turns = turns[count:]
        made = [string for string in made if len(string) >= self.least]
        return [made[place] for place in random.permutation(len(made)).tolist()]


@dataclass(frozen=True)
class StrungRecordings(TranscribedRecording):
    """Several recordings as one: their paths, and their words one after the other.

    Attributes:
        stringing: how.
    """

    stringing: Stringing
    noun: ClassVar[str] = "recordings to string together"

    def giving(self, columns: Sequence[str]) -> LabelledRecording:
        """Return the layout, which has transcripts alone.

        Raises:
            UserError: labels are wanted.
        """
        if "label" in columns:
            raise UserError("strings of words have a transcript, not a label: set task=speech_recognition")
        return self

    def rows(self, found: Found) -> Iterator[Row]:
        """Yield the strings of a split.

        Raises:
            UserError: as every layout; or there are too few recordings for a string.
        """
        strings = self.stringing.strings(list(super().rows(found)))
        if not strings:
            told = f"too few recordings of one speaker for a string of {self.stringing.least}"
            raise UserError(f"{found.name}: {told} (see data.shortest, {found.option})")
        for line, string in enumerate(strings, start=1):
            yield {
                "recording": [path for row in string for path in row["recording"]],
                "name": "+".join(Path(row["name"]).stem for row in string),
                "text": " ".join(row["text"] for row in string),
                "speaker": string[0]["speaker"],
                "line": line,
            }


@dataclass(kw_only=True, eq=False)
class StringCorpus(RecordingCorpus):
    """Recordings of single words, strung together; the validation split has recordings of its own too.

    Attributes:
        hold_out_validation: values of the column ``hold_out_by``, whose rows of training are the validation split.
        repeats: strings in which each recording is heard.
        shortest, longest: words of a string.
        string_seed: of what is drawn.
    """

    hold_out_validation: Sequence[str | int] | str | int | None
    repeats: int
    shortest: int
    longest: int
    string_seed: int

    def layout(self) -> StrungRecordings:
        """Return strings.

        Raises:
            UserError: a number is out of range.
        """
        if not 1 <= self.repeats <= MOST_REPEATS:
            raise UserError(f"data.repeats={self.repeats} must lie between 1 and {MOST_REPEATS}")
        if not 1 <= self.shortest <= self.longest <= MOST_WORDS:
            told = f"data.shortest={self.shortest} and data.longest={self.longest}"
            raise UserError(f"{told} must be a range of words from 1 to {MOST_WORDS}")
        stringing = Stringing(self.repeats, self.shortest, self.longest, self.string_seed)
        single = super().layout()
        return StrungRecordings(**{one.name: getattr(single, one.name) for one in fields(single)}, stringing=stringing)

    def recipe(self) -> Recipe:
        """Return the files, of which some rows may be held out for validation and for the test.

        Raises:
            UserError: as ``RecordingCorpus.recipe``; or validation is held out, and the test is not.
        """
        recipe = super().recipe()
        if self.hold_out_validation is None:
            return recipe
        if not isinstance(recipe.where, HeldOut):
            raise UserError("data.hold_out_validation goes with data.hold_out: set that too, or leave it out")
        values = column_names(self.hold_out_validation, "data.hold_out_validation")
        return recipe._replace(where=replace(recipe.where, validation=values))
