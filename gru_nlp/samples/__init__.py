"""Sample corpora that this project writes itself, from grammars and lexicons: deterministic, no download.

A sample is a module with one function ``rows(split)`` and a line in ``MODULES``; its rows are dicts of strings.
"""

from importlib import import_module

from gru_nlp.errors import choose

Row = dict[str, str]

MODULES = {
    "sentiment": "gru_nlp.samples.sentiment",
    "topics": "gru_nlp.samples.topics",
    "translation": "gru_nlp.samples.translation",
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
