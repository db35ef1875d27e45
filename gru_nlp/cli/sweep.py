"""The table that ends a sweep: what each job was given, how it scored, and where it lies; best first."""

import json
import statistics
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from gru_nlp.config import undisguised
from gru_nlp.training.run_folder import METRICS


class Finished(NamedTuple):
    """A job that ended with a score: its overrides, its folder, the monitored score's name, and which is better."""

    overrides: list[str]
    folder: Path
    monitor: str
    mode: str


def table(jobs: Sequence[Finished]) -> list[str]:
    """Return the lines of the table: a job a line, then the means over seeds of jobs that differ in nothing else.

    Args:
        jobs: of one sweep; their scores are read from their folders.
    """
    names, sign = _columns(jobs[0]), 1.0 if jobs[0].mode == "min" else -1.0
    scored = [(job, json.loads((job.folder / METRICS).read_text(encoding="utf-8"))) for job in jobs]
    scored.sort(key=lambda pair: sign * pair[1][jobs[0].monitor])
    varied = _varied([job.overrides for job in jobs])
    kinds: dict[tuple[str, ...], list[dict[str, float]]] = defaultdict(list)
    for job, scores in scored:
        kinds[tuple(o for o in job.overrides if o in varied and not o.startswith("seed="))].append(scores)
    names = [name for name in names if all(name in scores for _, scores in scored)]
    rows = [["", *names, "folder"]]
    for job, scores in scored:
        shown = " ".join(undisguised(override) for override in job.overrides if override in varied) or "as it is"
        rows.append([shown, *(f"{scores[name]:.4f}" for name in names), str(job.folder)])
    if any(len(group) > 1 for group in kinds.values()) and any(o.startswith("seed=") for o in varied):
        for kind, group in kinds.items():
            means = [_mean([scores[name] for scores in group]) for name in names]
            rows.append([" ".join([*map(undisguised, kind), f"mean of {len(group)} seeds"]), *means, ""])
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _columns(job: Finished) -> list[str]:
    return [job.monitor, job.monitor.replace("validation/", "test/")]


def _varied(jobs: Sequence[Sequence[str]]) -> set[str]:
    """Return the overrides that not all jobs share."""
    every = set(jobs[0]).intersection(*jobs[1:])
    return {override for job in jobs for override in job} - every


def _mean(values: Sequence[float]) -> str:
    spread = f" ± {statistics.stdev(values):.4f}" if len(values) > 1 else ""
    return f"{statistics.fmean(values):.4f}{spread}"
