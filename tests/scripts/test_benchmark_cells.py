import importlib.util
from pathlib import Path

import pytest
import torch

SCRIPT = Path(__file__).parents[2] / "scripts" / "benchmark_cells.py"


@pytest.fixture
def bench(monkeypatch):
    spec = importlib.util.spec_from_file_location("benchmark_cells", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "LENGTHS", (2, 4, 8))
    monkeypatch.setattr(module, "BATCHES", (1, 2))
    monkeypatch.setattr(module, "PRODUCT", 64)
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    return module


def test_every_unit_at_every_size_has_a_row(bench, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["benchmark_cells.py", "rounds=1", "size=4"])
    bench.main()
    table, growth = capsys.readouterr().out.split("\n\n")
    names = ["matrix product", *bench.units(4)]
    rows = [line[:17].strip() for line in table.splitlines()[1:]]
    assert rows == names * 6
    assert [line[:19].strip() for line in growth.splitlines()[1:-1]] == names[1:]


def test_what_is_kept_for_the_gradients_is_counted_once(bench):
    weight = torch.nn.Parameter(torch.ones(4, 4))
    sequence = torch.ones(3, 4, requires_grad=True)
    # The exponential keeps its result, 48 bytes; products keep their factors, of which the weight is left out.
    assert bench.kept_megabytes(lambda own: (own @ weight).exp(), sequence) == 48e-6
    assert bench.kept_megabytes(lambda own: (own @ weight).exp().exp(), sequence) == 96e-6
