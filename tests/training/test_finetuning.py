"""Training goes on from the weights of another run, on other data."""

import shutil
from pathlib import Path

import pytest
import torch
import yaml

import gru_nlp
from gru_nlp import checkpoint
from gru_nlp.cli.main import main
from gru_nlp.errors import UserError
from gru_nlp.samples.translation import rows

PLAIN = ["device=cpu", "threads=1", "logger=none", "trainer.enable_progress_bar=false", "trainer.max_epochs=1"]
PLAIN += ["report_format=json"]
SIZES = ["encoder.hidden_size=6", "embedding.size=5"]
NEW = (["run_dir=run"], [])
STILL = ["optimizer.lr=1e-12", "optimizer.weight_decay=0"]


def table(path, rows):
    Path(path).write_text("text,label\n" + "".join(f"{text},{label}\n" for text, label in rows))
    return f"data.train={Path(path).absolute()}"


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """Return the folder of a classifier of its own sizes."""
    folder = tmp_path_factory.mktemp("first")
    data = table(folder / "a.csv", [(f"good film {n % 7}", "yes") for n in range(40)] + [("bad film", "no")] * 40)
    gru_nlp.train("data=csv", data, *PLAIN, *SIZES, "encoder=min_gru", "pooling=attention", f"run_dir={folder / 'run'}")
    return folder / "run"


@pytest.fixture(scope="module")
def translator(tmp_path_factory):
    """Return the folder of a translator whose decoder is not the default."""
    folder = tmp_path_factory.mktemp("translator")
    options = ["task=translation", *pairs(folder, 0, 60), *PLAIN, *SIZES, "decoder=parallel", "decoder.hidden_size=7"]
    gru_nlp.train(*options, "attention.hidden_size=3", "tokenizer.vocabulary_size=90", f"run_dir={folder / 'run'}")
    return folder / "run"


def pairs(folder, start, end):
    said = rows("validation")[start:end]
    for side in ("source", "target"):
        text = "".join(f"{row[side]}\n" for row in said)
        (folder / f"{side}-{start}").write_text(text, encoding="utf-8")
    return ["data=parallel", *(f"data.train_{side}={folder / f'{side}-{start}'}" for side in ("source", "target"))]


def alike(one, other):
    theirs = checkpoint.load(other).weights
    found = checkpoint.load(one).weights
    return found.keys() == theirs.keys() and all(
        torch.allclose(weight, theirs[name], atol=1e-6)
        for name, weight in found.items()
        if not name.startswith(("wide.", "shares"))  # which are solved for
    )


def test_weights_tokens_labels_and_sizes_are_where_training_begins(first, capsys):
    data = table("b.csv", [("a new word", "no"), ("good", "yes")] * 20)
    run = gru_nlp.train("data=csv", data, *PLAIN, *STILL, f"finetune={first}", "run_dir=run")
    assert f"begun from {first}/best.ckpt, whose preprocessing" in capsys.readouterr().err
    known, own = checkpoint.load(first), checkpoint.load("run")
    assert own.preprocessing == known.preprocessing
    assert "new" not in run.parts.preprocessor.tokens()
    assert alike("run", first)
    assert own.config["model"] == known.config["model"]
    assert own.config["data"]["train"].endswith("b.csv")


def test_many_unknown_tokens_are_told(first, capsys):
    data = table("b.csv", [("ein guter Film", "yes"), ("bad", "no")] * 20)
    gru_nlp.train("data=csv", data, *PLAIN, f"finetune={first}", "run_dir=run")
    assert "50.0 % of the tokens of the training data are unknown to its tokenizer" in capsys.readouterr().err


def test_what_is_learned_joins_what_was(first):
    data = table("b.csv", [("good film", "no"), ("bad film", "yes")] * 20)
    run = gru_nlp.train("data=csv", data, *PLAIN, "optimizer.lr=0.05", f"finetune={first}", "run_dir=run")
    assert not alike("run", first)
    assert run.predictor()(["good film"])[0]["label"] == "no"


def test_options_that_no_weight_hangs_on_are_the_persons(first):
    data = table("b.csv", [("bad", "no"), ("good", "yes")] * 20)
    given = ["encoder.dropout=0.4", "embedding.word_dropout=0.2", "model.dropout=0.1"]
    gru_nlp.train("data=csv", data, *PLAIN, f"finetune={first}", "run_dir=run", *given)
    model = checkpoint.load("run").config["model"]
    assert (model["encoder"]["dropout"], model["embedding"]["word_dropout"], model["dropout"]) == (0.4, 0.2, 0.1)
    stored = yaml.safe_load(Path("run/config.yaml").read_text())
    assert stored["model"]["encoder"] == "${encoder}"  # so that these can be changed where the run goes on
    gru_nlp.train("resume=run", "trainer.max_epochs=2", "encoder.dropout=0.5")
    assert checkpoint.load("run/last.ckpt").config["model"]["encoder"]["dropout"] == 0.5


def test_a_translator_keeps_its_decoder_and_searches_as_is_said(translator, tmp_path):
    options = ["task=translation", *pairs(tmp_path, 30, 90), *PLAIN, *STILL, f"finetune={translator}", "run_dir=run"]
    gru_nlp.train(*options, "decoder.dropout=0.2", "decoding.beam_size=2")
    before, after = checkpoint.load(translator).config, checkpoint.load("run").config
    assert after["preprocessing"] == before["preprocessing"]
    assert after["model"]["decoding"]["beam_size"] == 2
    assert after["model"]["decoder"] == before["model"]["decoder"] | {"dropout": 0.2}
    assert after["attention"] == before["model"]["decoder"]["attention"]
    assert alike("run", translator)


def test_a_student_begins_from_a_run_too(translator, tmp_path, capsys):
    given = [f"teacher={translator}", f"finetune={translator}", "task=translation", "run_dir=student"]
    assert main(["distill", *given, *pairs(tmp_path, 0, 40), *PLAIN, *STILL]) == 0, capsys.readouterr().err
    assert alike("student", translator)


def test_a_tagger_and_a_language_model_begin_from_their_like():
    for task, own in (("ner", ["characters=none"]), ("language_model", ["model.tied=false"])):
        data = ["data=text", "data.train=prose.txt"] if task == "language_model" else []
        Path("prose.txt").write_text("\n".join(row["source"] for row in rows("validation")[:200]))
        given = [f"task={task}", *data, *PLAIN, "trainer.limit_train_batches=2"]
        gru_nlp.train(*given, *own, "encoder.hidden_size=6", f"run_dir={task}")
        gru_nlp.train(*given, *STILL, f"finetune={task}", f"run_dir={task}-tuned")
        assert alike(f"{task}-tuned", task)


def test_it_goes_on_without_what_it_began_from(first, tmp_path):
    data = table("b.csv", [("bad", "no"), ("good", "yes")] * 20)
    shutil.copytree(first, "begun")
    options = ["data=csv", data, *PLAIN, "finetune=begun", "run_dir=run"]
    gru_nlp.train(*options)
    shutil.rmtree("begun")
    run = gru_nlp.train(*options, "trainer.max_epochs=2", "resume=auto")
    assert run.folder == Path("run")
    gru_nlp.train("resume=run", "trainer.max_epochs=3")
    with pytest.raises(UserError, match="finetune cannot change in a run that goes on"):
        gru_nlp.train("resume=run", "trainer.max_epochs=4", f"finetune={first}")


def test_a_run_that_was_stopped_at_once_reads_it_again_and_tells(first, monkeypatch, capsys):
    data = table("b.csv", [("bad", "no"), ("good", "yes")] * 20)
    options = ["data=csv", data, *PLAIN, *STILL, f"finetune={first}", "run_dir=run"]
    gru_nlp.train(*options)
    for name in ("last.ckpt", "best.ckpt", "metrics.json"):
        Path("run", name).unlink()
    capsys.readouterr()
    gru_nlp.train("resume=run")
    assert f"reading finetune={first}, which the run names" in capsys.readouterr().err
    assert alike("run", first)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["encoder=gru"], r"encoder=gru: finetune takes the encoder of .*run: leave it out"),
        (["tokenizer=bpe"], "tokenizer=bpe: finetune takes the tokenizer of"),
        (["encoder.hidden_size=8"], r"model\.encoder\.hidden_size stays as it is there: leave it out"),
        (["embedding.size=8"], r"model\.embedding\.size stays as it is there"),
        (["tokenizer.min_frequency=3"], r"preprocessing\.tokenizer\.min_frequency stays as it is there"),
        (["preprocessing.tokenizer=word"], r"preprocessing\.tokenizer\._target_ stays as it is there"),
        (["encoder.cell=null"], r"model\.encoder\.cell\._target_ stays as it is there"),
        (["encoder.cell.weight_dropout=0.1"], r"encoder\.cell\.weight_dropout: the model of .*run has no such option"),
        (["embedding.extra_words=5"], r"embedding\.extra_words has no effect on the model of"),
        (["pretrained=other"], "finetune and pretrained both say what the model begins from"),
        (["pretraining.epochs=1"], r"finetune and pretraining\.epochs both say"),
        (["embedding.vectors=some.txt"], r"finetune and embedding\.vectors both say"),
        (["gazetteers=[a.txt]"], "finetune and gazetteers both say"),
        (["task=rating"], "trained by task=sentiment, another kind than task=rating: set task="),
        (["finetune=nowhere"], r"nowhere: no such checkpoint \(set finetune="),
        (["resume=auto"], r"resume=auto needs run_dir="),
    ],
)
def test_what_does_not_fit_is_told_in_a_line(given, told, first):
    data = table("b.csv", [("bad", "no"), ("good", "yes")] * 20)
    with pytest.raises(UserError, match=told):
        gru_nlp.train("data=csv", data, *PLAIN, f"finetune={first}", *given, *NEW["resume=auto" in given])
    assert not Path("run").exists()
    assert not Path("runs").exists()


def test_a_group_that_the_run_chose_may_be_named(first):
    data = table("b.csv", [("bad", "no"), ("good", "yes")] * 20)
    given = ["encoder=min_gru", "pooling=attention", "embedding.trainable=false", "preprocessing.max_length=9"]
    gru_nlp.train("data=csv", data, *PLAIN, f"finetune={first}", "run_dir=run", *given)
    config = checkpoint.load("run").config
    assert config["model"]["embedding"]["trainable"] is False
    assert config["preprocessing"]["max_length"] == 9
    assert config["model"]["encoder"]["hidden_size"] == 6


def test_options_of_parts_that_the_run_has_not_are_told():
    small = ["task=classification", "data=digits", "experiment=mnist_rows", *PLAIN, "encoder.hidden_size=6"]
    gru_nlp.train(*small, "trainer.limit_train_batches=2", "run_dir=frames")
    with pytest.raises(UserError, match=r"tokenizer\.min_frequency has no effect on the model of"):
        gru_nlp.train("task=classification", "data=digits", *PLAIN, "finetune=frames", "tokenizer.min_frequency=3")


def test_labels_that_the_new_data_lacks_are_told_and_weigh_nothing(first, capsys):
    data = table("b.csv", [(f"bad film {n}", "no") for n in range(40)])
    given = ["task.class_weights=balanced", "task.label_smoothing=0.1", f"finetune={first}", "run_dir=run"]
    run = gru_nlp.train("data=csv", data, *PLAIN, *given)
    assert "the train split holds no yes, which the model knows, and may unlearn" in capsys.readouterr().err
    assert run.predictor()(["bad film"])[0]["label"] == "no"


def test_a_cell_is_named_by_a_word(translator, tmp_path):
    given = ["task=translation", *pairs(tmp_path, 30, 70), *PLAIN, f"finetune={translator}", "run_dir=run"]
    with pytest.raises(UserError, match=r"model\.decoder\.cell\._target_ stays as it is there"):
        gru_nlp.train(*given, "decoder.cell=ssru")
    gru_nlp.train(*given, "decoder.cell=gru", "encoder.cell.weight_dropout=0.1", *STILL)
    model = checkpoint.load("run").config["model"]
    assert model["encoder"]["cell"]["weight_dropout"] == 0.1
    assert alike("run", translator)


def test_a_label_that_the_run_has_not_is_told_with_its_line(first):
    data = table("b.csv", [("bad", "no"), ("good", "perhaps")] * 20)
    with pytest.raises(UserError, match=r"b\.csv:3: .*perhaps"):
        gru_nlp.train("data=csv", data, *PLAIN, f"finetune={first}", "run_dir=run")


@pytest.mark.parametrize("part", ["preprocessing", "model"])
def test_a_strangers_checkpoint_builds_nothing_else(part, first):
    content = torch.load(first / "best.ckpt", weights_only=True)
    content["gru_nlp"]["config"][part]["_target_"] = "os.system"
    torch.save(content, "hostile.ckpt")
    with pytest.raises(UserError, match=r"hostile\.ckpt: the checkpoint wants to build 'os\.system'"):
        gru_nlp.train(*PLAIN, "finetune=hostile.ckpt", "run_dir=run")


def test_a_strangers_references_are_none(first, monkeypatch):
    content = torch.load(first / "best.ckpt", weights_only=True)
    content["gru_nlp"]["config"]["model"]["encoder"]["dropout"] = "${oc.env:HOME}"
    torch.save(content, "hostile.ckpt")
    with pytest.raises(UserError, match=r"hostile\.ckpt: "):
        gru_nlp.train(*PLAIN, "finetune=hostile.ckpt", "run_dir=run")
    assert not Path("run").exists()
