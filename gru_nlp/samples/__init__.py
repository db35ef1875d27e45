"""Sample corpora that this project writes itself, from grammars and lexicons: deterministic, no download.

A sample is a module with one function ``rows(split)`` and a line in ``MODULES``; its rows are dicts of strings, of lists of
strings, or of samples of sound.
"""

from importlib import import_module
from typing import Any

from gru_nlp.errors import choose

Row = dict[str, Any]

MODULES = {
    "entities": "gru_nlp.samples.entities",
    "parts_of_speech": "gru_nlp.samples.parts_of_speech",
    "sentiment": "gru_nlp.samples.sentiment",
    "spoken_digits": "gru_nlp.samples.spoken_digits",
    "spoken_strings": "gru_nlp.samples.spoken_strings",
    "stories": "gru_nlp.samples.stories",
    "topics": "gru_nlp.samples.topics",
    "translation": "gru_nlp.samples.translation",
}
#: A text for each that its models may be tried with.
EXAMPLES = {
    "entities": "Ms Amara Brook left Selby for the Brook Bank",
    "parts_of_speech": "they watch the road while the watch stops",
    "sentiment": "a great cast, but far too slow",
    "stories": "One morning",
    "topics": "the striker scored twice before the break",
    "translation": "a small dog runs through the park",
}
SPLITS = ("train", "validation", "test")


def generate(name: str, split: str) -> list[Row]:
    """Return the rows of a sample's split, the same in every process.

    Raises:
        UserError: unknown name or split, with the nearest known one.
    """
    choose("data.name", name, MODULES)
    choose("split", split, SPLITS)
    rows: list[Row] = import_module(MODULES[name]).rows(split)
    return rows
