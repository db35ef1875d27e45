"""Corpora of tagged sentences: a person's files, a preset's, or the hub's."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import datasets

from gru_nlp.data.columns import FORMATS, ColumnOptions, Sentence, read_tagged
from gru_nlp.data.corpus import Corpus, Split, carve, fingerprint, read_once
from gru_nlp.data.files import content_hash, find, find_in
from gru_nlp.data.hub import load_table
from gru_nlp.errors import UserError, choose
from gru_nlp.text import schemes
from gru_nlp.text.words import Word, make_splitter, split_words

TAGGED = datasets.Features(
    {
        "words": datasets.List(datasets.Value("large_string")),
        "tags": datasets.List(datasets.Value("string")),
        "line": datasets.Value("int64"),
        "broken": datasets.Value("string"),
    }
)
logger = logging.getLogger(__name__)


class TaggedCorpus(Corpus):
    """Sentences of words with tags, which the tables hold as IOB2 whatever the files write.

    Args:
        format: conll (columns) or jsonl.
        dir: folder of a preset's files.
        files: names of a preset's files by split.
        train, validation, test: files of a person's own.
        columns: names of the columns; None: the first is the word and the last the tag.
        word, tag: the two columns, or fields of JSON lines.
        scheme: iob1, iob2, bioes or bmes; None: found by looking at each file.
        encoding: codec of the files.
        validation_share: share of training that is carved out where there is no validation split.
        split_seed: of the carving.
        hub_path: the same data set on the hub, with a list of words and one of tags a row; None: there is none.
        cache_dir: where tables are cached; None: the cache of ``datasets``.
    """

    def __init__(
        self,
        *,
        format: str,
        dir: str | None,
        files: Mapping[str, str] | None,
        train: str | None,
        validation: str | None,
        test: str | None,
        columns: Sequence[str] | None,
        word: str,
        tag: str,
        scheme: str | None,
        encoding: str,
        validation_share: float,
        split_seed: int,
        hub_path: str | None,
        cache_dir: str | None,
    ) -> None:
        self.format = choose("data.format", format, FORMATS)
        self.dir = dir
        self.files = dict(files or {})
        self.own: dict[str, str | None] = {"train": train, "validation": validation, "test": test}
        self.columns = tuple(columns) if columns else None
        self.word, self.tag = word, tag
        self.scheme = None if scheme is None else choose("data.scheme", scheme, schemes.SCHEMES)
        self.encoding = encoding
        self.validation_share = validation_share
        self.split_seed = split_seed
        self.hub_path = hub_path
        self.cache_dir = cache_dir
        self.splitter = make_splitter()

    def load(self, split: Split) -> datasets.Dataset | None:
        """Read a split, or find it in the cache; carve where there is no validation split."""
        if split == "test":
            return self._source("test")
        validation = self._source("validation")
        if split == "validation" and validation is not None:
            return validation
        train = self._source("train")
        if train is None:
            raise UserError(f"no training data: set {'data.dir=<folder>' if self.files else 'data.train=<file>'}")
        return train if validation is not None else carve(train, split, self.validation_share, self.split_seed, None)

    def locate(self, split: Split, line: int) -> str:
        """Return ``path:line``."""
        return f"{self._path(split) or self._path('train') or self.hub_path}:{line}"

    def label_order(self) -> None:
        """Entity types are sorted as found."""
        return

    def _path(self, split: str) -> Path | None:
        own = self.own[split]
        if own is not None:
            return find(Path(own), f"data.{split}")
        if self.dir is None or split not in self.files:
            return None
        return find_in(self.dir, self.files[split], self.files.values())

    def _source(self, split: Split) -> datasets.Dataset | None:
        path = self._path(split)
        if path is None:
            given = self.dir or any(self.own.values())
            return None if given or self.hub_path is None else self._hub(split)
        option = "data.dir" if self.own[split] is None else f"data.{split}"
        options = ColumnOptions(self.encoding, self.columns, self.word, self.tag, option)
        how = (self.format, self.encoding, self.columns, self.word, self.tag, self.scheme)
        key = fingerprint("tagged", content_hash(path), *how)
        found = read_once(lambda: self._rows(path, options), TAGGED, key, self.cache_dir)
        if mended := [place for place in found["broken"] if place]:
            logger.warning(
                "%s:%s breaks the file's scheme, and so do tags of %d of %d sentences; they were read by the CoNLL "
                "rules (a type that changes or follows O begins an entity): see data.scheme",
                path,
                mended[0],
                len(mended),
                len(found),
            )
        return found

    def _rows(self, path: Path, options: ColumnOptions) -> Iterator[Sentence]:
        """Yield the sentences of a file with tags as IOB2, and which of them break its scheme.

        Raises:
            UserError: too many do.
        """
        read = list(read_tagged(path, self.format, options, self._split))
        step = 1 if self.format == "conll" else 0  # lines between two tags of a sentence
        scheme = self.scheme or schemes.guess(schemes.look(sentence.tags for sentence in read))
        broken: list[str] = []
        for sentence in read:
            place = schemes.broken(sentence.tags, scheme)
            told = "" if place is None else f"{sentence.line + place * step}: {sentence.tags[place]}"
            broken += [told] * (place is not None)
            tags = schemes.write(schemes.spans(sentence.tags), len(sentence.tags), "iob2")
            yield sentence._replace(tags=tags, broken=told)
        if len(broken) > max(1, len(read) * schemes.MIXED):
            raise UserError(
                f"{path}:{broken[0]} is not {scheme.upper()}, and so are {len(broken)} of {len(read)} sentences: "
                "the file mixes schemes; mend it, or set data.scheme=..."
            )

    def _split(self, text: str) -> list[Word]:
        return split_words(self.splitter, [text])[0]

    def _hub(self, split: Split) -> datasets.Dataset:
        assert self.hub_path is not None
        table = load_table(self.hub_path, None, split, list(self.files.values()), self.cache_dir)
        for column, option in ((self.word, "data.word"), (self.tag, "data.tag")):
            if column not in table.column_names:
                known = ", ".join(table.column_names)
                raise UserError(f"{self.hub_path}: no column '{column}' (it has {known}): set {option}=...")
        kind = getattr(table.features[self.tag], "feature", None)
        names = kind.names if isinstance(kind, datasets.ClassLabel) else None

        def convert(columns: Mapping[str, list[Any]], rows: list[int]) -> dict[str, list[Any]]:
            tags = [[names[tag] if names else tag for tag in row] for row in columns[self.tag]]
            written = [schemes.write(schemes.spans(row), len(row), "iob2") for row in tags]
            return {
                "words": columns[self.word],
                "tags": written,
                "line": [row + 1 for row in rows],
                "broken": [""] * len(rows),
            }

        table = table.filter(lambda row: bool(row[self.word]))
        return table.map(convert, batched=True, with_indices=True, remove_columns=table.column_names, features=TAGGED)
