"""What a person changes in a run that goes on: what cannot change is refused, what can is in force.

Lightning takes rate, weight decay and patience back from a checkpoint as they were, whatever the config says now. Here
the config is what counts: a run's record would be false otherwise.
"""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import torch
from lightning import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import EarlyStopping
from torch import Tensor
from torch.optim import Optimizer

from gru_nlp.config import STORED_PATHS
from gru_nlp.errors import UserError
from gru_nlp.ranges import SHARES, leaves
from gru_nlp.tasks.choosing import CHOICE

#: Parts that a checkpoint's weights and encoded ids belong to.
FIXED = ("preprocessing", "model", "data", "task")
#: What a run began from, which it never reads again.
BEGUN = ("finetune", "pretrained", "pretraining", "gazetteers")
#: What the translations that a student learns from depend on.
DISTILLING = ("beam_size", "hypotheses", "interpolation", "references", "teacher_tokenizer")
#: What stands elsewhere and is read, or made, once.
ONCE = ("run_dir", "embedding.vectors", "embedding.extra_words", *DISTILLING)
#: Options of these parts, by the first words of their names, that change nothing in weights or ids.
FREE = (
    *("model.decoding.", "data.cache_dir", "data.unknown_labels"),
    *("preprocessing.bpe_dropout", "preprocessing.sequence_length"),
)
#: Options of a task that can change from epoch to epoch.
FREE_OF_TASK = ("label_smoothing", "class_weights", "average_decay", "thaw_epochs", "language_model_weight")


def changed(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """Yield the options of the fixed parts, and of what a run began from, that differ and must not."""
    for part in (*BEGUN, *FIXED):
        old, new = (dict(leaves(config.get(part), part)) for config in (before, now))
        for option, value in new.items():
            name = option.rpartition(".")[2]
            drops = name in SHARES and part != "data"  # the shares of data are those of its splits
            free = part in FIXED and (option.startswith(FREE) or option in STORED_PATHS or drops)
            if option in old and old[option] != value and not free and not (part == "task" and name in FREE_OF_TASK):
                yield option
    old, new = (dict(leaves(config)) for config in (before, now))
    yield from (option for option in ONCE if option in old and old[option] != new.get(option))
    if (before.get("optimizer") or {}).get("lr") == 0 and share_of_rate(before, now) != 1.0:
        yield "optimizer.lr=0"


def check(folder: Path, before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Refuse a change that would make another run of it.

    Args:
        folder: of the run.
        before: the config that its last checkpoint was trained with.
        now: the config that it is to go on with.

    Raises:
        UserError: naming the option.
    """
    for option in changed(before, now):
        raise UserError(f"{option} cannot change in a run that goes on: leave it out, or train anew (resume={folder})")


class Patience(EarlyStopping):
    """Early stopping whose patience is the config's, not the checkpoint's."""

    @property
    def state_key(self) -> str:
        """Return the key of the monitored score itself, under which runs have kept the best one from the first."""
        return super().state_key.replace(CHOICE, "")

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take back what was counted; that it was exhausted once says nothing of now."""
        count, best = int(state_dict["wait_count"]), torch.tensor(float(state_dict["best_score"]))  # or it fails here
        counted = {"wait_count": count, "best_score": best}
        super().load_state_dict({**state_dict, **counted, "patience": self.patience, "stopped_epoch": 0})


class Hyperparameters(Callback):
    """Brings an optimiser that was taken back from a checkpoint to what the config says of it.

    Args:
        share: the rate of the config as a share of that of the checkpoint's; the schedule goes on from there.
    """

    def __init__(self, share: float) -> None:
        self.share = share
        self.fresh: list[list[dict[str, Any]]] = []

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Keep what the optimisers were made with; their states are taken back after this."""
        own = ("params", "lr", "initial_lr")
        self.fresh = [
            [{name: value for name, value in group.items() if name not in own} for group in optimizer.param_groups]
            for optimizer in trainer.optimizers
        ]

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Put it back, and scale the rates.

        Raises:
            ValueError: the state of an optimiser, which may be a stranger's, does not fit its weights.
        """
        for optimizer in trainer.optimizers:
            check_fused(optimizer)
        for optimizer, groups in zip(trainer.optimizers, self.fresh, strict=True):
            for group, fresh in zip(optimizer.param_groups, groups, strict=True):
                group.update(fresh)
                for name in ("lr", "initial_lr"):
                    if name in group:
                        group[name] *= self.share
        for config in trainer.lr_scheduler_configs:
            scheduler = cast(Any, config.scheduler)
            if hasattr(scheduler, "base_lrs"):
                scheduler.base_lrs = [rate * self.share for rate in scheduler.base_lrs]


def check_fused(optimizer: Optimizer) -> None:
    """Hold what an optimiser keeps of each weight against the weight: a fused step writes without looking.

    Raises:
        ValueError: something is neither one number nor of the weight's shape.
    """
    for weight, state in optimizer.state.items():
        for value in state.values():
            fits = not isinstance(value, Tensor) or not value.ndim or value.shape == weight.shape
            if not fits and any(group.get("fused") for group in optimizer.param_groups):
                raise ValueError(f"{tuple(value.shape)} of a weight of {tuple(weight.shape)}")


def share_of_rate(before: Mapping[str, Any], now: Mapping[str, Any]) -> float:
    """Return the learning rate of a config as a share of an earlier one's, 1 where one of them has none."""
    old, new = (config.get("optimizer", {}).get("lr") for config in (before, now))
    if old is None or new is None or old == new:
        return 1.0
    return float(new) / float(old) if old else math.inf
