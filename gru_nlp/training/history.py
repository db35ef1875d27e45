"""What an epoch after the other came to: the curves of a run's report."""

from math import isfinite
from typing import Any, cast

from lightning import Callback, LightningModule, Trainer

#: Validations of a run that are kept; of more the latest.
MOST = 10_000
#: Curves that are taken back, and characters of their names.
MOST_CURVES, MOST_CHARACTERS = 500, 200


def is_score(name: Any) -> bool:
    """Return whether a name is that of a curve."""
    known = isinstance(name, str) and (name == "train/mean_loss" or name.startswith("validation/"))
    return known and len(name) <= MOST_CHARACTERS


class History(Callback):
    """Keeps the training loss and the validation scores of each epoch, over all sittings of a run."""

    def __init__(self) -> None:
        self.curves: dict[str, list[tuple[float, float]]] = {}

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Note each score beside the share of epochs that has gone by."""
        if trainer.state.fn != "fit":
            return
        batches = max(1, int(trainer.num_training_batches))
        gone = trainer.current_epoch + min(1.0, (trainer.fit_loop.batch_idx + 1) / batches)
        for name, value in trainer.callback_metrics.items():
            if is_score(name):
                points = self.curves.setdefault(name, [])
                points.append((gone, float(value)))
                del points[:-MOST]

    def state_dict(self) -> dict[str, Any]:
        """Return the curves, for a run that goes on."""
        return {"curves": self.curves}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take back what ``state_dict`` gave; a stranger's may hold other names, and what is no number.

        Raises:
            KeyError, TypeError, ValueError: it is of another kind.
        """
        self.curves = {
            name: [pair for gone, value in points[-MOST:] if all(map(isfinite, pair := (float(gone), float(value))))]
            for name, points in list(state_dict["curves"].items())[:MOST_CURVES]
            if is_score(name)
        }


def curves(trainer: Trainer) -> dict[str, list[tuple[float, float]]]:
    """Return what the trainer's history holds: by the score's name the epochs gone by and its value."""
    found = [one for one in cast(Any, trainer).callbacks if isinstance(one, History)]
    return found[0].curves if found else {}
