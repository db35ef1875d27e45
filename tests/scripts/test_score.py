import importlib.util
import json
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "score.py"


@pytest.fixture
def score():
    spec = importlib.util.spec_from_file_location("score", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_mean_and_deviation_over_the_seeds_as_text_and_json(score, monkeypatch, capfd):
    own = Path("yaml", "experiment")
    own.mkdir(parents=True)
    rows = "".join(f"good {i},yes\nbad {i},no\n" for i in range(30))
    Path("a.csv").write_text("text,label\n" + rows)
    (own / "tiny.yaml").write_text(
        "# @package _global_\ndefaults:\n  - override /data: csv\nencoder:\n  hidden_size: 4\n"
        "trainer:\n  max_epochs: 1\n  enable_progress_bar: false\n"
    )
    options = ["experiment=tiny", "seeds=1,2", "output=score.json", "data.train=a.csv", "data.test=a.csv"]
    monkeypatch.setattr("sys.argv", ["score.py", *options, "--config-dir=yaml"])
    score.main()
    content = json.loads(Path("score.json").read_text())
    values = [json.loads(Path(f"runs/score-tiny/seed-{s}/metrics.json").read_text())["test/loss"] for s in (1, 2)]
    assert values[0] != values[1]
    loss = content["scores"]["test/loss"]
    assert loss["values"] == values
    assert loss["mean"] == pytest.approx(sum(values) / 2)
    assert loss["deviation"] == pytest.approx(abs(values[0] - values[1]) / 2**0.5)
    assert f"test/loss              {loss['mean']:.4f} +- {loss['deviation']:.4f}" in capfd.readouterr().out
    monkeypatch.setattr("sys.argv", ["score.py", *options, "--config-dir=yaml", "batch_size=8"])
    with pytest.raises(SystemExit, match="holds runs with other options"):
        score.main()


def test_without_an_experiment_it_tells_its_usage(score):
    with pytest.raises(SystemExit, match="usage: python scripts/score.py"):
        score.arguments(["seeds=1"])
