import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from gru_nlp.cli.main import main
from gru_nlp.errors import UserError
from gru_nlp.predictor import Predictor

SENTENCES = Path(__file__).parent.parent / "samples" / "everyday_sentences.py"
TINY = ["trainer.max_epochs=2", "encoder.hidden_size=8", "embedding.size=8", "trainer.enable_progress_bar=false"]


def lines(capsys):
    return capsys.readouterr().out.splitlines()


def rows(path, texts):
    path.write_text("text,label\n" + "".join(f"{text},{label}\n" for text, label in texts), encoding="utf-8")
    return path


@pytest.fixture
def own_csv(tmp_path):
    words = [("good fine", "yes"), ("bad poor", "no")]
    return rows(tmp_path / "größe (1).csv", [(f"{text} {i % 7}", label) for i in range(60) for text, label in words])


def test_the_sample_is_learned_and_the_run_folder_is_complete(trained):
    metrics = json.loads((trained / "metrics.json").read_text())
    assert metrics["test/accuracy"] >= 0.97
    assert metrics["seed"] == 1
    assert metrics["versions"]["torch"] == torch.__version__
    assert {"machine", "parameters", "wall_seconds", "scorer", "test/macro_f1", "test/loss"} <= set(metrics)
    assert {path.name for path in trained.iterdir()} == {
        "best.ckpt", "last.ckpt", "config.yaml", "logs", "metrics.json", "predictions.jsonl",
        "report.html",
        "report.json",
    }  # fmt: skip
    predictions = (trained / "predictions.jsonl").read_text(encoding="utf-8").splitlines()
    right = [json.loads(line)["label"] == json.loads(line)["target"] for line in predictions]
    assert sum(right) / len(right) == metrics["test/accuracy"]


def test_at_least_32_of_40_everyday_sentences_are_judged_right(trained):
    spec = importlib.util.spec_from_file_location("everyday", SENTENCES)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    records = Predictor.from_checkpoint(trained)([text for text, _ in module.SENTENCES])
    assert sum(r["label"] == label for r, (_, label) in zip(records, module.SENTENCES, strict=True)) >= 32


def test_evaluate_repeats_the_test_score_to_the_last_digit_from_the_file_alone(trained, tmp_path, capsys):
    alone = tmp_path / "elsewhere" / "epoch=3 (best).ckpt"
    alone.parent.mkdir()
    shutil.copy(trained / "best.ckpt", alone)
    capsys.readouterr()
    assert main(["evaluate", f"checkpoint={alone}"]) == 0
    scores = dict(line.split(" ") for line in lines(capsys))
    metrics = json.loads((trained / "metrics.json").read_text())
    assert {name: float(value) for name, value in scores.items()} == {
        name: value for name, value in metrics.items() if name.startswith("test/")
    }


def test_the_report_of_a_run_says_how_sure_its_scores_are(trained):
    metrics, report = (json.loads((trained / f"{name}.json").read_text()) for name in ("metrics", "report"))
    assert report["split"] == "test"
    assert {name: one["value"] for name, one in report["scores"].items()} == {
        name: value for name, value in metrics.items() if name.startswith("test/")
    }
    assert all(one["low"] <= one["value"] <= one["high"] for one in report["scores"].values())
    assert report["classes"] == {"label": metrics["classes"]}
    assert 0.0 <= report["calibration"]["ece"] <= 1.0
    assert len(report["worst"]) == round((1 - metrics["test/accuracy"]) * 600)
    assert all(record["label"] != record["target"] and record["words"] for record in report["worst"])
    counts = report["confusion"]["counts"]
    assert [sum(row) for row in counts] == [metrics["classes"][label]["support"] for label in ("negative", "positive")]
    assert counts[0][0] + counts[1][1] == round(600 * metrics["test/accuracy"])
    for name in ("length", "label"):
        parts = report["slices"][name].values()
        right = sum(part["rows"] * part["scores"]["test/accuracy"]["value"] for part in parts)
        assert right / 600 == pytest.approx(metrics["test/accuracy"])


def test_evaluate_reports_by_a_column_of_the_data(trained, capsys):
    texts = ["i love it", "i hate it", "i love it so", "i hate it so"]
    lines = [f"{text},{'positive' if row < 2 else 'negative'},{'aabb'[row]}" for row, text in enumerate(texts)]
    Path("b.csv").write_text("\n".join(["text,label,source", *lines, ""]))
    own = ["evaluate", f"checkpoint={trained}", "data=csv", "data.test=b.csv"]
    assert main([*own, "report=new/folder", "slices=[source,label]"]) == 0
    report = json.loads(Path("new/folder/report.json").read_text())
    assert report["rows"] == 4
    assert {name: part["scores"]["test/accuracy"]["value"] for name, part in report["slices"]["source"].items()} == {
        "a": 0.5,
        "b": 0.5,
    }
    assert len(report["worst"]) == 2
    capsys.readouterr()
    for more, told in (
        (["slices=[source]"], "slices=[source] is for a report: set report=<folder> too"),
        (["report=out", "slices=[sauce]"], "b.csv:2: no column 'sauce'; the columns are: text, label, source"),
        (["report=b.csv"], "b.csv: cannot be written, since b.csv refuses it: set report=<new folder>"),
    ):
        assert main([*own, *more]) == 2
        assert told in capsys.readouterr().err
    assert not Path("out").exists()


def test_evaluate_scores_other_data_by_group_or_by_one_value(trained, tmp_path, capsys):
    file = rows(tmp_path / "b.csv", [("i love it", "positive"), ("i hate it", "negative")])
    assert main(["evaluate", f"checkpoint={trained}", "data=csv", f"data.test={file}", "output=out.jsonl"]) == 0
    assert "test/accuracy 1.0" in lines(capsys)
    assert [json.loads(line)["target"] for line in Path("out.jsonl").read_text(encoding="utf-8").splitlines()] == [
        "positive",
        "negative",
    ]


def test_predict_labels_the_text_after_two_dashes(trained, capsys):
    assert main(["predict", f"checkpoint={trained}", "--", "what", "a", "wonderful,", "film=good"]) == 0
    record = json.loads(lines(capsys)[0])
    assert record["label"] == "positive"
    assert record["text"] == "what a wonderful, film=good"


@pytest.mark.parametrize("kind", ["jsonl", "tsv", "table"])
def test_predict_gives_a_record_a_line_in_order(trained, tmp_path, capsys, kind):
    (tmp_path / "in.txt").write_text("it is great\n\nit is awful\n", encoding="utf-8")
    assert main(["predict", f"checkpoint={trained}", "input=in.txt", f"format={kind}"]) == 0
    found = lines(capsys)
    assert len(found) == 3
    assert "positive" in found[0]
    assert "positive" not in found[1] + found[2]
    if kind == "jsonl":
        assert json.loads(found[1]) == {"label": None, "score": None, "text": ""}


def test_predict_selects_the_texts_worth_labelling_next(trained, tmp_path, capsys):
    (tmp_path / "in.txt").write_text("it is great\n\nit is\nit is awful\n", encoding="utf-8")
    own = ["predict", f"checkpoint={trained}", "input=in.txt"]
    assert main([*own, "select=uncertain", "select_most=2", "format=jsonl"]) == 0
    found = [json.loads(line) for line in lines(capsys)]
    assert [len(found), found[0]["text"], set(found[0])] == [2, "it is", {"label", "score", "text"}]
    for more, told in (
        (["select=unsure"], "select=unsure is not known"),
        (["select_most=2"], "select_most=2 has no effect without select"),
        (["select=uncertain", "select_most=0"], "select_most=0 must be at least 1"),
    ):
        assert main([*own, *more]) == 2
        assert told in capsys.readouterr().err


def test_predict_reads_a_column_writes_a_file_and_ranks_labels(trained, tmp_path):
    (tmp_path / "in.csv").write_text('id,body\n1,"great, really"\n2,awful\n', encoding="utf-8")
    options = ["input=in.csv", "text=body", "output=out.jsonl", "top_k=2"]
    assert main(["predict", f"checkpoint={trained}", *options]) == 0
    records = [json.loads(line) for line in Path("out.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [record["label"] for record in records] == ["positive", "negative"]
    assert [label for label, _ in records[0]["top"]] == ["positive", "negative"]
    assert not Path("out.jsonl.part").exists()


def test_no_input_gives_no_records(trained, tmp_path, capsys):
    (tmp_path / "empty.txt").write_text("")
    capsys.readouterr()
    assert main(["predict", f"checkpoint={trained}", "input=empty.txt"]) == 0
    assert lines(capsys) == []


def test_over_long_and_endless_lines_are_cut_and_counted(trained, tmp_path, capsys):
    (tmp_path / "long.txt").write_text("great " * 900_000 + "\n" + "x" * 5_000_000 + "\nbad\n")
    assert main(["predict", f"checkpoint={trained}", "input=long.txt"]) == 0
    captured = capsys.readouterr()
    assert len(captured.out.splitlines()) == 3
    assert "1 over-long texts were cut to 512 tokens" in captured.err


def test_records_do_not_depend_on_batch_size_or_order(trained):
    predictor = Predictor.from_checkpoint(trained)
    texts = [f"{'not ' * (i % 3)}good {'food ' * (i % 11)}{i}" for i in range(150)]
    expected = predictor(texts, batch_size=64)
    for batch_size in (1, 7):
        found = predictor(texts[::-1], batch_size=batch_size)[::-1]
        assert [r["label"] for r in found] == [r["label"] for r in expected]
        assert max(abs(a["score"] - b["score"]) for a, b in zip(found, expected, strict=True)) < 1e-5


def test_a_single_text_gives_a_single_record(trained):
    predictor = Predictor.from_checkpoint(trained)
    assert predictor("good food") == predictor(["good food"])[0]
    assert predictor(" ") == {"label": None, "score": None}
    with pytest.raises(UserError, match="alignments need a single translator"):
        predictor.align("good food", "gutes Essen")


def test_info_shows_task_labels_sizes_and_score(trained, capsys):
    assert main(["info", f"checkpoint={trained}"]) == 0
    text = capsys.readouterr().out
    for part in ("sentiment", "negative, positive", "vocabulary_size", "test/accuracy", "hidden_size: 128"):
        assert part in text


def test_loader_workers_change_nothing(own_csv):
    own = ["data=csv", f"data.train={own_csv}", "batch_size=16", *TINY]
    for workers in (0, 2):
        assert main(["train", *own, f"num_workers={workers}", f"run_dir=with-{workers}"]) == 0
    one, other = (torch.load(f"with-{workers}/best.ckpt", weights_only=True)["state_dict"] for workers in (0, 2))
    assert all(torch.equal(weight, other[name]) for name, weight in one.items())


def test_training_on_an_own_file_carves_validation_and_ends_with_its_score(own_csv, capsys):
    assert main(["train", "data=csv", f"data.train={own_csv}", "run_dir=out", *TINY]) == 0
    found = lines(capsys)
    assert found[-1] == "run folder: out"
    assert any(line.startswith("validation/accuracy") for line in found)
    assert "test/accuracy" not in json.loads(Path("out/metrics.json").read_text())


@pytest.mark.parametrize("changed", ["schedule=plateau", "task.average_decay=0.9"])
def test_a_run_stopped_after_an_epoch_and_resumed_ends_with_the_same_weights(own_csv, changed, tmp_path):
    options = ["data=csv", f"data.train={own_csv}", changed, *TINY, "patience=9", "optimizer.lr=0.05"]
    options += ["+trainer.limit_val_batches=1.0"]
    assert main(["train", *options, "run_dir=whole", "trainer.max_epochs=4"]) == 0
    stop = "import sys; from lightning import Trainer; from lightning.pytorch.callbacks import EarlyStopping;"
    stop += "real = EarlyStopping.on_validation_end\n"
    stop += "def halt(self, trainer, module):\n    real(self, trainer, module)\n"
    stop += "    trainer.should_stop = trainer.should_stop or trainer.current_epoch == 1\n"
    stop += "EarlyStopping.on_validation_end = halt\nfrom gru_nlp.cli.main import main\nsys.exit(main(sys.argv[1:]))"
    done = subprocess.run([sys.executable, "-c", stop, "train", *options, "run_dir=first", "trainer.max_epochs=4"])
    assert done.returncode == 0
    shutil.move("first", "moved")
    assert torch.load("moved/last.ckpt", weights_only=True)["epoch"] == 1
    assert main(["train", "resume=moved"]) == 0
    whole, resumed = (torch.load(f"{name}/last.ckpt", weights_only=True) for name in ("whole", "moved"))
    assert resumed["epoch"] == whole["epoch"] == 3
    for kind in ("state_dict", *(["gru_nlp_average"] if "average" in changed else [])):
        named = {name: value for name, value in resumed[kind].items() if name != "updates"}
        assert all(torch.equal(whole[kind][name], value) for name, value in named.items())


def test_a_finished_run_goes_on_with_changed_values_but_not_with_another_shape(own_csv, capsys):
    assert main(["train", "data=csv", f"data.train={own_csv}", "run_dir=run", *TINY]) == 0
    assert main(["train", "resume=run"]) == 0
    assert "nothing is left to do" in capsys.readouterr().err
    assert json.loads(Path("run/metrics.json").read_text())["epochs"] == 2
    assert main(["train", "resume=run", "trainer.max_epochs=3", "embedding.dropout=0.25"]) == 0
    assert json.loads(Path("run/metrics.json").read_text())["epochs"] == 3
    stored = torch.load("run/last.ckpt", weights_only=True)["gru_nlp"]["config"]
    assert stored["model"]["embedding"]["dropout"] == 0.25
    capsys.readouterr()
    assert main(["train", "resume=run", "encoder.hidden_size=9"]) == 2
    assert "model.encoder.hidden_size cannot change in a run that goes on" in capsys.readouterr().err
    assert main(["train", "resume=run", "encoder=gru"]) == 2
    assert "only single values can be changed" in capsys.readouterr().err


def test_a_sweep_goes_on_after_a_refused_job(own_csv, capsys):
    shutil.copy(own_csv, "own.csv")
    code = main(["train", "-m", "data=csv", "data.train=missing.csv,own.csv", *TINY])
    assert code == 2
    assert "job 0: missing.csv: no such file" in capsys.readouterr().err.replace(str(Path.cwd()) + "/", "")
    assert len(list(Path("runs").glob("multirun-*/1/metrics.json"))) == 1


def test_a_sweep_ends_with_a_table_best_first_and_means_over_seeds(own_csv, capsys):
    options = [f"data.train={own_csv}", f"data.test={own_csv}", "optimizer.lr=0.0,0.05", "seed=1,2", *TINY]
    options.append("model.wide=none")  # whose weights no rate bears on
    shutil.copy(own_csv, "own.csv")
    options = [option.replace(str(own_csv), "own.csv") for option in options]
    capsys.readouterr()
    assert main(["train", "-m", "data=csv", *options]) == 0
    found = lines(capsys)
    head = next(place for place, line in enumerate(found) if "validation/accuracy" in line and "folder" in line)
    table = found[head + 1 :]
    assert len(table) == 6
    assert all("optimizer.lr=0.05 seed=" in line for line in table[:2])
    assert all("optimizer.lr=0.0 seed=" in line for line in table[2:4])
    assert table[4].startswith("optimizer.lr=0.05 mean of 2 seeds")
    assert " ± " in table[4]
    folder = Path(table[0].split()[-1])
    assert json.loads((folder / "metrics.json").read_text())["test/accuracy"] == 1.0


def test_the_same_seed_gives_the_same_run(own_csv):
    for name in ("a", "b"):
        assert main(["train", "data=csv", f"data.train={own_csv}", f"run_dir={name}", *TINY]) == 0
    first, second = (torch.load(f"{name}/best.ckpt", weights_only=True)["state_dict"] for name in "ab")
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_predicting_imports_neither_lightning_nor_datasets(trained):
    code = "import sys; from gru_nlp.cli.main import main;"
    code += f"main(['predict', {f'checkpoint={trained}'!r}, 'output=out.jsonl', '--', 'x']);"
    heavy = ("lightning", "datasets", "pandas", "matplotlib", "torchmetrics", "sympy")
    code += f"print([m for m in {heavy} if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


@pytest.mark.parametrize("arguments", [[], ["--help"], ["--version"]])
def test_help_and_version_import_nothing_heavy(arguments):
    code = f"import sys; from gru_nlp.cli.main import main; main({arguments});"
    code += "print([m for m in ('torch', 'hydra', 'numpy') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip().endswith("[]")
    assert "gru-nlp" in done.stdout
