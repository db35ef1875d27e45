"""Score a checkpoint on its own data, or on other data of the same shape."""

import contextlib
import json
from typing import Any

from omegaconf import DictConfig

from gru_nlp import build, checkpoint
from gru_nlp.checkpoint import Checkpoint
from gru_nlp.cli import lightning_parts, predictions
from gru_nlp.cli.console import say, show
from gru_nlp.cli.parts import make_data, make_task
from gru_nlp.cli.stored_data import check_stored_data, discreet
from gru_nlp.cli.text_io import check_apart, open_output
from gru_nlp.config import absolute_paths, resolved
from gru_nlp.data.module import DataModule, Split
from gru_nlp.errors import UserError, choose
from gru_nlp.tasks.base import Task


def run(config: DictConfig) -> None:
    """Score and show one line a score, every digit of it; write the predictions where an ``output`` is given."""
    lightning_parts.quieten()
    choose("split", config["split"], ("test", "validation", "train"))
    absolute_paths(config)
    given = resolved(config)
    if given["output"] is None:
        score(given)
        return
    sources = {f"data.{name}": value for name, value in (given.get("data") or {}).items() if isinstance(value, str)}
    check_apart(given["output"], {**sources, "checkpoint": given["checkpoint"]})
    with open_output(given["output"]) as output:  # before all work, which a file that cannot be written would waste
        predictions.write(output, predictions.of_split(*score(given)))


def score(given: dict[str, Any]) -> tuple[Task, DataModule, Split]:
    """Score and show; return what the predictions are taken from."""
    stored = checkpoint.with_decoding(checkpoint.load(given["checkpoint"]), given.get("decoding"))
    task, data, split = prepared(stored, given)
    trainer = lightning_parts.scoring_trainer(given["device"], stored.config["trainer"].get("precision"))
    trainer.test(task, data.loader(split, shuffle=False), verbose=False)
    for name, value in sorted(task.latest["test"].items()):
        show(f"{name.replace('test/', split + '/')} {value!r}")
    say(f"scored by: {task.scorer}")
    for label, scores in task.details("test").items():
        say(f"  {label}: {json.dumps(scores)}")
    return task, data, split


def prepared(stored: Checkpoint, given: dict[str, Any]) -> tuple[Task, DataModule, Split]:
    """Build what scores a checkpoint: its task over its own data, or over what the person gives instead.

    Raises:
        UserError: a stored part is not to be built, or the data cannot be read.
    """
    own = given.get("data") or {}
    source = checkpoint.changed(stored.config["data"], own, "data")
    foreign = {} if "_target_" in own else check_stored_data(source, own)
    with checkpoint.building(stored.path):
        for name, part in (("data", source), ("task", stored.config["task"])):
            build.check_stored(name, part, given["trust"])
    preprocessor, model = checkpoint.restore(stored, given["trust"])
    training = {**stored.config, "data": source}
    for name in ("batch_size", "batch_tokens"):
        if given[name] is not None:
            training[name] = given[name]
    with checkpoint.building(stored.path) if foreign else contextlib.nullcontext():
        try:
            data = make_data(training, build.build(source), preprocessor)
            split = scored_split(data, given["split"])
        except UserError as error:
            raise discreet(error, foreign) from None
    with checkpoint.building(stored.path):
        return make_task(training, preprocessor, model, None), data, split


def scored_split(data: DataModule, wanted: Split) -> Split:
    """Encode the wanted split; validation stands in for a missing test split."""
    data.encode(wanted)
    if wanted in data.encoded:
        return wanted
    say("no test data: scoring the validation data (set data.test=<file>)")
    data.encode("validation")
    return "validation"
