"""Tagged sentences: words and their tags, which a table holds as IOB2 whatever the data writes.

A scheme is a property of all sentences together, not of one. So the sentences of a split are read first, their scheme
is guessed from all their tags, each is checked against it and written anew, and the few that break it are remembered in
the column ``broken``, from which the warning is told whenever the table is taken, from the cache too. Where too many
break it, the data mixes schemes and is refused. Spans of characters that cut a word are remembered in ``widened``.
"""

import logging
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import datasets
from tokenizers import Tokenizer

from gru_nlp.data.layouts import Layout, Row
from gru_nlp.data.readers import Defect
from gru_nlp.data.values import shortened
from gru_nlp.data.where import Found
from gru_nlp.errors import UserError
from gru_nlp.text import schemes
from gru_nlp.text.cuts import DEFAULT
from gru_nlp.text.words import Word, make_splitter, split_words

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TaggedSentence(Layout):
    """Lists of words and tags, or a text and spans of ``[start, end, label]``: columns ``words`` and ``tags``.

    Attributes:
        word, tag: fields of the words and of their tags.
        scheme: iob1, iob2, bioes or bmes; None: found by looking at all sentences of a split.
    """

    noun = "tagged sentence"
    features = datasets.Features(
        {
            "words": datasets.List(datasets.Value("large_string")),
            "tags": datasets.List(datasets.Value("string")),
            "line": datasets.Value("int64"),
            "broken": datasets.Value("string"),
            "widened": datasets.Value("string"),
        }
    )
    word: str
    tag: str
    scheme: str | None

    @cached_property
    def _splitter(self) -> Tokenizer:
        return make_splitter(DEFAULT)

    def row(self, fields: Mapping[str, Any]) -> Row | None:
        """Return words and tags, in whatever scheme; a sentence without words is left out."""
        if "text" in fields and "spans" in fields:
            text = str(fields["text"])
            words, tags, widened = from_spans(text, split_words(self._splitter, [text])[0], fields["spans"])
        else:
            (words, tags), widened = self._lists(fields), ""
        return {"words": words, "tags": tags, "widened": widened} if words else None

    def rows(self, found: Found) -> Iterator[Row]:
        """Yield the sentences with tags as IOB2, and which of them break the scheme.

        Raises:
            UserError: too many do.
        """
        read = list(super().rows(found))
        scheme = self.scheme or schemes.guess(schemes.look(row["tags"] for row in read))
        broken: list[str] = []
        for row in read:
            tags = row["tags"]
            place = schemes.broken(tags, scheme)
            told = "" if place is None else f"{row['line'] + place * found.stride}: {tags[place]}"
            broken += [told] * (place is not None)
            yield {**row, "tags": schemes.write(schemes.spans(tags), len(tags), "iob2"), "broken": told}
        if len(broken) > max(1, len(read) * schemes.MIXED):
            raise UserError(
                f"{found.name}:{broken[0]} is not {scheme.upper()}, and so are {len(broken)} of {len(read)} sentences: "
                "the file mixes schemes; mend it, or set data.scheme=..."
            )

    def table(self, found: Found, cache_dir: str | None) -> datasets.Dataset:
        """Read a split, or find what was read of it; tell of what its tags and spans break."""
        table = super().table(found, cache_dir)
        if mended := [place for place in table["broken"] if place]:
            logger.warning(
                "%s:%s breaks the file's scheme, and so do tags of %d of %d sentences; they were read by the CoNLL "
                "rules (a type that changes or follows O begins an entity): see data.scheme",
                found.name,
                mended[0],
                len(mended),
                len(table),
            )
        if cut := [(line, told) for line, told in zip(table["line"], table["widened"], strict=True) if told]:
            logger.warning(
                "%s: %s, and so do spans of %d of %d sentences; they were widened to whole words",
                found.place(cut[0][0], None),
                cut[0][1],
                len(cut),
                len(table),
            )
        return table

    def _lists(self, fields: Mapping[str, Any]) -> tuple[list[str], list[str]]:
        pair = []
        for field, option in ((self.word, "data.word"), (self.tag, "data.tag")):
            value = fields.get(field)
            if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
                known = f"; the columns are: {', '.join(map(str, fields))}" if field not in fields else ""
                raise Defect(f"no list of strings '{field}' (set {option}=..., or give text and spans){known}")
            pair.append(value)
        words, tags = pair
        if len(words) != len(tags):
            raise Defect(f"{len(words)} words but {len(tags)} tags")
        for word, tag in zip(words, tags, strict=True):
            if not word.strip():
                raise Defect("an empty word")
            if not schemes.TAG.fullmatch(tag):
                raise Defect(f"'{tag}' is no tag like O, B-PER or I-LOC (see data.tag)")
        return words, tags


def from_spans(text: str, words: Sequence[Word], given: Any) -> tuple[list[str], list[str], str]:
    """Return words and IOB2 tags of a text, and the first span that cuts a word; the whole word belongs to it.

    Raises:
        Defect: a span has no such form, lies outside the text, or touches no word or one of another span.
    """
    found: list[schemes.Span] = []
    starts, ends = [word.start for word in words], [word.end for word in words]
    widened = ""
    for start, end, label in sorted(_triples(given)):
        if not 0 <= start < end <= len(text):
            raise Defect(f"the span {start} to {end} is not inside the text, which has {len(text)} characters")
        first, after = bisect_right(ends, start), bisect_left(starts, end)
        if first == after:
            raise Defect(f"the span {start} to {end} holds no word")
        if found and first < found[-1].end:
            raise Defect(f"the span {start} to {end} shares a word with the one before it")
        found.append(schemes.Span(first, after, label))
        for word in (words[first], words[after - 1]):
            if not widened and (word.start < start or word.end > end):
                widened = f"the span {start} to {end} cuts the word '{shortened(word.text)}'"
    return [word.text for word in words], schemes.write(found, len(words), "iob2"), widened


def _triples(given: Any) -> Iterator[tuple[int, int, str]]:
    for span in given if isinstance(given, list) else [None]:
        values = [span.get(key) for key in ("start", "end", "label")] if isinstance(span, dict) else span
        if isinstance(values, list) and len(values) == 3:
            start, end, label = values
            if isinstance(start, int) and isinstance(end, int) and str(label).strip():
                yield start, end, "_".join(str(label).split())
                continue
        raise Defect('spans need [start, end, label] or {"start": 0, "end": 4, "label": "PER"}')
