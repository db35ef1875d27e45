"""The answers of taggers of words: each word with its tag, in a line, as fields, or as columns."""

import json
from collections.abc import Sequence

from gru_nlp.answers.base import Answer, escaped, flat, whole
from gru_nlp.errors import printable
from gru_nlp.preprocessing.rows import Record, Text


class WordTagAnswer(Answer):
    """The tagged words of texts."""

    formats = ("jsonl", "csv", "tsv", "table", "conll", "lines", "html")
    writer = "a tagger of words"
    takes_words = True
    further = "paths"
    compared = 1

    def uncertainty(self, record: Record) -> float | None:
        """Return what the least sure tag's probability lacks of 1; None where there is no word."""
        return 1.0 - min(word["score"] for word in record["tagged"]) if record["tagged"] else None

    def columns(self) -> Sequence[str]:
        """Return one column for all words of a text."""
        return ["tagged"]

    def cells(self, record: Record) -> Sequence[str]:
        """Return the words as a JSON list."""
        return [json.dumps(record["tagged"], ensure_ascii=False)]

    def bare(self, record: Record, text: Text) -> str:
        """Return word, tag and score of each word, then the text."""
        words = [(flat(word["text"]), word["tag"], f"{word['score']:.4f}") for word in record["tagged"]]
        return printable("\t".join([*(part for word in words for part in word), flat(whole(text))]))

    def line(self, record: Record, text: Text) -> str:
        """Return the words on one line, each with its tag after a slash."""
        return " ".join(printable(f"{_word(word)}/{word['tag']}") for word in record["tagged"])

    def conll(self, record: Record, text: Text) -> str:
        """Return a line ``word tag`` a word, a blank line after the last."""
        return "".join(f"{printable(_word(word))} {printable(word['tag'])}\n" for word in record["tagged"])

    def html(self, record: Record, text: Text) -> str:
        """Return the text, the tag small after each word."""
        given, parts, done = whole(text), [], 0
        for word in record["tagged"]:
            tag, score = escaped(word["tag"]), f"{word['score']:.4f}"
            marked = f'<span title="{tag} {score}">{escaped(word["text"])} <small>{tag}</small></span>'
            parts += [escaped(given[done : word["start"]]), marked]
            done = word["end"]
        return f'<p dir="auto">{"".join(parts)}{escaped(given[done:])}</p>'


def _word(word: Record) -> str:
    """Return a word as a field; a given one may hold blanks, or nothing."""
    return "_".join(word["text"].split()) or "_"
