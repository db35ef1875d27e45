"""Every mistake of the user's gives one line, exit code 2, and nothing half-written."""

import gzip
import os
from pathlib import Path

import pytest
import torch

from gru_nlp import checkpoint
from gru_nlp.cli.main import main
from gru_nlp.errors import UserError

GOOD = "text,label\n" + "".join(f"text {i},{'ab'[i % 2]}\n" for i in range(40))


def refused(capsys, *arguments):
    """Run a command that must be refused; return its one line."""
    before = set(Path.cwd().rglob("*"))
    capsys.readouterr()
    assert main(list(arguments)) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    told = [line for line in captured.err.splitlines() if line != "reading the data"]
    assert len(told) == 1, told
    assert told[0].startswith("gru-nlp: ")
    assert set(Path.cwd().rglob("*")) == before
    return told[0]


def write(name, content):
    Path(name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(Path(name).absolute())


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "a.csv: holds no rows (set data.train=...)"),
        ("text,label\n", "a.csv: holds no rows"),
        ("body,label\nx,a\n", "a.csv:2: no column 'text'; the columns are: body, label (set data.text=...)"),
        ("text,stars\nx,a\n", "a.csv:2: no column 'label'; the columns are: text, stars (set data.label=...)"),
        ("text,label\nx,a\n ,b\n", "a.csv:3: a row without text (mend it, or set data.skip_empty=true)"),
        ("text,label\nx,a\ny,\n", "a.csv:3: a row without label"),
        ("text,label\nx,a\ny\n", "a.csv:3: 1 fields where 2 are expected (text, label)"),
        ('text,label\n"x,a\ny,b\n', "a.csv:2: not proper CSV"),
        (b"text,label\nx,a\nGr\xf6\xdfe,b\n", "a.csv:3: not utf-8 (byte 0xf6 at place 3): set data.encoding=latin-1"),
        ("text,label\n" + "x,a\n" * 20, "the training data has one label only ('a')"),
        (gzip.compress(GOOD.encode(), mtime=0)[:60], "a.csv: the gzip file is cut off or broken"),
    ],
)
def test_a_bad_training_file_is_named_with_its_line_and_option(capsys, content, told):
    path = write("a.csv", content)
    assert told in refused(capsys, "train", "data=csv", f"data.train={path}", "data.validation=null")


def test_missing_files_and_folders_are_named(capsys):
    assert "gone.csv: no such file (set data.train=...)" in refused(capsys, "train", "data=csv", "data.train=gone.csv")
    assert "gone: no such folder (set data.dir=" in refused(capsys, "train", "data=sst2", "data.dir=gone")
    assert "data.train=<file>" in refused(capsys, "train", "data=csv")
    assert "no such file of vectors (set embedding.vectors" in refused(
        capsys, "train", f"data.train={write('a.csv', GOOD)}", "data=csv", "embedding.vectors=gone.txt"
    )


def test_a_home_folder_that_there_is_not_is_a_name_like_any_other(capsys):
    assert "~nobody-here/a.csv: no such file" in refused(capsys, "train", "data=csv", "data.train=~nobody-here/a.csv")
    write("~a.csv", "text,label\nx,a\ny,a\n")
    assert "2 training rows are too few" in refused(capsys, "train", "data=csv", "data.train=~a.csv")


def test_bad_rows_of_other_splits_are_named(capsys):
    train = write("a.csv", GOOD)
    bad = write("b.csv", "text,label\nx,a\ny,c\n")
    told = refused(capsys, "train", "data=csv", f"data.train={train}", f"data.validation={bad}")
    assert "b.csv:3: the label 'c' does not occur in training (labels: a, b)" in told
    empty = write("t.csv", "text,label\nx,a\n,b\n")
    told = refused(capsys, "train", "data=csv", f"data.train={train}", f"data.test={empty}")
    assert "t.csv:3: a row without text" in told


@pytest.mark.parametrize(
    ("argument", "told"),
    [
        ("encoder.hiden_size=3", "did you mean 'encoder.hidden_size'?"),
        ("encodr=gru", "did you mean 'encoder'?"),
        ("data=sst3", "did you mean 'sst2'?"),
        ("encoder=gruu", "did you mean 'gru'?"),
        ("trainer.max_epochs=many", "trainer.max_epochs=many must be a whole number"),
        ("batch_size=0", "batch_size=0 must be at least 1"),
        ("batch_tokens=[1]", "batch_tokens=[1] must be a number"),
        ("batch_tokens=true", "batch_tokens=True must be a number"),
        ("tokenizer.normalization=nfkk", "did you mean 'nfkc'?"),
        ("preprocessing.truncation=hed", "did you mean 'head'?"),
        ("device=gpu", "device=gpu is not known"),
        ("task.class_weights=ballanced", "did you mean 'balanced'?"),
        ("lr=0.1", "no option lr; did you mean 'optimizer.lr'?"),
        ("epochs=3", "no option epochs; did you mean 'trainer.max_epochs'?"),
        ("layers=2", "did you mean 'encoder.layers'?"),
        ("encoder.size=3", "did you mean 'encoder.hidden_size'?"),
        ("optimzer.lr=3", "did you mean 'optimizer.lr'?"),
        ("--multirn", "did you mean '--multirun'?"),
    ],
)
def test_a_misspelt_option_or_value_names_the_nearest(capsys, argument, told):
    assert told in refused(capsys, "train", argument)


def test_the_nearest_option_is_sought_among_the_chosen_groups(capsys):
    assert "did you mean 'data.test'?" in refused(capsys, "train", "data=csv", "data.tset=a.csv")


def test_a_misspelt_option_of_the_other_commands_names_the_nearest(capsys, trained):
    stored = f"checkpoint={trained}"
    Path("a.csv").write_text(GOOD)
    assert "did you mean 'data.test'?" in refused(capsys, "evaluate", stored, "data=csv", "data.tset=a.csv")
    assert refused(capsys, "evaluate", stored, "data.tset=a.csv").endswith("no option data.tset")
    options = {"_target_": "x", "format": "csv", "train": None, "test": None, "text": "text"}
    with pytest.raises(UserError, match="no option data.tset; did you mean 'test'?"):
        checkpoint.changed(options, {"tset": "a.csv"}, "data")
    assert "did you mean 'top_k'?" in refused(capsys, "predict", stored, "topk=3", "--", "x")


def test_a_misspelt_command_names_the_nearest(capsys):
    assert "did you mean 'train'?" in refused(capsys, "trian")


def test_a_run_folder_that_cannot_be_made_is_refused(capsys):
    write("file", "x")
    assert "file" in refused(capsys, "train", "run_dir=file/run")
    Path("full").mkdir()
    write("full/x", "x")
    assert "set run_dir=<new folder>" in refused(capsys, "train", "run_dir=full")


@pytest.mark.parametrize("command", ["evaluate", "predict", "info"])
def test_a_bad_checkpoint_is_refused_by_every_command(capsys, trained, command):
    whole = (trained / "best.ckpt").read_bytes()
    cases = {
        write("cut.ckpt", whole[: len(whole) // 2]): "cut off",
        write("text.ckpt", "hello"): "not a checkpoint",
        write("empty.ckpt", ""): "not a checkpoint",
        str(Path("gone.ckpt")): "no such checkpoint",
    }
    torch.save({"state_dict": {}}, "foreign.ckpt")
    cases["foreign.ckpt"] = "not one of gru_nlp's"
    content = torch.load(trained / "best.ckpt", weights_only=True)
    content[checkpoint.KEY]["format"] = 99
    torch.save(content, "newer.ckpt")
    cases["newer.ckpt"] = "format 99"
    torch.save({checkpoint.KEY: 3, "state_dict": {}}, "number.ckpt")
    cases["number.ckpt"] = "record is broken"
    torch.save({checkpoint.KEY: {"format": 1}, "state_dict": {}}, "hollow.ckpt")
    cases["hollow.ckpt"] = "it has no version, config"
    for path, told in cases.items():
        assert told in refused(capsys, command, f"checkpoint={path}")
    assert "checkpoint" in refused(capsys, command)
    assert "checkpoint=" in refused(capsys, command, "checkpoint=null")


@pytest.mark.parametrize(
    "target",
    ["os.system", "torch.hub.load", "gru_nlp.checkpoint.torch.hub.load", "gru_nlp.cli.main.main"],
)
@pytest.mark.parametrize("command", ["evaluate", "predict", "info"])
def test_a_checkpoint_that_names_a_class_outside_the_package_builds_nothing(capsys, trained, command, target):
    content = torch.load(trained / "best.ckpt", weights_only=True)
    content[checkpoint.KEY]["config"]["model"]["pooling"]["_target_"] = target
    torch.save(content, "evil.ckpt")
    assert "outside gru_nlp's models and data" in refused(capsys, command, "checkpoint=evil.ckpt")


def test_bad_input_to_predict_is_named_with_its_line(capsys, trained):
    own = f"checkpoint={trained}"
    write("latin.txt", b"fine\nGr\xf6\xdfe\n")
    assert "latin.txt:2: not utf-8" in refused(capsys, "predict", own, "input=latin.txt", "output=o.jsonl")
    write("a.csv", "id,body\n1,x\n")
    assert "no column 'text'; the columns are: id, body" in refused(capsys, "predict", own, "input=a.csv")
    write("a.jsonl", '{"text": 1\n')
    assert "a.jsonl:1: not JSON" in refused(capsys, "predict", own, "input=a.jsonl")
    assert "gone.txt: no such file (set input=...)" in refused(capsys, "predict", own, "input=gone.txt")
    assert "format=xml is not known" in refused(capsys, "predict", own, "format=xml", "input=a.jsonl")
    assert "top_k=0 must be at least 1" in refused(capsys, "predict", own, "top_k=0", "--", "x")


def test_a_file_that_cannot_be_written_is_told_before_any_work(capsys, trained):
    Path("folder").mkdir()
    for output in ("nowhere/o.jsonl", "folder"):
        for command in ("evaluate", "predict"):
            told = refused(
                capsys, command, f"checkpoint={trained}", f"output={output}", *(["--", "x"] * (command == "predict"))
            )
            assert "cannot be written" in told
            assert "set output=" in told


def test_an_output_never_destroys_what_is_read_or_is_no_file(capsys, trained):
    own = f"checkpoint={trained}"
    path = write("a.csv", GOOD)
    assert "is read as input" in refused(capsys, "predict", own, "input=a.csv", "output=./a.csv")
    assert "is read as data.test" in refused(capsys, "evaluate", own, "data=csv", "data.test=a.csv", f"output={path}")
    assert Path("a.csv").read_text() == GOOD
    Path("link.jsonl").symlink_to("real.jsonl")
    assert main(["predict", own, "output=link.jsonl", "--", "fine"]) == 0
    assert Path("link.jsonl").is_symlink()
    assert '"label"' in Path("real.jsonl").read_text()
    os.mkfifo("pipe")
    reader = os.open("pipe", os.O_RDONLY | os.O_NONBLOCK)
    assert main(["predict", own, "output=pipe", "--", "fine"]) == 0
    assert b'"label"' in os.read(reader, 1000)
    assert Path("pipe").is_fifo()
    os.close(reader)
    assert sorted(p.name for p in Path.cwd().iterdir()) == ["a.csv", "link.jsonl", "pipe", "real.jsonl"]


def test_a_home_folder_is_found_in_every_path(capsys, monkeypatch):
    monkeypatch.setenv("HOME", str(Path.cwd() / "home"))
    told = refused(capsys, "predict", "checkpoint=~/gone.ckpt")
    assert "home/gone.ckpt: no such checkpoint" in told


def test_a_bug_keeps_its_traceback(monkeypatch):
    monkeypatch.setattr("gru_nlp.cli.info.run", lambda config: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        main(["info", "checkpoint=x"])


@pytest.mark.parametrize("content", ["maison 1 2\nchat 3 4\n", "\ufeff2 2\nmaison 1 2\nchat 3 4\n"])
def test_vectors_of_which_none_is_used_are_refused(content, capsys):
    Path("v.txt").write_text(content, encoding="utf-8")
    assert main(["train", "embedding.vectors=v.txt", "run_dir=run"]) == 2
    told = capsys.readouterr().err.splitlines()[-1]
    assert "v.txt: has none of the " in told
    assert "tokens of the training data, but words such as 'maison', 'chat': set embedding.vectors=<vectors" in told
    assert not Path("run").exists()
