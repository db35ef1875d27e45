"""A batch that does not fit into memory: its rows are halved once, and the gradient is that of the whole.

How it works. A step hands Lightning its loss without the graph behind it. What Lightning propagates back into the loss,
1 or whatever accumulation and scaling make of it, is propagated on into the graph, of which nobody else knows: where
memory runs out, in either direction, the graph is let go of, and the halves are computed one after the other. Each
half's loss counts by its share of what the whole loss is divided by (rows, labels or tokens), so that their sum is the
loss of the whole. What has been added to the gradients by then is taken back. Dropout is drawn anew.
"""

import gc
from abc import abstractmethod
from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from lightning import LightningModule
from lightning.pytorch.strategies import SingleDeviceStrategy
from torch import Tensor

from gru_nlp.batch import Batch
from gru_nlp.console import say
from gru_nlp.errors import out_of_memory


class Held(NamedTuple):
    """A loss that is still to be propagated back.

    Attributes:
        batch: that it is of.
        leaf: the loss as Lightning knows it.
        graph: the loss with what led to it; None: there was no room for that.
    """

    batch: Batch[Tensor]
    leaf: Tensor
    graph: Tensor | None


def halves(batch: Any) -> tuple[Any, Any]:
    """Return the first and the second half of a batch's rows, of which it has at least two."""
    rows = len(batch.lengths)
    return batch.rows(0, rows // 2), batch.rows(rows // 2, rows)


class Halving(LightningModule):
    """A module in training whose batches are halved where they do not fit; its losses know what they are divided by."""

    def __init__(self) -> None:
        super().__init__()
        self.held: Held | None = None
        self.told_of_halving = False

    @abstractmethod
    def loss(self, batch: Any) -> Tensor:
        """Return the training loss of a batch, a scalar: a mean over what ``divisor`` counts."""

    def divisor(self, batch: Any) -> float:
        """Return what the loss of a batch is divided by; by default its rows."""
        return float(len(batch.lengths))

    def half_losses(self, batch: Any) -> Iterator[Tensor]:
        """Yield the losses of both halves of a batch, each computed when it is asked for; their sum is the batch's."""
        whole = self.divisor(batch)
        for half in halves(batch):
            if share := self.divisor(half) / whole:
                yield self.loss(half) * share

    def held_loss(self, batch: Batch[Tensor]) -> Tensor:
        """Return the loss of a batch, which ``backward`` propagates; where it does not fit, that of its halves.

        Several processes propagate together, so that none of them can go another way: there it is the loss itself.

        Raises:
            RuntimeError: not even the halves fit, or the batch is a single row.
        """
        if not isinstance(self.trainer.strategy, SingleDeviceStrategy):
            return self.loss(batch)
        graph = None
        try:
            graph = self.loss(batch)
        except (RuntimeError, MemoryError) as error:
            if not self._may_halve(error, batch):
                raise
        if graph is None:
            release()
            with torch.no_grad():
                value = torch.stack(list(self.half_losses(batch))).sum()
        else:
            value = graph.detach()
        self.held = Held(batch, value.requires_grad_(), graph)
        return self.held.leaf

    def backward(self, loss: Tensor, *args: Any, **kwargs: Any) -> None:
        """Propagate a loss back; where that does not fit, those of the halves of its batch.

        Raises:
            RuntimeError: as ``held_loss``.
        """
        loss.backward(*args, **kwargs)  # type: ignore[no-untyped-call]
        if self.held is None:
            return
        (batch, leaf, graph), self.held = self.held, None
        if graph is not None:
            before = self._gathered()
            try:
                graph.backward(leaf.grad)  # type: ignore[no-untyped-call]
                return
            except (RuntimeError, MemoryError) as error:
                if not self._may_halve(error, batch):
                    raise
            del graph
            for parameter in self.parameters():
                parameter.grad = before.get(parameter)
            release()
        losses = self.half_losses(batch)
        while self._propagate_next(losses, leaf.grad):
            continue

    def _gathered(self) -> dict[Tensor, Tensor]:
        """Return what earlier batches of the same step have left as gradients, by parameter."""
        if self.trainer.accumulate_grad_batches == 1:
            return {}  # known without a look at each parameter, which takes a tenth of a millisecond
        return {one: one.grad.clone() for one in self.parameters() if one.grad is not None}

    def _propagate_next(self, losses: Iterator[Tensor], factor: Tensor | None) -> bool:
        """Propagate the next loss, of which nothing stays in memory; return whether there was one."""
        with self.trainer.precision_plugin.train_step_context():  # the number format of a step
            half = next(losses, None)
        if half is None:
            return False
        half.backward(factor)  # type: ignore[no-untyped-call]
        return True

    def _may_halve(self, error: Exception, batch: Batch[Tensor]) -> bool:
        """Return whether an error says that a batch does not fit which can be halved; tell of the first one."""
        if len(batch.lengths) < 2 or out_of_memory(error) is None:
            return False
        if not self.told_of_halving:
            rows, steps = batch.inputs.shape[:2]
            told = f"out of memory on a batch of {rows} rows of {steps} steps"
            say(f"{told}: it is halved, as others that do not fit: a smaller batch_size, or batch_tokens, saves time")
        self.told_of_halving = True
        return True


def release() -> None:
    """Give back to the device what is free of its memory."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
