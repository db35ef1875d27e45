"""Language models from the command line: training on a file, continuing, scoring, and mistakes."""

import json
import random
from pathlib import Path

import pytest

import gru_nlp
from gru_nlp.cli.main import main
from gru_nlp.samples.stories import PATTERNS, is_sentence, rows

SMALL = ["encoder.hidden_size=24", "embedding.size=12", "batch_size=8", "device=cpu", "threads=1"]
QUICK = [*SMALL, "trainer.max_epochs=2", "trainer.enable_progress_bar=false", "logger=none"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A small model of the words of the stories."""
    folder = tmp_path_factory.mktemp("model")
    text = folder / "a.txt"
    text.write_text("\n".join(row["text"] for row in rows("train")[:2400]) + "\n")
    options = ["task=language_model", "data=text", f"data.train={text}", "data.test_share=0.1", "tokenizer=word"]
    return gru_nlp.train(
        *options, "tokenizer.lowercase=false", *QUICK, "optimizer.lr=0.02", f"run_dir={folder / 'run'}"
    )


def told(capsys, *arguments):
    assert main(list(arguments)) == 0
    return capsys.readouterr()


def test_scores_of_all_kinds_are_given_and_repeated(trained, capsys):
    scores = trained.scores
    assert 1.0 < scores["test/perplexity"] < 40.0
    assert scores["test/bits_per_byte"] == pytest.approx(scores["test/bits_per_character"])  # ASCII alone
    assert scores["test/nats_per_character"] < scores["test/loss"]
    assert scores["test/unknown"] == 0.0
    assert trained.predictions == []
    for size in (1, 7):
        out = told(capsys, "evaluate", f"checkpoint={trained.folder}", f"batch_size={size}", "device=cpu").out
        found = dict(line.split() for line in out.splitlines())
        assert float(found["test/loss"]) == scores["test/loss"]


def test_a_stream_has_no_answers_to_write(trained, capsys):
    assert main(["evaluate", f"checkpoint={trained.folder}", "output=said.jsonl", "device=cpu"]) == 2
    assert "said.jsonl: a language_model model has no answer a row to write" in capsys.readouterr().err
    assert not Path("said.jsonl").exists()


def test_a_line_is_as_likely_in_any_batch_and_alone(trained, capsys):
    Path("lines.txt").write_text("Anna was happy and thanked Boris.\n\nThey looked for the key all day.\nday the all\n")
    outs = [
        told(capsys, "predict", f"checkpoint={trained.folder}", "input=lines.txt", f"batch_size={size}").out
        for size in (1, 64)
    ]
    first, second = ([json.loads(line) for line in out.splitlines()] for out in outs)
    assert [record["text"] for record in first] == Path("lines.txt").read_text().split("\n")[:-1]
    for one, other in zip(first, second, strict=True):
        assert one["log_probability"] == pytest.approx(other["log_probability"], abs=1e-4)
        assert one["tokens"] == other["tokens"] > 0
    assert first[2]["perplexity"] < first[3]["perplexity"]
    table = told(capsys, "predict", f"checkpoint={trained.folder}", "input=lines.txt", "format=csv").out.splitlines()
    assert table[0] == "text,log_probability,perplexity,tokens"


def test_text_is_continued_in_both_formats_and_from_a_file(trained, capsys):
    own = f"checkpoint={trained.folder}"
    text = told(capsys, "generate", own, "max_tokens=9", "temperature=0", "--", "At last").out
    assert text.startswith("At last ")
    record = json.loads(
        told(capsys, "generate", own, "max_tokens=9", "temperature=0", "format=jsonl", "--", "At last").out
    )
    assert record["prompt"] + record["text"] + "\n" == text
    assert record["log_probability"] == pytest.approx(sum(value for _, value in record["tokens"]))
    Path("prompts.txt").write_text("At last\nThey\n")
    many = told(
        capsys, "generate", own, "input=prompts.txt", "samples=3", "max_tokens=5", "format=jsonl", "output=o.jsonl"
    )
    assert many.out == ""
    records = [json.loads(line) for line in Path("o.jsonl").read_text().splitlines()]
    assert [record["prompt"] for record in records] == ["At last"] * 3 + ["They"] * 3
    assert len({record["text"] for record in records}) > 2
    Path("none.txt").write_text("")
    nothing = told(capsys, "generate", own, "input=none.txt", "stop=[\\n]", "max_tokens=30").out
    assert nothing.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        (["--", "the ☃"], "the text after --: the model has never seen '☃': leave it out, or train with"),
        (["top_p=0"], "top_p=0 must be above 0 and at most 1"),
        (["temperature=-1"], "temperature=-1 must be at least 0"),
        (["max_tokens=0"], "max_tokens=0 must be at least 1"),
        (["samples=0"], "samples=0 must be from 1 to"),
        (["format=csv"], "format=csv is not known: choose from text, jsonl"),
        (["input=strange.txt"], "strange.txt:2: the model has never seen 'xyzzy'"),
        (["input=broken.txt"], "broken.txt:1: not utf-8"),
    ],
)
def test_mistakes_are_told_in_a_line(trained, capsys, options, wrong):
    Path("strange.txt").write_text("the key\nthe xyzzy\n")
    Path("broken.txt").write_bytes(b"\xff\xff\n")
    assert main(["generate", f"checkpoint={trained.folder}", *options]) == 2
    found = capsys.readouterr()
    assert found.out == ""
    (line,) = found.err.splitlines()
    assert wrong in line


def test_other_models_continue_nothing_and_language_models_label_nothing(trained, capsys, tmp_path):
    labelled = tmp_path / "a.csv"
    labelled.write_text("text,label\n" + "good film,pos\nbad film,neg\n" * 20)
    other = gru_nlp.train("data=csv", f"data.train={labelled}", *QUICK, "model.wide=none", "run_dir=other")
    assert main(["generate", f"checkpoint={other.folder}", "--", "x"]) == 2
    assert "no language model, which alone continues text" in capsys.readouterr().err
    assert main(["translate", f"checkpoint={trained.folder}", "--", "x"]) == 2
    assert "no translator but a language_model model" in capsys.readouterr().err
    assert main(["predict", f"checkpoint={trained.folder}", "top_k=2", "--", "x"]) == 2
    assert "top_k=2 has no effect on a language model" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        (["data.train=empty.txt"], "empty.txt: holds no text (set data.train=...)"),
        (["data.train=blank.txt"], "the training data has no text to learn a tokenizer from"),
        (["data.train=bytes.txt"], "bytes.txt:1: not utf-8"),
        (["data.train=a.txt", "encoder.bidirectional=true"], "reads in one direction: set encoder.bidirectional=false"),
        (["data.train=a.txt", "batch_tokens=100"], "batch_tokens has no effect on a stream of text"),
        (["data.train=a.txt", "data.test_share=1.5"], "data.test_share=1.5 must be a share"),
    ],
)
def test_bad_text_is_refused_before_a_run_has_a_folder(options, wrong, capsys):
    Path("empty.txt").write_text("")
    Path("blank.txt").write_text("\n" * 100)
    Path("bytes.txt").write_bytes(b"\xff" * 100)
    Path("a.txt").write_text("some text of a few words\n" * 50)
    assert main(["train", "task=language_model", "data=text", *options, *QUICK, "run_dir=run"]) == 2
    assert wrong in capsys.readouterr().err.splitlines()[-1]
    assert not Path("run").exists()


def test_a_vocabulary_larger_than_the_text_and_one_endless_line_are_learned(capsys):
    draw = random.Random(1)
    Path("line.txt").write_text("".join(draw.choice("abcdef ") for _ in range(200_000)))
    run = gru_nlp.train(
        "task=language_model", "data=text", "data.train=line.txt", "tokenizer=byte_bpe",
        "tokenizer.vocabulary_size=5000", *QUICK, "trainer.limit_train_batches=2", "run_dir=run",
    )  # fmt: skip
    assert run.scores["validation/bits_per_byte"] > 2.0  # that of seven signs by chance is 2.8


def test_a_run_that_is_resumed_ends_as_one_that_was_not():
    Path("a.txt").write_text("\n".join(row["text"] for row in rows("train")[:400]) + "\n")
    options = ["task=language_model", "data=text", "data.train=a.txt", *SMALL, "schedule=constant", "logger=none"]
    whole = gru_nlp.train(*options, "trainer.max_epochs=3", "run_dir=whole")
    gru_nlp.train(*options, "trainer.max_epochs=1", "run_dir=parts")
    parts = gru_nlp.train("resume=parts", "trainer.max_epochs=3")
    assert parts.scores == whole.scores


def test_stories_are_of_their_grammar():
    lines = [row["text"] for row in rows("test")]
    assert len(lines) == (len(PATTERNS) + 1) * 150
    assert all(is_sentence(line) for line in lines if line)
    assert not any(is_sentence(line) for line in ("", "Anna was a clever baker", "They looked for the dog all day."))
