"""The cheap baselines, on tables of a few rows."""

import importlib
import json
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from gru_nlp.cli.shell import composed
from gru_nlp.config import resolved
from gru_nlp.errors import UserError
from gru_nlp.training.parts import prepare

SCRIPTS = Path(__file__).parents[2] / "scripts"
COLOURS = {"warm": ("red sun", "orange fire"), "cold": ("blue sea", "white ice"), "dark": ("black night", "grey fog")}
CSV = ["data=csv", "data.train=a.csv", "data.test=b.csv"]


@pytest.fixture
def baselines(monkeypatch):
    monkeypatch.syspath_prepend(SCRIPTS)
    return importlib.import_module("baselines")


@pytest.fixture
def models(baselines, monkeypatch):
    module = importlib.import_module("baseline_models")
    monkeypatch.setattr(module, "BUCKETS", 50_000)
    return module


def write(name, labels=tuple(COLOURS), rows=range(20)):
    lines = [f"{COLOURS[label][row % 2]} {row},{label}\n" for row in rows for label in labels]
    Path(name).write_text("text,label\n" + "".join(lines), encoding="utf-8")


def cells(table):
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]


@pytest.mark.parametrize("labels", [("warm", "cold"), ("warm", "cold", "dark")])
@pytest.mark.parametrize("model", ["tfidf_svm", "nb_svm", "fasttext"])
def test_each_learns_two_and_three_labels_and_is_measured(baselines, models, labels, model):
    kind = models.BASELINES[model]
    pytest.importorskip(kind.module)
    write("a.csv", labels)
    write("b.csv", labels, range(20, 26))
    [row] = cells(baselines.compare([*CSV, f"models={model}"]))
    assert row[:4] == ["csv", kind.title, "100.00", "100.00"]
    assert all(float(cell.replace(",", "")) >= 0 for cell in row[4:11])


def test_texts_that_were_never_seen_and_break_lines_get_a_label_each(models, tmp_path):
    pytest.importorskip("fasttext")
    model = models.FastText(1, tmp_path)
    model.read(["red sun __label__1", "blue\nsea"] * 10, np.asarray([0, 1] * 10))
    model.fit({"lr": 0.5, "epoch": 25})
    assert model.predict(["red sun", "blue sea"]).tolist() == [0, 1]
    assert len(model.predict(["unseen", "\n", "sun\nsea", "__label__1"])) == 4


def test_rows_that_come_label_by_label_are_shuffled_for_fasttext_with_their_labels(models, tmp_path):
    model = models.FastText(1, tmp_path)
    texts = [f"{place < 50} {place}" for place in range(100)]
    model.read(texts, np.repeat([0, 1], 50))
    lines = (tmp_path / "train.txt").read_text("utf-8").splitlines()
    assert sorted(lines) == sorted(f"__label__{place // 50} {text.lower()}" for place, text in enumerate(texts))
    assert 10 < sum(line.startswith("__label__0") for line in lines[:50]) < 40


def test_a_setting_that_diverges_is_not_chosen_and_where_all_do_it_is_told(baselines, models, monkeypatch, tmp_path):
    def diverge(model, setting):
        if setting["C"] != 3:
            raise UserError(f"C={setting['C']}: Encountered NaN.")
        fit(model, setting)

    pytest.importorskip("sklearn")
    write("a.csv")
    write("b.csv", rows=range(20, 26))
    data = baselines.read(CSV)
    fit = models.TfidfSVM.fit
    monkeypatch.setattr(models.TfidfSVM, "fit", diverge)
    assert baselines.search(models.TfidfSVM, data, tmp_path) == {"C": 3.0}
    monkeypatch.setattr(models.TfidfSVM, "settings", lambda model: [{"C": 0.1}])
    with pytest.raises(UserError, match="Encountered NaN"):
        baselines.measure(models.TfidfSVM, data, tmp_path)


def test_large_training_is_read_five_times_and_small_a_hundred_times(models, tmp_path):
    model = models.FastText(1, tmp_path)
    for count, epochs in ((models.MOST_READ, {5}), (models.MOST_READ // 25, {5, 25}), (2, {5, 25, 100})):
        model._count = count
        assert {setting["epoch"] for setting in model.settings()} == epochs


def test_naive_bayes_weights_are_those_of_the_paper(models):
    sparse = pytest.importorskip("scipy.sparse")
    present = sparse.csr_matrix(np.asarray([[1, 1, 0], [1, 0, 0], [0, 1, 1]], np.float32))
    found = models.log_ratios(present, np.asarray([True, True, False]))
    p, q = np.asarray([3, 2, 1]) / 6, np.asarray([1, 2, 2]) / 5
    np.testing.assert_allclose(found, np.log(p / q), rtol=1e-6)


def test_softened_weights_lie_between_the_mean_and_the_machines_own(models, tmp_path):
    pytest.importorskip("sklearn")
    model = models.NaiveBayesSVM(1, tmp_path)
    model.read(["red sun", "red fire", "blue sea", "blue ice"], np.asarray([1, 1, 0, 0]))
    model.fit({"C": 1.0, "beta": 1.0})
    own, ratios = model._weights[:, 0] / model._ratios[0], model._ratios[0]
    model.fit({"C": 1.0, "beta": 0.25})
    np.testing.assert_allclose(
        model._weights[:, 0], (0.75 * np.abs(own).mean() + 0.25 * own) * ratios, rtol=1e-5, atol=1e-7
    )


def test_the_splits_are_those_of_a_training_run(baselines):
    write("a.csv")
    write("b.csv", rows=range(20, 26))
    found = baselines.read(CSV)
    encoded = prepare(resolved(composed("train", CSV))).data.encoded
    for split in ("train", "validation", "test"):
        assert getattr(found, split).labels.tolist() == encoded[split].scalars["target"].tolist()
    assert len(found.validation.texts) == 6
    assert not set(found.train.texts) & set(found.validation.texts)


def test_labels_that_training_lacks_are_wrong_where_asked_and_else_refused(baselines):
    write("a.csv", ("warm", "cold"))
    write("b.csv")
    with pytest.raises(UserError, match=r"b\.csv:4: the label 'dark' does not occur in training"):
        baselines.read(CSV)
    assert baselines.read([*CSV, "data.unknown_labels=wrong"]).test.labels.min() == -1


def test_data_that_cannot_be_labelled_are_refused_in_a_line(baselines):
    write("a.csv", ("warm",))
    with pytest.raises(UserError, match="training has the label 'warm' alone"):
        baselines.read(["data=csv", "data.train=a.csv"])
    write("a.csv")
    with pytest.raises(UserError, match="no test split: set data.test="):
        baselines.read(["data=csv", "data.train=a.csv"])
    for options in (["task=ner"], ["task=multilabel", *CSV]):
        with pytest.raises(UserError, match="not texts of one label each: set task=classification"):
            baselines.read(options)


def test_options_go_to_the_experiment_that_they_follow_or_to_all(baselines):
    own, sets = baselines.arguments(["seed=2", "experiment=a", "data.dir=x", "runs=r,s", "experiment=b"])
    assert own == {"models": "tfidf_svm,nb_svm,fasttext", "runs": "r,s"}
    assert sets == [["seed=2", "experiment=a", "data.dir=x"], ["seed=2", "experiment=b"]]
    assert baselines.arguments(["data=csv"])[1] == [["data=csv"]]
    assert [baselines.name_of(names) for names in (sets[0], ["data=csv"], [])] == ["a", "csv", "sample_sentiment"]


def test_run_folders_of_ours_stand_beneath(baselines):
    folder = Path("run")
    folder.mkdir()
    (folder / "best.ckpt").write_bytes(bytes(1_500_000))
    scores = {"test/accuracy": 0.875, "test/macro_f1": 0.5, "seed": 3, "parameters": 250_000, "wall_seconds": 12.34}
    (folder / "metrics.json").write_text(json.dumps({**scores, "overrides": ["experiment=sst2"]}))
    row = baselines.run_of(folder)
    blank = [""] * 5
    expected = ["sst2", "gru_nlp", "87.50", "50.00", "12.3", *blank, "1.5", "seed 3, 0.2 M parameters"]
    assert cells(baselines.table([row])) == [expected]
    with pytest.raises(UserError, match="gone: no run with a test accuracy"):
        baselines.run_of(Path("gone"))


def test_a_missing_package_is_told_in_a_line_before_data_are_read(baselines, monkeypatch, capsys):
    monkeypatch.setattr(baselines, "find_spec", lambda name: None if name == "fasttext" else find_spec(name))
    monkeypatch.setattr("sys.argv", ["baselines.py", *CSV])
    assert baselines.main() == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "pip install 'gru_nlp[baselines]', or set models=tfidf_svm,nb_svm" in told


def test_the_command_prints_table_and_machine_and_tells_its_usage(baselines, monkeypatch, capsys):
    pytest.importorskip("sklearn")
    write("a.csv")
    write("b.csv", rows=range(20, 26))
    monkeypatch.setattr("sys.argv", ["baselines.py", *CSV, "models=tfidf_svm"])
    assert baselines.main() == 0
    table, machine = capsys.readouterr().out.rsplit("\n", 2)[:2]
    assert len(cells(table)) == 1
    assert "scikit-learn" in json.loads(machine)
    monkeypatch.setattr("sys.argv", ["baselines.py", "--help"])
    assert baselines.main() == 0
    assert "Usage: python scripts/baselines.py experiment=sst2" in capsys.readouterr().out
