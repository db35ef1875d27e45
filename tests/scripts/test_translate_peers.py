import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"
FOUND = {"parameters": 2.5e6, "tokens": 600, "wall": 4.0, "cpu": 2.0, "megabytes": 900.0, "bulk_wall": 2.0,
         "bulk_cpu": 1.0, "single_wall": 8.0, "single_cpu": 4.0}  # fmt: skip


@pytest.fixture
def scripts(monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPTS))
    import benchmark_translate_peers
    import translate_peers

    yield benchmark_translate_peers, translate_peers
    for name in ("benchmark_translate_peers", "translate_peers"):
        del sys.modules[name]


def test_steps_before_and_after_those_that_count_are_left_out(scripts):
    clock = scripts[1].Clock(SimpleNamespace(warm=2, steps=3))
    ends = [clock.begin(10**place) for place in range(6)]
    assert ends == [False] * 5 + [True]
    assert clock.figures()["tokens"] == 11100
    assert clock.figures()["wall"] > 0


def test_a_line_has_speeds_by_both_clocks_and_ratios_of_cpu_time(scripts):
    peer = FOUND | {"tokens": 300, "cpu": 5.0, "bulk_cpu": 8.0, "single_cpu": 2.0}
    line = scripts[0].row("ours", FOUND, peer, 20)
    assert line == "| ours | 2.5 | 150.0 / 300.0 | 5.00 | 900 | 10.0 / 20.0 | 8.00 | 2.5 / 5.0 | 0.50 |"
    assert scripts[0].row("ours", FOUND, None, 20).count("|  |") == 3


def test_peers_get_the_sizes_of_the_plan(scripts, tmp_path):
    plan = SimpleNamespace(**scripts[0].PLAN, **scripts[0].NUMBERS, attention="additive")
    model = scripts[1].joeynmt_config(tmp_path, plan)["model"]
    assert [model[side]["hidden_size"] for side in ("encoder", "decoder")] == [256, 512]
    assert model["decoder"]["attention"] == "bahdanau"
    given = scripts[1].onmt_options(tmp_path, plan)
    assert given[given.index("-global_attention") + 1] == "mlp"
    assert "data" in json.loads((tmp_path / "onmt.yaml").read_text())
