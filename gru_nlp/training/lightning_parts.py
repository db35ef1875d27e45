"""Trainer, callbacks and loggers: everything that only the training road needs of Lightning."""

import inspect
import logging
import math
import os
import sys
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from hydra.utils import get_class
from lightning import Callback, LightningModule, Trainer
from lightning.fabric.plugins.io.torch_io import TorchCheckpointIO
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.callbacks import RichProgressBar
from lightning.pytorch.loggers import Logger
from lightning.pytorch.strategies import DDPStrategy

from gru_nlp import checkpoint, console
from gru_nlp.build import build
from gru_nlp.data.batching import Order
from gru_nlp.data.module import DataModule
from gru_nlp.errors import UserError
from gru_nlp.tasks.choosing import CHOICE
from gru_nlp.tensors import resolve_device
from gru_nlp.training import together
from gru_nlp.training.changes import Patience
from gru_nlp.training.halfway import LastCheckpoint, MovableCheckpoint
from gru_nlp.training.history import History
from gru_nlp.training.run_folder import LOGS
from gru_nlp.training.stopping import Asked
from gru_nlp.training.story import Layers, Story

#: Loggers that write below the run folder, a folder a sitting.
FOLDER_LOGGERS = ("csv", "tensorboard")
#: How Lightning starts the processes of a run so that each goes through all of the command.
STARTED = "popen"
#: Batches between two redraws of the bar; each redraw costs about a millisecond.
REFRESH = 20


class WholeFiles(TorchCheckpointIO):
    """Checkpoints that are written beside their place and renamed.

    Lightning writes them to ``TMPDIR`` and moves them: from one file system to another that is a copy, which a kill or
    a full disk leaves half-written where the good checkpoint was.
    """

    def save_checkpoint(self, content: dict[str, Any], path: Any, storage_options: Any | None = None) -> None:
        """Save a checkpoint at ``path``; there are no options of a storage.

        Raises:
            UserError: it cannot be written.
        """
        checkpoint.save(Path(path), content)


class QuickBar(RichProgressBar):
    """A bar that collects metrics only when it draws; Lightning's collects them at every step, for 0.2 ms each."""

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Draw at every ``REFRESH`` batches and at the last."""
        if (batch_idx + 1) % REFRESH == 0 or batch_idx + 1 == self.total_train_batches:
            super().on_train_batch_end(trainer, pl_module, outputs, batch, batch_idx)

    def _get_train_description(self, current_epoch: int) -> str:
        """Count epochs from 1, as all else that is told of a run does; Lightning's bar begins at 0."""
        last = self.trainer.max_epochs
        return f"Epoch {current_epoch + 1}" + (f"/{last}" if last is not None and last > 0 else "")

    def get_metrics(self, trainer: Trainer, pl_module: LightningModule) -> dict[str, Any]:
        """Return what is shown beside the bar: scores, not the number of the log folder."""
        shown = dict(super().get_metrics(trainer, pl_module))
        shown.pop("v_num", None)
        return shown


def quieten() -> None:
    """Keep Lightning's tips and device chatter, and warnings that ask nothing of the user, off the console.

    Under ``--verbose`` they are let through.
    """
    if console.is_verbose():
        for logger in map(logging.getLogger, console.LIBRARIES):
            logger.setLevel(logging.INFO)
            logger.propagate = not logger.handlers  # else each line would come twice
        return
    for name in console.LIGHTNING:
        logging.getLogger(name).setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module="lightning")
    warnings.filterwarnings("ignore", module="torch")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def callbacks(folder: Path, config: Mapping[str, Any]) -> list[Callback]:
    """Return early stopping, best and last checkpoint, and the progress bar (on standard error)."""
    monitor, mode = config["task"]["monitor"], config["task"]["mode"]
    best = Path(checkpoint.BEST).stem
    parts: list[Callback] = [
        MovableCheckpoint(
            folder,
            best,
            monitor=f"{CHOICE}{monitor}",
            mode=mode,
            save_weights_only=True,
            save_on_train_epoch_end=False,  # while the weights that were validated are in place
            enable_version_counter=False,
        ),
        LastCheckpoint(folder, config["checkpoint_every_steps"], config["checkpoint_every_minutes"], Asked()),
        Patience(f"{CHOICE}{monitor}", mode=mode, patience=config["patience"], check_on_train_epoch_end=False),
        History(),
    ]
    shown = config["trainer"]["enable_progress_bar"]
    parts.append(Story(monitor, mode, config["patience"], each_epoch=shown and not draws()))
    if shown and draws():
        plain = {} if console.likes_colours() else {"color_system": None}
        parts.append(QuickBar(refresh_rate=REFRESH, console_kwargs={"stderr": True, **plain}))
    if config["trainer"]["enable_model_summary"]:
        parts.append(Layers())
    return parts + [added("callbacks", name, part) for name, part in (config.get("callbacks") or {}).items()]


def draws() -> bool:
    """Return whether a bar is to be drawn: on a terminal, or in a notebook."""
    return not console.is_quiet() and (console.draws(sys.stderr) or "ipykernel" in sys.modules)


def added(group: str, name: str, part: Mapping[str, Any], /, **arguments: Any) -> Any:
    """Build a logger or callback of a person's choice.

    Raises:
        UserError: its package is not installed, or it refuses an option.
    """
    try:
        return build(part, **arguments)
    except ModuleNotFoundError as error:
        raise UserError(f"{group}={name} needs a package that is not installed: {error}") from None
    except (MisconfigurationException, ValueError, TypeError) as error:
        raise UserError(f"{group}={name}: {error}") from None


def loggers(folder: Path, config: Mapping[str, Any]) -> list[Logger]:
    """Return the loggers that were chosen; each sitting of a resumed run has files of its own, so none is erased."""
    sitting = f"sitting-{1 + sum(1 for _ in (folder / LOGS).glob('sitting-*'))}"
    made = []
    for name, part in (config.get("logger") or {}).items():
        known = inspect.signature(get_class(part["_target_"])).parameters
        places = {"save_dir": str(folder), "name": LOGS, "version": sitting}
        own = {key: value for key, value in places.items() if key in known and name in FOLDER_LOGGERS}
        made.append(added("logger", name, part, **(own or {"save_dir": str(folder)})))
    return made


def trainer(folder: Path, config: Mapping[str, Any]) -> Trainer:
    """Build the trainer of a training run; nothing is written yet.

    Raises:
        UserError: Lightning refuses an option.
    """
    options = together.options(config["trainer"], together.launched())
    options["accelerator"] = resolve_device(options["accelerator"])
    options["enable_model_summary"] = False  # Lightning's goes to standard output, in colours, or nowhere
    options["enable_progress_bar"] = config["trainer"]["enable_progress_bar"] and draws()  # else Lightning adds its own
    if options["max_epochs"] in (None, -1) and options["max_steps"] == -1:
        raise UserError("training without an end: set trainer.max_epochs or trainer.max_steps")
    if options["val_check_interval"] == 0:
        raise UserError("trainer.val_check_interval=0: set a share of an epoch up to 1.0, or a number of batches")
    if config["batch_tokens"]:
        # The number of batches changes from epoch to epoch, which Lightning only sees in a new loader.
        options["reload_dataloaders_every_n_epochs"] = 1
    try:
        built: Trainer = build(
            options,
            default_root_dir=folder,
            callbacks=callbacks(folder, config),
            logger=loggers(folder, config) or False,
            plugins=[WholeFiles()],
        )
    except (MisconfigurationException, ValueError, TypeError) as error:
        raise UserError(f"trainer: {error}") from None
    if isinstance(built.strategy, DDPStrategy):
        # All have the first one's buffers before training, which changes statistics of batches alone
        # (``Cell.statistics``): each process keeps those of its own share, and the first one's are saved.
        built.strategy._ddp_kwargs.setdefault("broadcast_buffers", False)
    if (method := getattr(built.strategy, "_start_method", STARTED)) != STARTED:
        told = f"trainer.strategy={options['strategy']} trains in processes ({method}) that give nothing back"
        raise UserError(f"{told}: set trainer.strategy=ddp, in a script or on the command line")
    return built


def steps_of(trainer: Trainer, data: DataModule) -> int:
    """Return the number of steps that the optimiser takes in all.

    Lightning's own count takes every epoch for as long as the first, which a budget of tokens makes false.

    Args:
        trainer: that is about to fit.
        data: encoded.
    """
    limit = cast(Any, trainer).overfit_batches or trainer.limit_train_batches
    order = cast(Order, data.train_dataloader().batch_sampler)

    def steps_in(epoch: int) -> int:
        planned = order.planned(epoch)
        batches = int(limit * planned) if isinstance(limit, float) else min(limit, planned)
        return math.ceil(max(1, batches) / trainer.accumulate_grad_batches)

    most = math.inf if trainer.max_steps < 0 else trainer.max_steps
    last = math.inf if trainer.max_epochs in (None, -1) else trainer.max_epochs
    if data.plan.batch_tokens is None:  # all epochs are as long, and none need be shuffled to know it
        return int(min(steps_in(0) * last, most))
    steps, epoch = 0, 0
    while epoch < last and steps < most:
        steps += steps_in(epoch)
        epoch += 1
    return int(min(steps, most))


def check_interval(trainer: Trainer, batches: int) -> None:
    """Refuse to validate more rarely than after each epoch of ``batches``, or never, before the run has a folder.

    Raises:
        UserError: that was asked for.
    """
    interval, every = trainer.val_check_interval, trainer.check_val_every_n_epoch
    if interval is None or every is None:
        return
    least = interval * batches if isinstance(interval, float) else interval
    if least > batches:
        told = f"trainer.val_check_interval={interval}: an epoch has {batches} batches only"
        raise UserError(f"{told}: set a share up to 1.0, or a smaller number")
    limit = trainer.limit_train_batches
    trained = int(limit * batches) if isinstance(limit, float) else min(limit, batches)
    share = least / batches * trained if isinstance(interval, float) else least
    steps = math.ceil(((every - 1) * trained + max(1, int(share))) / trainer.accumulate_grad_batches)
    if 0 <= trainer.max_steps < steps:
        told = f"trainer.max_steps={trainer.max_steps}: the first validation comes after {steps} steps"
        raise UserError(f"{told}: raise it, or set trainer.val_check_interval=<a smaller share of an epoch>")
    if trainer.max_epochs is not None and 0 <= trainer.max_epochs < every:
        raise UserError(f"trainer.max_epochs={trainer.max_epochs}: the first validation comes after {every} epochs")


def scoring_trainer(device: str, precision: Any) -> Trainer:
    """Build a trainer that only scores: one process, no files, no bar.

    Raises:
        UserError: there is no such ``precision``.
    """
    try:
        return Trainer(
            accelerator=resolve_device(device),
            devices=1,
            precision=precision,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            use_distributed_sampler=False,
        )
    except (MisconfigurationException, ValueError, TypeError, ImportError) as error:
        raise UserError(f"trainer.precision: {error}") from None
