"""Fit: from parts and a trainer to a folder with its best checkpoint, or one line that says why not."""

from pathlib import Path
from typing import Any, cast

from lightning import Trainer
from lightning.fabric.utilities.exceptions import MisconfigurationException

from gru_nlp import checkpoint
from gru_nlp.console import is_first_process, say
from gru_nlp.errors import UserError
from gru_nlp.training import ends, lightning_parts, resuming
from gru_nlp.training.halfway import LastCheckpoint
from gru_nlp.training.parts import Parts
from gru_nlp.training.same_rows import SameRows
from gru_nlp.training.stopping import Left


def fit(parts: Parts, folder: Path, trainer: Trainer, stopped: checkpoint.Checkpoint | None) -> None:
    """Train until the epochs are over or the score stops rising.

    Raises:
        UserError: Lightning refuses the options, the loss is no number, the folder can no longer be written, or nothing
            was validated; a folder without a checkpoint, be it of a language model that it began with, is removed.
        Stopped: that was asked for from outside; all is saved.
    """
    rows = len(parts.data.encoded["train"])
    say(f"training on {rows:,} examples, {parameters(parts):,} parameters; {folder}")
    parts.task.steps = lightning_parts.steps_of(trainer, parts.data)
    own = cast(Any, trainer).callbacks  # which Lightning's annotations hide
    own.append(SameRows(parts.data))
    (last,) = (callback for callback in own if isinstance(callback, LastCheckpoint))
    now = parts.task.record["config"]
    try:
        with last.asked.listening(), ends.telling(folder), resuming.restoring(trainer, stopped, now):
            trainer.fit(parts.task, parts.data, ckpt_path=stopped.path if stopped else None, weights_only=True)
            if is_first_process() and not (folder / checkpoint.BEST).is_file():
                raise UserError(
                    f"{folder}: training ended without a best checkpoint, since nothing was validated: "
                    "raise trainer.max_steps or trainer.max_epochs"
                )
    except Left:
        raise last.asked.stopped(folder) from None
    except MisconfigurationException as error:
        raise UserError(f"trainer: {error}") from None
    except SystemExit:  # what Lightning makes of an interruption
        if trainer.interrupted:
            raise KeyboardInterrupt from None
        raise


def parameters(parts: Parts) -> int:
    """Return the number of the model's parameters."""
    return sum(parameter.numel() for parameter in parts.model.parameters())
