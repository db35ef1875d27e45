"""Streams and environment as a process may meet them."""

import json
import os
import subprocess
import sys

import pytest
import torch

from gru_nlp.cli import main as program
from gru_nlp.cli.surroundings import RANKS, forget_ranks
from gru_nlp.console import is_first_process
from gru_nlp.errors import UserError, out_of_memory
from gru_nlp.tasks.base import Task


def shell(line):
    """Run a line of bash in which $GRU is the program; return exit code, standard output and standard error."""
    found = {**os.environ, "GRU": f"{sys.executable} -m gru_nlp", "LC_ALL": "C"}
    found.pop("PYTHONUTF8", None)
    ended = subprocess.run(["bash", "-c", line], capture_output=True, env=found, check=False)
    return ended.returncode, ended.stdout.decode(), ended.stderr.decode()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device of Linux")
@pytest.mark.parametrize("command", ["--help", "completion bash", "train --help"])
def test_a_full_disk_is_one_line_for_what_only_prints(command):
    code, out, err = shell(f"$GRU {command} > /dev/full")
    assert (code, out, err) == (2, "", "gru-nlp: the output cannot be written: No space left on device\n")


def test_closed_standard_output_is_refused(trained):
    code, _, err = shell(f"$GRU predict checkpoint='{trained}' -- good >&-")
    assert (code, err) == (
        2,
        "gru-nlp: standard output is closed: give it somewhere to go, such as > answers.jsonl\n",
    )


def test_remarks_do_not_run_into_answers_where_standard_error_is_closed(trained, tmp_path):
    (tmp_path / "texts").write_text("Größe 张\n" * 200, encoding="utf-8")
    code, out, err = shell(f"cd {tmp_path}; $GRU predict checkpoint='{trained}' input=texts output=said 2>&-")
    assert (code, out, err) == (0, "", "")
    records = [json.loads(line) for line in (tmp_path / "said").read_text(encoding="utf-8").splitlines()]
    assert [record["text"] for record in records] == ["Größe 张"] * 200


def test_answers_are_utf_8_whatever_the_locale(trained):
    code, out, _ = shell(f"PYTHONIOENCODING=ascii $GRU predict checkpoint='{trained}' -- 'Größe 张' <&-")
    assert (code, json.loads(out)["text"]) == (0, "Größe 张")


@pytest.mark.parametrize("name", RANKS)
def test_a_number_that_no_launcher_stands_behind_is_forgotten(name, monkeypatch):
    monkeypatch.delenv("MASTER_ADDR", raising=False)
    monkeypatch.setenv(name, "x")
    assert is_first_process()
    forget_ranks()
    assert name not in os.environ


def test_a_launcher_keeps_its_numbers(monkeypatch):
    monkeypatch.setenv("MASTER_ADDR", "localhost")
    monkeypatch.setenv("LOCAL_RANK", "1")
    forget_ranks()
    assert os.environ["LOCAL_RANK"] == "1"
    assert not is_first_process()
    monkeypatch.setenv("RANK", "x")
    with pytest.raises(UserError, match="^RANK=x in the environment is no number: unset it$"):
        forget_ranks()


def test_several_processes_are_for_training(monkeypatch, capsys):
    launcher = {"RANK": "0", "WORLD_SIZE": "2", "LOCAL_RANK": "0", "LOCAL_WORLD_SIZE": "2"}
    for name, value in (launcher | {"MASTER_ADDR": "localhost", "MASTER_PORT": "1"}).items():
        monkeypatch.setenv(name, value)
    assert program.main(["evaluate", "checkpoint=run"]) == 2
    assert capsys.readouterr().err == "gru-nlp: evaluate goes on in one process: start it without torchrun\n"


def test_a_name_that_is_no_utf_8_is_refused_where_it_would_be_kept(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    code = program.main(["train", f"run_dir={os.fsdecode(b'r' + bytes([0xE9]))}"])
    assert code == 2
    told = capsys.readouterr().err
    assert told == "gru-nlp: run_dir=r\\udce9: a name that is not UTF-8 cannot be kept with a run: rename it\n"
    assert not list(tmp_path.iterdir())


def no_memory(*_):
    return torch.empty(2**50)


def test_a_model_without_room_is_one_line_and_leaves_no_folder(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(Task, "training_step", no_memory)
    code = program.main(["train", "run_dir=run", "trainer.enable_progress_bar=false"])
    told = capsys.readouterr().err.splitlines()[-1]
    assert (code, told) == (
        2,
        f"gru-nlp: out of memory, which wants {2**52} bytes more: set a smaller batch_size, a smaller model or "
        "shorter texts",
    )
    assert not (tmp_path / "run").exists()


def test_what_says_that_there_is_no_memory():
    with pytest.raises(RuntimeError) as caught:
        no_memory()
    assert out_of_memory(caught.value)
    gpu = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total ...")
    assert "wants 2.00 GiB more" in str(out_of_memory(gpu))
    assert str(out_of_memory(MemoryError())).startswith("out of memory: set")
    assert out_of_memory(RuntimeError("shapes cannot be multiplied")) is None


LONG = "b" * 300


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["predict", "checkpoint={trained}", f"input={LONG}"], "cannot be read: File name too long (set input=...)"),
        (["predict", f"checkpoint={LONG}"], "no such checkpoint (set checkpoint=<file or run folder>)"),
        (["train", f"run_dir={LONG}"], "cannot be written, since File name too long: set run_dir=<new folder>"),
        (["train", f"resume={LONG}"], "holds no config.yaml, so it is no run folder (set resume=<run folder>)"),
        (["train", f"embedding.vectors={LONG}"], "no such file of vectors (set embedding.vectors=<file>)"),
        (["train", "data=csv", f"data.train={LONG}"], "no such file (set data.train=...)"),
        (
            ["train", "data=imdb", f"data.dir={LONG}"],
            "no such folder (set data.dir=<folder with train.tsv.gz, test.tsv.gz>)",
        ),
    ],
)
def test_a_name_that_is_too_long_names_nothing(options, told, trained, capsys):
    assert program.main([option.format(trained=trained) for option in options]) == 2
    assert capsys.readouterr().err.splitlines()[-1].endswith(f"{LONG}: {told}")
