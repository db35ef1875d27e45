"""A corpus is three answers: where it is, how it is written, and what a record means.

``Where`` finds a split (for files, through a ``Format`` that reads them as records), a ``Layout`` makes rows of the
records, and ``Corpus`` puts the two together: it chooses between a person's files and the hub, carves a validation
split out of training where there is none, and tells where a row stands. A kind of corpus (``kinds.py`` and the
two beside it) is its options and one method, ``recipe``, that builds the three objects from them.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import datasets
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gru_nlp.data.hub import Hub
from gru_nlp.data.layouts import Layout, fingerprint
from gru_nlp.data.splitting import Rows, stratified, stratified_by_lists
from gru_nlp.data.values import Defect, value_of, written
from gru_nlp.data.where import Files, Found, Split, Where
from gru_nlp.errors import UserError


@dataclass(frozen=True)
class Carving:
    """How a validation split is carved out of training.

    Attributes:
        share: of the rows that go to validation.
        seed: of the choice; apart from the training seed, so that runs stay comparable.
    """

    share: float
    seed: int

    def __post_init__(self) -> None:
        if not 0.0 < self.share < 1.0:
            raise UserError(f"data.validation_share={self.share} must lie between 0 and 1")

    def part(self, train: datasets.Dataset, split: Split, stratify: str | None, instead: str) -> datasets.Dataset:
        """Return what is left of training, or what is carved out of it for validation.

        Args:
            train: the whole training split.
            split: train or validation.
            stratify: column each of whose values gives its share; None: no such column.
            instead: the option that gives a validation split, for messages.

        Raises:
            UserError: there are too few rows.
        """
        kept, carved = self._chosen(train.data.column(stratify) if stratify else None, len(train))
        if not len(carved):
            raise UserError(f"{len(train)} training rows are too few to carve out a validation split: set {instead}")
        key = fingerprint(train._fingerprint, self.share, self.seed, split, stratify)
        return train.select(carved if split == "validation" else kept, new_fingerprint=key)

    def _chosen(self, column: pa.ChunkedArray | None, total: int) -> tuple[Rows, Rows]:
        """Return the rows of training and of validation; a column may hold a value a row, or a list of them."""
        if column is None:
            return stratified(np.zeros(total, dtype=np.int64), self.share, self.seed)
        if not pa.types.is_list(column.type):
            return stratified(np.unique(np.asarray(column), return_inverse=True)[1], self.share, self.seed)
        rows = np.repeat(np.arange(total), np.asarray(pc.list_value_length(column)))
        values = np.unique(np.asarray(pc.list_flatten(column)), return_inverse=True)[1]
        return stratified_by_lists(rows, values, total, self.share, self.seed)


class Recipe(NamedTuple):
    """What a corpus is made of.

    Attributes:
        where: it is.
        layout: what a record means.
        carving: of a validation split; None: it has one of its own.
        cache_dir: where tables are cached; None: the cache of ``datasets``.
    """

    where: Where
    layout: Layout
    carving: Carving | None = None
    cache_dir: str | None = None


def choose_place(files: Files, layout: Layout, hub: tuple[Hub, Layout] | None) -> tuple[Where, Layout]:
    """Return where a data set is read from, and what its records mean there.

    Files come first: as soon as a person names one of them, or a folder, nothing is fetched from the hub.

    Args:
        files: a person's own, or a preset's.
        layout: of their records.
        hub: the same data set on the hub, and the layout of its records; None: it has none.
    """
    return (files, layout) if hub is None or files.given else hub


@dataclass(kw_only=True, eq=False)
class Corpus(ABC):
    """The splits of a data set as tables, with the column ``line`` (counted from 1) for messages.

    A kind of corpus states its options as fields and what they mean in ``recipe``; it overrides nothing else.
    """

    def __post_init__(self) -> None:
        self._recipe = self.recipe()
        self._tables: dict[Split, datasets.Dataset | None] = {}

    @abstractmethod
    def recipe(self) -> Recipe:
        """Return what this corpus is made of; reads nothing.

        Raises:
            UserError: naming an option that is wrong.
        """

    def serve(self, columns: Sequence[str]) -> None:
        """Give tables with ``columns``, where the records can be taken so; called before anything is loaded.

        Raises:
            UserError: an option has no effect on these columns.
        """
        self._recipe = self._recipe._replace(layout=self._recipe.layout.giving(columns))

    def load(self, split: Split) -> datasets.Dataset | None:
        """Return a split, read or found in the cache; None for a test split that is not there.

        A validation split that is not there is carved out of training.

        Raises:
            UserError: naming file and line, and the option to change.
        """
        where, layout, carving, _ = self._recipe
        own = self._whole(split)
        if split == "test" or (split == "validation" and own is not None):
            return own
        train = self._whole("train")
        if train is None:
            raise UserError(f"no training data: set {where.wanted('train')}")
        if carving is None or where.find("validation") is not None:
            return train
        return carving.part(train, split, layout.stratify, where.wanted("validation"))

    @property
    def example(self) -> str | None:
        """A text that a model of this corpus may be tried with; None: one of its own."""
        return None

    @property
    def takes_unknown(self) -> bool:
        """Whether rows are scored whose label training does not have."""
        return False

    def locate(self, split: Split, line: int) -> str:
        """Return where ``line`` of a split stands, for messages; a carved split stands in training."""
        found = self._standing(split)
        return f"{split}:{line}" if found is None else found.place(line, None)

    def has_column(self, split: Split, name: str) -> bool:
        """Return whether the data itself, by its first record, has a column at a split."""
        found = self._standing(split)
        first = next(iter(found.read()), None) if found else None
        return first is not None and name in first[1]

    def column(self, split: Split, name: str, option: str) -> list[str]:
        """Return a column as it stands in the data, which is read again: the value of each row of a split, as text.

        Raises:
            UserError: a row has no such column, or is no longer there; names ``option``.
        """
        table, found = self.load(split), self._standing(split)
        assert table is not None
        assert found is not None
        wanted = set(table["line"])
        values: dict[int, str] = {}
        for line, fields in found.read():
            if line in wanted:
                try:
                    values[line] = written(value_of(fields, name, option))
                except Defect as defect:
                    raise UserError(f"{found.place(line, None)}: {defect}") from None
        if len(values) < len(wanted):
            raise UserError(f"{found.name}: has changed since it was read: start again once nothing writes to it")
        return [values[line] for line in table["line"]]

    def _standing(self, split: Split) -> Found | None:
        """Return where the rows of a split stand; those of a carved one stand in training."""
        return self._recipe.where.find(split) or self._recipe.where.find("train")

    def label_order(self) -> Sequence[str] | None:
        """Return the label names in their given order; None: as found, sorted."""
        return self._recipe.layout.label_order()

    @property
    def label_separator(self) -> str | None:
        """What stands between the labels of a text in the data; None: nothing does."""
        return self._recipe.layout.label_separator

    def _whole(self, split: Split) -> datasets.Dataset | None:
        """Return a split as it stands; it is read once, and a small table in memory is made once."""
        if split not in self._tables:
            found, layout = self._recipe.where.find(split), self._recipe.layout
            table = found and layout.table(found, self._recipe.cache_dir)
            if found and table is not None:
                others = {name: other for name, other in self._tables.items() if other is not None}
                layout.compare(split, found, {**others, split: table})
            self._tables[split] = table
        return self._tables[split]
