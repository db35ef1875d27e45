import io
import json
import pickle
import shutil
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
import torch

from gru_nlp import checkpoint
from gru_nlp.cli.main import main
from gru_nlp.cli.restored import joined
from gru_nlp.errors import UserError
from gru_nlp.predictor import Predictor, check_alike

SENTENCES = ["The cat sees the lamp.", "Does the old king open a box?"]
GERMAN = ["Die Katze sieht die Lampe.", "Macht der alte König eine Kiste auf?"]


@pytest.fixture(scope="session")
def translator(tmp_path_factory):
    """Return the run folder of a translator of the embedded sample, trained quicker than by default."""
    folder = tmp_path_factory.mktemp("translator") / "run"
    options = ["task=translation", "trainer.max_epochs=5", "optimizer.lr=0.005", "trainer.enable_progress_bar=false"]
    assert main(["train", *options, f"run_dir={folder}"]) == 0
    return folder


def translate(capsys, *arguments):
    capsys.readouterr()
    assert main(["translate", *arguments]) == 0
    return capsys.readouterr().out.splitlines()


def test_held_out_combinations_are_translated(translator):
    metrics = json.loads((translator / "metrics.json").read_text())
    assert metrics["test/exact_match"] >= 0.9
    assert metrics["test/bleu"] > 95
    assert "tok:13a" in metrics["scorer"]


def test_evaluate_repeats_bleu_from_the_file_alone_and_scores_other_pairs(translator, tmp_path, capsys):
    shutil.copy(translator / "best.ckpt", tmp_path / "alone.ckpt")
    capsys.readouterr()
    assert main(["evaluate", "checkpoint=alone.ckpt", "output=said.jsonl"]) == 0
    scores = dict(line.split(" ") for line in capsys.readouterr().out.splitlines())
    metrics = json.loads((translator / "metrics.json").read_text())
    assert {name: float(value) for name, value in scores.items()} == {
        name: value for name, value in metrics.items() if name.startswith("test/")
    }
    said = [json.loads(line) for line in Path("said.jsonl").read_text(encoding="utf-8").splitlines()]
    assert sum(r["translation"] == r["reference"] for r in said) / len(said) == metrics["test/exact_match"]
    Path("a.en").write_text("\n".join(SENTENCES) + "\n", encoding="utf-8")
    Path("a.de").write_text("\n".join(GERMAN) + "\n", encoding="utf-8")
    own = ["data=parallel", "data.test_source=a.en", "data.test_target=a.de", "decoding=greedy"]
    assert main(["evaluate", "checkpoint=alone.ckpt", *own]) == 0
    assert "test/exact_match 1.0" in capsys.readouterr().out


def test_one_text_a_file_and_json_with_the_n_best(translator, capsys):
    own = f"checkpoint={translator}"
    assert translate(capsys, own, "--", *SENTENCES[0].split()) == [GERMAN[0]]
    Path("in.txt").write_text("\n".join([SENTENCES[0], "", SENTENCES[1]]) + "\n", encoding="utf-8")
    assert translate(capsys, own, "input=in.txt", "output=out.txt") == []
    assert Path("out.txt").read_text(encoding="utf-8").splitlines() == [GERMAN[0], "", GERMAN[1]]
    records = [json.loads(line) for line in translate(capsys, own, "input=in.txt", "format=jsonl", "decoding.n_best=3")]
    assert records[1] == {"source": "", "translation": "", "score": None}
    assert records[0]["n_best"][0] == [records[0]["translation"], records[0]["score"]]
    assert records[0]["translation"] == GERMAN[0]
    scores = [score for _, score in records[0]["n_best"]]
    assert len(scores) == 3
    assert scores == sorted(scores, reverse=True)


def test_translations_do_not_depend_on_batch_size_or_order(translator):
    texts = [json.loads(line)["source"] for line in (translator / "predictions.jsonl").read_text().splitlines()[:60]]
    predictor = Predictor.from_checkpoint(translator)
    expected = predictor(texts, batch_size=16)
    for found in (predictor(texts, batch_size=1), predictor(texts[::-1], batch_size=60)[::-1]):
        assert [r["translation"] for r in found] == [r["translation"] for r in expected]
        assert max(abs(a["score"] - b["score"]) for a, b in zip(found, expected, strict=True)) < 1e-5


@pytest.mark.parametrize("content", ["", "\n\n\n", "x" * 10_000 + "\n", "\x01\x02 a\tb\x7f\n", "猫 sees кошку קט\n"])
def test_hostile_lines_give_a_line_each(translator, capsys, content):
    Path("in.txt").write_text(content, encoding="utf-8")
    assert len(translate(capsys, f"checkpoint={translator}", "input=in.txt")) == content.count("\n")


def test_blanks_are_kept_and_long_lines_are_translated_in_pieces(translator, capsys):
    long = "  " + " ".join(SENTENCES * 12) + "\t"
    Path("in.txt").write_text(f" {SENTENCES[0]}  \n{long}\n", encoding="utf-8")
    options = [f"checkpoint={translator}", "input=in.txt"]
    lines = translate(capsys, *options, "batch_size=3")
    assert lines == [f" {GERMAN[0]}  ", "  " + " ".join(GERMAN * 12) + "\t"]
    options += ["decoding.n_best=2", "format=jsonl", "alignments=true", "min_log_probability=-1e-9"]
    first, second = map(json.loads, translate(capsys, *options))
    assert second["pieces"] == [list(pair) for pair in zip(SENTENCES * 12, GERMAN * 12, strict=True)]
    assert [second["translation"], second["score"]] == second["n_best"][0]
    assert second["n_best"][1][0] != lines[1]
    assert [len(row) for row in second["alignment"]] == [len(second["source_tokens"])] * len(second["target_tokens"])
    assert "pieces" not in first
    assert first["doubtful"]
    assert main(["translate", *options[:2], "min_log_probability=-9", "format=csv"]) == 0
    captured = capsys.readouterr()
    assert captured.out.splitlines()[0] == "source,translation,score,doubtful"
    assert captured.out.splitlines()[1].endswith(",false")
    assert "1 texts were translated in pieces, sentence by sentence, as the model learned, or since" in captured.err
    Path("two.txt").write_text(" ".join(SENTENCES) + "\n" + SENTENCES[0] + "\n", encoding="utf-8")
    own = [options[0], "input=two.txt", "prefix=Die Katze", "format=jsonl"]
    for each in ("sentences=true", "sentences=auto"):  # training saw single sentences
        first, second = map(json.loads, translate(capsys, *own, each))
        assert first["translation"] == " ".join(GERMAN)
        assert first["pieces"] == [list(pair) for pair in zip(SENTENCES, GERMAN, strict=True)]
        assert "pieces" not in second
    assert not any("pieces" in json.loads(line) for line in translate(capsys, *own, "sentences=false"))
    assert main(["translate", *own, "sentences=some"]) == 2
    assert "sentences=some must be auto, true or false" in capsys.readouterr().err
    assert main(["translate", *options[:2], "min_log_probability=-1e-9"]) == 0
    assert "2 translations are doubtful: their tokens have a mean log-probability below" in capsys.readouterr().err
    assert main(["translate", *options[:2], "min_log_probability=1"]) == 2
    assert "min_log_probability=1 must be a number of at most 0, or null" in capsys.readouterr().err


def test_terms_a_beginning_and_numbers_are_said_as_wished(translator, capsys):
    Path("in.txt").write_text("\n".join([*SENTENCES, "", "The cat 27 sees 猫."]) + "\n", encoding="utf-8")
    Path("t.tsv").write_text("LAMP\tx\nlamp\tKiste\n", encoding="utf-8")
    own = [f"checkpoint={translator}", "input=in.txt"]
    lines = translate(capsys, *own, "terms=t.tsv", "copy=true")
    assert "Kiste" in lines[0]
    assert lines[1:3] == [GERMAN[1], ""]
    assert "27" in lines[3]
    assert "猫" in lines[3]
    assert lines == translate(capsys, *own, "terms=t.tsv", "copy=true", "batch_size=1")
    lines = translate(capsys, *own, "prefix=Macht der", "ensemble=[" + str(translator) + "]")
    assert [line[:9] for line in lines] == ["Macht der", "Macht der", "", "Macht der"]
    assert lines[1] == GERMAN[1]
    Path("t.tsv").write_text("lamp Kiste\n", encoding="utf-8")
    assert main(["translate", *own, "terms=t.tsv"]) == 2
    assert "t.tsv:1: no term, tab and its translation (see terms)" in capsys.readouterr().err


def test_what_cannot_be_translated_is_told_in_one_line(translator, trained, capsys):
    Path("in.txt").write_bytes(b"fine\n\xff\xfe\n")
    cases = {
        ("input=in.txt", "output=o.txt"): "in.txt:2: not utf-8",
        ("decoding=bean", "--", "x"): "did you mean 'beam'?",
        ("decoding.n_best=3", "--", "x"): "decoding.n_best=3 has no effect on format=lines: set format=jsonl, or leave",
        ("decoding.n_best=3", "format=csv", "--", "x"): "decoding.n_best=3 has no effect on format=csv",
        ("decoding.n_best=9", "--", "x"): "decoding.n_best=9 must lie between 1 and decoding.beam_size=5",
        ("format=xml", "--", "x"): "format=xml is not known",
    }
    for options, told in cases.items():
        assert main(["translate", f"checkpoint={translator}", *options]) == 2
        assert told in capsys.readouterr().err
    assert not Path("o.txt").exists()
    assert main(["predict", f"checkpoint={translator}", "format=tsv", "--", "x"]) == 2
    assert "a translator gives no labels: use translate" in capsys.readouterr().err
    for option in ("ensemble", "backward"):
        assert main(["translate", f"checkpoint={translator}", f"{option}=x", "--", "x"]) == 2
        assert f"{option}=x must be a list: {option}=[x]" in capsys.readouterr().err
    assert main(["train", "task=translation", "embedding.vectors=x.txt"]) == 2
    assert "embedding.vectors serves classifiers" in capsys.readouterr().err
    assert main(["translate", f"checkpoint={trained}", "--", "x"]) == 2
    assert "no translator but a sentiment model: use predict" in capsys.readouterr().err


def test_a_terminal_gets_a_prompt_and_an_answer_a_line(translator, capsys, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr("sys.stdin", Terminal(SENTENCES[0] + "\n" + SENTENCES[1] + "\n"))
    capsys.readouterr()
    assert main(["translate", f"checkpoint={translator}"]) == 0
    captured = capsys.readouterr()
    assert captured.out.splitlines() == GERMAN
    assert captured.err.count("> ") == 3


def test_attention_is_shown_as_json_and_as_a_picture(translator, capsys):
    own = [f"checkpoint={translator}", "picture=seen (1).svg", "alignments=true"]
    record = json.loads(translate(capsys, *own, "--", SENTENCES[1], "& 猫 <b> \x07")[0])
    rows, columns = len(record["target_tokens"]), len(record["source_tokens"])
    assert [len(row) for row in record["alignment"]] == [columns] * rows
    assert all(sum(row) == pytest.approx(1.0, abs=0.01) for row in record["alignment"])
    picture = ElementTree.parse("seen (1).svg").getroot()
    texts = [element.text for element in picture.iter() if element.tag.endswith("text")]
    assert len(texts) == rows + columns
    assert main(["translate", f"checkpoint={translator}", "picture=x.bmp", "--", "x"]) == 2
    assert "only SVG is written" in capsys.readouterr().err


def test_an_ensemble_averages_probabilities(translator, capsys):
    own = [f"checkpoint={translator}", "format=jsonl"]
    alone = json.loads(translate(capsys, *own, "--", SENTENCES[0])[0])
    shutil.copy(translator / "best.ckpt", "other.ckpt")
    twice = json.loads(translate(capsys, *own, "ensemble=[other.ckpt]", "--", SENTENCES[0])[0])
    assert twice["translation"] == alone["translation"]
    assert twice["score"] == pytest.approx(alone["score"], abs=1e-5)
    content = torch.load("other.ckpt", weights_only=True)
    content["state_dict"]["model.bias"] = content["state_dict"]["model.bias"] + torch.randn(999) * 3
    torch.save(content, "other.ckpt")
    mixed = json.loads(translate(capsys, *own, "ensemble=[other.ckpt]", "--", SENTENCES[0])[0])
    assert mixed["score"] != pytest.approx(alone["score"], abs=1e-5)
    assert main(["translate", *own, "ensemble=[other.ckpt]", "alignments=true", "--", SENTENCES[0]]) == 2
    assert "alignments need a single translator" in capsys.readouterr().err
    content["gru_nlp"]["preprocessing"]["source"] += " "
    torch.save(content, "other.ckpt")
    assert main(["translate", *own, "ensemble=[other.ckpt]", "--", "x"]) == 2
    assert "another tokenizer" in capsys.readouterr().err


def test_models_with_a_short_list_and_without_have_one_tokenizer(translator):
    stored = checkpoint.load(translator)
    check_alike(
        stored, replace(stored, preprocessing={**stored.preprocessing, "shortlist": {"each": [], "always": []}})
    )
    with pytest.raises(UserError, match="another tokenizer"):
        check_alike(stored, replace(stored, preprocessing={**stored.preprocessing, "source": "{}"}))


def test_an_ensemble_pickles(translator):
    stored = checkpoint.load(translator)
    preprocessor, model = checkpoint.restore(stored)
    predictor = Predictor(preprocessor, joined(stored, model, [stored], []))
    assert pickle.loads(pickle.dumps(predictor))(SENTENCES) == predictor(SENTENCES)


def test_a_short_list_that_was_not_learned_or_serves_no_ensemble_is_refused(translator, capsys):
    own = f"checkpoint={translator}"
    assert main(["translate", own, "shortlist=true", "--", SENTENCES[0]]) == 2
    assert "no short-list was learned" in capsys.readouterr().err
    stored = checkpoint.load(translator)
    known = {"each": [[4]] * checkpoint.restore(stored)[0].source.vocabulary_size, "always": [0, 1, 2, 3]}
    content = torch.load(stored.path, weights_only=True)
    content[checkpoint.KEY]["preprocessing"]["shortlist"] = known
    torch.save(content, "short.ckpt")
    few = translate(capsys, "checkpoint=short.ckpt", "shortlist=true", "--", SENTENCES[0])
    assert few != [GERMAN[0]]
    assert main(["translate", "checkpoint=short.ckpt", "shortlist=true", f"ensemble=[{own[11:]}]", "--", "a"]) == 2
    assert "shortlist=true is for one model" in capsys.readouterr().err
