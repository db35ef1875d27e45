"""What a run tells of itself: its layers, a line an epoch where there is no bar, and why and where it ended."""

import math
import time
from typing import Any, cast

from lightning import Callback, LightningModule, Trainer
from lightning.pytorch.utilities.model_summary.model_summary import summarize

from gru_nlp.console import say
from gru_nlp.tasks.base import Task
from gru_nlp.tasks.choosing import CHOICE


class Layers(Callback):
    """Tell of the model's layers before training."""

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Show a table of them."""
        say(str(summarize(pl_module)))


class Story(Callback):
    """Tell of each epoch, if asked to, and of the end of training.

    Args:
        monitor: name of the validation score that picks the best epoch.
        mode: ``max`` or ``min``: which is better.
        patience: validations without a better score after which training stops.
        each_epoch: True: a line an epoch.
    """

    def __init__(self, monitor: str, mode: str, patience: int, *, each_epoch: bool) -> None:
        self.monitor = monitor
        self.sign = 1.0 if mode == "max" else -1.0
        self.patience = patience
        self.each_epoch = each_epoch
        self.best = -math.inf
        self.best_epoch = 0
        self.chosen_by = monitor
        self.started = time.monotonic()

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start the epoch's clock."""
        self.started = time.monotonic()

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Note the best score, and tell of the epoch."""
        if trainer.state.fn != "fit" or self.monitor not in trainer.callback_metrics:
            return
        score, choice = (float(trainer.callback_metrics[f"{name}{self.monitor}"]) for name in ("", CHOICE))
        self.chosen_by = cast(Task, pl_module).chosen_by
        if self.sign * choice > self.best:
            self.best, self.best_epoch = self.sign * choice, trainer.current_epoch + 1
        if self.each_epoch:
            rate = trainer.optimizers[0].param_groups[0]["lr"]
            loss = float(trainer.callback_metrics.get("train/mean_loss", math.nan))
            seconds = time.monotonic() - self.started
            told = f"loss {loss:.4f}, {self.monitor} {score:.4f}, rate {rate:.3g}, {seconds:.1f} s"
            say(f"epoch {trainer.current_epoch + 1}: {told}")

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Tell why training ended and which epoch was best."""
        if trainer.interrupted:
            return
        why = ended(trainer)
        if why.startswith("patience"):
            why = f"no better {self.chosen_by} in {self.patience} validations"
        best = f"; the best was epoch {self.best_epoch}" if self.best_epoch else ""
        say(f"training ended after epoch {trainer.current_epoch}: {why}{best}")

    def state_dict(self) -> dict[str, Any]:
        """Return the best score so far and its epoch, for a run that goes on."""
        return {"best": self.best, "best_epoch": self.best_epoch}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take back what ``state_dict`` gave."""
        self.best, self.best_epoch = float(state_dict["best"]), int(state_dict["best_epoch"])


def ended(trainer: Trainer) -> str:
    """Return the option, and its value, by which training ended."""
    stopping = trainer.early_stopping_callback
    if stopping is not None and stopping.stopped_epoch:
        return f"patience={stopping.patience}"
    if 0 <= trainer.max_steps <= trainer.global_step:
        return f"trainer.max_steps={trainer.max_steps}"
    return f"trainer.max_epochs={trainer.max_epochs}"
