"""Data sets of the Hugging Face hub, or of a local folder in the same layout."""

import logging
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import datasets
import numpy as np
from datasets.exceptions import DatasetGenerationError, DatasetsError

from gru_nlp.data.readers import Record
from gru_nlp.data.where import Found, Split, Where
from gru_nlp.errors import UserError, nearest

# Its retries without a network would fill the console before our one line.
logging.getLogger("huggingface_hub").setLevel(logging.ERROR)

#: The name of a split that is taken where the hub has one of the same name, and else is none.
AUTO = "auto"
READ_BATCH = 1000
MEDIA = (datasets.Audio, datasets.Image, datasets.Video)


@dataclass(frozen=True)
class HubSource:
    """Where the hub has the data set of a preset, and what its columns are called there.

    Attributes:
        path: its id, or a local folder in the hub's layout.
        name: of its configuration; None: the default one.
        text: column of the text.
        label: column of the label; a class label gives its name.
        splits: its name of each of train, validation and test; None: it has no such split.
    """

    path: str
    name: str | None
    text: str
    label: str
    splits: Mapping[str, str | None]


@dataclass(frozen=True)
class Hub(Where):
    """A data set on the hub.

    Attributes:
        path: its id, or a local folder in the hub's layout.
        instead: what to set where it cannot be reached, for messages.
        cache_dir: where it is kept; None: the cache of ``datasets``.
        option: that names it, for messages.
        split_options: beginning of the options that name its splits, for messages; None: there are none.
        name: of its configuration; None: the default one.
        revision: branch, tag or commit; None: the newest.
        splits: its name of each split; ``auto``: the same name, where there is such a split; None: it has none.
        names: whether a class label gives its name; False: its number.
        media: columns of pictures that are read; others of media are known by name alone, for to read is to decode.
    """

    path: str
    instead: str
    cache_dir: str | None
    option: str
    split_options: str | None = None
    name: str | None = None
    revision: str | None = None
    splits: Mapping[str, str | None] | None = None
    names: bool = True
    media: tuple[str, ...] = ()

    def find(self, split: Split) -> Found | None:
        """Return a split.

        Raises:
            UserError: the hub cannot be reached, or has no split that was named.
        """
        named = AUTO if self.splits is None else self.splits.get(split)
        if named is None or (named == AUTO and split not in self._tables):
            return None
        table = self._table(split if named == AUTO else named, split)
        return Found(
            name=f"{self.path} ({split})",
            option=self.option,
            read=lambda: records(table, self.names, self.media),
            key=lambda: [table._fingerprint, self.names],
            place=lambda line, column: f"{self.path} ({split}):{line}" + (f", column '{column}'" if column else ""),
        )

    def wanted(self, split: Split) -> str:
        """Return the option that names a split."""
        known = ", ".join(self._tables)
        return f"{self.split_options}.{split}=<one of {known}>" if self.split_options else f"{self.option}=..."

    @cached_property
    def _tables(self) -> Mapping[str, datasets.Dataset]:
        """All splits by the hub's names; they are fetched together anyway, and memory-mapped."""
        tables: Mapping[str, datasets.Dataset] = self._load(None)
        return tables

    def _table(self, name: str, split: Split) -> datasets.Dataset:
        if name in self._tables:
            return self._tables[name]
        if any(mark in name for mark in "[+"):  # a part of a split, or several together
            return self._load(name)
        known = list(self._tables)
        option = f"{self.split_options}.{split}" if self.split_options else self.option
        raise UserError(
            f"{self.path}: no split '{name}'; the splits are: {', '.join(known)} (set {option}=...)"
            f"{nearest(name, known)}"
        )

    def _load(self, split: str | None) -> Any:
        try:
            return datasets.load_dataset(
                self.path, self.name, split=split, revision=self.revision, cache_dir=self.cache_dir
            )
        except (OSError, DatasetsError, ValueError, RuntimeError) as error:
            # The hub's client has a dozen errors for a missing network; all of them mean the same to the user.
            cause = error.__cause__ if isinstance(error, DatasetGenerationError) and error.__cause__ else error
            reason = " ".join(str(cause).split("\n")[:2]).strip() or type(cause).__name__
            raise UserError(
                f"the data set '{self.path}' cannot be loaded from the hub ({reason}): {self.instead}"
            ) from None


def records(table: datasets.Dataset, names: bool, media: Collection[str]) -> Iterator[Record]:
    """Yield the rows of a table: class labels as their names (or numbers), pictures as grey bytes ``(H, W)``."""
    unread = [name for name, kind in table.features.items() if isinstance(kind, MEDIA) and name not in media]
    table = table.remove_columns(unread)
    change = {column: changed for column, kind in table.features.items() if (changed := converter(kind, names))}
    for start in range(0, len(table), READ_BATCH):
        columns = table[start : start + READ_BATCH]
        for column, changed in change.items():
            columns[column] = [changed(value) for value in columns[column]]
        rows = zip(*columns.values(), strict=True)
        for line, values in enumerate(rows, start + 1):
            yield line, {**dict.fromkeys(unread), **dict(zip(columns, values, strict=True))}


def converter(kind: Any, names: bool) -> Callable[[Any], Any] | None:
    """Return what makes plain values of a column's; None: they are plain."""
    if isinstance(kind, datasets.ClassLabel):
        known = kind.names
        # A hidden label is -1 on the hub, which must not be taken for the last name.
        return lambda value: "" if value is None or value < 0 else known[value] if names else str(value)
    if isinstance(kind, datasets.Image):
        return lambda value: np.asarray(value.convert("L"), np.uint8)
    inner = converter(kind.feature, names) if isinstance(kind, datasets.List | datasets.LargeList) else None
    return None if inner is None else lambda values: [inner(value) for value in values or ()]
