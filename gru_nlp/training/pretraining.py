"""A language model first: read from the texts of the task itself, it hands tokenizer, vectors and layers to the task.

How it works. Where ``pretraining.epochs`` is above 0, a run makes up to two language models out of the task's own
config, one for each direction in which its encoder reads. The forward one comes first; the backward one takes over its
vectors and leaves them as they are, so that the layers of both mean the same by a token. The task's model is built
before either is trained, so that what does not fit is told at once, and begins from both when they are done. They stay
below the run folder, and serve as ``pretrained`` of other runs.
"""

import copy
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lightning import Trainer

from gru_nlp import build, checkpoint
from gru_nlp.console import say
from gru_nlp.data.corpus import Corpus
from gru_nlp.data.own_texts import OwnTexts
from gru_nlp.errors import UserError
from gru_nlp.training import changes, lightning_parts, run_folder
from gru_nlp.training.fitting import fit
from gru_nlp.training.parts import Parts, prepare
from gru_nlp.training.pretrained import Start, begin_from, joined, start_of
from gru_nlp.training.stopping import Stopped

#: When a language model is validated, whatever the run says of its own training.
EVERY_EPOCH = {"val_check_interval": 1.0, "check_val_every_n_epoch": 1}
_KIND = "gru_nlp.{0}.language_model.LanguageModel"


@dataclass(frozen=True)
class Step:
    """A language model to be trained: its direction, the config of its training, and what that is made of."""

    direction: str
    config: dict[str, Any]
    parts: Parts

    @property
    def start(self) -> Start:
        """What others may begin from."""
        return start_of(f"the {self.direction} language model", self.parts.preprocessor, self.parts.model)


def plan(config: Mapping[str, Any]) -> list[Step]:
    """Prepare the language models that a run begins with; none where ``pretraining.epochs`` is 0.

    Raises:
        UserError: they cannot be had for this task, or an option is wrong.
    """
    wanted = config["pretraining"]
    if wanted["epochs"] < 0:
        raise UserError(f"pretraining.epochs={wanted['epochs']} must not be negative")
    if not 0.0 < wanted.get("lr", 1.0) < math.inf:
        raise UserError(f"pretraining.lr={wanted['lr']} must be a number above 0")
    if not wanted["epochs"]:
        if wanted["text"]:
            raise UserError("pretraining.text has no effect without pretraining.epochs: set both")
        return []
    if config["pretrained"]:
        raise UserError("pretrained and pretraining.epochs both say what the model begins from: leave one of them out")
    columns = build.preprocessor(dict(config)).data_columns
    if "text" not in columns or len(columns) < 2:  # no text, or nothing but text
        raise UserError("pretraining serves classifiers of text: set pretraining.epochs=0")
    corpus = own_texts(config, columns)
    first = step(config, corpus, "forward", None)
    if not config["model"]["encoder"].get("bidirectional"):
        return [first]
    return [first, step(config, corpus, "backward", first.start)]


def own_texts(config: Mapping[str, Any], columns: Sequence[str]) -> OwnTexts:
    """Return the texts that the language models read, of tables with ``columns``."""
    corpus: Corpus = build.build(config["data"])
    corpus.serve(columns)
    files = tuple(map(str, config["pretraining"]["text"]))
    encoding = str(config["data"].get("encoding") or "utf-8")
    return OwnTexts(corpus=corpus, files=files, encoding=encoding, cache_dir=config["data"].get("cache_dir"))


def step(config: Mapping[str, Any], corpus: Corpus, direction: str, start: Start | None) -> Step:
    """Prepare the language model of one direction."""
    made = language_model_config(config, direction)
    if start is not None:
        made["model"]["embedding"]["trainable"] = False
    return Step(direction, made, prepare(made, start=start, corpus=corpus))


def language_model_config(config: Mapping[str, Any], direction: str) -> dict[str, Any]:
    """Return the config of training a language model with the tokenizer, embedding and encoder of a task's."""
    made, wanted = copy.deepcopy(dict(config)), config["pretraining"]
    dropout = wanted["dropout"]
    made["pretraining"] = {**wanted, "epochs": 0, "text": []}
    made["embedding"]["extra_words"] = 0
    made["preprocessing"] = {
        "_target_": _KIND.format("preprocessing") + "Preprocessor",
        "tokenizer": made["preprocessing"]["tokenizer"],
        "sequence_length": wanted["sequence_length"],
        "direction": direction,
    }
    made["model"] = {
        "_target_": _KIND.format("models"),
        "embedding": {**made["model"]["embedding"], "dropout": dropout, "word_dropout": 0.0},
        "encoder": {**made["model"]["encoder"], "bidirectional": False, "dropout": dropout},
        "output_dropout": dropout,
        "sampled_softmax": wanted["sampled_softmax"],
    }
    made["task"] = {
        "_target_": _KIND.format("tasks") + "Task",
        "name": "language_model",
        "monitor": "validation/loss",
        "mode": "min",
        "average_decay": 0.0,
    }
    made["optimizer"]["lr"] = wanted["lr"]
    made["schedule"] = {"_target_": "gru_nlp.tasks.schedules.cosine", "_partial_": True, "warmup": 0.05, "floor": 0.0}
    made["trainer"] |= {"max_epochs": wanted["epochs"], "max_steps": -1, **EVERY_EPOCH}
    loggers = made.get("logger") or {}
    made["logger"] = {name: part for name, part in loggers.items() if name in lightning_parts.FOLDER_LOGGERS}
    made |= {"calibrate": False, "batch_size": wanted["batch_size"], "batch_tokens": None, "callbacks": {}}
    return made


def start(steps: list[Step]) -> Start | None:
    """Return what a task's model begins from, as it now is; None where there is nothing."""
    return joined([step.start for step in steps]) if steps else None


def check(steps: Sequence[Step], trainer: Trainer) -> None:
    """Refuse to train language models in several processes."""
    if steps and trainer.world_size > 1:
        raise UserError("pretraining goes on in one process: set trainer.devices=1, or pretrained=<run>")


def run(steps: list[Step], folder: Path, parts: Parts) -> dict[str, dict[str, float]]:
    """Train the language models, each in a folder of its own, and let the model of a run begin from them.

    Args:
        steps: in the order of ``plan``.
        folder: of the run.
        parts: what the run is made of.

    Returns:
        Their validation scores, by direction.

    Raises:
        UserError: as ``fit``; a folder without any checkpoint is removed.
    """
    scores = {}
    for number, step in enumerate(steps):
        if number:
            step.parts.model.begin_from(steps[0].start.beginning)
        say(f"first a language model, {step.direction}s")
        own = folder / run_folder.PRETRAINING / step.direction
        try:
            own.mkdir(parents=True, exist_ok=True)
            train(step, own)
        except Stopped as error:
            raise Stopped(folder, error.code) from None
        except UserError as error:
            run_folder.remove_unused(folder)
            # The rate of the optimiser is this one here.
            raise UserError(str(error).replace("optimizer.lr", "pretraining.lr")) from None
        best = read(step, own / checkpoint.BEST)
        (own / checkpoint.LAST).unlink(missing_ok=True)  # of use to resume it alone
        scores[step.direction] = dict(best.scores)
    if done := start(steps):
        say(begin_from(parts.model, done, parts.preprocessor.tokens()))
    return scores


def earlier(folder: Path, config: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Return the validation scores of the language models that a run began with in an earlier sitting, by direction."""
    if not config["pretraining"]["epochs"]:
        return {}
    found = sorted(folder.glob(f"{run_folder.PRETRAINING}/*/{checkpoint.BEST}"))
    return {best.parent.name: dict(checkpoint.load(best).scores) for best in found}


def train(step: Step, own: Path) -> None:
    """Train a language model in its ``own`` folder; go on where that was begun, leave it where it was ended."""
    last = own / checkpoint.LAST
    if last.is_file() or not (own / checkpoint.BEST).is_file():
        stopped = read(step, last) if last.is_file() else None
        fit(step.parts, own, lightning_parts.trainer(own, step.config), stopped)


def read(step: Step, file: Path) -> checkpoint.Checkpoint:
    """Read a checkpoint of a language model; its weights become the model's.

    Raises:
        UserError: it is that of another model, or of other texts.
    """
    found = checkpoint.load(file)
    changes.check(file.parent, found.config, step.config)
    if found.preprocessing != step.parts.preprocessor.state_dict():
        raise UserError(f"{file}: learned other tokens than these texts have: train anew")
    checkpoint.load_weights(found, step.parts.model)
    return found
