"""Score a checkpoint on its own data, or on other data of the same shape."""

import contextlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from gru_nlp.answers.writing import check_apart, open_output
from gru_nlp.config import absolute_paths, resolved
from gru_nlp.console import remark, say, show
from gru_nlp.errors import UserError
from gru_nlp.preprocessing.rows import Record
from gru_nlp.reports.report import report
from gru_nlp.reports.rows import rows_of
from gru_nlp.training import predictions, reporting
from gru_nlp.training.run_folder import check_writable
from gru_nlp.training.scoring import Evaluation, evaluate
from gru_nlp.training.suspects import suspects


def run(config: DictConfig) -> None:
    """Score and show one line a score, every digit of it; write predictions and a report where they are asked for."""
    absolute_paths(config)
    given = resolved(config)
    folder, output = (None if given[name] is None else Path(given[name]) for name in ("report", "output"))
    check_report(folder, given)
    check_apart(given["output"], sources(given))
    if given["suspects"]:
        seek(given)
        return
    # Opened before all work, which a file that cannot be written would waste.
    with contextlib.nullcontext() if output is None else open_output(given["output"]) as file:
        scored = evaluate(given)
        wanted = file is not None or folder is not None
        records = predictions.of_split(scored.task, scored.data, scored.split) if wanted else []
        if file is not None:
            write_predictions(file, output, scored.task.name, records)
        if folder is not None:
            save_report(folder, given, scored, records)
        tell(scored)


def check_report(folder: Path | None, given: Mapping[str, Any]) -> None:
    """Refuse a folder of a report that cannot be one, and options that have no effect.

    Raises:
        UserError: naming the option.
    """
    if folder is None and given["slices"]:
        raise UserError(f"slices=[{','.join(map(str, given['slices']))}] is for a report: set report=<folder> too")
    if folder is not None and given["suspects"]:
        raise UserError(f"report={folder}: suspects=true scores nothing to report: leave one of them out")
    if folder is not None:
        check_writable(folder, "report")


def seek(given: Mapping[str, Any]) -> None:
    """Write the labels of training that may be wrong; to standard output where no ``output`` is given."""
    with open_output(given["output"]) as output:
        found = suspects(given)
        predictions.write(output, found)
    say(f"{len(found):,} labels of training that may be wrong")


def sources(given: Mapping[str, Any]) -> dict[str, str]:
    """Return what is read, by option."""
    own = {f"data.{name}": value for name, value in (given.get("data") or {}).items() if isinstance(value, str)}
    return {**own, "checkpoint": given["checkpoint"]}


def write_predictions(file: IO[str], output: Path | None, name: str, records: list[Record]) -> None:
    """Write a record a row.

    Raises:
        UserError: the model, of task ``name``, has none.
    """
    if not records:
        told = f"output={output}: a {name} model has no answer a row to write"
        raise UserError(f"{told}: leave it out, or use predict")
    predictions.write(file, records)


def save_report(folder: Path, given: Mapping[str, Any], scored: Evaluation, records: list[Record]) -> None:
    """Write the report into a folder, which is made where there is none.

    Raises:
        UserError: the data lacks one of the columns of ``slices``, or a file cannot be written.
    """
    rows = rows_of(scored.task, scored.data, "test", scored.split)
    columns = [str(name) for name in given["slices"]]
    found = report(scored.task, scored.data, rows, scored.scores, columns, records=records)
    found["run"] = reporting.about(scored.task.name, "evaluate", HydraConfig.get().overrides.task, {})
    reporting.leave(folder, found, given["report_format"], "report")


def tell(scored: Evaluation) -> None:
    """Show the scores, how they are computed, and those of each class."""
    for name, value in sorted(scored.scores.items()):
        show(f"{name} {value!r}")
    remark(f"scored by: {scored.task.scorer}")
    for label, scores in scored.task.details("test").items():
        say(f"  {label}: {json.dumps(scores)}")
