"""A run that goes on: its stored config, its last checkpoint, and what Lightning takes back from it."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from hydra.core.override_parser.overrides_parser import OverridesParser
from lightning import Callback, LightningModule, Trainer
from omegaconf import DictConfig, OmegaConf

from gru_nlp import checkpoint
from gru_nlp.config import leaves, text_maps
from gru_nlp.errors import UserError, refused
from gru_nlp.training import changes, lightning_parts, run_folder
from gru_nlp.training.parts import Parts, prepare
from gru_nlp.training.stored_data import check_stored_data, discreet

#: Names of options that tell one run's parts from another's.
TELLING = ("_target_", "name")


class Begun(Callback):
    """Notes that training has begun, so that all of a checkpoint has been taken back."""

    def __init__(self) -> None:
        self.seen = False

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Note it."""
        self.seen = True


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
    except checkpoint.MISFITS as error:
        if stopped is None or begun.seen or refused(error):
            raise
        reason = f"what it says of optimiser and loops cannot be taken back ({type(error).__name__})"
        raise UserError(f"{stopped.path}: {reason}: a checkpoint of weights alone, or a broken file") from error


def stopped_at(folder: Path) -> checkpoint.Checkpoint:
    """Read the last checkpoint of a run.

    Raises:
        UserError: there is none, or it is none of this program's.
    """
    if not (folder / checkpoint.LAST).is_file():
        made = (best.parent for best in sorted(folder.glob(f"{run_folder.PRETRAINING}/*/{checkpoint.BEST}")))
        done = [str(one) for one in made if not (one / checkpoint.LAST).exists()]  # which goes when it is trained
        if done:
            told = f"train anew, with pretrained=[{','.join(reversed(done))}] in the place of pretraining.epochs"
            raise UserError(f"{folder}: was stopped before its own training began: {told}")
        raise UserError(f"{folder}: holds no {checkpoint.LAST} to go on from: train anew")
    return checkpoint.load(folder / checkpoint.LAST)


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
    for override in OverridesParser.create().parse_overrides(list(given)):
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


def restored(
    folder: Path, plain: dict[str, Any], stopped: checkpoint.Checkpoint, given: Sequence[str]
) -> tuple[Trainer, Parts]:
    """Build what a run that goes on is made of, once the paths that its folder names have been looked at.

    Raises:
        UserError: the checkpoint is of another run, a part does not build, or the data cannot be read.
    """
    check_same_run(folder, plain, stopped)
    changes.check(folder, stopped.config, plain)
    names = (override.lstrip("+").partition("=")[0] for override in given)
    own = {name.split(".")[1]: True for name in names if name.startswith("data.")}
    with checkpoint.building(folder / run_folder.CONFIG):
        paths = check_stored_data(plain["data"], own)
        try:
            return lightning_parts.trainer(folder, plain), prepare(plain, stopped)
        except UserError as error:
            raise discreet(error, paths) from None
