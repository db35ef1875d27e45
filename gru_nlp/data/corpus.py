"""Corpora: where the splits of a data set come from; every ``conf/data`` file builds one."""

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import datasets
import numpy as np
from datasets.exceptions import DatasetGenerationError

from gru_nlp import samples
from gru_nlp.data.files import content_hash, find, find_in
from gru_nlp.data.hub import HubSource, load_hub
from gru_nlp.data.readers import FORMATS, ReadOptions, folder_files, read
from gru_nlp.data.splitting import stratified
from gru_nlp.errors import UserError, choose

datasets.disable_progress_bars()

Split = Literal["train", "validation", "test"]
#: Raised whenever a reader gives other rows for the same file, so that no cached table of an older one is taken.
READER_VERSION = 1
LABELLED = datasets.Features(
    {
        # A thousand texts of 5 MB in one Arrow batch pass the 2 GiB of plain strings.
        "text": datasets.Value("large_string"),
        "label": datasets.Value("string"),
        "line": datasets.Value("int64"),
    }
)


def fingerprint(*parts: Any) -> str:
    """Return a hash of plain values, under which a table is cached."""
    return hashlib.sha256(json.dumps([READER_VERSION, *parts], sort_keys=True).encode()).hexdigest()[:32]


def read_once(
    rows: Callable[[], Iterator[Any]], features: datasets.Features, key: str, cache_dir: str | None
) -> datasets.Dataset:
    """Write named tuples into a memory-mapped table, or find the table that was written under ``key``.

    Raises:
        UserError: what ``rows`` raises.
    """
    try:
        return datasets.Dataset.from_generator(
            lambda: (row._asdict() for row in rows()), features=features, cache_dir=cache_dir, fingerprint=key
        )
    except DatasetGenerationError as error:
        if isinstance(error.__cause__, UserError):
            raise error.__cause__ from None
        raise


class Corpus(ABC):
    """The splits of a data set as tables of strings, with the column ``line`` (counted from 1) for messages.

    Labelled data has the columns ``text`` and ``label``, pairs have ``source`` and ``target``.
    """

    @abstractmethod
    def load(self, split: Split) -> datasets.Dataset | None:
        """Return a split; None for a test split that is not there.

        Raises:
            UserError: naming file and line, and the option to change.
        """

    @abstractmethod
    def locate(self, split: Split, line: int) -> str:
        """Return where ``line`` of a split stands, for messages."""

    @abstractmethod
    def label_order(self) -> Sequence[str] | None:
        """Return the label names in their given order; None: as found, sorted."""


def carve(train: datasets.Dataset, split: Split, share: float, seed: int, stratify: str | None) -> datasets.Dataset:
    """Return what is left of training, or the ``share`` of it that is carved out for validation.

    Args:
        train: the whole training split.
        split: train or validation.
        share: of the rows that go to validation.
        seed: of the choice.
        stratify: column each of whose values gives its share; None: no such column.

    Raises:
        UserError: there are too few rows.
    """
    values = np.asarray(train.data.column(stratify)) if stratify else np.zeros(len(train))
    kept, carved = stratified(np.unique(values, return_inverse=True)[1], share, seed)
    if not len(carved):
        raise UserError(
            f"{len(train)} training rows are too few to carve out a validation split: set data.validation=<file>"
        )
    key = fingerprint(train._fingerprint, share, seed, split, stratify)
    return train.select(carved if split == "validation" else kept, new_fingerprint=key)


class SampleCorpus(Corpus):
    """An embedded sample corpus.

    Args:
        name: of the sample.
    """

    def __init__(self, *, name: str) -> None:
        self.name = name

    def load(self, split: Split) -> datasets.Dataset:
        """Generate a split."""
        rows = samples.generate(self.name, split)
        columns: dict[str, list[Any]] = {name: [row[name] for row in rows] for name in rows[0]}
        columns["line"] = list(range(1, len(rows) + 1))
        table = datasets.Dataset.from_dict(columns)
        table._fingerprint = fingerprint(self.name, split, columns)
        return table

    def locate(self, split: Split, line: int) -> str:
        """Name the sample."""
        return f"sample '{self.name}' ({split}):{line}"

    def label_order(self) -> None:
        """Leave the labels sorted."""
        return


class FileCorpus(Corpus):
    """A person's files, or a preset's files in ``dir``, or the same data set from the hub.

    The file of a split is its own option, else ``files[split]`` in ``dir``, with or without ``.gz``; where neither is
    given, the whole corpus comes from the hub. A validation split that is not there is carved out of training.

    Args:
        format: csv, tsv, jsonl, parquet, labelled_lines or folders.
        dir: folder of a preset's files.
        train, validation, test: files of a person's own.
        files: names of a preset's files by split.
        text: column of the text, or several, joined by a blank.
        label: column of the label.
        columns: names of the columns of a file without a header line.
        delimiter: between the fields of csv.
        encoding: codec of the files.
        label_names: readable name of each label in the files, in the order of their ids.
        label_cut: a label ends before this string.
        skip_empty: leave out rows without text.
        validation_share: share of training that is carved out for validation.
        split_seed: of the carving; apart from the training seed, so that runs stay comparable.
        hub: the same data set on the hub.
        cache_dir: where tables are cached; None: the cache of ``datasets``.
    """

    def __init__(
        self,
        *,
        format: str,
        dir: str | None,
        train: str | None,
        validation: str | None,
        test: str | None,
        files: Mapping[str, str | None] | None,
        text: str | Sequence[str],
        label: str,
        columns: Sequence[str] | None,
        delimiter: str,
        encoding: str,
        label_names: Mapping[str, str] | None,
        label_cut: str | None,
        skip_empty: bool,
        validation_share: float,
        split_seed: int,
        hub: HubSource | None,
        cache_dir: str | None,
    ) -> None:
        self.format = choose("data.format", format, FORMATS)
        self.dir = dir
        self.own: dict[str, str | None] = {"train": train, "validation": validation, "test": test}
        self.files = dict(files or {})
        self.text = (text,) if isinstance(text, str) else tuple(text)
        self.label = label
        self.columns = tuple(columns) if columns else None
        self.delimiter = delimiter
        self.encoding = encoding
        self.label_names = dict(label_names) if label_names else None
        self.label_cut = label_cut
        self.skip_empty = skip_empty
        self.validation_share = validation_share
        self.split_seed = split_seed
        self.hub = hub
        self.cache_dir = cache_dir
        if not 0.0 < validation_share < 1.0:
            raise UserError(f"data.validation_share={validation_share} must lie between 0 and 1")

    def load(self, split: Split) -> datasets.Dataset | None:
        """Read a split, or find it in the cache; carve where there is no validation split."""
        if split == "test":
            return self._source("test")
        validation = self._source("validation")
        if split == "validation" and validation is not None:
            return validation
        train = self._source("train")
        if train is None:
            wanted = "data.dir=<folder>, or data.train=<file>" if self.files else "data.train=<file>"
            raise UserError(f"no training data: set {wanted}")
        return train if validation is not None else carve(train, split, self.validation_share, self.split_seed, "label")

    def locate(self, split: Split, line: int) -> str:
        """Return ``path:line``; a carved validation split stands in the training file."""
        path = self._path(split) or self._path("train")
        if path is None:
            return f"{self.hub.path if self.hub else 'data'} ({split}):{line}"
        return str(folder_files(path)[line - 1]) if self.format == "folders" else f"{path}:{line}"

    def label_order(self) -> Sequence[str] | None:
        """Return the names of ``label_names``."""
        return list(self.label_names.values()) if self.label_names else None

    def _path(self, split: str) -> Path | None:
        own = self.own[split]
        if own is not None:
            return find(Path(own), f"data.{split}")
        name = self.files.get(split)
        if self.dir is None or name is None:
            return None
        return find_in(self.dir, name, self._names())

    def _names(self) -> Iterator[str]:
        return (name for name in self.files.values() if name)

    def _source(self, split: Split) -> datasets.Dataset | None:
        path = self._path(split)
        if path is not None:
            return self._read(path, split)
        if self.hub is not None and self.dir is None and not any(self.own.values()):
            return load_hub(self.hub, split, LABELLED, self.label_names, list(self._names()), self.cache_dir)
        return None

    def _read(self, path: Path, split: Split) -> datasets.Dataset:
        options = ReadOptions(
            text=self.text,
            label=self.label,
            columns=self.columns,
            delimiter=self.delimiter,
            encoding=self.encoding,
            label_names=self.label_names,
            label_cut=self.label_cut,
            skip_empty=self.skip_empty,
            option="data.dir" if self.own[split] is None else f"data.{split}",
        )
        how = [getattr(options, name) for name in options.__dataclass_fields__ if name != "option"]
        key = fingerprint(self.format, content_hash(path), how)
        return read_once(lambda: read(path, self.format, options), LABELLED, key, self.cache_dir)
