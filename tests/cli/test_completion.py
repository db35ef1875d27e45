"""Completion by the shells themselves: what they show when the tabulator key is pressed."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gru_nlp.cli import completion
from gru_nlp.cli.completion_scripts import SCRIPTS
from gru_nlp.cli.main import COMMANDS, TOLD, TOOLS, main


def words(*typed):
    """Return what the last of ``typed`` may become."""
    return [found.word for found in completion.complete(typed, {**COMMANDS, **TOLD}, TOOLS)]


@pytest.fixture
def files():
    Path("runs/one").mkdir(parents=True)
    Path("runs/one/best.ckpt").touch()
    Path("a folder").mkdir()
    for name in ("my file.csv", "größe (1)'s.csv", "kept.ckpt"):
        Path(name).touch()


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        (["tr"], ["train", "translate"]),
        (["train", "encoder=min"], ["encoder=min_gru", "encoder=min_lstm"]),
        (["train", "encoder.h"], ["encoder.hidden_size="]),
        (["train", "data=csv", "data.train_"], []),
        (["train", "data=parallel", "data.train_"], ["data.train_source=", "data.train_target="]),
        (["train", "task=ner", "model.cr"], ["model.crf="]),
        (["train", "model.cr"], []),
        (["train", "patience=3", "pat"], []),
        (["train", "--help", "tok"], ["tokenizer"]),
        (["train", "--multi"], ["--multirun"]),
        (["train", "--cfg", ""], ["job", "hydra", "all"]),
        (["train", "tokenizer.lowercase="], ["tokenizer.lowercase=true", "tokenizer.lowercase=false"]),
        (["train", "-m", "encoder=gru,min_g"], ["encoder=gru,min_gru"]),
        (["train", "logger=[csv,wa"], ["logger=[csv,wandb"]),
        (["predict", "scheme=i"], ["scheme=iob1", "scheme=iob2"]),
        (["evaluate", "split="], ["split=test", "split=validation", "split=train"]),
        (["translate", "decoding.beam"], ["decoding.beam_size="]),
        (["predict", "--", "che"], []),
        (["nothing", "x"], []),
        (["completion", ""], ["bash", "zsh", "fish"]),
        (["train", "data=csv", "data.train=my"], ["data.train=my file.csv"]),
        (["train", "data=csv", "data.train=gr"], ["data.train=größe (1)'s.csv"]),
        (["predict", "checkpoint="], ["checkpoint=a folder/", "checkpoint=kept.ckpt", "checkpoint=runs/one"]),
        (["predict", "checkpoint=runs/"], ["checkpoint=runs/one"]),
        (["train", "--config-dir", ""], ["a folder/", "runs/"]),
    ],
)
@pytest.mark.usefixtures("files")
def test_words_are_completed(typed, found):
    assert words(*typed) == found


def test_the_format_of_predict_is_completed_with_all_that_there_are():
    from gru_nlp.answers.base import FORMATS

    assert {word.removeprefix("format=") for word in words("predict", "format=")} == set(FORMATS)


def test_choices_of_a_folder_of_ones_own_are_completed():
    Path("own/encoder").mkdir(parents=True)
    Path("own/encoder/mine.yaml").touch()
    assert words("train", "--config-dir", "own", "encoder=mi") == [
        "encoder=min_gru",
        "encoder=min_lstm",
        "encoder=mine",
    ]


@pytest.mark.parametrize(
    ("line", "cut"),
    [
        ("gru-nlp train ", ["gru-nlp", "train", ""]),
        (r"gru-nlp train data.train=my\ f", ["gru-nlp", "train", "data.train=my f"]),
        ('gru-nlp predict checkpoint="my r', ["gru-nlp", "predict", "checkpoint=my r"]),
        ("gru-nlp predict checkpoint='it", ["gru-nlp", "predict", "checkpoint=it"]),
        ("", [""]),
    ],
)
def test_a_line_is_cut_as_a_shell_does(line, cut):
    assert completion.cut(line) == cut


def test_no_shell_and_an_unknown_one_are_refused_in_one_line(capsys):
    assert main(["completion"]) == 2
    assert main(["completion", "zhs"]) == 2
    told = capsys.readouterr().err.splitlines()
    assert told[1] == "gru-nlp: completion zhs: choose from bash, zsh, fish; did you mean 'zsh'?"


@pytest.mark.parametrize("shell", completion.SHELLS)
def test_the_script_of_each_shell_is_printed(shell, capsys):
    assert main(["completion", shell]) == 0
    assert capsys.readouterr().out == SCRIPTS[shell]


def test_completion_loads_neither_hydra_nor_torch():
    code = "import sys; from gru_nlp.cli.main import main; main(['completion', '--words', 'train', 'data=csv', ''])\n"
    code += "sys.exit(any(name in sys.modules for name in ('hydra', 'torch', 'lightning', 'numpy')))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0


@pytest.fixture
def shell(monkeypatch):
    """Return a function that runs a script in a shell for which this program is ``gru-nlp``."""
    Path("bin").mkdir()
    program = Path("bin/gru-nlp")
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m gru_nlp "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{Path('bin').absolute()}{os.pathsep}{os.environ['PATH']}")

    def run(name, script):
        if shutil.which(name) is None:
            pytest.skip(f"{name} is not installed")
        options = {"bash": ["--norc", "--noprofile"], "zsh": ["-f"], "fish": ["--no-config"]}[name]
        done = subprocess.run([name, *options, "-c", script], capture_output=True, text=True)
        assert done.stderr == ""
        return done.stdout.splitlines()

    return run


#: A line, the words that bash makes of it, the one that it completes, and what comes of it.
BASH_CASES = [
    ("gru-nlp tra", ["gru-nlp", "tra"], "tra", ["train", "translate"]),
    ("gru-nlp train encoder=min", ["gru-nlp", "train", "encoder", "=", "min"], "min", ["min_gru", "min_lstm"]),
    ("gru-nlp predict device=", ["gru-nlp", "predict", "device", "="], "", ["auto", "cpu", "cuda", "mps"]),
    ("gru-nlp train data.train=my", ["gru-nlp", "train", "data.train", "=", "my"], "my", ["my file.csv"]),
    (r"gru-nlp train data.train=my\ f", ["gru-nlp", "train", "data.train", "=", r"my\ f"], r"my\ f", ["my file.csv"]),
    ('gru-nlp train data.train="my f', ["gru-nlp", "train", "data.train", "=", '"my f'], "my f", ["my file.csv"]),
    ("gru-nlp predict checkpoint=r", ["gru-nlp", "predict", "checkpoint", "=", "r"], "r", ["runs/one"]),
]


@pytest.mark.usefixtures("files")
def test_bash_completes_what_follows_its_own_cut(shell):
    script = ["source <(gru-nlp completion bash)"]
    for line, cut, current, _ in BASH_CASES:
        script += [
            f"COMP_LINE={shlex.quote(line)} COMP_POINT={len(line)} COMP_CWORD={len(cut) - 1}",
            f"COMP_WORDS=({' '.join(map(shlex.quote, cut))})",
            f"_gru_nlp gru-nlp {shlex.quote(current)} {shlex.quote(cut[-2])} 2>/dev/null",
            "printf '%s|' \"${COMPREPLY[@]}\"; echo",
        ]
    told = shell("bash", "\n".join(script))
    assert [line.rstrip("|").split("|") for line in told] == [found for *_, found in BASH_CASES]


def test_bash_sets_no_blank_after_an_option_and_one_after_a_value(shell):
    script = 'source <(gru-nlp completion bash); compopt() { echo "$@"; }\n'
    for line in ("gru-nlp train patien", "gru-nlp train encoder=min_g", "gru-nlp train data.train=x"):
        script += f"COMP_LINE='{line}' COMP_POINT={len(line)}; _gru_nlp gru-nlp ''; echo .\n"
    assert shell("bash", script) == ["-o nospace", ".", ".", "-o filenames", "."]


@pytest.mark.usefixtures("files")
def test_zsh_hands_over_its_words_and_shows_what_comes_back(shell):
    script = r"""
    compdef() { }
    compadd() { [[ $1 == -l ]] && print -l -- "${(P@)@[-1]}" }
    source <(gru-nlp completion zsh)
    words=(gru-nlp train encoder=min) CURRENT=3 PREFIX=encoder=min; _gru_nlp
    words=(gru-nlp train data.train=my\\\ f) CURRENT=3 PREFIX=data.train=my\\\ f; _gru_nlp
    words=(gru-nlp train pat) CURRENT=3 PREFIX=pat; _gru_nlp
    """
    assert shell("zsh", script) == ["encoder=min_gru", "encoder=min_lstm", "data.train=my file.csv", "patience="]


@pytest.mark.usefixtures("files")
def test_fish_completes_and_explains(shell):
    script = "gru-nlp completion fish | source\n"
    script += (
        r"""for line in 'train encoder=min_g' 'train data.train=my\ f' 'train pat'; complete -C "gru-nlp $line"; end"""
    )
    assert shell("fish", script) == [
        "encoder=min_gru\tGates that see the input alone: one linear recurrence (Feng et al. 2024).",
        "data.train=my file.csv",
        "patience=\tvalidations without a better score before training stops",
    ]
