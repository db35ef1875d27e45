"""Tagged sentences: words and their tags, which a table holds as IOB2 whatever the data writes.

How tags are written, and their scheme, are properties of all sentences together, not of one. So the sentences of a
split are read first, style and scheme are found from all their tags, each sentence is checked against them and written
anew, and the few that break the scheme are remembered in the column ``broken``, from which the warning is told whenever
the table is taken, from the cache too. Where too many break it, the data mixes schemes and is refused. The column
``style`` remembers what was found, so that the splits of a data set can be compared. Spans of characters that cut a
word are remembered in ``widened``, and in ``dropped`` how many were left out since a longer one has their words.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import datasets
from tokenizers import Tokenizer

from gru_nlp.config import text_map
from gru_nlp.console import remark
from gru_nlp.data.layouts import Layout, Row
from gru_nlp.data.readers import Defect
from gru_nlp.data.spans import from_spans
from gru_nlp.data.values import shortened, shown
from gru_nlp.data.where import Found, Split
from gru_nlp.errors import UserError
from gru_nlp.text import schemes, tag_styles
from gru_nlp.text.cuts import DEFAULT
from gru_nlp.text.words import make_splitter, split_words

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
        overlap: of ``spans.OVERLAPS``, for spans that share a word.
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

    def giving(self, columns: Sequence[str]) -> Layout:
        """Return the layout of a tag a word where ``columns`` ask for that.

        Raises:
            UserError: an option tells of entities.
        """
        if "word_tags" not in columns:
            return self
        for option, value, usual in (("scheme", self.scheme, None), ("overlap", self.overlap, "refuse")):
            if value != usual:
                told = f"data.{option}={value} is for entities, not for a tag a word"
                raise UserError(f"{told}: leave it out, or set task=ner")
        return TaggedWords(self.word, self.tag, self.tag_map)

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
            words, tags = lists_of(fields, self.word, self.tag, self.tag_map, ", or give text and spans")
            widened, dropped = "", 0
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
        tell_unused(split, found, tables, "neither a tag nor a type")


@dataclass(frozen=True)
class TaggedWords(Layout):
    """Lists of words and of their tags, each of which is a name as it stands: columns ``words`` and ``word_tags``.

    Attributes:
        word, tag: fields of the words and of their tags.
        tag_map: other names of tags of the data, such as ``{NN: NOUN}``.
    """

    noun = "tagged sentence"
    features = datasets.Features(
        {
            "words": datasets.List(datasets.Value("large_string")),
            "word_tags": datasets.List(datasets.Value("string")),
            "line": datasets.Value("int64"),
            "unused": datasets.Value("string"),
        }
    )
    word: str
    tag: str
    tag_map: Mapping[str, str]

    def row(self, fields: Mapping[str, Any]) -> Row | None:
        """Return words and tags as the data names them; a sentence without words is left out."""
        words, tags = lists_of(fields, self.word, self.tag, self.tag_map, "")
        if not all(tag.strip() for tag in tags):
            raise Defect("an empty tag")
        return {"words": words, "word_tags": tags} if words else None

    def rows(self, found: Found) -> Iterator[Row]:
        """Yield the sentences with tags as they are to be called, and the names of ``tag_map`` that none has."""
        read = list(super().rows(found))
        met = {tag for row in read for tag in row["word_tags"]}
        unused = " ".join(repr(name) for name in self.tag_map if name not in met)
        names = {tag: "_".join(self.tag_map.get(tag, tag).split()) for tag in met}
        for row in read:
            yield {**row, "word_tags": [names[tag] for tag in row["word_tags"]], "unused": unused}

    def compare(self, split: Split, found: Found, tables: Mapping[Split, datasets.Dataset]) -> None:
        """Tell what of ``tag_map`` training lacks."""
        tell_unused(split, found, tables, "no tag")


def tell_unused(split: Split, found: Found, tables: Mapping[Split, datasets.Dataset], what: str) -> None:
    """Tell which names of ``data.tag_map`` are not ``what`` of the training split; no other split is looked at."""
    if split == "train" and (unused := tables[split][0]["unused"]):
        remark(f"data.tag_map: {unused} is {what} of {found.name}")


def lists_of(
    fields: Mapping[str, Any], word: str, tag: str, names: Collection[str], instead: str
) -> tuple[list[str], list[str]]:
    """Return the words of a record and their tags, as many.

    Args:
        fields: of the record.
        word, tag: names of the two.
        names: numbers among these, as texts, are tags too.
        instead: what else a record may give, for messages.

    Raises:
        Defect: one is no list of strings, they do not go together, or a word is empty.
    """
    pair = []
    for field, option in ((word, "data.word"), (tag, "data.tag")):
        value = fields.get(field)
        named: list[Any] = value if isinstance(value, list) else [None]
        if field == tag:  # a number is a tag where a person says which
            named = [str(item) if type(item) is int and str(item) in names else item for item in named]
        if odd := [item for item in named if not isinstance(item, str)]:
            number = f", or name numbers: data.tag_map={{{odd[0]}: B-PER}}" if type(odd[0]) is int else ""
            known = f"; the columns are: {', '.join(map(str, fields))}" if field not in fields else ""
            raise Defect(f"no list of strings '{field}' (set {option}=...{instead}{number}){known}")
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
