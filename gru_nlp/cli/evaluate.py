"""Score a checkpoint on its own data, or on other data of the same shape."""

import json
from collections.abc import Mapping
from typing import Any

from omegaconf import DictConfig

from gru_nlp.answers.writing import check_apart, open_output
from gru_nlp.config import absolute_paths, resolved
from gru_nlp.console import remark, say, show
from gru_nlp.errors import UserError
from gru_nlp.training import predictions
from gru_nlp.training.scoring import Evaluation, evaluate
from gru_nlp.training.suspects import suspects


def run(config: DictConfig) -> None:
    """Score and show one line a score, every digit of it; write the predictions where an ``output`` is given."""
    absolute_paths(config)
    given = resolved(config)
    if given["suspects"]:
        seek(given)
        return
    if given["output"] is None:
        tell(evaluate(given))
        return
    check_apart(given["output"], sources(given))
    with open_output(given["output"]) as output:  # before all work, which a file that cannot be written would waste
        scored = evaluate(given)
        records = predictions.of_split(scored.task, scored.data, scored.split)
        if not records:
            told = f"output={given['output']}: a {scored.task.name} model has no answer a row to write"
            raise UserError(f"{told}: leave it out, or use predict")
        tell(scored)
        predictions.write(output, records)


def seek(given: Mapping[str, Any]) -> None:
    """Write the labels of training that may be wrong; to standard output where no ``output`` is given."""
    check_apart(given["output"], sources(given))
    with open_output(given["output"]) as output:
        found = suspects(given)
        predictions.write(output, found)
    say(f"{len(found):,} labels of training that may be wrong")


def sources(given: Mapping[str, Any]) -> dict[str, str]:
    """Return what is read, by option."""
    own = {f"data.{name}": value for name, value in (given.get("data") or {}).items() if isinstance(value, str)}
    return {**own, "checkpoint": given["checkpoint"]}


def tell(scored: Evaluation) -> None:
    """Show the scores, how they are computed, and those of each class."""
    for name, value in sorted(scored.scores.items()):
        show(f"{name} {value!r}")
    remark(f"scored by: {scored.task.scorer}")
    for label, scores in scored.task.details("test").items():
        say(f"  {label}: {json.dumps(scores)}")
