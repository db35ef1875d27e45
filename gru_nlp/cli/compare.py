"""Say whether one model is really better than another on the same rows, and list the rows on which they differ."""

import contextlib
import os
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pyarrow as pa
from omegaconf import DictConfig

from gru_nlp.answers.writing import check_apart, open_output
from gru_nlp.checkpoint import BEST
from gru_nlp.cli.evaluate import sources
from gru_nlp.config import absolute_paths, resolved
from gru_nlp.console import remark, say, show
from gru_nlp.errors import UserError
from gru_nlp.plain import entries_of
from gru_nlp.preprocessing.rows import Record
from gru_nlp.reports.comparison import Scored, Sides, compared, unlike
from gru_nlp.reports.rows import rows_of
from gru_nlp.training import predictions
from gru_nlp.training.run_folder import check_writable, leave_json
from gru_nlp.training.scoring import Evaluation, evaluate

COMPARISON = "compare.json"
#: Rows that are shown, and the least p value.
SHOWN, LEAST = 5, 0.0001


def run(config: DictConfig) -> None:
    """Score both models, show a line a score and the rows that differ most; write all where that is asked for."""
    absolute_paths(config)
    given = resolved(config)
    folder = None if given["report"] is None else Path(given["report"])
    sides = runs_of(given["checkpoint"])
    if folder is not None:
        check_writable(folder, "report")
    for path in (path for side in sides for path in side):
        check_apart(given["output"], sources({**given, "checkpoint": path}))
    with contextlib.nullcontext() if given["output"] is None else open_output(given["output"]) as file:
        found, scored = all_scored(sides, given)
        comparison = {"checkpoint": dict(zip("ab", sides, strict=True)), "scores": compared(found)}
        monitored = scored.task.monitor.partition("/")[2]
        rows = unlike(found, monitored)
        if file is not None:
            predictions.write(file, rows)
        if folder is not None:
            leave_json(folder, COMPARISON, comparison, "report")
        tell(comparison["scores"], scored, rows)


def runs_of(given: Any) -> tuple[list[str], list[str]]:
    """Return the checkpoints of both models.

    Raises:
        UserError: there are not two.
    """
    named = given if isinstance(given, list) else [given]
    if len(named) != 2 or not all(isinstance(path, str) and path for path in named):
        raise UserError(f"checkpoint={given}: two models are compared: set checkpoint=[<run>,<run>]")
    first, second = (runs_below(path) for path in named)
    return first, second


def runs_below(path: str) -> list[str]:
    """Return the run folders right below a folder that is none itself, else the path as it is."""
    if not os.path.isdir(path) or os.path.exists(Path(path) / BEST):
        return [path]
    return [str(child) for child in entries_of(Path(path), "checkpoint") if (child / BEST).is_file()] or [path]


def all_scored(paths: tuple[Sequence[str], Sequence[str]], given: Mapping[str, Any]) -> tuple[Sides, Evaluation]:
    """Score all runs on the same rows; return them, and the first one with its model.

    Raises:
        UserError: a run cannot be scored, or is scored on other rows, for other labels or by other rules.
    """
    first: Evaluation | None = None
    sides: tuple[list[Scored], list[Scored]] = ([], [])
    for side, own in zip(sides, paths, strict=True):
        for path in own:
            say(f"scoring {path}")
            one = evaluate({**given, "checkpoint": path})
            first = first or one
            check_alike(first, one, paths[0][0], path)
            rows = rows_of(one.task, one.data, "test", one.split)
            if not rows.tallies:
                raise UserError(f"{path}: a {one.task.name} model tells nothing of single rows to compare")
            side.append(Scored(one.scores, rows, [] if side else predictions.of_split(one.task, one.data, one.split)))
    assert first is not None
    return sides, first


def check_alike(first: Evaluation, other: Evaluation, name: str, path: str) -> None:
    """Refuse runs whose scores cannot be compared.

    Raises:
        UserError: naming both, and what differs.
    """
    if first is other:
        return
    if first.task.scorer != other.task.scorer:
        raise UserError(f"{path} is scored otherwise than {name}: '{other.task.scorer}', not '{first.task.scorer}'")
    if first.data.preprocessor.label_names() != other.data.preprocessor.label_names():
        raise UserError(f"{path} has other labels than {name}: train both on the same ones")
    one, two = (table_of(scored) for scored in (first, other))
    if one.num_rows != two.num_rows:
        told = f"{two.num_rows:,} rows, {name} on {one.num_rows:,}"
        raise UserError(f"{path} is scored on {told}: give both the same data=..., or data.test=<file>")
    if not one.equals(two):
        rows = zip_longest(one.to_pylist(), two.to_pylist())
        row = next(number for number, (mine, theirs) in enumerate(rows, start=1) if mine != theirs)
        told = f"other rows than {name}, the first of them number {row:,}"
        raise UserError(f"{path} is scored on {told}: give both the same data=..., or data.test=<file>")


def table_of(scored: Evaluation) -> pa.Table:
    """Return input and truth of the rows that were scored."""
    raw = scored.data.corpus.load(scored.split)
    assert raw is not None
    table: pa.Table = raw.select_columns(list(scored.data.preprocessor.data_columns)).with_format("arrow")[:]
    return table


def tell(scores: Mapping[str, Any], scored: Evaluation, rows: Sequence[Record]) -> None:
    """Show the scores beside each other, and the first of the rows that differ."""
    head = ("score", "a", "b", "difference", "95 %", "p_value", "test")
    lines = [head, *((name, *cells(entry)) for name, entry in sorted(scores.items()))]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        show("  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip())
    remark(f"scored by: {scored.task.scorer}")
    show(f"{len(rows):,} rows differ{':' if rows else ''}")
    for row in rows[:SHOWN]:
        apart = ", ".join(f"{name} {value:+.4f}" for name, value in row["difference"].items())
        show(f"row {row['row']:,}: {apart}")
        common = {name: value for name, value in row.items() if name not in ("row", "a", "b", "difference")}
        for side in "ab":
            if row[side]:
                show(f"  {side}  {scored.data.preprocessor.describe({**common, **row[side]})}")


def cells(entry: Mapping[str, Any]) -> list[str]:
    """Return the cells of a score's line."""
    apart = entry["difference"]
    reach = "" if apart["low"] is None else f"{apart['low']:+.4f} to {apart['high']:+.4f}"
    sides = [f"{entry[side]['value']:.4f}" for side in "ab"]
    p_value = f"{entry['p_value']:.4f}" if entry["p_value"] >= LEAST else f"< {LEAST}"
    return [*sides, f"{apart['value']:+.4f}", reach, p_value, entry["test"]]
