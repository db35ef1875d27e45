"""A device that computes otherwise than the processor is refused before it trains."""

import numpy as np
import pytest
import torch
from torch import nn

from gru_nlp.batch import SequenceBatch
from gru_nlp.errors import UserError
from gru_nlp.tensors import resolve_device
from gru_nlp.training import parity

BATCH = SequenceBatch(np.array([[1, 2, 3], [4, 5, 0]]), np.array([3, 2]), np.array([0, 1]))


class Learner(nn.Module):
    """A task whose loss, or its gradient alone, can be off in every second computation, as on a faulty device."""

    def __init__(self, loss=0.0, gradient=0.0):
        super().__init__()
        torch.manual_seed(1)
        self.layer = nn.GRU(1, 4, batch_first=True)
        self.off = {"loss": loss, "gradient": gradient}
        self.calls = 0

    def loss(self, batch):
        second, self.calls = self.calls % 2, self.calls + 1
        loss = self.layer(batch.inputs[:, :, None].float())[0].square().mean()
        wrong = loss * self.off["gradient"]
        return loss * (1 + second * self.off["loss"]) + second * (wrong - wrong.detach())


def test_a_device_that_computes_the_same_is_taken_and_leaves_no_trace():
    task = Learner()
    before = [parameter.clone() for parameter in task.parameters()]
    parity.check(task, BATCH, "cpu")
    assert task.training
    assert all(parameter.grad is None for parameter in task.parameters())
    assert all(torch.equal(one, other) for one, other in zip(before, task.parameters(), strict=True))


@pytest.mark.parametrize(
    ("fault", "named"),
    [({"loss": 0.01}, "differs"), ({"gradient": 0.5}, "the gradient of layer"), ({"loss": float("nan")}, "differs")],
)
def test_a_device_that_computes_otherwise_is_refused(fault, named):
    with pytest.raises(UserError, match=rf"^device=cpu computes wrongly here: .*{named}.*set device=cpu"):
        parity.check(Learner(**fault), BATCH, "cpu")


def test_apples_gpu_is_taken_on_request_alone(monkeypatch):
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(UserError, match="device=mps, but torch sees no GPU of Apple's"):
        resolve_device("mps")
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert resolve_device("mps") == "mps"
    assert resolve_device("auto") != "mps"
