"""What the shell around every command promises: Hydra's own features, from any folder, told in one line."""

import csv
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from gru_nlp.cli import quoting
from gru_nlp.cli.completion import LISTED
from gru_nlp.cli.help import options
from gru_nlp.cli.main import main
from gru_nlp.cli.shell import composed
from gru_nlp.config import conf_dir
from gru_nlp.errors import UserError
from gru_nlp.training import run_folder

PROGRAM = [sys.executable, "-m", "gru_nlp"]
TINY = ["trainer.max_epochs=1", "encoder.hidden_size=4", "embedding.size=4", "trainer.enable_progress_bar=false"]


def program(*arguments, **options):
    return subprocess.run([*PROGRAM, *arguments], capture_output=True, text=True, **options)


def small_csv(name="a b=[1].csv"):
    Path(name).write_text("text,label\n" + "".join(f"good {i},yes\nbad {i},no\n" for i in range(30)))
    return name


def test_the_composed_config_is_shown_and_nothing_is_written():
    done = program("train", "encoder.hidden_size=77", "--cfg", "job")
    assert done.returncode == 0
    assert "hidden_size: 77" in done.stdout
    assert "data.train=<file>" not in done.stderr
    assert list(Path.cwd().iterdir()) == []


def test_a_decoders_unit_is_named_as_an_encoders():
    units = sorted(file.stem for file in (conf_dir() / "encoder").glob("[!_]*.yaml"))
    named = LISTED.match(options("decoder", "parallel")["decoder.cell"].comment)
    assert sorted([*named[1].split(", "), named[2]]) == [unit for unit in units if unit != "li_gru"]
    config = composed("train", ["task=translation", "encoder=gru", "decoder.cell=gru_layer_norm"])
    assert config.decoder.cell == composed("train", ["encoder=gru_layer_norm"]).encoder.cell
    assert config.encoder.cell._target_.endswith("gru.GRU")
    with pytest.raises(UserError, match=r"decoder.cell=sru is not known: choose from gru, .*; did you mean 'ssru'\?"):
        composed("train", ["task=translation", "decoder.cell=sru"])


def test_help_of_a_command_lists_groups_and_options():
    done = program("train", "--help")
    assert done.returncode == 0
    for part in ("tokenizer: bpe", "max_epochs", "data: "):
        assert part in done.stdout


def test_a_folder_of_own_yaml_is_taken():
    Path("my conf", "data").mkdir(parents=True)
    Path("my conf", "experiment").mkdir()
    Path("my conf", "data", "mine.yaml").write_text(
        f"defaults:\n  - _files\nformat: csv\ntrain: {small_csv('a.csv')}\n"
    )
    Path("my conf", "experiment", "quick.yaml").write_text("# @package _global_\npatience: 7\n")
    done = program("train", "--config-dir", "my conf", "data=mine", "experiment=quick", "run_dir=out", *TINY)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "run folder: out"
    assert "patience: 7" in Path("out/config.yaml").read_text()


def test_relative_paths_stand_where_the_person_stands_and_the_console_stays_quiet(tmp_path):
    (tmp_path / "inner").mkdir()
    (tmp_path / small_csv("o n=e.csv")).exists()
    done = program("train", "data=csv", "data.train=../o n=e.csv", "run_dir=r=1", *TINY, cwd=tmp_path / "inner")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "inner" / "r=1" / "best.ckpt").is_file()
    remarks = done.stderr.splitlines()
    assert remarks[0] == "reading the data"
    assert len(remarks) == 3, remarks  # and what is trained on, and why it ended: no tips, no warnings, no devices
    assert remarks[2] == "training ended after epoch 1: trainer.max_epochs=1; the best was epoch 1"
    again = program("evaluate", "checkpoint=inner/r=1", cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    validation = json.loads((tmp_path / "inner/r=1/metrics.json").read_text())["validation/accuracy"]
    assert f"validation/accuracy {validation!r}" in again.stdout


def test_a_reader_that_goes_away_early_is_no_error(trained):
    command = " ".join(map(repr, [*PROGRAM, "info", f"checkpoint={trained}"]))
    done = subprocess.run(f"{command} | head -1", shell=True, capture_output=True, text=True)
    assert done.stdout.startswith("checkpoint:")
    assert done.stderr == ""


def test_a_bug_keeps_its_traceback_and_ends_with_1(tmp_path):
    code = "import sys, gru_nlp.cli.info as info; info.run = lambda config: 1 / 0\n"
    code += "from gru_nlp.cli.main import main; sys.exit(main(['info', 'checkpoint=x']))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stderr


def test_text_after_two_dashes_is_for_predict_alone(capsys):
    assert main(["train", "--", "x"]) == 2
    assert "train takes no text after --" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "told"),
    [
        ("encoder.dropout=1.5", "encoder.dropout=1.5 must be a share"),
        ("encoder.layers=0", "encoder.layers=0 must be at least 1"),
        ("trainer.precision=17", "trainer: "),
        ("trainer.strategy=ddpp", "trainer: "),
        ("+trainer.epochs=3", "lightning.Trainer takes no option 'epochs'"),
        ("+preprocessing.max_len=3", "takes no option 'max_len'; did you mean 'max_length'?"),
        ("optimizer.lr=-1.0", "optimizer or schedule: "),
        ("encoder.bidirectional=3", "encoder.bidirectional=3 must be true or false"),
        ("encoder.layers=null", "gru_nlp.nn.encoder.RecurrentEncoder: layers=null must be a whole number"),
        ("encoder.hidden_size={a:1}", "RecurrentEncoder: hidden_size={'a': 1} must be a whole number"),
        ("batch_size=null", "batch_size=null: this option needs a value"),
        ("batch_tokens=1e99", "batch_tokens=1e+99 must be a whole number"),
        ("device=null", "device=null: this option needs a value"),
        ("task.thaw_epochs=99999999999999999999", "task.thaw_epochs=99999999999999999999 is too large a number"),
        ("batch_size={a:1}", "batch_size needs a value, not a map"),
        ("batch_tokens=abc", "batch_tokens=abc must be a number"),
        ("seed=-1", "seed=-1 must be at least 0"),
        ("num_workers=-1", "num_workers=-1 must not be negative"),
        ("trainer.max_epochs=-1", "set trainer.max_epochs or trainer.max_steps"),
        ("trainer.accumulate_grad_batches=0", "trainer.accumulate_grad_batches=0 must be at least 1"),
        ("trainer.val_check_interval=0", "trainer.val_check_interval=0: set a share"),
        ("trainer.val_check_interval=2.0", "trainer.val_check_interval=2: an epoch has 1 batches only"),
        ("trainer.val_check_interval=99", "trainer.val_check_interval=99: an epoch has 1 batches only"),
        ("trainer.max_steps=0", "trainer.max_steps=0: the first validation comes after 1 steps"),
        ("+trainer.check_val_every_n_epoch=11", "max_epochs=10: the first validation comes after 11 epochs"),
    ],
)
def test_a_value_that_cannot_be_is_refused_before_a_folder_is_made(option, told, capsys):
    assert main(["train", "data=csv", f"data.train={small_csv()}", option]) == 2
    captured = capsys.readouterr()
    assert told in captured.err.splitlines()[-1]
    assert not Path("runs").exists()


def test_training_that_ends_before_a_score_leaves_no_folder(capsys):
    options = ["data=csv", f"data.train={small_csv()}", *TINY, "trainer.max_epochs=0", "run_dir=out"]
    assert main(["train", *options]) == 2
    assert "trainer.max_epochs=0: the first validation comes after 1 epochs" in capsys.readouterr().err
    assert not Path("out").exists()


@pytest.mark.parametrize("strategy", ["ddp_spawn", "ddp_fork", "ddp_notebook"])
def test_processes_that_give_nothing_back_are_refused(strategy, capsys):
    options = ["device=cpu", "trainer.devices=2", f"trainer.strategy={strategy}", "run_dir=out"]
    assert main(["train", *options]) == 2
    assert f"trainer.strategy={strategy} trains in processes" in capsys.readouterr().err.splitlines()[-1]
    assert not Path("out").exists()


def test_an_interrupted_run_ends_with_130_and_one_line():
    options = ["data=csv", f"data.train={small_csv('a.csv')}", *TINY, "trainer.max_epochs=100000", "patience=100000"]
    command = [*PROGRAM, "train", *options, "run_dir=run"]
    # What a shell starts in the background ignores interrupts, and its children would too.
    kept = signal.signal(signal.SIGINT, signal.default_int_handler)
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        signal.signal(signal.SIGINT, kept)
        told = ""
        while "training on" not in told:
            told = process.stderr.readline()
        while not Path("run/last.ckpt").is_file():
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        _, rest = process.communicate()
    assert process.returncode == 130
    assert rest.splitlines()[-1] == "gru-nlp: stopped and saved: go on with gru-nlp train resume=run"
    assert "Traceback" not in rest


def test_every_epoch_is_validated_under_a_budget_of_tokens():
    lines = "".join(
        f"{'good' if i % 2 else 'bad'}{' x' * (i * 7 % 23)} {i},{'yes' if i % 2 else 'no'}\n" for i in range(300)
    )
    Path("a.csv").write_text("text,label\n" + lines)
    own = ["data=csv", "data.train=a.csv", "batch_tokens=90", "patience=99", "run_dir=run", *TINY]
    assert main(["train", *own, "trainer.max_epochs=6"]) == 0
    with open("run/logs/sitting-1/metrics.csv", encoding="utf-8") as file:
        epochs = [row["epoch"] for row in csv.DictReader(file) if row["validation/accuracy"]]
    assert len(epochs) == 6 + 1  # and once more on the best checkpoint


def test_a_resumed_run_finds_data_that_was_moved():
    Path("a.csv").write_text(Path(small_csv()).read_text())
    assert main(["train", "data=csv", "data.train=a.csv", "run_dir=run", *TINY]) == 0
    Path("a.csv").rename("b c.csv")
    assert main(["train", "resume=run", "data.train=b c.csv", "trainer.max_epochs=2"]) == 0
    assert json.loads(Path("run/metrics.json").read_text())["epochs"] == 2


def test_a_run_whose_best_checkpoint_was_taken_away_is_not_removed(capsys):
    assert main(["train", "data=csv", f"data.train={small_csv()}", "run_dir=run", *TINY]) == 0
    Path("run/best.ckpt").rename("kept.ckpt")
    assert main(["train", "resume=run"]) == 2
    assert "without a best checkpoint" in capsys.readouterr().err
    assert Path("run/last.ckpt").is_file()


def test_two_runs_never_share_a_folder(capsys):
    run_folder.create(Path("run"), OmegaConf.create({"seed": 1}), resumed=False)
    with pytest.raises(UserError, match="another run has just begun there"):
        run_folder.create(Path("run"), OmegaConf.create({"seed": 2}), resumed=False)
    assert OmegaConf.load("run/config.yaml").seed == 1
    run_folder.create(Path("run"), OmegaConf.create({"seed": 2}), resumed=True)
    assert OmegaConf.load("run/config.yaml").seed == 2


@pytest.mark.parametrize("run", [["trainer.max_epochs=2"], ["trainer.max_epochs=1", "batch_size=512"]])
def test_training_that_diverges_says_so(capsys, run):
    """Also where the only loss was taken before the only step."""
    options = ["data=csv", f"data.train={small_csv()}", *TINY, "optimizer.lr=1e30", *run]
    assert main(["train", *options, "trainer.gradient_clip_val=null", "run_dir=out"]) == 2
    assert "training has diverged: lower optimizer.lr" in capsys.readouterr().err.splitlines()[-1]
    assert not Path("out").exists()


def test_a_limited_test_gives_its_predictions_alone():
    options = ["data=csv", f"data.train={small_csv()}", f"data.test={small_csv()}", *TINY, "batch_size=8"]
    assert main(["train", *options, "+trainer.limit_test_batches=1", "run_dir=out"]) == 0
    assert len(Path("out/predictions.jsonl").read_text().splitlines()) == 8


def test_the_flag_of_a_sweep_may_stand_anywhere():
    assert quoting.sweep_first(["data=csv", "--config-dir", "own", "-m"]) == ["-m", "data=csv", "--config-dir", "own"]


@pytest.mark.parametrize(("own", "found"), [({}, "passive"), ({"OMP_WAIT_POLICY": "active"}, "active")])
def test_threads_wait_without_spinning_unless_a_person_says_otherwise(own, found):
    code = "import os, sys, gru_nlp; print(os.environ['OMP_WAIT_POLICY'], 'torch' in sys.modules)"
    clean = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={**clean, **own})
    assert done.stdout.split() == [found, "False"]
