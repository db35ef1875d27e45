"""Scoring a checkpoint on its own data, or on other data of the same shape."""

import contextlib
from collections.abc import Mapping
from typing import Any, NamedTuple

from gru_nlp import build, checkpoint, targets
from gru_nlp.checkpoint import Checkpoint
from gru_nlp.console import remark
from gru_nlp.data.module import DataModule, Split
from gru_nlp.errors import UserError, choose
from gru_nlp.tasks.base import Task
from gru_nlp.threads import limit_tokenizers, set_threads
from gru_nlp.training import lightning_parts
from gru_nlp.training.parts import make_data, make_task
from gru_nlp.training.stored_data import check_stored_data, discreet
from gru_nlp.weighing import weigh_in


class Evaluation(NamedTuple):
    """Scores by name, ``<split>/<score>``, and what predictions are taken from."""

    scores: dict[str, float]
    task: Task
    data: DataModule
    split: Split


def evaluate(given: Mapping[str, Any]) -> Evaluation:
    """Score a checkpoint as the options of ``evaluate`` say.

    Args:
        given: the person's options, plain values.

    Raises:
        UserError: the checkpoint, or the data, cannot be used.
    """
    lightning_parts.quieten()
    limit_tokenizers()
    choose("split", given["split"], ("test", "validation", "train"))
    stored = checkpoint.with_decoding(checkpoint.load(given["checkpoint"]), given.get("decoding"))
    task, data, split = prepared(stored, given)
    set_threads(given["threads"], task.model)
    task.keeps_rows = True
    trainer = lightning_parts.scoring_trainer(given["device"], stored.config["trainer"].get("precision"))
    trainer.test(task, data.loader(split, shuffle=False), verbose=False)
    scores = {name.replace("test/", f"{split}/"): value for name, value in task.latest["test"].items()}
    return Evaluation(scores, task, data, split)


def prepared(stored: Checkpoint, given: Mapping[str, Any]) -> tuple[Task, DataModule, Split]:
    """Build what scores a checkpoint: its task over its own data, or over what the person gives instead.

    Raises:
        UserError: a stored part is not to be built, or the data cannot be read.
    """
    own = given.get("data") or {}
    source = checkpoint.changed(stored.config["data"], own, "data")
    foreign = {} if "_target_" in own else check_stored_data(source, own)
    with checkpoint.building(stored.path):
        for name, part in (("data", source), ("task", stored.config["task"])):
            targets.check_stored(name, part, given["trust"])
    preprocessor, model = checkpoint.restore(stored, given["trust"])
    weigh_in(preprocessor, model, (given.get("decoding") or {}).get("language_model"), given["trust"])
    training = {**stored.config, "data": source}
    for name in ("batch_size", "batch_tokens"):
        if given[name] is not None:
            training[name] = given[name]
    with contextlib.nullcontext() if "_target_" in own else checkpoint.building(stored.path):
        corpus = build.build(source)
    with checkpoint.building(stored.path) if foreign else contextlib.nullcontext():
        try:
            data = make_data(training, corpus, preprocessor)
            split = scored_split(data, given["split"])
        except UserError as error:
            raise discreet(error, foreign.items()) from None
    with checkpoint.building(stored.path):
        return make_task(training, preprocessor, model, None), data, split


def scored_split(data: DataModule, wanted: Split) -> Split:
    """Encode the wanted split; validation stands in for a missing test split."""
    data.encode(wanted)
    if wanted in data.encoded:
        return wanted
    remark("no test data: scoring the validation data (set data.test=<file>)")
    data.encode("validation")
    return "validation"
