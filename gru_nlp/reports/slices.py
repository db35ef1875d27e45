"""Scores of parts of a split: by length, by unknown words, by label, and by any column of the data."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from gru_nlp.batch import AnyArray, IntArray
from gru_nlp.data.module import DataModule, Split
from gru_nlp.reports.resampling import intervals
from gru_nlp.reports.rows import Rows, numbered
from gru_nlp.text.shortening import shorten
from gru_nlp.text.special import UNK

#: Parts that texts are cut into by their length, of about one size.
LENGTHS = 4
#: Shares of unknown tokens at which parts end.
UNKNOWN = (0.0, 0.1, 0.25)
UNKNOWN_NAMES = ("none", "up to 10 %", "10 to 25 %", "over 25 %")
#: Values of a column that are told apart, the most frequent ones.
MOST_VALUES = 50
#: Columns of a terminal that a value's name may take.
WIDEST = 120


class Slicing(NamedTuple):
    """Names of the parts of a split, and ``(N,)`` bool which rows are in each, in turn."""

    names: Sequence[str]
    members: Sequence[AnyArray]


def slices(rows: Rows, slicings: Mapping[str, Slicing], scores: Mapping[str, float]) -> dict[str, Any]:
    """Return the model's scores of each part that holds a row.

    Args:
        rows: that were scored.
        slicings: by name.
        scores: of all rows, ``<split>/<score>``.
    """
    told: dict[str, Any] = {}
    for name, slicing in slicings.items() if rows.tallies else ():
        parts = told[name] = {}
        for part, member in zip(slicing.names, slicing.members, strict=True):
            units = rows.units(member)
            if not units.number:
                continue
            own = [intervals(tally, units) for tally in rows.tallies if not tally.view]
            told_of = {f"{rows.split}/{one}": found._asdict() for each in own for one, found in each.items()}
            known = {one: found for one, found in told_of.items() if one in scores}
            parts[part] = {"rows": int((rows.scored & member).sum()), "scores": known}
    return told


def usual(data: DataModule, split: Split) -> dict[str, Slicing]:
    """Return the slicings that any split has: by length, by the share of unknown tokens, by label."""
    encoded = data.encoded[split]
    found = {"length": by_length(encoded.scalars["tokens"])} if "tokens" in encoded.scalars else {}
    if "ids" in encoded.lists:
        shares = encoded.lists["ids"].shares(UNK)
        if shares.any():
            found["unknown_words"] = by_value(np.searchsorted(UNKNOWN, shares), UNKNOWN_NAMES)
    if len(encoded.label_rows):
        names = data.preprocessor.label_names()
        found["label"] = by_label(encoded.label_rows, encoded.label_ids, names, len(encoded))
    return found


def by_length(lengths: IntArray) -> Slicing:
    """Return parts of about one size, from the shortest texts to the longest."""
    ends = np.unique(np.quantile(lengths, np.arange(1, LENGTHS + 1) / LENGTHS, method="lower"))
    starts = [int(lengths.min()), *(int(end) + 1 for end in ends[:-1])]
    names = [f"{start} to {end}" if start < end else str(end) for start, end in zip(starts, ends.tolist(), strict=True)]
    return by_value(np.searchsorted(ends, lengths), names)


def by_value(places: IntArray, names: Sequence[str]) -> Slicing:
    """Return a part for each of ``names``, ``places`` ``(N,)`` telling the one that a row is in."""
    return Slicing(names, [places == place for place in range(len(names))])


def by_label(label_rows: IntArray, label_ids: IntArray, names: Sequence[str], size: int) -> Slicing:
    """Return the rows that truly have each label; the most frequent ones where there are many."""
    counts = np.bincount(label_ids[label_ids >= 0], minlength=len(names))
    kept = np.sort(np.argsort(-counts, kind="stable")[:MOST_VALUES]).tolist()
    members = []
    for label in kept:
        member = np.zeros(size, dtype=np.bool_)
        member[label_rows[label_ids == label]] = True
        members.append(member)
    return Slicing([names[label] for label in kept], members)


def by_column(values: Sequence[str]) -> Slicing:
    """Return the rows of each value of a column, the most frequent ones where there are many, the rest together."""
    names, places = numbered(values)
    counts = np.bincount(places, minlength=len(names))
    kept = np.sort(np.argsort(-counts, kind="stable")[:MOST_VALUES])
    members = [places == place for place in kept.tolist()]
    told = [shorten(names[place], WIDEST) for place in kept.tolist()]
    if len(kept) < len(names):
        told.append(f"({len(names) - len(kept)} others)")
        members.append(~np.isin(places, kept))
    return Slicing(apart(told), members)


def apart(names: Sequence[str]) -> list[str]:
    """Return names of which no two are the same any more: what they were cut to may be."""
    seen: dict[str, int] = {}
    found = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        found.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return found
