"""What every task shares: steps, optimiser, schedule, reproducible epochs, the checkpoint's record.

How an epoch goes. A batch of arrays becomes tensors on the model's device; the first one of an epoch seeds the random
numbers, so that a resumed run draws the same. A step returns its loss, which is logged on the logger's beat alone; real
steps are counted on the device and read back once an epoch. After a step of the optimiser the weights' average moves.
Validation starts by exchanging weights and average, scores every batch into summable state, keeps the scores in the
record and lets a plateau schedule see them; then Lightning saves the best checkpoint, and the weights come back.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, get_origin, get_type_hints

import torch
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau

from gru_nlp.batch import AnyArray, Batch
from gru_nlp.checkpoint import KEY, TEMPERATURE
from gru_nlp.console import remark
from gru_nlp.errors import UserError
from gru_nlp.models.base import Model
from gru_nlp.tasks.averaging import WeightAverage
from gru_nlp.tasks.choosing import CHOICE, choose_by
from gru_nlp.tasks.epoch import Epoch
from gru_nlp.tasks.finite import Begun, FirstBad, diverged
from gru_nlp.tasks.floors import MakeOptimizer, Thawing, check_floors, make_optimizer
from gru_nlp.tasks.halving import Halving
from gru_nlp.tasks.schedules import take_back
from gru_nlp.tasks.scored import Scored
from gru_nlp.tensors import to_tensors

MakeSchedule = Callable[[Optimizer, int], LRScheduler | ReduceLROnPlateau]
PLATEAU_KEY = "gru_nlp_plateau"
AVERAGE_KEY = "gru_nlp_average"
AUTO = "auto"


def check_model(task: type["Task"], recipe: "Recipe") -> None:
    """Refuse, by a ``UserError``, to train a model of another kind than the class ``task`` states as ``model``."""
    wanted = get_type_hints(task)["model"]
    wanted = get_origin(wanted) or wanted
    if not isinstance(recipe.model, wanted):
        raise UserError(
            f"task={recipe.name} trains a {wanted.__name__}, not a {type(recipe.model).__name__}: leave out model=... "
            "and preprocessing=..., or set another task=..."
        )


@dataclass(frozen=True, eq=False)
class Recipe:
    """What every task needs: a model and how it is trained, whatever its kind.

    Attributes:
        name: of the task, shown to the user and stored.
        model: trained.
        monitor: name of the validation score that picks the best checkpoint.
        mode: ``max`` or ``min``: which ``monitor`` is better.
        optimizer: makes the optimiser from parameter groups; None where nothing is trained.
        schedule: makes the learning-rate schedule from the optimiser and the number of steps.
        seed: random numbers of an epoch depend on (seed, epoch, process) alone.
        average_decay: of the weights' moving average, which is validated and saved as the best; 0: no average.
        floor_decay: rate of a floor of the model as a share of that of the floor above it.
        thaw_epochs: epochs after which one more floor, from the top down, is trained; 0: all are from the start.
        calibrate: whether validations fit the temperature of the model's confidences; ``auto``: where it has some.
    """

    name: str
    model: Model[Any]
    monitor: str
    mode: str
    optimizer: MakeOptimizer | None
    schedule: MakeSchedule | None
    seed: int
    average_decay: float
    floor_decay: float = 1.0
    thaw_epochs: int = 0
    calibrate: bool | str = False

    def __post_init__(self) -> None:
        check_floors(self.floor_decay, self.thaw_epochs)


class Task(Halving, Scored):
    """A model in training: a task kind adds its loss and its scores.

    Attributes:
        record: what the checkpoint holds beside the weights, set by who trains or scores; its ``scores`` follow the
            latest validation.
        steps: of the optimiser in all, set by who trains.
        chosen_by: name of the score by which the latest validation is compared with others.
        halfway: what ``halfway_state`` gave where training broke off within an epoch, until it goes on there.

    Args:
        recipe: the model and how it is trained; a ``UserError`` says that the model is of another kind.
    """

    model: Model[Any]
    #: The command that uses a trained model.
    command: str
    #: Whether the confidences of its model are calibrated.
    confident: ClassVar[bool] = False

    def __init__(self, recipe: Recipe) -> None:
        super().__init__()
        if recipe.optimizer is not None:
            check_model(type(self), recipe)
            if recipe.calibrate is True and not self.confident:
                told = f"calibrate=true is for models that label texts, which task={recipe.name} does not train"
                raise UserError(f"{told}: leave it out")
        self.name = recipe.name
        self.model = recipe.model
        self.monitor = recipe.monitor
        self.mode = recipe.mode
        self.make_optimizer = recipe.optimizer
        self.floor_decay = recipe.floor_decay
        self.thawing = Thawing(recipe.model, recipe.thaw_epochs)
        self.make_schedule = recipe.schedule
        self.seed = recipe.seed
        self.record: dict[str, Any] = {}
        self.plateau: ReduceLROnPlateau | None = None
        self.plateau_state: dict[str, Any] | None = None
        self.calibrates = self.confident and recipe.calibrate in (True, AUTO)
        self.average_decay = recipe.average_decay
        self.average: WeightAverage | None = None
        self.average_state: dict[str, Any] | None = None
        self.chosen_by = recipe.monitor
        self.epoch = Epoch()
        self.halfway: Mapping[str, Any] | None = None
        self.steps = 1
        self.first_bad = FirstBad(self.device, Begun(0, 0, 0, 1))

    def observe(self, targets: Mapping[str, AnyArray]) -> None:
        """See the encoded columns of one number a row of the training split before training; a loss may weigh by them.

        By default nothing is learned from them.
        """

    def solve(self, texts: Iterable[Any], unseen: Iterable[Any]) -> None:
        """Set what is solved for rather than trained, once, from all batches of training and of validation.

        By default nothing is, and no batch is made.
        """

    def refit(self) -> None:
        """Fit again what is fitted on validation, once that has been scored with its rows kept; here nothing."""

    def transfer_batch_to_device(self, batch: Batch[AnyArray] | None, device: torch.device, dataloader_idx: int) -> Any:
        """Turn a batch of arrays into tensors where the model is, in the number format of ``trainer.precision``."""
        return batch and self.trainer.precision_plugin.convert_input(to_tensors(batch, device))

    def _start_epoch(self, batch_idx: int) -> None:
        """Seed the epoch, or take back what one that was broken off had come to."""
        self.thawing.start_epoch(self.current_epoch)
        begun = Begun(self.current_epoch, self.global_step, batch_idx, self.trainer.accumulate_grad_batches)
        self.first_bad = FirstBad(self.device, begun)
        if self.halfway is None:
            self.epoch.start((self.seed * 100_003 + self.current_epoch) * 1009 + self.global_rank, self.device)
        else:
            self.epoch.load_state_dict(self.halfway, self.device)
            self.halfway = None

    def halfway_state(self) -> dict[str, Any]:
        """Return what this process needs to go on within an epoch, beside weights and optimiser."""
        return self.epoch.state_dict()

    def training_step(self, batch: Batch[Tensor], batch_idx: int) -> Tensor:
        """Return the loss; count padding; log on the logger's own beat, since logging every step costs 1 ms."""
        if not self.epoch.batches:  # Lightning leaves its own hook out on resuming
            self._start_epoch(batch_idx)
        loss = self.held_loss(batch)
        self.first_bad.see(loss, batch_idx)
        self.epoch.count(batch, loss, batch_idx)
        beat = self.trainer.log_every_n_steps  # type: ignore[attr-defined]
        if batch_idx == 0 or (self.global_step + 1) % beat == 0:
            self.log("train/loss", loss.detach(), prog_bar=True, batch_size=len(batch.lengths))
        return loss

    def on_fit_start(self) -> None:
        """Start the average, or go on with that of a stopped run."""
        if self.average_decay:
            self.average = WeightAverage(self.model, self.average_decay)
            if self.average_state:
                self.average.load_state_dict(self.average_state)

    def optimizer_step(self, epoch: int, batch_idx: int, optimizer: Any, optimizer_closure: Any = None) -> None:
        """Update the average after every step of the optimiser."""
        super().optimizer_step(epoch, batch_idx, optimizer, optimizer_closure)
        if self.average:
            self.average.update()

    def on_validation_start(self) -> None:
        """Validate the average; the best checkpoint is saved before ``on_validation_end`` brings the weights back.

        Raises:
            Fault: a loss was not finite or a weight is beyond all use, so that nothing is worth a validation.
        """
        if self.trainer.state.fn == "fit":
            self.first_bad.check(self.model)
        if self.average is not None and self.trainer.state.fn == "fit":
            self.average.swap()

    def on_validation_end(self) -> None:
        """Go on training from the present weights."""
        if self.average is not None and self.trainer.state.fn == "fit":
            self.average.swap()

    def on_train_epoch_end(self) -> None:
        """Log the share of padding, and the learning rate that the epoch ended with."""
        self.epoch.batches, self.halfway = 0, None
        self.log("train/rate", self.trainer.optimizers[0].param_groups[0]["lr"])
        self.log("train/padding_share", self.epoch.padding_share())

    def on_validation_epoch_end(self) -> None:
        """Log the scores, keep them for the checkpoint; let callbacks and a plateau schedule see what decides."""
        scores = self.latest["validation"] = self.scores("validation")
        if broken := [name for name, value in scores.items() if not math.isfinite(value)]:
            raise diverged(f"{broken[0]} is {scores[broken[0]]}")
        self.record["scores"] = scores
        for name, value in scores.items():
            self.log(name, value, prog_bar=name == self.monitor)
        chosen = choose_by(scores, self.monitor, self.mode, self.floor(), self.stand_in(scores))
        self.chosen_by = chosen.name
        if chosen.name != self.monitor and self.trainer.state.fn == "fit":
            remark(f"{self.monitor} cannot tell epochs apart so far: {chosen.name} stands in for it")
        self.log(f"{CHOICE}{self.monitor}", chosen.value, logger=False)
        if self.epoch.batches:
            self.log("train/mean_loss", self.epoch.mean_loss())
        if self.plateau is not None and not self.trainer.sanity_checking:
            self.plateau.step(chosen.value)

    def check_recipe(self) -> None:
        """Make optimiser and schedule once on trial, so that training is refused before it leaves a trace.

        Raises:
            UserError: one of them refuses an option.
        """
        assert self.make_optimizer is not None
        assert self.make_schedule is not None
        try:
            optimizer = make_optimizer(self.make_optimizer, self, self.model.floors(), self.floor_decay)
            self.make_schedule(optimizer, 1)
        except (ValueError, TypeError) as error:
            raise UserError(f"optimizer or schedule: {error}") from None

    def configure_optimizers(self) -> Any:
        """Make optimiser and schedule; a plateau schedule is stepped here, after a validation, not by Lightning."""
        if self.make_optimizer is None or self.make_schedule is None:
            return None
        optimizer = make_optimizer(self.make_optimizer, self, self.model.floors(), self.floor_decay)
        schedule = self.make_schedule(optimizer, self.steps)
        if isinstance(schedule, ReduceLROnPlateau):
            # Lightning saves last.ckpt before it would step a plateau schedule, and drops that step on resuming.
            self.plateau = schedule
            if self.plateau_state is not None:
                take_back(schedule, self.plateau_state)
            return optimizer
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add the record; where training may go on, the state of a plateau schedule and of the average.

        Raises:
            Fault: training has diverged, so that nothing is worth to be written over what was saved before.
        """
        self.first_bad.check(self.model)
        checkpoint[KEY] = {**self.record, TEMPERATURE: self.model.temperature}
        if self.plateau:
            checkpoint[PLATEAU_KEY] = self.plateau.state_dict()
        if self.average is not None and "optimizer_states" in checkpoint:
            checkpoint[AVERAGE_KEY] = self.average.state_dict()

    def on_load_checkpoint(self, checkpoint: Mapping[str, Any]) -> None:
        """Take back the temperature, the state of a plateau schedule and of the average."""
        self.model.temperature = checkpoint.get(KEY, {}).get(TEMPERATURE, 1.0)
        self.plateau_state = checkpoint.get(PLATEAU_KEY)
        self.average_state = checkpoint.get(AVERAGE_KEY)
