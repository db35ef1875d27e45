"""Several labels a text, from files of each format to answers of each."""

import csv
import json
import runpy
from pathlib import Path

import datasets
import pytest
import torch

import gru_nlp
from gru_nlp import checkpoint
from gru_nlp.cli.main import main
from gru_nlp.errors import UserError
from gru_nlp.metrics.multilabel import report
from gru_nlp.tensors import to_tensors

RULES = runpy.run_path(str(Path(__file__).parent.parent / "samples" / "several_labels.py"))
TRIGGERS, texts = RULES["TRIGGERS"], RULES["texts"]
SMALL = ("encoder.hidden_size=32", "embedding.size=32", "logger=none", "trainer.enable_progress_bar=false",
         "optimizer.lr=0.01", "model.dropout=0.1", "run_dir=run")  # fmt: skip
QUICK = (*SMALL, "trainer.max_epochs=1")
SEPARATED = "data.label_separator=;"


def write(name, rows):
    """Write texts and their labels as csv, tsv, JSON lines or Parquet, whichever the name says."""
    kind = name.rpartition(".")[2]
    if kind in ("csv", "tsv"):
        with Path(name).open("w", newline="") as file:
            writer = csv.writer(file, delimiter="," if kind == "csv" else "\t")
            writer.writerows([("text", "label"), *((text, ";".join(labels)) for text, labels in rows)])
    elif kind == "jsonl":
        Path(name).write_text("".join(json.dumps({"text": t, "label": labels}) + "\n" for t, labels in rows))
    else:
        datasets.Dataset.from_dict({"text": [t for t, _ in rows], "label": [ls for _, ls in rows]}).to_parquet(name)
    return name


def data(kind):
    """Return the options of training and test files of a format, and the separator where it needs one."""
    named = [f"data.{split}={write(f'{split}.{kind}', texts(n, n))}" for split, n in (("train", 60), ("test", 20))]
    return [f"data={kind}", *named, *([SEPARATED] if kind in ("csv", "tsv") else [])]


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    """Train on the rules, and return the run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("learned"))
        files = (f"data.train={write('train.csv', texts(1500, 1))}", f"data.test={write('test.csv', texts(400, 2))}")
        run = gru_nlp.train("task=multilabel", "data=csv", *files, SEPARATED, *SMALL, "trainer.max_epochs=5")
        return run.folder.absolute(), run


def test_rules_are_learned_from_their_traces(learned):
    folder, run = learned
    assert run.scores["test/micro_f1"] >= 0.97
    assert run.scores["test/macro_f1"] >= 0.97
    assert run.scores["test/subset_accuracy"] > 0.9
    told = json.loads((folder / "metrics.json").read_text())
    assert run.monitored == told["validation/micro_f1"]
    assert set(told["classes"]) == set(TRIGGERS)
    scores = told["classes"]["food"]
    assert set(scores) == {"precision", "recall", "f1", "support", "threshold"}
    assert scores["support"] == sum("food" in labels for _, labels in texts(400, 2))
    records = [json.loads(line) for line in (folder / "predictions.jsonl").read_text().splitlines()]
    assert [(record["text"], record["target"]) for record in records] == texts(400, 2)
    exact = sum(sorted(record["labels"]) == record["target"] for record in records)
    assert exact / 400 == told["test/subset_accuracy"]


def test_the_best_checkpoint_carries_its_thresholds(learned, capsys):
    folder, run = learned
    weights = torch.load(folder / "best.ckpt", weights_only=True)["state_dict"]
    thresholds = weights["model.thresholds"]
    told = json.loads((folder / "metrics.json").read_text())["classes"].values()
    assert thresholds.tolist() == [label["threshold"] for label in told]
    assert 0.0 < thresholds.min() <= thresholds.max() < 1.0
    assert not torch.equal(thresholds, torch.full_like(thresholds, 0.5))
    assert main(["evaluate", f"checkpoint={folder}", "split=validation"]) == 0  # by those, not fitted anew
    out = capsys.readouterr().out
    assert f"validation/micro_f1 {run.scores['validation/micro_f1']!r}" in out


def test_each_part_alone_is_scored_by_thresholds_of_its_own(learned):
    folder, run = learned
    model = run.parts.task.model
    stored = torch.load(folder / "best.ckpt", weights_only=True)["state_dict"]["model.part_thresholds"]
    assert stored.shape == (2, len(TRIGGERS))
    assert not torch.equal(stored[0], stored[1])
    rows = texts(400, 2)
    preprocessor = run.parts.preprocessor
    encoded = preprocessor.encode({"text": [text for text, _ in rows], "labels": [labels for _, labels in rows]})
    batch = to_tensors(preprocessor.collate(encoded, training=False), "cpu")
    with torch.inference_mode():
        parts = model.eval().classifier.parts(batch)
    for name, logits, thresholds in zip(("recurrent", "wide"), parts, stored, strict=True):
        found = report(logits, batch.targets, thresholds)
        assert run.scores[f"test/micro_f1_{name}"] == pytest.approx(found.micro_f1)
        assert run.scores[f"test/macro_f1_{name}"] == pytest.approx(found.macro_f1)
    best = max(run.scores["validation/micro_f1_wide"], run.scores["validation/micro_f1_recurrent"])
    assert run.scores["validation/micro_f1"] >= best - 0.01


def test_a_text_is_answered_alike_in_any_batch_and_alone(learned):
    predictor = gru_nlp.Predictor.from_checkpoint(learned[0])
    given = [*(text for text, _ in texts(60, 5)), "qqq", "\u200b"]
    first = predictor(given, top_k=5)
    for found in (predictor(given, batch_size=1, top_k=5), predictor(given[::-1], batch_size=7, top_k=5)[::-1]):
        for one, other in zip(first, found, strict=True):
            assert one["labels"] == other["labels"]
            assert dict(map(tuple, one["top"])) == pytest.approx(dict(map(tuple, other["top"])), abs=1e-5)


def test_one_file_answers_alone(learned, capsys):
    folder, _ = learned
    assert main(["info", f"checkpoint={folder}", "output=copy.ckpt"]) == 0
    given = [text for text, _ in texts(20, 5)]
    answers = [gru_nlp.Predictor.from_checkpoint(place)(given) for place in ("copy.ckpt", folder)]
    assert answers[0] == answers[1]


def test_a_checkpoint_from_before_there_was_a_wide_part_answers_as_it_did():
    options = ["task=multilabel", *data("csv"), *QUICK, "model.wide=none"]
    run = gru_nlp.train(*options)
    assert not [name for name in run.scores if "wide" in name or "recurrent" in name]
    content = torch.load("run/best.ckpt", weights_only=True)
    assert not [name for name in content["state_dict"] if any(word in name for word in ("wide", "shares", "part"))]
    for part in ("model", "preprocessing"):
        del content[checkpoint.KEY]["config"][part]["wide"]
    torch.save(content, "old.ckpt")
    assert gru_nlp.evaluate("old.ckpt") == {n: value for n, value in run.scores.items() if n.startswith("test/")}
    answers = [gru_nlp.Predictor.from_checkpoint(place)(["a song", "rain"]) for place in ("old.ckpt", "run")]
    assert answers[0] == answers[1]


def test_an_unknown_kind_of_ngrams_is_one_line():
    assert "model.wide" in refused("task=multilabel", *data("csv"), "model.wide=letters")


@pytest.mark.parametrize("part", [None, {"words": "AAAA", "characters": ""}])
def test_hashes_that_do_not_fit_are_refused(learned, part, capsys):
    content = torch.load(learned[0] / "best.ckpt", weights_only=True)
    content[checkpoint.KEY]["preprocessing"]["ngrams"] = part
    torch.save(content, "odd.ckpt")
    assert main(["predict", "checkpoint=odd.ckpt", "--", "x"]) == 2
    (told,) = capsys.readouterr().err.splitlines()
    assert told.startswith("gru-nlp: odd.ckpt: ")


@pytest.mark.parametrize("name", ["model.thresholds", "model.part_thresholds"])
def test_thresholds_that_are_no_probabilities_are_refused(learned, name, capsys):
    content = torch.load(learned[0] / "best.ckpt", weights_only=True)
    content["state_dict"][name].view(-1)[1] = 7.0
    torch.save(content, "odd.ckpt")
    assert main(["predict", "checkpoint=odd.ckpt", "--", "a song"]) == 2
    assert "odd.ckpt: the weights do not fit the model: thresholds that are not from" in capsys.readouterr().err


@pytest.mark.parametrize("separator", [None, 3, "", "\n", "x" * 9])
def test_a_separator_that_joins_nothing_is_refused(learned, separator, capsys):
    content = torch.load(learned[0] / "best.ckpt", weights_only=True)
    content["gru_nlp"]["preprocessing"]["separator"] = separator
    torch.save(content, "odd.ckpt")
    assert main(["predict", "checkpoint=odd.ckpt", "--", "a song"]) == 2
    assert "the learned state is broken: see 'separator'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("format", "lines"),
    [
        ("csv", ["text,labels,scores", "a song and the storm,{two},{scores}", ",,", "the was,,"]),
        ("tsv", ["{two}\t{scores}\ta song and the storm", "\t\t", "\t\tthe was"]),
        ("lines", ["{two}", "", ""]),
    ],
)
def test_labels_are_joined_by_what_separated_them(learned, format, lines, capsys):
    Path("in.txt").write_text("a song and the storm\n\nthe was\n")
    assert main(["predict", f"checkpoint={learned[0]}", "input=in.txt", f"format={format}"]) == 0
    record = gru_nlp.Predictor.from_checkpoint(learned[0])("a song and the storm")
    assert sorted(record["labels"]) == ["music", "weather"]
    assert record["scores"] == sorted(record["scores"], reverse=True)
    told = {"two": ";".join(record["labels"]), "scores": ";".join(f"{score:.4f}" for score in record["scores"])}
    assert capsys.readouterr().out.splitlines() == [line.format(**told) for line in lines]


def test_records_name_labels_and_scores(learned, capsys):
    command = ["predict", f"checkpoint={learned[0]}"]
    assert main([*command, "format=jsonl", "top_k=2", "--", "the near goal was"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["labels"] == ["sport"] == [record["top"][0][0]]
    assert len(record["top"]) == 2
    assert record["text"] == "the near goal was"
    assert gru_nlp.Predictor.from_checkpoint(learned[0])(["", "the"]) == [{"labels": [], "scores": []}] * 2
    assert main([*command, "format=table", "--", "a <goal>"]) == 0
    assert capsys.readouterr().out.startswith("sport ")
    assert main([*command, "format=html", "--", "a goal <b>"]) == 0
    assert "sport</mark> a goal &lt;b&gt;</p>" in capsys.readouterr().out
    assert main([*command, "format=csv", "top_k=2", "--", "a goal"]) == 2
    assert "top_k=2 has no effect on format=csv" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["csv", "tsv", "jsonl", "parquet"])
def test_every_format_gives_the_same_rows_and_scores(kind, learned):
    table = write(f"same.{kind}", texts(400, 2))
    separator = [SEPARATED] if kind in ("csv", "tsv") else []
    scores = gru_nlp.evaluate(learned[0], f"data={kind}", f"data.test={table}", *separator)
    assert scores == {name: value for name, value in learned[1].scores.items() if name.startswith("test/")}


def test_it_trains_on_lists_shows_itself_and_resumes(capsys):
    assert main(["train", "task=multilabel", *data("jsonl"), *QUICK]) == 0
    captured = capsys.readouterr()
    assert "next: gru-nlp predict checkpoint=run -- " in captured.out
    assert "test/micro_f1" in captured.out
    assert main(["info", "checkpoint=run"]) == 0
    assert "food, music, sport, travel, weather" in capsys.readouterr().out
    assert main(["train", "resume=run", "trainer.max_epochs=2"]) == 0


def test_a_resumed_run_is_one_that_was_not_stopped():
    options = ["task=multilabel", *data("jsonl"), *SMALL]
    gru_nlp.train(*options, "trainer.max_epochs=2", "run_dir=whole")
    gru_nlp.train(*options, "trainer.max_epochs=1")
    gru_nlp.train("resume=run", "trainer.max_epochs=2")
    one, other = (torch.load(f"{run}/last.ckpt", weights_only=True)["state_dict"] for run in ("whole", "run"))
    assert all(torch.equal(one[name], other[name]) for name in one)


def refused(*options):
    with pytest.raises(UserError) as told:
        gru_nlp.train(*options, *QUICK)
    assert not Path("run").exists()
    return str(told.value).replace(f"{Path.cwd()}/", "")


@pytest.mark.parametrize(
    ("label", "told"),
    [
        ('["a", 3]', ": column 'label' holds a number (3) in a list of labels: write it as text, or name it in"),
        ('["a", null]', ": column 'label' holds nothing in a list of labels: write it as text"),
        ('["a", " "]', ", column 'label': an empty label: mend the row"),
        ('["a", "b", " a"]', ", column 'label': the label 'a' stands there twice: mend the row"),
        ('[["a"]]', ": column 'label' holds a list ([\"a\"]) in a list of labels: write it as text"),
        ('{"a": 1}', ": column 'label' holds an object"),
        ("2.5", ": column 'label' holds a number (2.5), which is no label"),
    ],
)
def test_a_bad_list_is_refused_by_line(label, told):
    Path("a.jsonl").write_text(f'{{"text": "x y", "label": ["a"]}}\n{{"text": "z", "label": {label}}}\n')
    assert refused("task=multilabel", "data=jsonl", "data.train=a.jsonl").startswith(f"a.jsonl:2{told}")


@pytest.mark.parametrize(
    ("label", "told"),
    [
        ("a;;b", "an empty label in 'a;;b' (data.label_separator=;): mend the row"),
        ("a; ;b", "an empty label in 'a; ;b' (data.label_separator=;): mend the row"),
        ("a;", "an empty label in 'a;' (data.label_separator=;): mend the row"),
        ("a;b;a", "the label 'a' stands there twice: mend the row"),
    ],
)
def test_a_bad_cell_is_refused_by_line(label, told):
    Path("a.tsv").write_text(f"text\tlabel\nx y\ta;b\nz\t{label}\n")
    options = ("task=multilabel", "data=tsv", "data.train=a.tsv", SEPARATED)
    assert refused(*options) == f"a.tsv:3, column 'label': {told}"


def test_what_separates_labels_is_refused_where_there_is_nothing_to_separate():
    lists, cells = write("a.jsonl", texts(40, 1)), write("a.csv", texts(40, 1))
    told = refused("task=multilabel", "data=jsonl", f"data.train={lists}", SEPARATED)
    assert told == "a.jsonl:1: column 'label' holds a list, on which data.label_separator has no effect: leave it out"
    told = refused("data=csv", f"data.train={cells}", SEPARATED)
    assert told.startswith("data.label_separator=';' has no effect on a task of one label a text: leave it out")
    for separator in ("", "x" * 9):
        told = refused("task=multilabel", "data=csv", f"data.train={cells}", f"data.label_separator={separator}")
        assert told.endswith("must be 1 to 8 characters, and no line's end")
    told = refused("task=multilabel", "data=tsv", f"data.train={cells}", "data.label_separator='\\t'")
    assert told.startswith("data.label_separator: a tab ends a field of data.format=tsv")


def test_a_task_of_one_label_names_the_task_of_several():
    told = refused("task=classification", *data("jsonl"))
    assert told.startswith("train.jsonl:1: column 'label' holds a list (")
    assert "task=multilabel" in told


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (
            ["model=classifier"],
            "SequenceClassifier takes no several_labels, which MultilabelPreprocessor gives: choose",
        ),
        (
            ["preprocessing=classification"],
            "MultilabelClassifier takes no num_labels, which ClassificationPrep",
        ),
        (
            ["preprocessing=classification", "model=classifier"],
            "task=multilabel trains a MultilabelClassifier, not a SequenceClassifier: leave out model=... and",
        ),
        (
            ["task=sentiment", "preprocessing=multilabel", "model=multilabel"],
            "task=sentiment trains a Classifier, not a MultilabelClassifier",
        ),
        (["model=tagger"], "preprocessing.wide is taken from model.wide, which is not there"),
    ],
)
def test_parts_of_other_tasks_do_not_fit(options, told):
    table = write("a.csv", [(text, [f"{len(labels)}"]) for text, labels in texts(60, 1)])
    assert told in refused("task=multilabel", "data=csv", f"data.train={table}", *options)


def test_an_unknown_label_is_refused_by_line_unless_it_counts_as_missed(capsys):
    options = ["task=multilabel", f"data.train={write('a.csv', texts(60, 1))}", SEPARATED, "data=csv"]
    rows = [("a song", ["music"]), ("x", []), ("rain", ["weather", "musik"])]
    options.append(f"data.test={write('b.csv', rows)}")
    assert refused(*options).endswith(
        "b.csv:4: the label 'musik' does not occur in training (labels: food, music, sport, travel, weather); "
        "did you mean 'music'?"
    )
    single = write("c.csv", [(text, labels[:1]) for text, labels in texts(60, 1)])
    told = refused("task=multilabel", "data=csv", f"data.train={single}", "data.test=b.csv")
    assert "b.csv:4: the label 'weather;musik' does not occur" in told
    assert told.endswith("(see data.label_separator)")
    run = gru_nlp.train(*options, *QUICK, "data.unknown_labels=wrong")
    assert "1 of 3 rows of test have a label that training does not have" in capsys.readouterr().err
    assert [record["target"] for record in run.predictions] == [["music"], [], ["weather", "musik"]]
    exact = sum(sorted(record["labels"]) == sorted(record["target"]) for record in run.predictions)
    assert run.scores["test/subset_accuracy"] == exact / 3


def test_files_without_labels_or_with_one_a_text(capsys):
    assert "has a label" in refused("task=multilabel", "data=csv", f"data.train={write('a.csv', [('x y', [])] * 30)}")
    one = write("b.csv", [("x y", ["a"]), ("z", [])] * 20)
    gru_nlp.train("task=multilabel", "data=csv", f"data.train={one}", *QUICK)
    assert "no text of training has more than one label (see data.label_separator)" in capsys.readouterr().err


def test_named_numbers_and_other_separators(learned):
    rows = [{"text": f"a {n}", "label": [0, 1] if n % 2 else [1]} for n in range(40)]
    Path("n.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    names = "data.label_names={0: joy, 1: an;ger}"
    run = gru_nlp.train("task=multilabel", "data=jsonl", "data.train=n.jsonl", names, *QUICK)
    assert run.parts.preprocessor.label_names() == ["joy", "an;ger"]
    assert run.parts.preprocessor.separator == "|"  # what occurs in no label
    Path("p.csv").write_text("text,label\n" + "".join(f"a {n},x || y\nb {n},y\n" for n in range(20)))
    run = gru_nlp.train(
        "task=multilabel", "data=csv", "data.train=p.csv", "data.label_separator=||", *QUICK, "run_dir=p"
    )
    assert run.parts.preprocessor.label_names() == ["x", "y"]
    assert run.parts.preprocessor.separator == "||"
