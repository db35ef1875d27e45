"""Every yaml of ``conf`` composes, and everything it names is built, at a tiny size, on files of its own layout."""

import csv
import gzip
import io
import json
import pickle
import re
import wave
from pathlib import Path

import datasets
import numpy as np
import pytest
import torch
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from gru_nlp.build import build
from gru_nlp.cli.main import COMMANDS, main
from gru_nlp.cli.shell import STORED_GROUPS
from gru_nlp.config import conf_dir, resolved
from gru_nlp.predictor import Predictor
from gru_nlp.tensors import to_array, to_tensors
from gru_nlp.training.parts import prepare

TINY = ["encoder.hidden_size=6", "embedding.size=5", "trainer.enable_progress_bar=false", "device=cpu"]
TEXTS = ["a fine day, isn't it", "rain again", "the train was late", "what a lovely tune", "no, thanks"]
ROWS = 40
BUILT_BY_LIGHTNING = ("trainer",)


def options(group):
    return sorted(p.stem for p in (conf_dir() / group).glob("*.yaml") if not p.stem.startswith("_"))


def composed(command, *overrides):
    with initialize_config_dir(config_dir=str(conf_dir()), version_base="1.3"):
        return compose(command, overrides=list(overrides))


def tiny_rows(data):
    """Return (text, label) pairs with the labels that the files of ``data`` carry."""
    labels = list(data.label_names) if data.get("label_names") else ["10", "2", "3"]
    cut = data.get("label_cut")
    after = f"{cut}sub" if cut else ""
    return [(f"{TEXTS[i % len(TEXTS)]} {i}", labels[i % len(labels)] + after) for i in range(ROWS)]


def cells(data, text, label):
    """Return a row by column name: the label, the text, and something in every further column."""
    first = data.text if isinstance(data.text, str) else data.text[0]
    names = list(data.columns or dict.fromkeys([data.label, first]))
    return {name: {data.label: label, first: text}.get(name, "7") for name in names}


def written(data, rows):
    """Return the bytes of a file of ``data``."""
    table = [cells(data, text, label) for text, label in rows]
    if data.format == "labelled_lines":
        content = "".join(f"{label} {text}\n" for text, label in rows)
    elif data.format == "jsonl":
        content = "".join(json.dumps(row) + "\n" for row in table)
    elif data.format == "parquet":
        buffer = io.BytesIO()
        datasets.Dataset.from_list(table).to_parquet(buffer)
        return buffer.getvalue()
    else:
        buffer = io.StringIO()
        writer = csv.writer(buffer, delimiter="\t" if data.format == "tsv" else data.delimiter)
        header = [] if data.columns else [list(table[0])]
        writer.writerows(header + [list(row.values()) for row in table])
        content = buffer.getvalue()
    return content.encode(data.encoding)


def lay_out(data, folder):
    """Write the files of a data config below ``folder``; return the overrides that name them."""
    folder.mkdir()
    if data.format == "folders":
        for number, (text, label) in enumerate(tiny_rows(data)):
            (folder / label).mkdir(exist_ok=True)
            (folder / label / f"{number}.txt").write_text(text)
        return [f"data.train={folder}"]
    if data.files is None:
        (folder / "own").write_bytes(written(data, tiny_rows(data)))
        return [f"data.train={folder / 'own'}"]
    for name in filter(None, data.files.values()):
        content = written(data, tiny_rows(data))
        (folder / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return [f"data.dir={folder}"]


def is_pairs(config):
    return config.data._target_.endswith("PairCorpus")


def lay_out_pairs(data, folder):
    """Write sentence pairs in the layout of a data config; return the overrides that name them."""
    folder.mkdir()
    pairs = [(f"{TEXTS[i % len(TEXTS)]} {i}", f"{TEXTS[(i + 1) % len(TEXTS)]} {i}!") for i in range(ROWS)]
    if data.format != "parallel":
        rows = [{data.source: one, data.target: other} for one, other in pairs]
        delimiter = "\t" if data.format == "tsv" else ","
        lines = [json.dumps(row) for row in rows]
        if data.format != "jsonl":
            buffer = io.StringIO()
            csv.writer(buffer, delimiter=delimiter).writerows([list(rows[0]), *(list(row.values()) for row in rows)])
            lines = (
                buffer.getvalue().splitlines()
                if data.format == "csv"
                else [delimiter.join(rows[0])] + [delimiter.join(row.values()) for row in rows]
            )
        (folder / "own").write_text("\n".join(lines) + "\n")
        return [f"data.train={folder / 'own'}"]
    sides = {"source": [one for one, _ in pairs], "target": [other for _, other in pairs]}
    if data.files is None:
        for side, sentences in sides.items():
            (folder / side).write_text("\n".join(sentences) + "\n")
        return [f"data.train_{side}={folder / side}" for side in sides]
    for name in data.files.values():
        for side, sentences in sides.items():
            content = ("\n".join(sentences) + "\n").encode()
            (folder / name.format(language=data[side])).write_bytes(gzip.compress(content))
    return [f"data.dir={folder}"]


def is_tagged(config):
    return config.data._target_.endswith("TaggedCorpus") or config.data.get("name") == "entities"


def lay_out_tagged(data, folder):
    """Write tagged sentences in the layout of a data config; return the overrides that name them."""
    folder.mkdir()
    rows = [TEXTS[i % len(TEXTS)].split() for i in range(ROWS)]
    if data.format == "jsonl":
        table = [{data.word: words, data.tag: ["B-X"] + ["O"] * (len(words) - 1)} for words in rows]
        content = "".join(json.dumps(row) + "\n" for row in table)
    else:
        lines = [f"{word} NN {'O' if place else 'I-X'}" for words in rows for place, word in enumerate([*words, ""])]
        content = "\n".join("" if line.startswith(" ") else line for line in lines) + "\n"
    names = list(data.files.values()) if data.files else ["own"]
    for name in names:
        (folder / name).write_text(content, encoding=data.encoding)
    return [f"data.dir={folder}" if data.files else f"data.train={folder / 'own'}"]


def is_images(config):
    return config.data._target_.endswith(("IdxCorpus", "DigitsCorpus"))


def lay_out_images(data, folder):
    """Write idx files in the layout of a data config; return the overrides that name them."""
    if "files" not in data:
        return []
    folder.mkdir()
    for name in data.files.values():
        sizes = [ROWS, 5, 4] if "images" in name else [ROWS]
        content = b"\0\0\x08" + bytes([len(sizes)]) + np.array(sizes, ">u4").tobytes()
        content += (np.arange(np.prod(sizes)) % 5).astype(np.uint8).tobytes()
        (folder / name).write_bytes(gzip.compress(content))
    return [f"data.dir={folder}"]


def is_prose(config):
    return config.data._target_.endswith("TextCorpus") or config.data.get("name") == "stories"


def lay_out_prose(data, folder):
    """Write running text in the layout of a data config; return the overrides that name it."""
    folder.mkdir()
    content = "".join(f"{TEXTS[i % len(TEXTS)]}\n" for i in range(ROWS)).encode()
    for name in filter(None, data.files.values()) if data.files else ["own"]:
        (folder / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return [f"data.dir={folder}" if data.files else f"data.train={folder / 'own'}"]


def is_strings(config):
    return config.data._target_.endswith("StringCorpus") or config.data.get("name") == "spoken_strings"


def is_speech(config):
    known = config.data._target_.endswith("RecordingCorpus") or config.data.get("name") == "spoken_digits"
    return known or is_strings(config)


def lay_out_speech(data, folder):
    """Write recordings of telling names, or a table of them, in the layout of a data config; a sample needs none."""
    if "files" not in data:
        return []
    pytest.importorskip("soundfile")
    inner = folder / data.files.train if data.files else folder
    inner.mkdir(parents=True)
    random = np.random.default_rng(1)
    for row in range(ROWS):
        speaker = ("jackson", "anna")[row % 2]
        with wave.open(str(inner / f"{row % 3}_{speaker}_{row // 3}.wav"), "wb") as file:
            file.setparams((1, 2, 8000, 0, "NONE", ""))
            file.writeframes(random.integers(-9000, 9000, 900 + 40 * row).astype("<i2").tobytes())
    if data.files:
        return [f"data.dir={folder}"]
    lines = [f"{path.name},{path.name[0]}" for path in sorted(inner.iterdir())]
    (folder / "own.csv").write_text("\n".join(["path,label", *lines]) + "\n")
    return [f"data.train={folder / 'own.csv'}"]


def is_hub(config):
    return ".hub_kinds." in config.data._target_


def lay_out_hub(data, folder):
    """Write a training split in the hub's layout for a data config; return the overrides that name it."""
    folder.mkdir()
    if "word" in data:
        rows = [{data.word: words, data.tag: ["B-X"] + ["O"] * (len(words) - 1)} for words in map(str.split, TEXTS)]
    elif "source" in data:
        rows = [{data.source: text, data.target: text.upper()} for text in TEXTS]
    else:
        rows = [{data.text: text, data.label: text.split()[0]} for text in TEXTS]
    copies = [rows[i % len(rows)] for i in range(ROWS)]
    datasets.Dataset.from_list(copies).to_parquet(folder / "train-00000-of-00001.parquet")
    return [f"data.path={folder}"]


def files_of(config, folder):
    if is_hub(config):
        return lay_out_hub(config.data, folder)
    if is_images(config):
        return lay_out_images(config.data, folder)
    if is_prose(config):
        return lay_out_prose(config.data, folder)
    if is_speech(config):
        return lay_out_speech(config.data, folder)
    write = lay_out_pairs if is_pairs(config) else lay_out_tagged if is_tagged(config) else lay_out
    return write(config.data, folder)


def task_of(config):
    if is_images(config):
        return ["experiment=mnist_rows"]
    if is_prose(config):
        return ["task=language_model"]
    if is_speech(config):
        return ["task=speech_recognition" if is_strings(config) else "task=spoken_words"]
    return ["task=translation"] if is_pairs(config) else ["task=ner"] if is_tagged(config) else []


def check_pickle(parts, batch, records):
    """Check that a predictor that was pickled decodes the same records, and needs nothing of training for it."""
    pickled = pickle.dumps(Predictor(parts.preprocessor, parts.model))
    copied = pickle.loads(pickled)
    assert copied.preprocessor.decode(copied.model.predict(batch).map(to_array)) == records
    assert not re.search(rb"lightning|gru_nlp\.(?:tasks|training|data)\b", pickled)


def one_step(config):
    """Build everything of a training config and take one training and one predicting step; pickle what predicts."""
    plain = resolved(config)
    parts = prepare(plain)
    parts.data.trainer = None
    batch = to_tensors(next(iter(parts.data.train_dataloader())), "cpu")
    parts.task.loss(batch).backward()
    assert all(p.grad is not None for p in parts.model.parameters() if p.requires_grad)
    parts.model.eval()
    parts.model.settle()
    records = parts.preprocessor.decode(parts.model.predict(batch).map(to_array))
    check_pickle(parts, batch, records)
    names = parts.preprocessor.label_names()
    for record in records:
        if "labels" in record:
            assert set(record["labels"]) <= set(names)
        elif "transcript" in record:
            assert 0.0 <= record["score"] <= 1.0
        elif "perplexity" in record:
            assert record["log_probability"] < 0.0
        elif "entities" in record:
            assert all(entity["label"] in names for entity in record["entities"])
        elif "tags" in record:
            assert set(record["tags"]) <= set(names)
        elif "seconds" in record:
            assert record["seconds"] > 0.0
        else:
            assert record["label"] in names if names else isinstance(record["translation"], str)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_composes(command):
    stored = {"data": "csv", "decoding": "beam"}  # what a command takes from its checkpoint otherwise
    config = composed(command, *(f"{group}={stored[group]}" for group in STORED_GROUPS.get(command, ())))
    both = {"checkpoint", "output"}
    needed = {"train": set(), "distill": {"teacher"}, "export": both, "speak": both}.get(command, {"checkpoint"})
    assert OmegaConf.missing_keys(config) == needed


GROUPS = sorted(p.name for p in conf_dir().iterdir() if p.is_dir() and p.name not in ("hydra", "data", "experiment"))


@pytest.mark.parametrize(("group", "option"), [(g, o) for g in GROUPS for o in options(g)])
def test_every_choice_of_every_group_is_built_and_learns_a_step(group, option, tmp_path):
    translates = group in ("attention", "decoder", "decoding") or option in ("seq2seq", "translation")
    translates = translates and not option.startswith("ctc_")
    tags = group == "characters" or option in ("ner", "tagger", "tagging", "word_tags")
    base = ["task=translation", "data=parallel"] if translates else ["task=ner", "data=conll"] if tags else ["data=csv"]
    base = ["experiment=mnist_rows"] if option in ("frames", "frame_classifier") else base
    base = ["task=language_model", "data=text"] if option == "language_model" else base
    base = ["task=tagging", "data=conll"] if option == "word_tags" else base
    base = ["task=spoken_words", "data=sample_recordings"] if option == "spoken_words" else base
    if option in ("speech_recognition", "transcripts", "recogniser", "ctc_greedy", "ctc_beam"):
        base = ["task=speech_recognition"]
    base = ["task=speech_synthesis"] if option in ("synthesis", "synthesiser", "speech_synthesis") else base
    base = [f"task={option}", *base] if option in ("multilabel", "rating") and group != "task" else base
    own = [*base, *files_of(composed("train", *base), tmp_path / "own files"), *TINY]
    small = [] if option in ("byte_bpe", "language_model") else ["tokenizer.vocabulary_size=60"]
    sizes = ["decoder.hidden_size=12"] if translates else []
    sizes += ["embedding.size=12"] if option == "dot" else []  # as wide as what it attends to
    sizes += ["attention.hidden_size=8"] if option in ("additive", "multi_head") else []
    config = composed("train", f"{group}={option}", *own, *small, *sizes)
    if group in BUILT_BY_LIGHTNING:
        assert build(resolved(config)[group], logger=False, enable_checkpointing=False).max_epochs > 0
    one_step(config)


@pytest.mark.parametrize("option", [o for o in options("data") if not o.startswith("sample_")])
def test_every_data_set_is_read_from_files_of_its_layout(option, tmp_path):
    base = composed("train", f"data={option}")
    task = task_of(base)
    config = composed("train", *task, f"data={option}", *files_of(base, tmp_path / "files of its own"), *TINY)
    one_step(config)
    corpus = build(resolved(config)["data"])
    train, validation = corpus.load("train"), corpus.load("validation")
    if is_images(base):
        assert set(train.column_names) == {"pixels", "width", "label", "line"}
        return
    if is_prose(base):
        assert set(train.column_names) == {"text", "ended", "starts", "line"}
        assert 0.8 * ROWS < len(train) <= ROWS  # less validation, and a tenth where that is the test split
        return
    if is_strings(base):
        assert set(train.column_names) == {"recording", "name", "text", "speaker", "line"}
        assert {len(paths) for paths in train["recording"]} <= {3, 4, 5, 6}
        heard = [{path for paths in split["recording"] for path in paths} for split in (train, validation)]
        assert not heard[0] & heard[1]
        return
    if is_speech(base):
        assert set(train.column_names) == {"recording", "name", "label", "speaker", "line"}
        assert len(train) + len(validation) == ROWS - 15 * ("hold_out_by: take" in OmegaConf.to_yaml(base.data))
        return
    assert len(train) + len(validation) in (ROWS, 2 * ROWS)  # carved out of it, or a file of its own
    first = train["source" if is_pairs(base) else "words" if is_tagged(base) else "text"]
    assert {(text if is_tagged(base) else text.split(" "))[0] for text in first} == {text.split()[0] for text in TEXTS}


@pytest.mark.parametrize("option", [o for o in options("data") if o.startswith("sample_")])
def test_every_sample_is_learned_from(option):
    task = {
        "sample_translation": ["task=translation"],
        "sample_entities": ["task=ner"],
        "sample_parts_of_speech": ["task=tagging"],
        "sample_stories": ["task=language_model"],
        "sample_recordings": ["task=spoken_words"],
        "sample_strings": ["task=speech_recognition"],
    }.get(option, [])
    one_step(composed("train", *task, f"data={option}", *TINY))


def hub_copy(data, folder):
    """Write a local data set in the hub's layout of ``data``."""
    names = list(data.label_names.values()) if data.label_names else ["first", "second"]
    for split in filter(None, data.hub.splits.values()):
        rows = {data.hub.text: TEXTS, data.hub.label: [i % len(names) for i in range(len(TEXTS))]}
        features = datasets.Features(
            {data.hub.text: datasets.Value("string"), data.hub.label: datasets.ClassLabel(names=names)}
        )
        (folder / "data").mkdir(parents=True, exist_ok=True)
        table = datasets.Dataset.from_dict(rows, features=features)
        table.to_parquet(folder / "data" / f"{split}-00000-of-00001.parquet")


@pytest.mark.parametrize(
    "option", [o for o in options("data") if "\nhub:" in (conf_dir() / f"data/{o}.yaml").read_text()]
)
def test_every_preset_reads_the_layout_of_the_hub(option, tmp_path):
    data = composed("train", f"data={option}").data
    hub_copy(data, tmp_path / "hub")
    config = composed("train", f"data={option}", f"data.hub.path={tmp_path / 'hub'}", "data.cache_dir=cache")
    corpus = build(resolved(config)["data"])
    test = corpus.load("test")
    assert test["text"] == TEXTS
    assert set(test["label"]) <= set((data.label_names or {"": ""}).values()) | {"first", "second"}
    assert test["line"] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("experiment", options("experiment"))
def test_every_experiment_runs_a_step_on_files_of_its_layout(experiment, tmp_path, capsys):
    base = composed("train", f"experiment={experiment}")
    options = [f"experiment={experiment}", *files_of(base, tmp_path / "files"), "trainer.max_epochs=1"]
    if not is_pairs(base) and not is_images(base) and not is_prose(base) and not is_speech(base):
        vectors = tmp_path / "vectors.txt"
        words = ["a", "rain", "fine", "other"]
        vectors.write_text("".join(f"{word} {i} 0.5 1 2 3\n" for i, word in enumerate(words)))
        options.append(f"embedding.vectors={vectors}")
    assert main(["train", *options, "encoder.hidden_size=6", "trainer.enable_progress_bar=false", "run_dir=run"]) == 0
    metrics = json.loads(Path("run/metrics.json").read_text())
    assert metrics["steps"] in (1, 2, 3, 5)
    if is_prose(base):
        assert metrics["test/perplexity"] > 1.0
    elif is_pairs(base):
        assert 0.0 <= metrics["test/bleu"] <= 100.0
    elif is_strings(base):
        assert metrics[base.task.monitor.replace("validation", "test")] > 0.0
    elif is_images(base) or is_speech(base):
        assert 0.0 <= metrics["test/accuracy"] <= 1.0
    else:
        assert "pretrained vectors:" in capsys.readouterr().err
        own_files = base.data.files is None  # of which there is no test split
        stage = "validation" if own_files else "test"
        assert 0.0 <= metrics[f"{stage}/{'f1' if is_tagged(base) else 'accuracy'}"] <= 1.0
        assert torch.load("run/best.ckpt", weights_only=True)["gru_nlp"]["config"]["embedding"]["size"] == 5
