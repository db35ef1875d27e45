"""The answers of taggers: entities in a person's text, marked in it, as fields, or as columns of words and tags."""

import json
import sys
from collections.abc import Sequence
from typing import cast

from gru_nlp import console
from gru_nlp.answers.base import Answer, Style, escaped, flat, whole
from gru_nlp.errors import choose, printable
from gru_nlp.preprocessing.base import Preprocessor
from gru_nlp.preprocessing.rows import Record, Text
from gru_nlp.preprocessing.tagging import TaggingPreprocessor
from gru_nlp.text import schemes

#: Colours of a terminal, one a type in turn.
COLOURS = (36, 33, 32, 35, 34, 31)


class EntityAnswer(Answer):
    """Entities of texts."""

    formats = ("jsonl", "csv", "tsv", "table", "conll", "lines", "html")
    writer = "a tagger"
    takes_words = True
    further = "paths"
    compared = 2

    def __init__(self, preprocessor: Preprocessor, style: Style) -> None:
        super().__init__(preprocessor, style)
        self.scheme = choose("scheme", style.scheme, schemes.SCHEMES)
        self.labels = preprocessor.label_names()

    def uncertainty(self, record: Record) -> float | None:
        """Return what the best path's probability lacks of 1 (Culotta and McCallum 2005), over the whole text."""
        return 1.0 - record["paths"][0]["score"] if "paths" in record else None

    def columns(self) -> Sequence[str]:
        """Return one column for all entities of a text, of which there may be any number."""
        return ["entities"]

    def cells(self, record: Record) -> Sequence[str]:
        """Return the entities as a JSON list."""
        return [json.dumps(record["entities"], ensure_ascii=False)]

    def bare(self, record: Record, text: Text) -> str:
        """Return text, type and score of each entity, then the text."""
        fields = [
            part
            for entity in record["entities"]
            for part in (flat(entity["text"]), entity["label"], f"{entity['score']:.4f}")
        ]
        return printable("\t".join([*fields, flat(whole(text))]))

    def line(self, record: Record, text: Text) -> str:
        """Return the text on one line, each entity in brackets with its type."""
        return self._marked(record, whole(text), coloured=False)

    def table(self, record: Record, text: Text) -> str:
        """Return that line, on a terminal each entity in its type's colour."""
        return self._marked(record, whole(text), coloured=console.draws(sys.stdout) and console.likes_colours())

    def _marked(self, record: Record, text: str, coloured: bool) -> str:
        parts, done = [], 0
        for entity in record["entities"]:
            shown = printable(f"[{entity['label']} {entity['text']}]")
            if coloured:
                shown = f"\033[{self._colour(entity['label'])}m{shown}\033[0m"
            parts += [printable(text[done : entity["start"]]), shown]
            done = entity["end"]
        return flat("".join([*parts, printable(text[done:])]))

    def _colour(self, label: str) -> int:
        """Return the colour of a type; those of a person's patterns alone share the one after the model's."""
        place = self.labels.index(label) if label in self.labels else len(self.labels)
        return COLOURS[place % len(COLOURS)]

    def conll(self, record: Record, text: Text) -> str:
        """Return a line ``word tag`` a word, a blank line after the last."""
        spots = cast(TaggingPreprocessor, self.preprocessor).spots(text)
        starts = {spot.start: place for place, spot in enumerate(spots)}
        ends = {spot.end: place + 1 for place, spot in enumerate(spots)}
        found = [schemes.Span(starts[e["start"]], ends[e["end"]], e["label"]) for e in record["entities"]]
        tags = schemes.write(found, len(spots), self.scheme)
        # A given word may hold blanks, or nothing.
        words = (printable("_".join(spot.text.split())) or "_" for spot in spots)
        return "".join(f"{word} {tag}\n" for word, tag in zip(words, tags, strict=True))

    def html(self, record: Record, text: Text) -> str:
        """Return the text with its entities marked, the type small after each."""
        given, parts, done = whole(text), [], 0
        for entity in record["entities"]:
            label, score = escaped(entity["label"]), f"{entity['score']:.4f}"
            marked = f'<mark title="{label} {score}">{escaped(entity["text"])} <small>{label}</small></mark>'
            parts += [escaped(given[done : entity["start"]]), marked]
            done = entity["end"]
        return f'<p dir="auto">{"".join(parts)}{escaped(given[done:])}</p>'
