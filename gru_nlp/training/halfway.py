"""The last checkpoint: of every epoch, of so many steps or minutes, or of a moment when a person asks a run to stop.

How it works. After a batch with which the optimiser took a step, and after which nothing is validated, all that
training goes on from is at rest: weights, optimiser, schedule and average are Lightning's and the task's to keep; what
is kept here is how many batches of the epoch are done, in which order they came, and of each process the state of its
random numbers, its counts and what it carries from batch to batch. A run that goes on leaves out so many batches of the
same order. Where the order has changed, since the person changed the batch size, the same share of the new one is left
out.
"""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import torch
from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import ModelCheckpoint
from torch import Tensor

from gru_nlp import checkpoint
from gru_nlp.console import remark
from gru_nlp.data.module import DataModule
from gru_nlp.errors import UserError
from gru_nlp.processes.sharing import gathered
from gru_nlp.tasks.base import Task
from gru_nlp.tasks.choosing import CHOICE
from gru_nlp.training.stopping import Asked, Left

KEY = "gru_nlp_halfway"
#: What Lightning's checkpoints call the files that they have saved.
FILES = ("best_model_path", "kth_best_model_path", "last_model_path")
#: Numbers of an unfinished epoch, and of a process in it, and their kinds.
COUNTS = ("epoch", "batches", "of")
KINDS = {
    "padded_steps": int,
    "real_steps": int,
    "losses": float | None,
    "random": Tensor,
    "device_random": Tensor | None,
}


class MovableCheckpoint(ModelCheckpoint):
    """A best checkpoint whose score survives moving the run folder between two sittings."""

    @property
    def state_key(self) -> str:
        """Return the key of the monitored score itself, under which runs have kept the best one from the first."""
        return super().state_key.replace(CHOICE, "")

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take back the best score; the path is that of the one file that is kept here, whatever the state says.

        Lightning removes what stands at the path of the state once it has saved a better one, folders too.
        """
        own = str(Path(str(self.dirpath)) / f"{self.filename}{self.FILE_EXTENSION}")
        scores = list(state_dict.get("best_k_models", {}).values())
        places = {"dirpath": self.dirpath, "last_model_path": "", "kth_best_model_path": own if scores else ""}
        places["best_model_path"] = own if state_dict.get("best_model_path") else ""
        kept = dict.fromkeys([own], torch.tensor(float(scores[0]))) if scores else {}
        super().load_state_dict({**state_dict, **places, "best_k_models": kept})


class LastCheckpoint(MovableCheckpoint):
    """What a run goes on from, written after each epoch and within epochs.

    Args:
        folder: of the run.
        every_steps: steps of the optimiser after which it is written anew; None: their number does not matter.
        every_minutes: the same for time; None: time does not matter.
        asked: whether a person, or a scheduler, wants the run to stop.
    """

    def __init__(self, folder: Path, every_steps: int | None, every_minutes: float | None, asked: Asked) -> None:
        super().__init__(folder, Path(checkpoint.LAST).stem, save_on_train_epoch_end=True, enable_version_counter=False)
        self.path = folder / checkpoint.LAST
        self.every_steps = every_steps
        self.every_seconds = None if every_minutes is None else 60.0 * every_minutes
        self.asked = asked
        self.saved_step = 0
        self.saved_time = time.monotonic()

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Count steps and minutes from here; listen to signals in the place of Lightning, unless one has come."""
        if not self.asked.wanted():
            self.asked.listen()
        super().on_train_start(trainer, pl_module)
        self._note(trainer)

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Save if it is time to, and stop if that was asked for.

        Raises:
            Left: the run is to stop; all is saved.
        """
        wanted = self.asked.wanted() or self._due(trainer.global_step) or ends_here(trainer)
        if not rests(trainer, batch_idx) or not for_any(trainer, wanted):
            return
        trainer.save_checkpoint(self.path)
        self._saved(trainer)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Save after each epoch, and stop if that was asked for; what has ended within one is saved as it stood there.

        Raises:
            Left: the run is to stop.
        """
        if trainer.is_last_batch or self.saved_step != trainer.global_step or not ends_here(trainer):
            super().on_train_epoch_end(trainer, pl_module)
        self._saved(trainer)

    def on_save_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        """Add the place in an epoch that is not over."""
        task = cast(Task, pl_module)
        if task.epoch.batches:
            checkpoint[KEY] = {
                "epoch": trainer.current_epoch,
                "batches": task.epoch.batches,
                "of": len(cast(Any, trainer.train_dataloader).batch_sampler),
                "order": order_of(trainer),
                "processes": gathered(task.halfway_state()),
            }

    def on_load_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        """Go on within the epoch that was broken off; forget what a person's own callbacks say of files elsewhere.

        Raises:
            UserError: what the file says of it is broken.
        """
        ours = [one.state_key for one in cast(Any, trainer).callbacks if isinstance(one, MovableCheckpoint)]
        forget_elsewhere(checkpoint.get("callbacks"), ours, self.path.parent)
        if KEY in checkpoint:
            state = checked(checkpoint[KEY], f"{trainer.ckpt_path}: what it says of its unfinished epoch is broken")
            take_back(state, trainer, cast(Task, pl_module), checkpoint["loops"]["fit_loop"])

    def _due(self, step: int) -> bool:
        by_steps = self.every_steps is not None and step - self.saved_step >= self.every_steps
        return by_steps or (self.every_seconds is not None and time.monotonic() - self.saved_time >= self.every_seconds)

    def _note(self, trainer: Trainer) -> None:
        self.saved_step, self.saved_time = trainer.global_step, time.monotonic()

    def _saved(self, trainer: Trainer) -> None:
        self._note(trainer)
        if for_any(trainer, self.asked.wanted()):
            raise Left


def ends_here(trainer: Trainer) -> bool:
    """Return whether all steps are done that ``trainer.max_steps`` allows."""
    return 0 <= trainer.max_steps <= trainer.global_step


def forget_elsewhere(states: Any, ours: Sequence[str], folder: Path) -> None:
    """Take out of the states of callbacks, in place, those that name files outside the run's folder.

    Lightning removes the files that a checkpoint of its own names once it has saved better ones.

    Args:
        states: by the callbacks' keys, as a checkpoint holds them, perhaps a stranger's.
        ours: keys of callbacks that see to that themselves.
        folder: of the run.
    """
    for key in [key for key in states if key not in ours] if isinstance(states, dict) else []:
        state = states[key] if isinstance(states[key], dict) else {}
        named = [state[name] for name in FILES if state.get(name)] + list(state.get("best_k_models") or ())
        if not all(isinstance(path, str) and folder.resolve() in Path(path).resolve().parents for path in named):
            del states[key]
            remark(f"{str(key)[:80]}: names files outside {folder}, and begins anew")


def for_any(trainer: Trainer, wanted: bool) -> bool:
    """Return whether a process wants something: any may be told to stop, or have the faster clock."""
    return wanted if trainer.world_size == 1 else bool(trainer.strategy.reduce_boolean_decision(wanted, all=False))


def rests(trainer: Trainer, place: int) -> bool:
    """Return whether nothing is under way after batch ``place``: no gradients are gathered, nothing is validated."""
    every = trainer.val_check_batch
    over = trainer.fit_loop.total_batch_idx if trainer.check_val_every_n_epoch is None else place
    validated = every is not None and (over + 1) % every == 0
    gathering = (place + 1) % trainer.accumulate_grad_batches != 0
    return not (validated or gathering or trainer.is_last_batch or trainer.should_stop)


def batches_of(trainer: Trainer, epoch: int) -> int:
    """Return the number of batches in an epoch, limits left aside."""
    order = trainer.datamodule.train_dataloader().batch_sampler  # type: ignore[attr-defined]
    order.set_epoch(epoch)
    return len(order)


def order_of(trainer: Trainer) -> dict[str, float | None]:
    """Return what the order of the batches in an epoch depends on."""
    data: DataModule = trainer.datamodule  # type: ignore[attr-defined]
    plan = data.plan
    return {
        "rows": len(data.encoded["train"]),
        "batch_size": plan.batch_size,
        "batch_tokens": plan.batch_tokens,
        "seed": plan.seed,
        "processes": trainer.world_size,
        **({"drawn": data.preprocessor.draws} if data.preprocessor.draws else {}),
    }


def checked(state: Any, told: str) -> dict[str, Any]:
    """Return the place of a checkpoint in an unfinished epoch.

    Args:
        state: what ``on_save_checkpoint`` wrote, or a stranger.
        told: beginning of a message.

    Raises:
        UserError: a part is missing or of another kind.
    """
    if not isinstance(state, dict) or any(type(state.get(name)) is not int or state[name] < 0 for name in COUNTS):
        raise UserError(f"{told} (batches)")
    processes = state.get("processes")
    if state["batches"] > state["of"] or not isinstance(processes, list) or not isinstance(state.get("order"), dict):
        raise UserError(f"{told} (order)")
    for process in processes:
        kinds = isinstance(process, dict) and all(isinstance(process.get(name), kind) for name, kind in KINDS.items())
        if not kinds or not isinstance(process.get("carried"), Tensor | None):
            raise UserError(f"{told} (processes)")
        try:
            torch.Generator().set_state(process["random"])
        except (RuntimeError, TypeError, ValueError):
            raise UserError(f"{told} (random numbers)") from None
    return state


def take_back(state: Mapping[str, Any], trainer: Trainer, task: Task, loops: dict[str, Any]) -> None:
    """Let task and data go on within an epoch.

    Args:
        state: checked.
        trainer: that is about to fit.
        task: in training.
        loops: Lightning's counts in the checkpoint, from which it will go on; changed where the order has.
    """
    done, now = state["batches"], batches_of(trainer, state["epoch"])
    same = state["order"] == order_of(trainer) and state["of"] == now
    if same and len(state["processes"]) == trainer.world_size:
        task.halfway = state["processes"][trainer.global_rank]
    else:
        done = min(done * now // max(1, state["of"]), now - 1)
        told = f"epoch {state['epoch'] + 1} goes on at batch {done + 1:,} of {now:,}"
        remark(f"{told}, in another order than it began with")
        # The last batch counts as done once Lightning takes the counts back.
        counts = {"ready": done, "started": done, "processed": done, "completed": done - 1}
        loops["epoch_loop.batch_progress"]["current"].update(counts)
    trainer.datamodule.begun = (state["epoch"], done)  # type: ignore[attr-defined]
