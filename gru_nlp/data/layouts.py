"""What a record means: a labelled text, a sentence pair, an image; and how records become a table.

A layout turns the fields of one record into a row, or says what is wrong with them; it knows names of fields, never
files. The loop around it is written once, in ``Layout``: it says where a bad record stands, refuses data without rows,
and writes the rows into a memory-mapped Arrow table under a key of everything that they came from, so that a second run
reads nothing again. A layout whose rows need more than that (tag schemes, images of one size) adds it around the loop.
"""

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import datasets

from gru_nlp.data.readers import described
from gru_nlp.data.tables import read_once
from gru_nlp.data.values import Defect, joined, label_of
from gru_nlp.data.where import Found, Split
from gru_nlp.errors import UserError

datasets.disable_progress_bars()

Row = dict[str, Any]
#: Raised whenever a reader gives other rows for the same file, so that no cached table of an older one is taken.
READER_VERSION = 5


def fingerprint(*parts: Any) -> str:
    """Return a hash of plain values, under which a table is cached."""
    return hashlib.sha256(json.dumps([READER_VERSION, *parts], sort_keys=True).encode()).hexdigest()[:32]


class Layout(ABC):
    """What a record means.

    Attributes:
        noun: what data without rows is said to lack.
        features: types of the columns of the table, ``line`` among them.
        stratify: column each of whose values gives its share to a carved validation split; None: no such column.
    """

    noun: ClassVar[str]
    features: ClassVar[datasets.Features]
    stratify: ClassVar[str | None] = None

    @abstractmethod
    def row(self, fields: Mapping[str, Any]) -> Row | None:
        """Return the row of a record, without ``line``; None leaves it out.

        Raises:
            Defect: what is wrong with the record.
        """

    def label_order(self) -> Sequence[str] | None:
        """Return the label names in their given order; None: as found, sorted."""
        return None

    def rows(self, found: Found) -> Iterator[Row]:
        """Yield the rows of a split.

        Raises:
            UserError: naming where a bad record stands; there is no row.
        """
        empty = True
        for line, fields in found.read():
            try:
                row = self.row(fields)
            except Defect as defect:
                raise UserError(f"{found.place(line, defect.column)}: {defect}") from None
            if row is not None:
                empty = False
                yield {**row, "line": line}
        if empty:
            raise UserError(f"{found.name}: holds no {self.noun} (set {found.option}=...)")

    def table(self, found: Found, cache_dir: str | None) -> datasets.Dataset:
        """Read a split, or find what was read of it.

        Raises:
            UserError: as ``rows``.
        """
        key = fingerprint(described(self), found.key())
        return read_once(lambda: self.rows(found), self.features, key, cache_dir)

    def compare(self, split: Split, found: Found, tables: Mapping[Split, datasets.Dataset]) -> None:
        """Look at a split that was just read beside the others.

        Args:
            split: its name.
            found: where it stands, for messages.
            tables: the splits that were read so far, itself among them.

        Raises:
            UserError: they do not go together.
        """
        return  # most splits go with any other


@dataclass(frozen=True)
class LabelledText(Layout):
    """A text and its label: columns ``text`` and ``label``.

    Attributes:
        text: fields whose values, joined by a blank, are the text.
        label: field of the label.
        label_names: readable name of each label in the data, in the order of their ids; None: labels stay as they are.
        skip_empty: leave out rows without text instead of refusing them.
        label_cut: a label ends before this string; None: it is taken whole.
        options: beginning of the options that name the fields, for messages.
        takes_unknown: whether a split other than training may have labels that ``label_names`` lacks.
    """

    noun = "rows"
    stratify = "label"
    features = datasets.Features(
        {
            # A thousand texts of 5 MB in one Arrow batch pass the 2 GiB of plain strings.
            "text": datasets.Value("large_string"),
            "label": datasets.Value("string"),
            "line": datasets.Value("int64"),
        }
    )
    text: tuple[str, ...]
    label: str
    label_names: Mapping[str, str] | None
    skip_empty: bool
    label_cut: str | None = None
    options: str = "data"
    takes_unknown: bool = False

    def row(self, fields: Mapping[str, Any]) -> Row | None:
        """Return text and label."""
        text = joined(fields, self.text, f"{self.options}.text")
        if not text.strip():
            if self.skip_empty:
                return None
            raise Defect("a row without text (mend it, or set data.skip_empty=true)")
        label = label_of(fields, self.label, f"{self.options}.label", self.label_names or ())
        return {"text": text, "label": self._label(label)}

    def label_order(self) -> Sequence[str] | None:
        """Return the names of ``label_names``."""
        return list(dict.fromkeys(self.label_names.values())) if self.label_names else None

    def _label(self, raw: str) -> str:
        label = raw.strip()
        if self.label_cut:
            label = label.partition(self.label_cut)[0]
        if not label:
            raise Defect(f"a row without label (mend it, or set {self.options}.label=<column>)")
        if not self.label_names:
            return label
        if label in self.label_names:
            return self.label_names[label]
        if label in self.label_names.values():  # the hub's class labels are readable already
            return label
        if self.takes_unknown:
            return label  # which compare refuses in training
        raise Defect(self._not_named(label))

    def _not_named(self, label: str) -> str:
        return f"the label '{label}' is not among those of data.label_names: {', '.join(self.label_names or ())}"

    def compare(self, split: Split, found: Found, tables: Mapping[Split, datasets.Dataset]) -> None:
        """Refuse labels of training that ``label_names`` lacks, where other splits may have such.

        Raises:
            UserError: naming the line of the first.
        """
        super().compare(split, found, tables)
        if split == "train" and self.takes_unknown and self.label_names:
            known, table = set(self.label_names.values()), tables[split]
            for line, label in zip(table["line"], table["label"], strict=True):
                if label not in known:
                    raise UserError(f"{found.place(line, None)}: {self._not_named(label)}")


@dataclass(frozen=True)
class SentencePair(Layout):
    """A sentence and its translation: columns ``source`` and ``target``.

    Attributes:
        source, target: fields of the two sentences; or languages of a field ``translation`` that holds several.
        skip_empty: leave out pairs with an empty side instead of refusing them.
    """

    noun = "sentence pairs"
    features = datasets.Features(
        {
            "source": datasets.Value("large_string"),
            "target": datasets.Value("large_string"),
            "line": datasets.Value("int64"),
        }
    )
    source: str
    target: str
    skip_empty: bool

    def row(self, fields: Mapping[str, Any]) -> Row | None:
        """Return both sides; blank on both sides is passed over."""
        nested = fields.get("translation")
        if isinstance(nested, Mapping):
            fields = {**nested, **{name: fields[name] for name in (self.source, self.target) if name in fields}}
        one = joined(fields, (self.source,), "data.source")
        other = joined(fields, (self.target,), "data.target")
        if one.strip() and other.strip():
            return {"source": one, "target": other}
        if self.skip_empty or not (one.strip() or other.strip()):
            return None
        column = self.target if one.strip() else self.source
        raise Defect("an empty sentence whose other side is not (mend it, or set data.skip_empty=true)", column)


class AsIs(Layout):
    """Rows that are right already, such as a sample's: a small table in memory."""

    noun = "rows"

    def row(self, fields: Mapping[str, Any]) -> Row:
        """Return the record itself."""
        return dict(fields)

    def table(self, found: Found, cache_dir: str | None) -> datasets.Dataset:
        """Return the rows; nothing is cached."""
        table = datasets.Dataset.from_list(list(self.rows(found)))
        table._fingerprint = fingerprint(found.key())
        return table
