"""What a run meets on its way: each row of ``scripts/FAULTS.md`` that names a test here shows what the person sees."""

import errno
import os
import re
import shutil
import time
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import datasets
import pytest
import torch

from gru_nlp.cli.main import main
from gru_nlp.data import layouts, module, tables
from gru_nlp.tasks.base import Task
from gru_nlp.tasks.classification import ClassificationTask
from gru_nlp.training import run_folder

TABLE = Path(__file__).parents[2] / "scripts" / "FAULTS.md"
ROW = re.compile(r"^\| (.*) \| `(.*)` \| (\d+) \| (.*) \| `(test_\w+)` \|$", re.MULTILINE)
ROWS = {test: (line, int(code)) for _, line, code, _, test in ROW.findall(TABLE.read_text(encoding="utf-8"))}
#: Five batches an epoch.
SMALL = ("data=csv", "data.train=a.csv", "batch_size=8", "model.wide=none", "encoder.hidden_size=4", "embedding.size=4",
         "logger=none", "trainer.max_epochs=2", "trainer.enable_progress_bar=false")  # fmt: skip
KEPT = ["best.ckpt", "config.yaml", "last.ckpt"]


@pytest.fixture(autouse=True)
def _home(tmp_path, monkeypatch):
    """Cache in the test's own folder, beside a table of 44 rows, of which four are for validation."""
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    (tmp_path / "cache" / "gru_nlp").mkdir(parents=True)
    tables.folder.cache_clear()
    write()
    yield
    tables.folder.cache_clear()


def write(word="good", rows=44):
    """Write the table."""
    lines = [f"{word if row % 2 else 'bad'} thing {row},{'ab'[row % 2]}" for row in range(rows)]
    Path("a.csv").write_text("text,label\n" + "\n".join(lines) + "\n")


def train(*options):
    """Train in the folder ``run``; return the exit code."""
    return main(["train", *SMALL, "run_dir=run", *options])


def at_second_epoch(monkeypatch, do):
    """Let something happen once an epoch is over and saved."""
    hook = lambda task: do() if task.current_epoch == 1 else None  # noqa: E731
    monkeypatch.setattr(Task, "on_train_epoch_start", hook, raising=False)


@pytest.fixture
def seen(capsys, tmp_path, request):
    """Return what compares the last line of standard error, or that of some words, with the row of the table."""

    def compare(code, words=""):
        lines = [line for line in capsys.readouterr().err.replace(str(tmp_path), ".").splitlines() if words in line]
        shown = re.sub(r"/\S*gru-nlp-tables-\w+", "<temporary folder>", lines[-1] if lines else "nothing")
        assert (shown, code) == ROWS[request.node.originalname or request.node.name]

    return compare


@contextmanager
def full_disk():
    """Give what fills the disk: from then on, until the block ends, no file may grow beyond 100 bytes."""
    resource = pytest.importorskip("resource", reason="Windows has no such limit")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        yield lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def held():
    """Return the names in the run folder, and the step that its last checkpoint is of, whose weights are numbers."""
    content = torch.load("run/last.ckpt", weights_only=True)
    assert all(weight.isfinite().all() for weight in content["state_dict"].values())
    return sorted(path.name for path in Path("run").iterdir()), content["global_step"]


def test_a_full_disk_for_the_next_checkpoint(monkeypatch, seen):
    with full_disk() as fill:
        at_second_epoch(monkeypatch, fill)
        seen(train())
    assert held() == (KEPT, 5)


@pytest.mark.parametrize("logger", ["csv", "tensorboard"])
def test_a_full_disk_for_logs(logger, monkeypatch, seen):
    with full_disk() as fill:
        at_second_epoch(monkeypatch, fill)
        seen(train(f"logger={logger}", "trainer.log_every_n_steps=1"))
    assert held() == ([*KEPT, "logs"], 5)


def test_a_full_disk_for_predictions(monkeypatch, seen):
    with full_disk() as fill:
        monkeypatch.setattr(Task, "on_test_end", lambda task: fill(), raising=False)
        seen(train("data.test=a.csv"))
    assert held() == (KEPT, 10)


def test_a_full_disk_for_a_cached_table(seen):
    with full_disk() as fill:
        fill()
        seen(train())
    assert not Path("run").exists()
    assert not [path for path in Path("cache").rglob("*") if path.is_file() and path.stat().st_size]


def test_a_cache_that_cannot_be_written(monkeypatch, seen):
    monkeypatch.setenv("HF_DATASETS_CACHE", "/dev/null/cache")
    seen(train(), "cannot be written")


@pytest.mark.parametrize("method", ["from_generator", "map"])
def test_a_cached_table_of_somebody_else(method, monkeypatch, seen):
    usual = getattr(datasets.Dataset, method)

    def refused(*args, **options):
        place = str(options.get("cache_dir") or options.get("cache_file_name") or "")
        if "gru-nlp-tables" not in place:
            raise PermissionError(errno.EACCES, "Permission denied", place)
        return usual(*args, **options)

    monkeypatch.setattr(datasets.Dataset, method, refused)
    monkeypatch.setattr(tables, "instead", lambda place, error, own=tables.instead: own(Path("cache"), error))
    seen(train(), "cannot be written")


def test_a_run_folder_that_vanishes(monkeypatch, seen):
    at_second_epoch(monkeypatch, lambda: shutil.rmtree("run"))
    seen(train())
    assert not Path("run").exists()


def test_a_data_file_that_changes_between_two_runs(seen, capsys):
    assert train() == 0
    write("fine")
    assert main(["train", *SMALL, "data.test=a.csv", "run_dir=next"]) == 0
    assert "fine thing" in Path("next/predictions.jsonl").read_text()
    capsys.readouterr()
    seen(0)


def test_a_data_file_that_changes_before_a_run_goes_on(seen, capsys):
    assert train() == 0
    assert main(["train", "resume=run", "trainer.max_epochs=3"]) == 0
    assert "not the rows" not in capsys.readouterr().err
    write(rows=60)
    seen(main(["train", "resume=run", "trainer.max_epochs=4"]), "not the rows")


def test_a_data_file_that_changes_while_it_is_read(monkeypatch, seen):
    def later(*given, once=layouts.read_once):
        write(rows=60)
        return once(*given)

    monkeypatch.setattr(layouts, "read_once", later)
    seen(train())
    assert not Path("run").exists()
    assert not list(Path("cache").rglob("*.arrow"))


def test_a_data_file_that_changes_during_a_run(monkeypatch, seen, capsys):
    assert train("data.test=a.csv") == 0
    usual = Path("run/predictions.jsonl").read_text()
    at_second_epoch(monkeypatch, lambda: write("fine", rows=60))
    assert main(["train", *SMALL, "data.test=a.csv", "run_dir=next"]) == 0
    assert Path("next/predictions.jsonl").read_text() == usual
    assert capsys.readouterr().err
    seen(0)


def at_batch(monkeypatch, number, change):
    """Let ``change`` make the loss of a training's ``number``-th batch, counted from 1, and of those after it."""
    usual, calls = ClassificationTask.loss, []

    def loss(task, batch):
        calls.append(batch)
        return change(usual(task, batch), len(calls) - number) if len(calls) >= number else usual(task, batch)

    monkeypatch.setattr(ClassificationTask, "loss", loss)


@pytest.mark.parametrize("options", [(), ("+trainer.check_val_every_n_epoch=2", "trainer.max_epochs=4")])
def test_a_loss_that_is_no_number(options, monkeypatch, seen):
    first = 7 if not options else 17
    at_batch(monkeypatch, first, lambda loss, after: loss if after else loss * float("nan"))
    code = train(*options)
    if options:  # the third epoch is saved without a validation
        assert (code, held()) == (2, (KEPT, 15))
        return
    seen(code)
    assert held() == (KEPT, 5)


def no_memory(loss, after):
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")


def test_a_batch_that_does_not_fit(monkeypatch, seen):
    at_batch(monkeypatch, 7, lambda loss, after: loss if after else no_memory(loss, after))
    seen(train(), "out of memory")
    assert held() == ([*KEPT, "metrics.json", "report.html", "report.json"], 10)


def test_a_batch_whose_halves_do_not_fit(monkeypatch, seen):
    at_batch(monkeypatch, 7, no_memory)
    seen(train())
    assert held() == (KEPT, 5)


def test_a_loader_process_that_dies(monkeypatch, seen):
    usual, parent, calls = module._Collate.__call__, os.getpid(), []

    def collate(self, columns):
        calls.append(columns)
        if os.getpid() != parent and self.training and len(calls) == 8:  # in the second epoch
            os._exit(3)
        return usual(self, columns)

    monkeypatch.setattr(module._Collate, "__call__", collate)
    seen(train("num_workers=1"))
    assert held() == (KEPT, 5)


def test_a_clock_that_jumps_back(monkeypatch, seen, capsys):
    class Stuck(datetime):
        @classmethod
        def now(cls, tz=None):
            return cls(2026, 1, 1)

    usual, years = time.time, [0]
    monkeypatch.setattr(time, "time", lambda: usual() - years[0] * 3e7)
    monkeypatch.setattr(run_folder, "datetime", Stuck)
    at_second_epoch(monkeypatch, lambda: years.append(years.pop() + 10))
    for folder in ("runs/sentiment-20260101-000000-000000", "runs/sentiment-20260101-000000-000000-2"):
        assert main(["train", *SMALL]) == 0
        assert capsys.readouterr().out.splitlines()[-1] == f"run folder: {folder}"
        (seconds,) = re.findall(r'"wall_seconds": (.*),', Path(folder, "metrics.json").read_text())
        assert 0 <= float(seconds) < 600
    seen(0)
