"""Two models, each of one run or several, on the same rows: their scores beside each other, and where they differ."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gru_nlp.batch import AnyArray
from gru_nlp.metrics.tally import Tally
from gru_nlp.preprocessing.rows import Record
from gru_nlp.reports.paired import TRIALS, Difference, differences, mcnemar, row_scores, welch
from gru_nlp.reports.resampling import Units
from gru_nlp.reports.rows import Rows

#: Scores that are the share of rows which are right, by how their names begin.
SHARES = ("accuracy", "subset_accuracy", "exact_match")
#: What each test is called, the one that ``p_value`` is of first.
TESTS = {
    "runs": "Welch's t test over runs",
    "mcnemar": "McNemar, exact",
    "randomisation": f"approximate randomisation, {TRIALS:,} trials",
    "bootstrap": "paired bootstrap",
}


@dataclass(frozen=True, eq=False)
class Scored:
    """A run that was scored.

    Attributes:
        scores: by name, ``<split>/<score>``.
        rows: what each adds to them.
        records: a record a scored row, input, truth and prediction; empty where there are no answers a row.
    """

    scores: Mapping[str, float]
    rows: Rows
    records: Sequence[Record]


#: The runs of both models.
Sides = tuple[Sequence[Scored], Sequence[Scored]]


def compared(sides: Sides, trials: int = TRIALS) -> dict[str, Any]:
    """Return how two models score, and how probable their differences are by chance, by the name of each score.

    Args:
        sides: the runs of both models, all on the same rows.
        trials: of randomisation.
    """
    rows = sides[0][0].rows
    units = rows.units()
    found: dict[str, Any] = {}
    for tallies in shared(sides):
        first, second = (summed(own, units, len(other)) for own, other in zip(tallies, tallies[::-1], strict=True))
        for name, difference in differences(first, second, tallies[0][0].score, trials).items():
            full = f"{rows.split}/{name}"
            values = [[run.scores[full] for run in side if full in run.scores] for side in sides]
            if all(values):
                tests = {"randomisation": difference.randomisation, "bootstrap": difference.bootstrap}
                if name.startswith(SHARES) and units.drawn == "rows" and max(map(len, values)) == 1:
                    right = [row_scores(tally)[name][rows.scored] for (tally,) in tallies]
                    tests["mcnemar"] = mcnemar(*right)
                over_runs = welch(*values)
                found[full] = told(values, difference, tests if over_runs is None else {**tests, "runs": over_runs})
    return found


def shared(sides: Sides) -> Iterator[tuple[list[Tally], list[Tally]]]:
    """Yield the tallies of the same scores that all runs have, those of each side in a list."""
    kinds = [[{tally.names(): tally for tally in run.rows.tallies} for run in side] for side in sides]
    for kind in kinds[0][0]:
        if all(kind in run for side in kinds for run in side):
            yield [run[kind] for run in kinds[0]], [run[kind] for run in kinds[1]]


def summed(tallies: Sequence[Tally], units: Units, times: int) -> AnyArray:
    """Return the sums of each unit ``(U, K)`` over runs, ``times`` each: as often as the other side has runs."""
    sums = np.zeros((units.number, tallies[0].width))
    for tally in tallies:
        sums += tally.sums(units.of_row, units.number)
    return sums * times


def told(values: Sequence[Sequence[float]], difference: Difference, tests: Mapping[str, float]) -> dict[str, Any]:
    """Return what is told of a score.

    Args:
        values: of the runs of both models.
        difference: of all rows, runs taken together.
        tests: what the difference is by chance, by test.
    """
    means = [float(np.mean(side)) for side in values]
    test = next(name for name in TESTS if name in tests)
    entry = {
        "a": difference.first._replace(value=means[0])._asdict(),
        "b": difference.second._replace(value=means[1])._asdict(),
        "difference": difference.apart._replace(value=means[1] - means[0])._asdict(),
        "p_value": tests[test],
        "test": TESTS[test],
        "p_values": dict(tests),
    }
    if max(map(len, values)) > 1:
        entry["runs"] = {side: over(own) for side, own in zip("ab", values, strict=True)}
    return entry


def over(values: Sequence[float]) -> dict[str, Any]:
    """Return scores of runs with their mean and sample deviation, which one run has not."""
    deviation = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return {"mean": float(np.mean(values)), "deviation": deviation, "scores": list(values)}


def unlike(sides: Sides, first: str) -> list[Record]:
    """Return a record of each row on which the first runs of two models differ, the most different ones first.

    It has the row's number from 1, input and truth, what ``a`` and ``b`` say, and by how much its scores differ.

    Args:
        sides: the runs of both models.
        first: name of the score that tells which rows differ most, without its split.
    """
    rows = sides[0][0].rows
    apart: dict[str, AnyArray] = {}
    for (one, *_), (other, *_) in shared(sides):
        if not one.view:
            own = row_scores(one), row_scores(other)
            apart |= {name: own[1][name] - own[0][name] for name in own[0]}
    names = sorted(apart, key=lambda name: name != first)
    places = np.flatnonzero(rows.scored)
    records = (sides[0][0].records, sides[1][0].records)
    differ = np.array([answer(one) != answer(other) for one, other in zip(*records, strict=True)], dtype=np.bool_)
    if not len(differ):
        differ = np.any([apart[name][places] != 0 for name in names], axis=0)
    order = np.lexsort([-np.abs(apart[name][places]) for name in reversed(names)])
    found = []
    for place in order[differ[order]].tolist():
        row = int(places[place])
        by = {name: float(apart[name][row]) for name in names if apart[name][row]}
        pair = [side[place] if side else {} for side in records]
        common = {name: value for name, value in pair[0].items() if pair[1].get(name) == value}
        said = [{name: value for name, value in one.items() if name not in common} for one in pair]
        found.append({"row": row + 1, **common, "a": said[0], "b": said[1], "difference": by})
    return found


def answer(record: Any) -> Any:
    """Return a record without its numbers, which differ between any two models."""
    if isinstance(record, Mapping):
        return {name: answer(value) for name, value in record.items() if not isinstance(value, float)}
    return [answer(value) for value in record if not isinstance(value, float)] if isinstance(record, list) else record
