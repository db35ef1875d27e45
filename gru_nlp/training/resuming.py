"""A run that goes on: its stored config, its last checkpoint, and what Lightning takes back from it."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from lightning import Callback, LightningModule, Trainer
from omegaconf import DictConfig, OmegaConf

from gru_nlp import checkpoint, targets
from gru_nlp.config import STORED_PATHS, text_maps
from gru_nlp.console import remark
from gru_nlp.errors import UserError, refused
from gru_nlp.processes.sharing import local_files, shared_values
from gru_nlp.ranges import leaves
from gru_nlp.training import changes, run_folder
from gru_nlp.training.stored_data import check_path, check_stored_data, discreet

#: Names of options that tell one run's parts from another's.
TELLING = ("_target_", "name")
#: ``resume`` of a command that may be the first or a later one: go on in ``run_dir`` if there is something.
AUTO = "auto"


class Begun(Callback):
    """Notes that the optimiser has taken a step, so that all of a checkpoint has been taken back."""

    def __init__(self) -> None:
        self.seen = False
        self.before = 0

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Count steps from here."""
        self.before = trainer.global_step

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Note it."""
        self.seen = self.seen or trainer.global_step > self.before


@contextlib.contextmanager
def restoring(trainer: Trainer, stopped: checkpoint.Checkpoint | None, now: Mapping[str, Any]) -> Iterator[None]:
    """Tell in a line that Lightning cannot take back what a checkpoint says of optimiser, loops and callbacks.

    Args:
        trainer: that is about to fit.
        stopped: the checkpoint; None: a new run, which takes nothing back.
        now: the config that the run goes on with.

    Raises:
        UserError: naming the checkpoint.
    """
    begun = Begun()
    own = cast(Any, trainer).callbacks  # which Lightning's annotations hide
    own.append(begun)
    if stopped is not None:
        own.append(changes.Hyperparameters(changes.share_of_rate(stopped.config, now)))
    try:
        yield
    except targets.MISFITS as error:
        if stopped is None or begun.seen or refused(error):
            raise
        reason = f"what it says of optimiser and loops cannot be taken back ({type(error).__name__})"
        raise UserError(f"{stopped.path}: {reason}: a checkpoint of weights alone, or a broken file") from error


class Sitting(NamedTuple):
    """What a run that was begun before goes on from.

    Attributes:
        folder: of the run.
        config: that it goes on with.
        stopped: its last checkpoint; None: it was stopped before there was one, and goes on from its start.
        given: names of the options that are the person's own; None: all are.
    """

    folder: Path
    config: DictConfig
    stopped: checkpoint.Checkpoint | None
    given: list[str] | None


def sitting(config: DictConfig, given: Sequence[str], *, follows: bool) -> Sitting | None:
    """Return what ``resume`` says to go on from; None: nothing, the run is a new one.

    Args:
        config: composed and checked.
        given: the overrides that it was composed from.
        follows: whether this process takes what the first one goes on from.

    Raises:
        UserError: the folder is no run folder, or the option that is given cannot be taken.
    """
    if not config.get("resume"):
        return None
    by_itself = config.resume == AUTO
    if by_itself and not config.run_dir:
        raise UserError(f"resume={AUTO} needs run_dir=<folder>: the one to go on in, or to begin in")
    folder = own = Path(config.run_dir if by_itself else config.resume)
    if follows:
        names = offered(None)
        if not names:
            return None
        own = local_files(folder, *names)
    elif by_itself and not (folder / run_folder.CONFIG).is_file():
        return None
    trusted = list(config.trust)
    if not by_itself:
        options = [override.lstrip("+").partition("=")[0] for override in given]
        return Sitting(folder, resumed_config(own, trusted, given), stopped_at(own), options)
    stored = run_folder.stored_config(own, trusted)
    if stored.seed != config.seed:  # as in a sweep over seeds whose jobs have one folder
        told = f"{folder}: the run there has seed={stored.seed}, not {config.seed}"
        raise UserError(f"{told}: set run_dir=<another folder>, such as 'run_dir=run-${{seed}}'")
    # What the run itself chose when it began.
    if config.embedding.vectors or config.pretrained:
        config.embedding.size = stored.embedding.get("size")
    if config.matmul_precision == "auto":
        config.matmul_precision = stored.get("matmul_precision", "auto")
    return Sitting(folder, config, stopped_at(own), None)


def offered(now: Sitting | None) -> list[str]:
    """Hand what a run goes on from to the other processes; return the names of its files, none of a new run.

    Args:
        now: what the first process goes on from; the others hear of it.
    """
    made = [] if now is None else [run_folder.CONFIG, *([checkpoint.LAST] if now.stopped else [])]
    names: list[str] = shared_values(lambda: made)
    if now is not None:
        local_files(now.folder, *names)
    return names


def stopped_at(folder: Path) -> checkpoint.Checkpoint | None:
    """Read the last checkpoint of a run; None: it was stopped before there was one.

    Raises:
        UserError: it is none of this program's, or it was removed.
    """
    if (folder / checkpoint.LAST).is_file():
        return checkpoint.load(folder / checkpoint.LAST)
    if (folder / run_folder.METRICS).exists() or (folder / checkpoint.BEST).exists():
        raise UserError(f"{folder}: holds no {checkpoint.LAST} to go on from: train anew")
    return None


def nothing_left(folder: Path, config: Mapping[str, Any]) -> str:
    """Return why a run has nothing left to do, and which option would change that; empty: there is something.

    Args:
        folder: of the run.
        config: that it is to go on with.
    """
    done = run_folder.read_metrics(folder)
    trainer, patience = config["trainer"], config["patience"]
    epochs, steps, ended = (done.get(name) for name in ("epochs", "steps", "ended"))
    if not isinstance(epochs, int) or not isinstance(steps, int) or not (folder / checkpoint.BEST).is_file():
        return ""
    if ended == f"patience={patience}":
        return f"no better score in {patience} validations: set a larger patience"
    if 0 <= trainer["max_steps"] <= steps:
        return f"{steps:,} steps are done: set a larger trainer.max_steps"
    within = str(ended).startswith("trainer.max_steps=")  # the last epoch may not be over
    if not within and trainer["max_epochs"] is not None and 0 <= trainer["max_epochs"] <= epochs:
        return f"{epochs:,} epochs are done: set a larger trainer.max_epochs"
    return ""


def check_same_run(folder: Path, plain: Mapping[str, Any], stopped: checkpoint.Checkpoint) -> None:
    """Refuse a checkpoint that was laid into the folder of another run.

    Raises:
        UserError: naming both files and what differs.
    """
    for part in checkpoint.PARTS:
        here, there = (dict(leaves(config[part], part)) for config in (plain, stopped.config))
        for option in (name for name in here if name.rpartition(".")[2] in TELLING):
            if here[option] != there.get(option):
                told = f"{option} is {there.get(option)} there and {here[option]} in {run_folder.CONFIG}"
                raise UserError(f"{stopped.path}: the checkpoint of another run ({told}): train anew")


def overrides(given: Sequence[str]) -> list[Override]:
    """Return overrides as Hydra takes them, parsed."""
    return OverridesParser.create().parse_overrides(list(given))


def resumed_config(folder: Path, trusted: Sequence[str], given: Sequence[str]) -> DictConfig:
    """Return the stored config of a run that goes on, with the values that are ``given`` now changed in it.

    Args:
        folder: of the run.
        trusted: packages, beside this one, that it may build from.
        given: overrides as Hydra takes them.

    Raises:
        UserError: the folder is no run folder, its config is not one of ours, or a whole group was given.
    """
    stored = run_folder.stored_config(folder, trusted)
    for override in overrides(given):
        name = override.key_or_group
        if name in ("resume", "trust"):
            continue
        if OmegaConf.select(stored, name, default=...) is ...:
            raise UserError(f"{name}: the run in {folder} has no such option: leave it out, or train anew")
        if OmegaConf.is_dict(OmegaConf.select(stored, name)):
            told = f"{override.input_line}: resume takes the stored config as it is; only single values can be changed"
            raise UserError(told)
        OmegaConf.update(stored, name, override.value())
    stored["trust"] = list(trusted)  # the person's now, whatever the folder says
    text_maps(stored)
    return stored


@contextlib.contextmanager
def reading(now: Sitting | None, plain: dict[str, Any]) -> Iterator[None]:
    """Look at what a run goes on from before the block builds it, and tell of what does not build.

    Args:
        now: the run; None: a new one, of which there is nothing to be looked at.
        plain: its config, resolved.

    Raises:
        UserError: the checkpoint is of another run, a part does not build, or the data cannot be read.
    """
    if now is None:
        yield
        return
    if now.stopped is not None:
        check_same_run(now.folder, plain, now.stopped)
        changes.check(now.folder, now.stopped.config, plain)
    if now.given is None:
        yield
        return
    own = {name.split(".")[1]: True for name in now.given if name.startswith("data.")}
    with checkpoint.building(now.folder / run_folder.CONFIG):
        paths = list(check_stored_data(plain["data"], own).items())
        if now.stopped is None:
            paths += check_begun(plain, now.given)
        try:
            yield
        except UserError as error:
            raise discreet(error, paths) from None


def check_begun(plain: Mapping[str, Any], names: Sequence[str]) -> list[tuple[str, str]]:
    """Tell and look at the files that a run begins from, where the person has not named them; return option and path.

    Raises:
        UserError: one is neither a file nor a folder of bounded size.
    """
    told = dict(leaves({option: plain.get(option) for option in changes.BEGUN}))
    told |= {"embedding.vectors": plain["embedding"].get("vectors")}
    found = []
    for option, value in told.items():
        for path in value if isinstance(value, list) else [value]:
            if isinstance(path, str) and option in (*STORED_PATHS, "pretrained", "finetune") and option not in names:
                remark(f"reading {option}={path}, which the run names")
                check_path(Path(path), option)
                found.append((option, path))
    return found
