"""Texts and what is said of them: one label, several or none, or a rating.

The same records serve all three: which columns a task's preprocessor reads decides what is made of them (``giving``).
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import datasets

from gru_nlp.data.layouts import Layout, Row
from gru_nlp.data.values import Defect, joined, label_of, labels_of, shortened, value_of
from gru_nlp.data.where import Found, Split
from gru_nlp.errors import UserError

#: How a number is written; Python's own reading would take ``1_0``, ``nan`` and digits of any script.
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
#: Whole numbers from here on are not told apart by a float.
MOST = 2.0**53


def features(target: str, kind: Any) -> datasets.Features:
    """Return the types of a table of texts whose column ``target`` is of a kind."""
    # A thousand texts of 5 MB in one Arrow batch pass the 2 GiB of plain strings.
    text = datasets.Value("large_string")
    return datasets.Features({"text": text, target: kind, "line": datasets.Value("int64")})


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
        label_separator: between the labels of a text; of use to ``SeveralLabels`` alone.
    """

    noun = "rows"
    target: ClassVar[str] = "label"
    stratify: ClassVar[str | None] = "label"
    features = features("label", datasets.Value("string"))
    text: tuple[str, ...]
    label: str
    label_names: Mapping[str, str] | None
    skip_empty: bool
    label_cut: str | None = None
    options: str = "data"
    takes_unknown: bool = False
    label_separator: str | None = None

    def giving(self, columns: Sequence[str]) -> "LabelledText":
        """Return the layout whose table has the column of labels, or of ratings, that is among ``columns``.

        Raises:
            UserError: labels are to be separated where a text has one.
        """
        kinds = {kind.target: kind for kind in (SeveralLabels, RatedText)}
        kind = next((kinds[name] for name in columns if name in kinds), LabelledText)
        if self.label_separator is not None and kind is not SeveralLabels:
            told = f"data.label_separator='{self.label_separator}' has no effect on a task of one label a text"
            raise UserError(f"{told}: leave it out, or set task=multilabel")
        return kind(**{field.name: getattr(self, field.name) for field in fields(self)})

    def row(self, fields: Mapping[str, Any]) -> Row | None:
        """Return the text and what is said of it."""
        text = joined(fields, self.text, f"{self.options}.text")
        if not text.strip():
            if self.skip_empty:
                return None
            raise Defect("a row without text (mend it, or set data.skip_empty=true)")
        return {"text": text, self.target: self.said(fields)}

    def said(self, fields: Mapping[str, Any]) -> str | list[str]:
        """Return what a record says of its text.

        Raises:
            Defect: it cannot be taken for that.
        """
        return self._named(label_of(fields, self.label, f"{self.options}.label", self.label_names or ()))

    def label_order(self) -> Sequence[str] | None:
        """Return the names of ``label_names``."""
        return list(dict.fromkeys(self.label_names.values())) if self.label_names else None

    def _named(self, raw: str) -> str:
        """Return the name of a label of the data."""
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
            known, table = set(self.known(self.label_names.values())), tables[split]
            for line, said in zip(table["line"], table[self.target], strict=True):
                for label in [said] if isinstance(said, str) else said:
                    if label not in known:
                        raise UserError(f"{found.place(line, None)}: {self._not_named(label)}")

    def known(self, names: Iterable[str]) -> Iterable[str]:
        """Return the names of ``label_names`` as they stand in the table."""
        return names


@dataclass(frozen=True)
class SeveralLabels(LabelledText):
    """A text and any number of labels: columns ``text`` and ``labels``, whose order is that of the data.

    Labels that have the same name, by ``label_names`` or ``label_cut``, are one.
    """

    target = "labels"
    stratify = "labels"
    features = features("labels", datasets.List(datasets.Value("string")))

    def said(self, fields: Mapping[str, Any]) -> list[str]:
        """Return the labels."""
        option = f"{self.options}.label"
        raw = labels_of(fields, self.label, option, self.label_separator, self.label_names or ())
        return list(dict.fromkeys(map(self._named, raw)))


@dataclass(frozen=True)
class RatedText(LabelledText):
    """A text and a finite number: columns ``text`` and ``rating``; equal numbers are the same text there."""

    target = "rating"
    stratify = "rating"
    features = features("rating", datasets.Value("string"))

    def said(self, fields: Mapping[str, Any]) -> str:
        """Return the rating."""
        value = value_of(fields, self.label, f"{self.options}.label")
        finite = isinstance(value, float) and math.isfinite(value)
        return rating(self._named(repr(value)) if finite else str(super().said(fields)))

    def label_order(self) -> None:
        """Ratings have an order of their own."""
        return

    def known(self, names: Iterable[str]) -> Iterable[str]:
        """Return the ratings that ``label_names`` names."""
        return map(rating, names)


def rating(label: str) -> str:
    """Return a number as it is written shortest, so that 1, 01 and 1.0 are one rating.

    Raises:
        Defect: it is no finite number, or a very large one.
    """
    number = float(label) if NUMBER.fullmatch(label) else math.nan
    if not abs(number) < MOST:
        told = f"the label '{shortened(label)}' is no finite number below 2^53, which a rating is"
        raise Defect(f"{told}: mend it, name it in data.label_names, or set task=classification")
    return str(int(number)) if number.is_integer() else repr(number)
