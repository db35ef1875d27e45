"""Shards labelled by many workers: what needs no Ray is tried without it, by one worker in this process."""

import gzip
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from gru_nlp.cli.main import main
from gru_nlp.errors import UserError

SCRIPT = Path(__file__).parents[2] / "scripts" / "predict_ray.py"
ROWS = [{"text": text, "id": i} for i, text in enumerate(["a great cast", "", "far too slow", "what a bore", "lovely"])]
LINES = "".join(json.dumps(row) + "\n" for row in ROWS)


@pytest.fixture
def script(monkeypatch):
    spec = importlib.util.spec_from_file_location("predict_ray", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.labelled = []

    def run(shards, predictor, threads, workers):
        labeller = module.Labeller(predictor, threads)
        for shard in shards:
            module.labelled.append(Path(shard.source).name)
            yield labeller({"shard": json.dumps(shard._asdict())})

    module.by_ray = module.run
    monkeypatch.setattr(module, "run", run)
    monkeypatch.setenv("RAYON_NUM_THREADS", "1")
    yield module
    torch.set_num_threads(2)


@pytest.fixture
def shards():
    """Write three shards of three kinds, and what is none."""
    folder = Path("in")
    folder.mkdir()
    (folder / "a.jsonl").write_text(LINES)
    pq.write_table(pa.Table.from_pylist(ROWS[::-1]), folder / "b.PARQUET")
    (folder / "c.ndjson.gz").write_bytes(gzip.compress((LINES * 2).encode()))
    (folder / "_SUCCESS").write_text("")
    (folder / ".a.jsonl.crc").write_text("")
    (folder / "d.jsonl").mkdir()
    return folder


def options(trained, *more):
    return [f"checkpoint={trained}", "input=in", "output=out", "workers=2", *more]


def labelled(script, *arguments):
    """Return the exit code, and the shards that were labelled."""
    script.labelled.clear()
    return script.main(*arguments), list(script.labelled)


@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_answers_are_those_of_predict_and_are_not_made_twice(script, shards, trained, kind, capsys):
    given = options(trained, f"format={kind}")
    assert labelled(script, given) == (0, ["a.jsonl", "b.PARQUET", "c.ndjson.gz"])
    for source, name in (("a.jsonl", "a"), ("b.PARQUET", "b"), ("c.ndjson.gz", "c")):
        one = [f"checkpoint={trained}", f"input=in/{source}", f"output=one.{kind}", f"format={kind}"]
        assert main(["predict", *one]) == 0
        assert Path(f"out/{name}.{kind}").read_bytes() == Path(f"one.{kind}").read_bytes()
    assert sorted(os.listdir("out")) == [".made", f"a.{kind}", f"b.{kind}", f"c.{kind}"]
    assert labelled(script, given) == (0, [])
    assert "3 shards, 3 of them done before" in capsys.readouterr().err


def test_only_what_is_missing_or_has_changed_is_labelled(script, shards, trained, monkeypatch):
    assert labelled(script, options(trained))[0] == 0
    Path("out/a.jsonl").unlink()
    (shards / "c.ndjson.gz").write_bytes(gzip.compress(LINES.encode()))
    assert labelled(script, options(trained)) == (0, ["a.jsonl", "c.ndjson.gz"])
    assert len(Path("out/c.jsonl").read_text().splitlines()) == len(ROWS)
    whole = Path("out/b.jsonl").read_bytes()
    Path("out/b.jsonl").write_bytes(whole[:-5])
    assert labelled(script, options(trained)) == (0, ["b.PARQUET"])
    assert Path("out/b.jsonl").read_bytes() == whole

    (shards / "a.jsonl").write_text(LINES * 3)
    before = Path("out/a.jsonl").read_bytes()
    place = os.replace

    def killed(part, target):
        if Path(target) == Path("out/a.jsonl").absolute():
            raise KeyboardInterrupt
        place(part, target)

    monkeypatch.setattr(os, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        script.main(options(trained))
    monkeypatch.setattr(os, "replace", place)
    assert json.loads(Path("out/.made/a.jsonl.json").read_text())["texts"] == 3 * len(ROWS)
    assert Path("out/a.jsonl").read_bytes() == before
    assert labelled(script, options(trained)) == (0, ["a.jsonl"])
    assert len(Path("out/a.jsonl").read_text().splitlines()) == 3 * len(ROWS)


def test_answers_of_something_else_are_not_written_over(script, shards, trained):
    Path("out").mkdir()
    Path("out/b.jsonl").write_text("mine")
    with pytest.raises(UserError, match=r"out/b.jsonl: was not made by this script: set output=<another folder>"):
        script.main(options(trained))
    Path("out/b.jsonl").unlink()
    assert script.main(options(trained)) == 0
    with pytest.raises(UserError, match=r"out/a.jsonl: was made with top_k=1: set output=<another folder>"):
        script.main(options(trained, "top_k=2"))
    assert main(["info", f"checkpoint={trained}", "output=copy.ckpt"]) == 0
    with pytest.raises(UserError, match=r"out/a.jsonl: was made with another checkpoint: set output="):
        script.main(["checkpoint=copy.ckpt", *options(trained)[1:]])


def test_a_mistake_in_a_shard_ends_that_shard_alone_in_a_line(script, shards, trained, capsys):
    (shards / "a.jsonl").write_text(LINES + '{"body": "no text"}\n')
    assert script.main(options(trained)) == 2
    (told,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("gru-nlp: ")]
    assert "in/a.jsonl:6: " in told
    assert "'text'" in told
    assert sorted(os.listdir("out")) == [".made", "b.jsonl", "c.jsonl"]
    assert sorted(os.listdir("out/.made")) == ["b.jsonl.json", "c.jsonl.json"]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["input=empty"], r"empty: holds no shard that ends in .jsonl, .ndjson or .parquet \(set input=<folder>\)"),
        (["input=nowhere"], r"nowhere: no such folder \(set input=<folder of shards>\)"),
        (["output=in"], r"in: the answers would lie among the shards: set output=<another folder>"),
        (["output=in/a.jsonl"], r"in/a.jsonl: cannot be written: Not a directory \(set output=<folder>\)"),
        (["output="], r"output=<...> is needed"),
        (["workers=none"], r"workers=none must be a whole number, at least 1"),
        (["device=cuda"], r"device=cuda: the workers compute on processors: leave it out"),
        (["-m"], r"-m: options are given as name=value"),
        (["formt=csv"], r"no option formt; did you mean 'format'"),
        (["format=conll"], r"format=conll is for words with tags"),
        (["checkpoint=nowhere"], r"nowhere: no such checkpoint"),
    ],
)
def test_a_mistake_is_one_line(script, shards, trained, given, told):
    Path("empty").mkdir()
    with pytest.raises(UserError, match=told):
        script.main(options(trained, *given))
    assert not Path("out").exists()


def test_two_shards_of_one_name_are_refused(script, shards, trained):
    (shards / "b.ndjson").write_text(LINES)
    with pytest.raises(UserError, match=r"in/b.ndjson: would have the same answers, b.jsonl, as .*in/b.PARQUET"):
        script.main(options(trained))


def test_without_ray_the_way_to_it_is_told(script, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UserError, match=r"Ray is not installed: pip install 'gru_nlp\[scale\]'"):
        next(script.by_ray([], None, "auto", 1))


@pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="an extra")
def test_ray_labels_every_shard(shards, trained):
    (shards / "c.ndjson.gz").write_bytes(gzip.compress(b'{"body": 1}\n'))
    kind = {**os.environ, "RAY_worker_niceness": "0"}  # else workers starve on a busy machine
    done = subprocess.run([sys.executable, SCRIPT, *options(trained)], capture_output=True, text=True, env=kind)
    assert done.returncode == 2, done.stderr
    (told,) = [line for line in done.stderr.splitlines() if "gru-nlp: " in line or "Traceback" in line]
    assert "in/c.ndjson.gz:1: " in told
    for source, name in (("a.jsonl", "a"), ("b.PARQUET", "b")):
        assert main(["predict", f"checkpoint={trained}", f"input=in/{source}", "output=one.jsonl", "threads=1"]) == 0
        assert Path(f"out/{name}.jsonl").read_bytes() == Path("one.jsonl").read_bytes()
