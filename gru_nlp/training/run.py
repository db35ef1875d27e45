"""A training run from its config to its folder: data, model, fit, scores, predictions."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning
from lightning import Trainer
from lightning.pytorch.loggers import Logger, TensorBoardLogger
from omegaconf import DictConfig

from gru_nlp import checkpoint
from gru_nlp.config import absolute_paths, resolved, settle_texts, undisguised
from gru_nlp.console import is_first_process, say
from gru_nlp.data.module import Split
from gru_nlp.errors import UserError
from gru_nlp.precision import choose_precision, multiplying
from gru_nlp.predictor import Predictor
from gru_nlp.preprocessing.rows import Record
from gru_nlp.processes import meeting
from gru_nlp.processes.company import rank
from gru_nlp.processes.sharing import local_files, share_tensors, shared_values
from gru_nlp.reports.blocks import Page
from gru_nlp.reports.markdown import markdown
from gru_nlp.reports.report import report
from gru_nlp.reports.rows import rows_of
from gru_nlp.tensors import resolve_device
from gru_nlp.threads import limit_tokenizers, set_threads
from gru_nlp.training import (
    distilling,
    ends,
    finetuning,
    lightning_parts,
    parity,
    predictions,
    pretraining,
    reporting,
    resuming,
    run_folder,
    together,
)
from gru_nlp.training.fitting import fit, parameters
from gru_nlp.training.history import curves
from gru_nlp.training.parts import Parts, prepare
from gru_nlp.training.stopping import leaving
from gru_nlp.training.story import ended


@dataclass(frozen=True, repr=False)
class Run:
    """A training run that has ended.

    Attributes:
        folder: with its checkpoints, config, scores, logs and predictions.
        scores: of the best checkpoint by name, ``test/accuracy`` and the like, as fractions of one; BLEU and chrF of
            100.
        monitored: the validation score that chose the best checkpoint.
        predictions: a record a row of the test split, input, truth and prediction; empty where there is none.
        parts: what the run was made of.
        trusted: packages of a person's own (``trust``) that its checkpoint may be built from.
    """

    folder: Path
    scores: dict[str, float]
    monitored: float
    predictions: list[Record]
    parts: Parts
    trusted: tuple[str, ...] = ()

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value:.4f}" for name, value in sorted(self.scores.items()))
        return f"Run({str(self.folder)!r}, {shown})"

    def predictor(self, device: str = "cpu") -> Predictor:
        """Load the best checkpoint to predict with, on ``cpu`` or ``cuda``."""
        return Predictor.from_checkpoint(self.folder, device, self.trusted)


def train(config: DictConfig, given: Sequence[str] = ()) -> Run:
    """Train, test the best checkpoint, and leave one run folder.

    Args:
        config: composed and checked.
        given: the overrides that it was composed with, which ``resume`` puts into the stored config.

    Raises:
        UserError: any mistake in data or options.
    """
    lightning_parts.quieten()
    limit_tokenizers()
    finetuning.begun(config, given)
    with meeting.together():
        return _train(config, given)


def distill(config: DictConfig, given: Sequence[str] = ()) -> Run:
    """Train a student on what its teachers translate, as ``train`` trains; arguments as there.

    Raises:
        UserError: any mistake in teachers, data or options.
        KeyboardInterrupt: Ctrl-C while the teachers translate; what they have translated is kept.
    """
    lightning_parts.quieten()
    with distilling.begun(config, given):
        return train(config, given)


def _train(config: DictConfig, given: Sequence[str]) -> Run:
    started = time.monotonic()
    together.join()
    follows = rank() > 0
    goes_on = bool(config.get("resume"))
    now = resuming.sitting(config, given, follows=follows)
    config = now.config if now else config
    absolute_paths(config)
    settle_texts(config)
    plain = resolved(config)
    folder = now.folder if now else run_folder.choose_folder(plain)
    lightning.seed_everything(plain["seed"], verbose=False)
    stopped = now.stopped if now else None
    with resuming.reading(now, plain):
        trainer = lightning_parts.trainer(folder, plain)
        first = [] if stopped else pretraining.plan(plain)
        check_alone(trainer, plain, first)
        together.begin(trainer)
        if goes_on and not follows:
            resuming.offered(now)
        taught = distilling.corpus(plain, now)
        start, state = pretraining.start(first), distilling.learned(plain) if stopped is None else None
        parts = prepare(plain, stopped, start=start, corpus=taught, state=state)
    folder = run_folder.agreed(folder)
    make_ready(trainer, parts, config, plain, new=stopped is None)
    if stopped and (why := shared_values(lambda: resuming.nothing_left(folder, plain))):
        say(f"{folder}: nothing is left to do, and nothing is touched: {why}")
        trainer.loggers = []
        with leaving(folder):
            return run_of(folder, parts, score(parts, folder, trainer), plain)
    run_folder.create(folder, config, resumed=now is not None)
    distilling.keep(folder, taught)
    with multiplying(config.matmul_precision):
        before = pretraining.run(first, folder, parts) or pretraining.earlier(folder, plain)
        fit(parts, folder, trainer, stopped)
    with leaving(folder), ends.telling(folder, trained=True):
        facts = facts_of(config, trainer, given, time.monotonic() - started) | {"pretraining": before}
        return finish(folder, parts, trainer, plain, facts)


def finish(folder: Path, parts: Parts, trainer: Trainer, plain: Mapping[str, Any], facts: Mapping[str, Any]) -> Run:
    """Score the best checkpoint and leave what a run folder holds of that.

    Args:
        folder: of the run.
        parts: of the run.
        trainer: that has fitted.
        plain: config of the run.
        facts: of ``facts_of``.
    """
    done = run_of(folder, parts, score(parts, folder, trainer), plain)
    split: Split = "test" if "test" in parts.data.encoded else "validation"
    rows = rows_of(parts.task, parts.data, split, split)
    records = done.predictions or predictions.of_split(parts.task, parts.data, split)
    if is_first_process():
        leave(parts, folder, done.scores, facts, done.predictions)
        found = report(parts.task, parts.data, rows, done.scores, records=records)
        run = reporting.about(parts.task.name, "train", facts["overrides"], {**facts, "config": plain})
        page = reporting.leave(
            folder, {**found, "curves": curves(trainer), "run": run}, plain["report_format"], "run_dir"
        )
        for logger in trainer.loggers:
            log_options(logger, facts["overrides"], done.scores, page)
    return done


def run_of(folder: Path, parts: Parts, scores: dict[str, float], plain: Mapping[str, Any]) -> Run:
    """Return a run that has ended, with the predictions of its test split."""
    records = predictions.of_split(parts.task, parts.data, "test") if "test" in parts.data.encoded else []
    return Run(folder, scores, scores[plain["task"]["monitor"]], records, parts, tuple(plain["trust"]))


def facts_of(config: DictConfig, trainer: Trainer, given: Sequence[str], seconds: float) -> dict[str, Any]:
    """Return what ``metrics.json`` says of a run beside its scores."""
    return {
        "seed": config.seed,
        "epochs": trainer.current_epoch,
        "steps": trainer.global_step,
        "ended": ended(trainer),
        "matmul_precision": config.matmul_precision,
        "wall_seconds": round(seconds, 1),
        "overrides": [undisguised(override) for override in given],
    }


def make_ready(trainer: Trainer, parts: Parts, config: DictConfig, plain: Mapping[str, Any], *, new: bool) -> None:
    """Check what can only be seen once the parts are there; choose what depends on them; solve what is not trained.

    Args:
        trainer: that is about to fit.
        parts: of the run.
        config: of the run, as it will be stored: sizes and choices that were made are put into it.
        plain: the same, resolved.
        new: whether the run begins now.

    Raises:
        UserError: as ``check_start`` does.
    """
    config.embedding.size = plain["embedding"]["size"]  # that of pretrained vectors, where some were read
    set_threads(plain["threads"], parts.model, trainer.num_devices)
    device = resolve_device(plain["trainer"]["accelerator"])
    check_start(trainer, parts, device)
    # Stored, so that a run that is resumed goes on as it began.
    config.matmul_precision = choose_precision(plain["matmul_precision"], device)
    if new and rank() == 0:
        texts = parts.data.loader("train", shuffle=True, whole=True)
        parts.task.solve(texts, parts.data.loader("validation", shuffle=False, whole=True))
    share_tensors(parts.task.buffers())  # what is trained is sent when training begins


def check_alone(trainer: Trainer, plain: Mapping[str, Any], first: Sequence[pretraining.Step]) -> None:
    """Refuse in several processes what goes on in one alone, before they meet.

    Args:
        trainer: that knows how many there are.
        plain: config of the run.
        first: language models that it begins with.

    Raises:
        UserError: language models come first, or processes would wait for gradients of layers that are not trained yet.
    """
    pretraining.check(first, trainer)
    if trainer.world_size > 1 and plain["task"].get("thaw_epochs"):
        raise UserError("task.thaw_epochs goes on in one process: set trainer.devices=1, or task.thaw_epochs=0")


def check_start(trainer: Trainer, parts: Parts, device: str) -> None:
    """Check what can only be seen once there are batches.

    Raises:
        UserError: an epoch is too short for its validations, or the device computes wrongly.
    """
    batches = parts.data.train_dataloader()
    lightning_parts.check_interval(trainer, len(batches))
    if device in parity.DOUBTED:
        parity.check(parts.task, next(iter(batches)), device)


def score(parts: Parts, folder: Path, trainer: Trainer) -> dict[str, float]:
    """Score the best checkpoint; return validation and, where there is a test split, test scores."""
    best = local_files(folder, checkpoint.BEST) / checkpoint.BEST
    scores = dict(checkpoint.load(best).scores)
    parts.task.keeps_rows = True
    if "test" in parts.data.encoded:
        trainer.test(parts.task, parts.data, ckpt_path=best, weights_only=True, verbose=False)
        return scores | parts.task.latest["test"]
    # The last epoch's details are not those of the best one.
    trainer.validate(parts.task, parts.data, ckpt_path=best, weights_only=True, verbose=False)
    return scores | parts.task.latest["validation"]


def leave(
    parts: Parts, folder: Path, scores: dict[str, float], facts: Mapping[str, Any], records: list[Record]
) -> None:
    """Write predictions, scores into the best checkpoint, and with ``facts`` on the run into ``metrics.json``."""
    if records:
        predictions.save(folder / run_folder.PREDICTIONS, records)
    checkpoint.add_scores(folder / checkpoint.BEST, scores)
    stage = "test" if "test" in parts.data.encoded else "validation"
    content = {
        **scores,
        "scorer": parts.task.scorer,
        "classes": parts.task.details(stage),
        "parameters": parameters(parts),
        **facts,
        **run_folder.environment(),
    }
    run_folder.write_json(folder / run_folder.METRICS, content)


def log_options(logger: Logger, given: Sequence[str], scores: Mapping[str, float], page: Page) -> None:
    """Let a logger keep the options of a run; TensorBoard shows the scores of runs beside them, and the report."""
    options = dict(override.lstrip("+").partition("=")[::2] for override in given)
    if isinstance(logger, TensorBoardLogger):
        logger.log_hyperparams(options, dict(scores))
        logger.experiment.add_text("report", markdown(page))
    else:
        logger.log_hyperparams(options)
    logger.save()
