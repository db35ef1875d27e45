"""Entities in a person's text, as a line or as columns."""

import json
import os
import sys
from collections.abc import Sequence

from gru_nlp.errors import printable
from gru_nlp.preprocessing.base import Record, Text
from gru_nlp.preprocessing.tagging import TaggingPreprocessor
from gru_nlp.text import schemes

#: Colours of a terminal, one a type in turn.
COLOURS = (36, 33, 32, 35, 34, 31)


def render(record: Record, text: Text, kind: str, scheme: str, preprocessor: TaggingPreprocessor) -> str:
    """Return a record as JSON, tab-separated fields, text with its entities marked, or columns of words and tags."""
    whole = text if isinstance(text, str) else " ".join(text)
    if kind == "jsonl":
        return json.dumps({**record, "text": whole}, ensure_ascii=False)
    if kind == "tsv":
        fields = [
            part
            for entity in record["entities"]
            for part in (" ".join(entity["text"].split()), entity["label"], f"{entity['score']:.4f}")
        ]
        return printable("\t".join([*fields, " ".join(whole.split())]))
    if kind == "conll":
        return columns(record, text, scheme, preprocessor)
    return marked(record["entities"], whole, preprocessor.label_names())


def columns(record: Record, text: Text, scheme: str, preprocessor: TaggingPreprocessor) -> str:
    """Return a line ``word tag`` a word, a blank line after the last."""
    spots = preprocessor.spots(text)
    starts = {spot.start: place for place, spot in enumerate(spots)}
    ends = {spot.end: place + 1 for place, spot in enumerate(spots)}
    found = [schemes.Span(starts[e["start"]], ends[e["end"]], e["label"]) for e in record["entities"]]
    tags = schemes.write(found, len(spots), scheme)
    words = ("_".join(spot.text.split()) or "_" for spot in spots)  # a given word may hold blanks, or nothing
    return "".join(f"{word} {tag}\n" for word, tag in zip(words, tags, strict=True))


def marked(entities: Sequence[Record], text: str, labels: Sequence[str]) -> str:
    """Return the text on one line, each entity in brackets with its type, and in its type's colour on a terminal."""
    coloured = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    parts, done = [], 0
    for entity in entities:
        shown = printable(f"[{entity['label']} {entity['text']}]")
        if coloured:
            shown = f"\033[{COLOURS[labels.index(entity['label']) % len(COLOURS)]}m{shown}\033[0m"
        parts += [printable(text[done : entity["start"]]), shown]
        done = entity["end"]
    return " ".join("".join([*parts, printable(text[done:])]).split())
