"""A file that is written anew takes the place of the one that answers; a broken one does not."""

import os
import shutil

import pytest

from gru_nlp.serving.batching import Worker
from gru_nlp.serving.metrics import Metrics
from gru_nlp.serving.models import load, name_of
from gru_nlp.serving.watching import Watch


@pytest.fixture
def watched(runs, tmp_path):
    """Return the watch of a copy of a run, and where its file stands."""
    folder = shutil.copytree(runs["sentiment"], tmp_path / "run")

    def again(path):
        return load(path, "cpu", ())

    worker = Worker(again(str(folder)))
    return Watch(str(folder), worker, again, Metrics()), folder / "best.ckpt"


def place(content, file):
    """Put a file in the place of another, at another time."""
    other = file.with_name("other")
    other.write_bytes(content)
    os.utime(other, ns=(0, file.stat().st_mtime_ns + 10**9))
    os.replace(other, file)


def test_a_new_file_is_loaded_once_it_rests(watched, made, tmp_path, capsys):
    watch, file = watched
    before = watch.worker.model
    watch.look()
    new = made(tmp_path / "new", "sentiment", seed=2) / "best.ckpt"
    place(new.read_bytes(), file)
    watch.look()
    assert watch.worker.model is before  # it may still be written
    watch.look()
    after = watch.worker.model
    assert after is not before
    assert after.ranked(1)(["a great cast"]) != before.ranked(1)(["a great cast"])
    watch.look()
    assert watch.worker.model is after
    assert capsys.readouterr().err == "the model 'run' was loaded anew\n"
    assert 'reloads_total{model="run",outcome="loaded"} 1' in watch.metrics.text({})


def test_a_broken_or_missing_file_leaves_the_old_model(watched, capsys):
    watch, file = watched
    before, good = watch.worker.model, file.read_bytes()
    place(good[:1000], file)
    for _ in range(4):
        watch.look()
    assert watch.worker.model is before
    told = capsys.readouterr().err
    assert told.startswith("the model 'run' stays as it was, since its new file is not loaded: ")
    assert told.count("\n") == 1
    moved = file.rename(file.with_name("moved"))
    watch.look()
    moved.rename(file)
    place(good, file)
    watch.look()
    watch.look()
    assert watch.worker.model is not before


def test_models_are_named_by_their_folders(runs):
    assert name_of("runs/mine/best.ckpt") == name_of("runs/mine") == name_of("runs/mine/") == "mine"
    assert name_of("kept.ckpt") == "kept"
