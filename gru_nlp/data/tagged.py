"""Tagged sentences: words and their tags, which a table holds as IOB2 whatever the data writes.

How tags are written, and their scheme, are properties of all sentences together, not of one. So the sentences of a
split are read first, style and scheme are found from all their tags, each sentence is checked against them and written
anew, and the few that break the scheme are remembered in the column ``broken``, from which the warning is told whenever
the table is taken, from the cache too. Where too many break it, the data mixes schemes and is refused. The column
``style`` remembers what was found, so that the splits of a data set can be compared. Spans of characters that cut a
word are remembered in ``widened``, and in ``dropped`` how many were left out since a longer one has their words.
"""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import datasets
from tokenizers import Tokenizer

from gru_nlp.config import text_map
from gru_nlp.console import remark
from gru_nlp.data.layouts import Layout, Row
from gru_nlp.data.readers import Defect
from gru_nlp.data.values import shortened, shown
from gru_nlp.data.where import Found, Split
from gru_nlp.errors import UserError
from gru_nlp.text import schemes, tag_styles
from gru_nlp.text.cuts import DEFAULT
from gru_nlp.text.words import Word, make_splitter, split_words

#: What can be done with spans that share a word.
OVERLAPS = ("refuse", "longest")
#: What tags of a style look like.
WAYS = {"places": "tags such as B-PER", "types": "tags such as PER", "alone": "tags such as B"}
#: What is told of a split whose tags leave something open, by style.
OPEN = {
    "types": "tags without B or I, such as PER: neighbouring words of one type are read as one entity",
    "alone": f"tags without types, such as B: its entities are called {tag_styles.NAMELESS}",
}


@dataclass(frozen=True)
class TaggedSentence(Layout):
    """Lists of words and tags, or a text and spans of ``[start, end, label]``: columns ``words`` and ``tags``.

    Attributes:
        word, tag: fields of the words and of their tags.
        scheme: iob1, iob2, bioes or bmes; None: found by looking at all sentences of a split.
        tag_map: what tags or types of the data stand for; the others are found by looking (``tag_styles``).
        overlap: of ``OVERLAPS``, for spans that share a word.
    """

    noun = "tagged sentence"
    features = datasets.Features(
        {
            "words": datasets.List(datasets.Value("large_string")),
            "tags": datasets.List(datasets.Value("string")),
            "line": datasets.Value("int64"),
            "broken": datasets.Value("string"),
            "widened": datasets.Value("string"),
            "dropped": datasets.Value("int64"),
            "style": datasets.Value("string"),
            "unused": datasets.Value("string"),
        }
    )
    word: str
    tag: str
    scheme: str | None
    tag_map: Mapping[str, str]
    overlap: str = "refuse"

    @cached_property
    def _splitter(self) -> Tokenizer:
        return make_splitter(DEFAULT)

    def row(self, fields: Mapping[str, Any]) -> Row | None:
        """Return words and tags, in whatever scheme; a sentence without words is left out."""
        if "text" in fields and "spans" in fields:
            text = fields["text"]
            if not isinstance(text, str):
                raise Defect(f"'text' holds {shown(text)}, which is no text: mend it, or leave the row out")
            words, tags, widened, dropped = from_spans(
                text, split_words(self._splitter, [text])[0], fields["spans"], self.overlap
            )
        else:
            (words, tags), widened, dropped = self._lists(fields), "", 0
        return {"words": words, "tags": tags, "widened": widened, "dropped": dropped} if words else None

    def rows(self, found: Found) -> Iterator[Row]:
        """Yield the sentences with tags as IOB2, and which of them break the scheme.

        Raises:
            UserError: too many do, or a tag cannot be read.
        """
        read = list(super().rows(found))
        reading = self._reading(read, found)
        told = [[reading.tags[tag] for tag in row["tags"]] for row in read]
        scheme = self._scheme(reading.style, told, found)
        broken: list[str] = []
        found_out = {"style": reading.style, "unused": " ".join(map(repr, reading.unused))}
        for row, tags in zip(read, told, strict=True):
            place = schemes.broken(tags, scheme)
            mended = "" if place is None else f"{row['line'] + place * found.stride}: {row['tags'][place]}"
            broken += [mended] * (place is not None)
            written = schemes.write(reading.entities(tags), len(tags), "iob2")
            yield {**row, "tags": written, "broken": mended, **found_out}
        if len(broken) > max(1, len(read) * schemes.MIXED):
            raise UserError(
                f"{found.name}:{broken[0]} is not {scheme.upper()}, and so are {len(broken)} of {len(read)} sentences: "
                "the file mixes schemes; mend it, or set data.scheme=..."
            )

    def _reading(self, read: Sequence[Row], found: Found) -> tag_styles.Reading:
        """Return what the tags of a split mean.

        Raises:
            UserError: naming the place of one that cannot be read.
        """
        try:
            return tag_styles.read(Counter(tag for row in read for tag in row["tags"]), self.tag_map)
        except tag_styles.OddTag as odd:
            row = next(row for row in read if odd.tag in row["tags"])
            place = found.place(row["line"] + row["tags"].index(odd.tag) * found.stride, None)
            tag = shortened(odd.tag)
            see = "data.columns and data.tag" if found.stride else "data.tag"
            raise UserError(f"{place}: '{tag}' {odd}: see {see}, or set data.tag_map={{{tag}: B-PER}}") from None

    def _scheme(self, style: str, told: Sequence[Sequence[str]], found: Found) -> str:
        """Return the scheme of a split's tags.

        Raises:
            UserError: one was given that tags without places cannot have.
        """
        if style == "types" and self.scheme not in (None, "iob1"):
            told_of = "its tags have neither B nor I"
            raise UserError(f"{found.name}: {told_of}, so data.scheme={self.scheme} has no effect: leave it out")
        return self.scheme or schemes.guess(schemes.look(told))

    def table(self, found: Found, cache_dir: str | None) -> datasets.Dataset:
        """Read a split, or find what was read of it; tell of what its tags and spans break."""
        table = super().table(found, cache_dir)
        # Neither quotes what stands there: the checkpoint of a stranger may have named the file.
        if mended := [place.partition(":")[0] for place in table["broken"] if place]:
            remark(
                f"{found.name}:{mended[0]} breaks the file's scheme, and so do tags of {len(mended)} of {len(table)} "
                "sentences; they were read by the CoNLL rules (a type that changes or follows O begins an entity): see "
                "data.scheme"
            )
        if cut := [(line, told) for line, told in zip(table["line"], table["widened"], strict=True) if told]:
            remark(
                f"{found.place(cut[0][0], None)}: {cut[0][1]}, and so do spans of {len(cut)} of {len(table)} "
                "sentences; they were widened to whole words"
            )
        if dropped := sum(table["dropped"]):
            remark(
                f"{found.name}: {dropped} spans share words with a longer one, or the same again; they were left out"
            )
        return table

    def compare(self, split: Split, found: Found, tables: Mapping[Split, datasets.Dataset]) -> None:
        """Tell what the style of a split's tags leaves open, once, and what of ``tag_map`` training lacks.

        Raises:
            UserError: another split writes its tags in another way.
        """
        styles = {name: str(table[0]["style"]) for name, table in tables.items()}
        style, known = styles.pop(split), {style for style in styles.values() if style}
        if style and known - {style}:
            raise UserError(
                f"{found.name}: has {WAYS[style]}, but another split has {WAYS[known.pop()]}: write them alike, "
                "or set data.tag_map=..."
            )
        if style in OPEN and not known:
            remark(f"{found.name}: {OPEN[style]} (see data.tag_map)")
        if split == "train" and (unused := tables[split][0]["unused"]):
            remark(f"data.tag_map: {unused} is neither a tag nor a type of {found.name}")

    def _lists(self, fields: Mapping[str, Any]) -> tuple[list[str], list[str]]:
        pair = []
        for field, option in ((self.word, "data.word"), (self.tag, "data.tag")):
            value = fields.get(field)
            named: list[Any] = value if isinstance(value, list) else [None]
            if field == self.tag:  # a number is a tag where a person says which
                named = [str(item) if type(item) is int and str(item) in self.tag_map else item for item in named]
            if odd := [item for item in named if not isinstance(item, str)]:
                number = f", or name numbers: data.tag_map={{{odd[0]}: B-PER}}" if type(odd[0]) is int else ""
                known = f"; the columns are: {', '.join(map(str, fields))}" if field not in fields else ""
                raise Defect(f"no list of strings '{field}' (set {option}=..., or give text and spans{number}){known}")
            pair.append(named)
        words, tags = pair
        if len(words) != len(tags):
            raise Defect(f"{len(words)} words but {len(tags)} tags")
        if not all(word.strip() for word in words):
            raise Defect("an empty word")
        return words, tags


def checked_map(given: Any) -> dict[str, str]:
    """Return what tags and types stand for, all as texts.

    Raises:
        UserError: it is no such map.
    """
    result = {} if given is None else text_map(given, "data.tag_map")
    for tag, value in result.items():
        if not tag_styles.is_meaning(value):
            raise UserError(f"data.tag_map={{{tag}: {value}}}: '{value}' is no tag like B-PER, no O and no type")
    return result


class Marked(NamedTuple):
    """A text whose spans are tags of its words.

    Attributes:
        words, tags: of the text, in IOB2.
        widened: the first span that cuts a word, which belongs to it as a whole; empty: none does.
        dropped: spans that were left out.
    """

    words: list[str]
    tags: list[str]
    widened: str
    dropped: int


def from_spans(text: str, words: Sequence[Word], given: Any, overlap: str = "refuse") -> Marked:
    """Return words and IOB2 tags of a text with spans.

    Args:
        text: as it was given.
        words: of the text.
        given: spans of characters with their types.
        overlap: ``refuse`` spans that share a word, or keep the ``longest``, of equally long ones the first.

    Raises:
        Defect: a span has no such form, lies outside the text, touches no word, or one of another span that is refused.
    """
    found: list[tuple[schemes.Span, int, int]] = []
    starts, ends = [word.start for word in words], [word.end for word in words]
    for start, end, label in sorted(_triples(given)):
        if not 0 <= start < end <= len(text):
            raise Defect(f"the span {start} to {end} is not inside the text, which has {len(text)} characters")
        first, after = bisect_right(ends, start), bisect_left(starts, end)
        if first == after:
            raise Defect(f"the span {start} to {end} holds no word")
        if found and first < found[-1][0].end and overlap == "refuse":
            raise Defect(
                f"the span {start} to {end} shares a word with the one before it "
                "(mend it, or keep the longest: data.overlap=longest)"
            )
        found.append((schemes.Span(first, after, label), start, end))
    kept = _longest(found, len(words)) if overlap == "longest" else found
    widened = (
        f"the span {start} to {end} cuts a word"
        for span, start, end in kept
        if words[span.start].start < start or words[span.end - 1].end > end
    )
    tags = schemes.write([span for span, _, _ in kept], len(words), "iob2")
    return Marked([word.text for word in words], tags, next(widened, ""), len(found) - len(kept))


def _longest(found: Sequence[tuple[schemes.Span, int, int]], count: int) -> list[tuple[schemes.Span, int, int]]:
    """Return, in their order, the spans that share no word with a longer one that is kept, by characters as given."""
    free = [True] * count
    kept = []
    for place, (span, _, _) in sorted(enumerate(found), key=lambda one: one[1][1] - one[1][2]):
        if all(free[span.start : span.end]):
            free[span.start : span.end] = [False] * (span.end - span.start)
            kept.append(place)
    return [found[place] for place in sorted(kept)]


def _triples(given: Any) -> Iterator[tuple[int, int, str]]:
    for span in given if isinstance(given, list) else [None]:
        values = [span.get(key) for key in ("start", "end", "label")] if isinstance(span, dict) else span
        if isinstance(values, list) and len(values) == 3:
            start, end, label = values
            named = (isinstance(label, str) and label.strip()) or type(label) is int
            if type(start) is type(end) is int and named:
                yield start, end, "_".join(str(label).split())
                continue
        raise Defect('spans need [start, end, label] or {"start": 0, "end": 4, "label": "PER"}')
