"""Fit: from parts and a trainer to a folder with its best checkpoint, or one line that says why not."""

from pathlib import Path

from lightning import Trainer
from lightning.fabric.utilities.exceptions import MisconfigurationException

from gru_nlp import checkpoint
from gru_nlp.console import is_first_process, say
from gru_nlp.errors import UserError
from gru_nlp.training import resuming, run_folder
from gru_nlp.training.parts import Parts


def fit(parts: Parts, folder: Path, trainer: Trainer, stopped: checkpoint.Checkpoint | None) -> None:
    """Train until the epochs are over or the score stops rising.

    Raises:
        UserError: Lightning refuses the options, the loss is no number, the folder can no longer be written, or nothing
            was validated; a folder without a checkpoint, be it of a language model that it began with, is removed.
    """
    rows = len(parts.data.encoded["train"])
    say(f"training on {rows:,} examples, {parameters(parts):,} parameters; {folder}")
    try:
        with resuming.restoring(trainer, stopped, parts.task.record["config"]):
            trainer.fit(parts.task, parts.data, ckpt_path=stopped.path if stopped else None, weights_only=True)
        if is_first_process() and not (folder / checkpoint.BEST).is_file():
            raise UserError(
                f"{folder}: training ended without a best checkpoint, since nothing was validated: "
                "raise trainer.max_steps or trainer.max_epochs"
            )
    except MisconfigurationException as error:
        raise UserError(f"trainer: {error}") from None
    except (UserError, OSError, RuntimeError, MemoryError) as error:
        kept = any(any(folder.rglob(name)) for name in (checkpoint.BEST, checkpoint.LAST))
        if is_first_process() and stopped is None and not kept:
            run_folder.remove(folder)
        told = run_folder.told(error, folder)
        if told is error:
            raise
        raise told from None
    except SystemExit:  # what Lightning makes of an interruption
        if trainer.interrupted:
            raise KeyboardInterrupt from None
        raise


def parameters(parts: Parts) -> int:
    """Return the number of the model's parameters."""
    return sum(parameter.numel() for parameter in parts.model.parameters())
