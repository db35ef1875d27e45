"""An option that nothing uses is refused, never ignored."""

from pathlib import Path

import pytest

import gru_nlp
from gru_nlp.cli import unused
from gru_nlp.cli.main import main


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["+foo=1"], "no option foo: nothing uses it"),
        (["++sede=3"], "no option sede: nothing uses it; did you mean 'seed'?"),
        (["+embedding.sice=1"], "no option embedding.sice: nothing uses it; did you mean 'embedding.size'?"),
        (["+encoder.x=1"], "takes no option 'x'"),
        (["+trainer.callbacks=[]"], "trainer.callbacks is set by the program: choose callbacks=<group>"),
        (["++trainer.logger=false"], "trainer.logger is set by the program: choose logger=<group>"),
        (["+trainer.default_root_dir=x"], "trainer.default_root_dir is set by the program: choose run_dir=<folder>"),
        (["+model.num_labels=3"], "SequenceClassifier: 'num_labels' is set by the program: leave it out"),
        (["task=ner", "pooling=mean"], "pooling has no effect: nothing that task=ner trains uses pooling"),
        (["task=ner", "decoding.beam_size=3"], "decoding.beam_size has no effect: nothing that task=ner trains"),
        (["task=ner", "tokenizer.lowercase=true"], "tokenizer.lowercase has no effect"),
        (["characters.size=3"], "characters.size has no effect: nothing that task=sentiment trains uses characters"),
        (["experiment=mnist_rows", "data=digits", "embedding.size=3"], "embedding.size has no effect"),
    ],
)
def test_train_refuses_what_it_does_not_use(arguments, told, capsys):
    assert main(["train", *arguments]) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line != "reading the data"]
    assert len(lines) == 1
    assert told in lines[0]
    assert not Path("runs").exists()


def test_it_is_refused_from_python_too():
    with pytest.raises(gru_nlp.UserError, match="no option foo"):
        gru_nlp.train("+foo=1")


def test_a_name_of_ones_own_is_used_where_another_option_refers_to_it():
    config = {"mine": 3, "model": {"size": "${mine}", "parts": ["${.size}"]}, "task": {"name": "x"}, "embedding": {}}
    defaults = {name: {} for name in ("model", "task", "embedding")}
    unused.check_used(config, defaults, ["+mine=3"])
    with pytest.raises(gru_nlp.UserError, match="no option mine"):
        unused.check_used({**config, "model": {}}, defaults, ["+mine=3"])


def test_references_are_found_relative_and_inside_a_resolver():
    part = {"a": "${..b.c}", "d": ["x ${oc.select:e.f,1}", 3], "g": {"h": "${i} ${.j}"}}
    assert list(unused.references(part, "top.part")) == ["top.b.c", "e.f", "i", "top.part.g.j"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["+foo=1", "--", "a"], "no option foo"),
        (["input=a.csv", "--", "a"], "input=a.csv has no effect on the text after --"),
        (["text=body", "--", "a"], "text=body has no effect on the text after --"),
        (["text=body", "input=a.txt"], "text=body names a column, which lines have not: set input_format"),
        (["text=body"], "text=body names a column, which lines have not"),
        (["delimiter=';'", "input=a.jsonl"], "delimiter=; is for csv"),
        (["separator=tab", "input=a.csv"], "separator=tab is for columns of words: set input_format=conll"),
        (["separator=tab", "--", "a"], "separator=tab has no effect on the text after --"),
        (["scheme=bioes", "--", "a"], "scheme=bioes is for the tags of format=conll"),
    ],
)
def test_predict_refuses_what_it_does_not_use(arguments, told, capsys):
    assert main(["predict", "checkpoint=x", *arguments]) == 2
    assert told in capsys.readouterr().err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no such device here")
def test_a_full_disk_is_told_in_a_line(trained, capsys):
    assert main(["predict", f"checkpoint={trained}", "output=/dev/full", "--", "a"]) == 2
    assert capsys.readouterr().err.splitlines()[-1].endswith("cannot be written: No space left on device")


def test_what_has_an_effect_is_taken():
    predict = {"input": "A.CSV.gz", "input_format": None, "format": "conll", "alignments": False}
    unused.check_reading(predict, ["text=body", "delimiter=';'", "scheme=bioes", "input='A.CSV.gz'"], None)
    unused.check_reading({**predict, "input": None, "format": "csv"}, ["delimiter=';'"], "a text")


def test_translate_refuses_alignments_in_lines(capsys):
    assert main(["translate", "checkpoint=x", "alignments=true", "format=lines"]) == 2
    assert "alignments=true is written as jsonl, not as lines" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["evaluate", "info"])
def test_the_other_commands_refuse_too(command, capsys):
    assert main([command, "checkpoint=x", "+foo=1"]) == 2
    assert "no option foo" in capsys.readouterr().err
