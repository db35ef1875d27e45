import json
from pathlib import Path

import torch
from torch import nn

from gru_nlp.cli.main import main
from gru_nlp.nn.li_gru import LiGRU
from gru_nlp.tasks.averaging import WeightAverage


def test_the_average_follows_its_equation_and_changes_places():
    model = nn.Linear(1, 1, bias=False)
    nn.init.constant_(model.weight, 0.0)
    average = WeightAverage(model, 0.5)
    expected = 0.0
    for update, value in enumerate((1.0, 2.0, 4.0), start=1):
        nn.init.constant_(model.weight, value)
        average.update()
        kept = min(0.5, (1 + update) / (10 + update))
        expected = kept * expected + (1 - kept) * value
    average.swap()
    assert torch.isclose(model.weight.squeeze(), torch.tensor(expected))
    average.swap()
    assert model.weight.item() == 4.0
    again = WeightAverage(model, 0.5)
    again.load_state_dict(average.state_dict())
    assert again.updates == 3
    assert torch.equal(again.average[0], average.average[0])


def test_statistics_of_batches_are_averaged_with_the_weights_that_they_belong_to():
    torch.manual_seed(0)
    cell = LiGRU(3, 2, recurrent_dropout=0.0).train()
    average = WeightAverage(nn.ModuleList([cell]), 0.5)
    past = cell.variance.clone()
    cell(torch.randn(4, 5, 3))
    kept = 2 / 11
    expected = kept * past + (1 - kept) * cell.variance
    average.update()
    average.swap()
    torch.testing.assert_close(cell.variance, expected)
    assert {"0.mean", "0.variance"} <= set(average.state_dict())


def test_the_best_checkpoint_holds_the_average_that_was_validated():
    rows = "".join(f"good {i},yes\nbad {i},no\n" for i in range(40))
    Path("a.csv").write_text("text,label\n" + rows)
    sizes = ["encoder.hidden_size=4", "embedding.size=4", "trainer.enable_progress_bar=false", "batch_size=8"]
    options = ["data=csv", "data.train=a.csv", "data.validation=a.csv", "run_dir=run", *sizes]
    assert main(["train", *options, "trainer.max_epochs=1", "task.average_decay=0.99"]) == 0
    best, last = (torch.load(f"run/{name}.ckpt", weights_only=True) for name in ("best", "last"))
    for name, value in last["gru_nlp_average"].items():
        if name != "updates":
            assert torch.equal(best["state_dict"]["model." + name], value)
            assert not torch.equal(last["state_dict"]["model." + name], value)
    assert "gru_nlp_average" not in best
    # The stored score, of the average during training, is the one that the best checkpoint gives again.
    stored = best["gru_nlp"]["scores"]["validation/loss"]
    assert json.loads(Path("run/metrics.json").read_text())["validation/loss"] == stored
