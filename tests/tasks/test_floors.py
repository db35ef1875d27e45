"""Rates that fall from floor to floor, and floors that are trained one after the other."""

from functools import partial
from pathlib import Path

import pytest
import torch
from torch import nn

import gru_nlp
from gru_nlp.errors import UserError
from gru_nlp.tasks.floors import Thawing, make_optimizer, parameter_groups
from gru_nlp.tasks.schedules import cosine

SMALL = ["encoder.hidden_size=8", "encoder.layers=2", "device=cpu", "threads=1", "logger=none"]
SMALL += ["trainer.enable_progress_bar=false", "trainer.limit_train_batches=2", "model.wide=none"]


class Tower(nn.Module):
    def __init__(self):
        super().__init__()
        self.bottom = nn.Embedding(5, 4)
        self.middle = nn.Linear(4, 4)
        self.top = nn.Linear(4, 2)

    def floors(self):
        return [[self.middle], [self.bottom]]


def test_rates_fall_by_floor_and_schedules_start_from_there():
    model = Tower()
    optimizer = make_optimizer(partial(torch.optim.AdamW, lr=0.1), model, model.floors(), 0.5)
    rates = {id(weight): group["lr"] for group in optimizer.param_groups for weight in group["params"]}
    for module, rate in ((model.top, 0.1), (model.middle, 0.05), (model.bottom, 0.025)):
        assert {rates[id(weight)] for weight in module.parameters()} == {rate}
    decays = {id(w): group["weight_decay"] for group in optimizer.param_groups for w in group["params"]}
    assert decays[id(model.bottom.weight)] == decays[id(model.middle.bias)] == 0.0
    assert decays[id(model.middle.weight)] > 0.0
    schedule = cosine(optimizer, 10, warmup=0.0, floor=0.0)
    for _ in range(5):
        optimizer.step()
        schedule.step()
    halves = {id(weight): group["lr"] for group in optimizer.param_groups for weight in group["params"]}
    assert halves[id(model.bottom.weight)] == pytest.approx(0.25 * halves[id(model.top.weight)])
    assert len(parameter_groups(model)) == 2


def test_floors_thaw_from_the_top_and_what_is_never_trained_stays():
    model = Tower()
    model.middle.bias.requires_grad_(False)
    thawing = Thawing(model, 2)
    seen = []
    for epoch in range(5):
        thawing.start_epoch(epoch)
        assert model.top.weight.requires_grad
        assert not model.middle.bias.requires_grad
        seen.append((model.middle.weight.requires_grad, model.bottom.weight.requires_grad))
    assert seen == [(False, False)] * 2 + [(True, False)] * 2 + [(True, True)]
    Thawing(model, 0).start_epoch(0)
    assert model.bottom.weight.requires_grad


def trained(folder, *options):
    gru_nlp.train("task=sentiment", *SMALL, "task.thaw_epochs=1", f"run_dir={folder}", *options)
    weights = torch.load(f"{folder}/last.ckpt", weights_only=True)["state_dict"]
    return {name.removeprefix("model."): weight for name, weight in weights.items()}


def test_an_epoch_moves_the_top_alone_and_later_ones_more():
    still = trained("still", "trainer.max_epochs=1", "optimizer.lr=1e-12", "optimizer.weight_decay=0")
    for epochs, floors in ((1, ("output",)), (2, ("output", "encoder.forward_cells.1", "encoder.backward_cells.1"))):
        weights = trained(f"of-{epochs}", f"trainer.max_epochs={epochs}", "patience=9")
        changed = {name for name, weight in weights.items() if not torch.allclose(weight, still[name], atol=1e-6)}
        assert changed <= {name for name in weights if name.startswith(floors)}
        assert all(any(name.startswith(floor) for name in changed) for floor in floors)


def test_bad_values_are_told():
    for option, told in (("floor_decay=0", "floor_decay=0"), ("floor_decay=1.5", "1.5"), ("thaw_epochs=-1", "-1")):
        with pytest.raises(UserError, match=told):
            gru_nlp.train("task=sentiment", *SMALL, f"task.{option}")


def test_floors_thaw_in_one_process():
    with pytest.raises(UserError, match="set trainer.devices=1, or task.thaw_epochs=0"):
        gru_nlp.train("task=sentiment", *SMALL, "task.thaw_epochs=1", "trainer.devices=2", "run_dir=run")


@pytest.mark.parametrize("task", ["sentiment", "ner", "translation", "multilabel"])
def test_every_kind_of_model_has_a_top_and_floors_without_a_weight_in_common(task):
    Path("a.csv").write_text("text,label\n" + "a fine film,good\nthe cast is bad,bad;dull\n" * 20)
    data = ["data.train=a.csv", "data.label_separator=;"] if task == "multilabel" else []
    wide = ["model.wide=none"] if task in ("sentiment", "multilabel") else []
    quick = [option for option in SMALL if "wide" not in option]
    run = gru_nlp.train(
        f"task={task}", *quick, *wide, *data, "trainer.max_epochs=1", "task.floor_decay=0.5", "run_dir=a"
    )
    floors = run.parts.model.floors()
    weights = [id(weight) for floor in floors for module in floor for weight in module.parameters()]
    assert len(floors) == 3  # two layers and the embedding
    assert len(weights) == len(set(weights))
    assert set(weights) < {id(weight) for weight in run.parts.model.parameters()}
