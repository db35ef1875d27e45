"""``report.json``: how good a model is, how sure that is, and where it fails; one function a section."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gru_nlp.batch import AnyArray
from gru_nlp.data.module import DataModule
from gru_nlp.predictor import Predictor
from gru_nlp.preprocessing.rows import Record
from gru_nlp.reports.calibration import calibration
from gru_nlp.reports.resampling import CONFIDENCE, RESAMPLES, Interval, intervals
from gru_nlp.reports.rows import Rows
from gru_nlp.reports.slices import by_column, slices, usual
from gru_nlp.reports.worst import Answers, errors_of, worst
from gru_nlp.tasks.base import Task

REPORT = "report.json"
#: Labels that a confusion matrix tells apart.
MOST_LABELS = 100


def report(
    task: Task,
    data: DataModule,
    rows: Rows,
    scores: Mapping[str, float],
    columns: Sequence[str] = (),
    *,
    records: Sequence[Record] = (),
) -> dict[str, Any]:
    """Return a report as plain values.

    Args:
        task: that has scored the rows.
        data: that they are part of.
        rows: that were scored.
        scores: of them, and maybe of others, by name, ``<split>/<score>``.
        columns: of the data by which the scores are told too.
        records: of the rows, each with input, truth and prediction; none where rows have no answers.

    Raises:
        UserError: the data has no such column.
    """
    own = {name: value for name, value in scores.items() if name.startswith(f"{rows.split}/")}
    by = usual(data, rows.split)
    by |= {name: by_column(data.corpus.column(rows.split, name, "slices")) for name in columns}
    confusion, judged = task.confusion(rows.stage), task.judged(rows.stage)
    return {
        "split": rows.split,
        "scorer": task.scorer,
        "rows": int(rows.scored.sum()),
        "intervals": how(rows),
        "scores": scored(rows, own),
        "classes": {"label": details} if (details := task.details(rows.stage)) else {},
        "confusion": None if confusion is None else capped(confusion, data.preprocessor.label_names()),
        "calibration": None if judged is None else calibration(judged),
        "slices": slices(rows, by, own),
        "worst": worst(records, Predictor(data.preprocessor, task.model, str(task.device))),
        **errors_of(data.preprocessor).figures(Answers(records, data, rows)),
    }


def how(rows: Rows) -> dict[str, Any]:
    """Return how the intervals were found."""
    units = rows.units()
    return {
        "confidence": CONFIDENCE,
        "method": f"percentile bootstrap, {RESAMPLES} resamples",
        "drawn": units.drawn,
        "units": units.number,
    }


def scored(rows: Rows, scores: Mapping[str, float]) -> dict[str, Any]:
    """Return each score with its interval, which is none where nothing is known of single rows."""
    units, begin = rows.units(), f"{rows.split}/"
    known = {name.removeprefix(begin): value for name, value in scores.items()}
    found = {name: Interval(value, None, None) for name, value in known.items()}
    for tally in rows.tallies:
        found |= intervals(tally, units, known)
    return {f"{begin}{name}": one._asdict() for name, one in found.items()}


def capped(counts: AnyArray, labels: Sequence[str]) -> dict[str, Any]:
    """Return a confusion matrix; of many labels those that are confused most, the others together.

    Args:
        counts: ``(C, C)``, true labels down, answers across.
        labels: their names.
    """
    counts = counts.astype(np.int64)
    if len(labels) > MOST_LABELS:
        wrong = counts.sum(axis=0) + counts.sum(axis=1) - 2 * counts.diagonal()
        kept = np.sort(np.argsort(-wrong, kind="stable")[:MOST_LABELS])
        place = np.full(len(labels), MOST_LABELS)
        place[kept] = np.arange(MOST_LABELS)
        summed = np.zeros((MOST_LABELS + 1, MOST_LABELS + 1), dtype=np.int64)
        np.add.at(summed, (place[:, None], place[None, :]), counts)
        counts = summed
        labels = [*(labels[label] for label in kept.tolist()), f"({len(labels) - MOST_LABELS} others)"]
    return {"labels": list(labels), "counts": counts.tolist()}
