"""What an epoch after the other came to: the curves of a run's report."""

from typing import Any, cast

from lightning import Callback, LightningModule, Trainer

#: Validations of a run that are kept; of more the latest.
MOST = 10_000


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
            if name == "train/loss" or name.startswith("validation/"):
                points = self.curves.setdefault(name, [])
                points.append((gone, float(value)))
                del points[:-MOST]

    def state_dict(self) -> dict[str, Any]:
        """Return the curves, for a run that goes on."""
        return {"curves": self.curves}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take back what ``state_dict`` gave; what is no number, as a stranger's may not be, is refused.

        Raises:
            KeyError, TypeError, ValueError: it is of another kind.
        """
        self.curves = {
            str(name): [(float(gone), float(value)) for gone, value in points[-MOST:]]
            for name, points in state_dict["curves"].items()
        }


def curves(trainer: Trainer) -> dict[str, list[tuple[float, float]]]:
    """Return what the trainer's history holds: by the score's name the epochs gone by and its value."""
    found = [one for one in cast(Any, trainer).callbacks if isinstance(one, History)]
    return found[0].curves if found else {}
