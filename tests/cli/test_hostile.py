"""A checkpoint or a run folder of a stranger: nothing that it names runs, and every refusal is one line."""

import copy
import os
import pickle
import shutil
import sys
import zipfile
from pathlib import Path

import pytest
import torch
import yaml
from hydra.core.config_store import ConfigStore

from gru_nlp import checkpoint
from gru_nlp.cli.main import main

RUN = {"_target_": "torch.load", "f": "payload.pkl", "weights_only": False}
TINY = ["trainer.max_epochs=1", "encoder.hidden_size=4", "embedding.size=4", "trainer.enable_progress_bar=false"]


class Payload:
    """Leaves a file behind when it is unpickled."""

    def __reduce__(self):
        return os.mkdir, ("it-ran",)


@pytest.fixture
def stranger(trained):
    """Return a function that stores the sample's checkpoint with its content changed."""
    content = torch.load(trained / "best.ckpt", weights_only=True)
    Path("payload.pkl").write_bytes(pickle.dumps(Payload()))

    def altered(change):
        own = copy.deepcopy(content)
        change(own, own[checkpoint.KEY]["config"], own[checkpoint.KEY]["preprocessing"])
        torch.save(own, "odd.ckpt")
        return "checkpoint=odd.ckpt"

    return altered


def refused(capsys, *arguments):
    """Run a command that must be refused; return its one line."""
    capsys.readouterr()
    assert main(list(arguments)) == 2
    told = capsys.readouterr().err.splitlines()
    assert told[-1].startswith("gru-nlp: ")
    assert all(line.startswith("reading ") for line in told[:-1])
    assert not Path("it-ran").exists()
    return told[-1]


def doors():
    """Return the ways by which a stored config once reached Hydra's composition."""
    lift = {"defaults": [{"/decoding@_global_": "stored"}, "_self_"], "_target_": "gru_nlp.data.kinds.SampleCorpus"}
    hooks = {"hydra": {"callbacks": {"x": RUN}}}
    formatters = {"hydra": {"job_logging": {"formatters": {"x": {"()": "os.mkdir", "path": "it-ran"}}}}}
    yield {"data": {**lift, "name": "sentiment"}, "decoding": hooks}
    yield {"data": {**lift, "name": "sentiment"}, "decoding": formatters}
    yield {"data": {**lift, "name": "sentiment"}, "decoding": {"trust": ["os"], "hydra": {"run": {"dir": "it-ran"}}}}
    yield {"data": RUN}
    yield {"task": RUN}
    yield {"data": {"_target_": "gru_nlp.data.kinds.SampleCorpus", "name": RUN}}


@pytest.mark.parametrize("door", list(doors()))
@pytest.mark.parametrize("command", ["evaluate", "predict", "info"])
def test_what_a_checkpoint_names_is_never_run(stranger, door, command, capsys):
    path = stranger(lambda content, config, state: config.update(door))
    text = ["--", "x"] if command == "predict" else []
    code = main([command, path, *text])
    assert code in (0, 2)
    assert not Path("it-ran").exists()
    assert "Traceback" not in capsys.readouterr().err


def test_stored_data_that_lacks_an_option_is_a_broken_file(stranger, capsys):
    path = stranger(lambda c, config, s: config.update(data={"_target_": "gru_nlp.data.file_kinds.LabelledCorpus"}))
    told = refused(capsys, "evaluate", path)
    assert told == "gru-nlp: odd.ckpt: its config does not build (TypeError): a broken file"


def test_no_stored_value_reaches_hydra(stranger, monkeypatch, capsys):
    """Hydra composes the person's options and the installed conf alone, whatever the command."""
    mark = "a-word-of-the-checkpoint"
    seen = []
    real = ConfigStore.store
    monkeypatch.setattr(ConfigStore, "store", lambda self, *a, **k: (seen.append((a, k)), real(self, *a, **k))[1])
    from hydra._internal.config_loader_impl import ConfigLoaderImpl

    compose = ConfigLoaderImpl.load_configuration
    monkeypatch.setattr(
        ConfigLoaderImpl, "load_configuration", lambda self, *a, **k: (seen.append((a, k)), compose(self, *a, **k))[1]
    )
    path = stranger(lambda content, config, state: config["data"].update({mark: mark}))
    for command in (["evaluate", path], ["predict", path, "--", "x"], ["translate", path, "--", "x"], ["info", path]):
        main(command)
    assert seen
    assert mark not in repr(seen)


def changes():
    """Return what is done to a checkpoint, and a word of the refusal."""

    def model(**values):
        return lambda content, config, state: config["model"].update(values)

    def encoder(**values):
        return lambda content, config, state: config["model"]["encoder"].update(values)

    def settings(**values):
        return lambda content, config, state: config.update(values)

    def learned(**values):
        return lambda content, config, state: state.update(values)

    def weights(name, values):
        return lambda content, config, state: content["state_dict"].update({f"model.{name}": values})

    deep = []
    for _ in range(140):
        deep = [deep, deep]
    yield "layers", encoder(layers=10**9), "layers=1000000000 must be at most 64"
    yield "size", lambda c, config, s: config["model"]["embedding"].update(size=60_000), "do not fit the model"
    yield "huge", encoder(hidden_size=10**18), "hidden_size"
    yield "shared", settings(extra=deep), "holds more, or deeper nested, values"
    yield "recursive", model(_recursive_=False), "_recursive_"
    yield "arguments", model(_args_=[1]), "_args_"
    yield "partial", model(_partial_=3), "_partial_"
    yield "target", model(_target_=["a"]), "model"
    yield "nowhere", model(_target_="gru_nlp.models.nowhere.Thing"), "which is no class"
    yield "imported", encoder(_target_="gru_nlp.nn.encoder.nn.Linear"), "which is no class"
    yield "function", model(_target_="gru_nlp.models.classifier.variational_dropout"), "which is no class"
    yield "home", model(_target_="gru_nlp.nn.encoder.RecurrentEncoder"), "as its model"
    yield "option", encoder(colour="red"), "takes no option 'colour'"
    yield "kind", encoder(bidirectional="yes"), "must be true or false"
    yield "null", model(encoder=None), "names no class to build"
    yield "reference", model(dropout="${oc.env:HOME}"), "interpolation"
    yield "workers", settings(num_workers=10**6), "num_workers=1000000 must be at most 256"
    yield "seed", settings(seed="1"), "see its seed"
    yield "gone", lambda c, config, s: config.pop("model"), "see its model"
    yield "integer keys", lambda c, config, s: config["model"].update({7: 1}), "no option '7'"
    yield "labels", learned(labels=["a", "a"]), "see 'labels'"
    yield "many labels", learned(labels=[str(number) for number in range(2000)]), "do not fit the model"
    yield "no tokenizer", learned(tokenizer=None), "the learned state is broken"
    yield "broken tokenizer", learned(tokenizer="{"), "the learned state is broken"
    yield "nan", lambda c, config, s: c["state_dict"]["model.output.bias"].fill_(float("nan")), "no numbers"
    yield "text weights", weights("output.bias", "x"), "no plain array"
    yield "whole weights", weights("output.bias", torch.ones(2, dtype=torch.int64)), "do not fit the model"
    yield "expanded", weights("output.bias", torch.ones(1).expand(10**9)), "claims to be larger"
    yield "missing", lambda c, config, s: c["state_dict"].pop("model.output.bias"), "is missing in the file"
    yield "scores", lambda c, config, s: c[checkpoint.KEY].update(scores={"x": "y"}), "see its scores"
    yield "names of scores", lambda c, config, s: c[checkpoint.KEY].update(scores={"x": 1.0, 2: 1.0}), "see its scores"


@pytest.mark.parametrize(("change", "told"), [pytest.param(*rest, id=name) for name, *rest in changes()])
def test_an_altered_checkpoint_is_refused_in_one_line(stranger, change, told, capsys):
    path = stranger(change)
    for command in (["predict", path, "--", "x"], ["evaluate", path], ["info", path]):
        line = refused(capsys, *command)
        assert told in line
        assert "odd.ckpt" in line


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("padding", {"strategy": {"Fixed": 10**9}, "direction": "Right", "pad_id": 0, "pad_token": "x"}),
        ("added_tokens", [{"id": 9, "content": "a"}]),
        ("pre_tokenizer", {"type": "Split", "pattern": {"Regex": "(a+)+$"}, "behavior": "Removed", "invert": False}),
        ("pre_tokenizer", {"type": "Nothing"}),
        ("model", {"type": "WordLevel", "vocab": {"<pad>": 0, "a": 10**9}, "unk_token": "<unk>"}),
        ("model", {"type": "BPE", "vocab": {}, "merges": [["a", "b"]]}),
    ],
)  # fmt: skip
def test_a_tokenizer_of_another_form_is_refused(stranger, part, value, capsys):
    import json

    def change(content, config, state):
        state["tokenizer"] = json.dumps({**json.loads(state["tokenizer"]), part: value})

    assert "the learned state is broken" in refused(capsys, "predict", stranger(change), "--", "x")


def archive(content, compression=zipfile.ZIP_STORED):
    """Store a pickle as a checkpoint's."""
    with zipfile.ZipFile("odd.ckpt", "w", compression) as file:
        file.writestr("archive/data.pkl", content)
        file.writestr("archive/version", "3\n")
    return "checkpoint=odd.ckpt"


@pytest.mark.parametrize(
    "content",
    [
        pickle.dumps(Payload()),
        b"cbuiltins\nbytearray\n(I3500000000\ntR.",
        b"cbuiltins\neval\n(X\x01\x00\x00\x001tR.",
        b"\x80\x02]" + b"(" * 100_000 + b".",
        b"\x80\x02(" + b"}" * 1_100_000 + b"l.",
        b"(itorch\nload\n.",
        b"",
    ],
    ids=["payload", "bytearray", "eval", "marks", "dictionaries", "inst", "empty"],
)
def test_a_pickle_that_is_more_than_plain_values_is_never_obeyed(content, capsys):
    assert "not a checkpoint" in refused(capsys, "info", archive(content))


def test_an_archive_that_unfolds_is_not_unfolded(capsys):
    path = archive(b"\x80\x02]." + b"\0" * 50_000_000, zipfile.ZIP_DEFLATED)
    assert os.path.getsize("odd.ckpt") < 100_000
    assert "unfolds to more than its own size" in refused(capsys, "info", path)


def test_names_of_a_checkpoint_do_not_steer_the_terminal(stranger, capsys):
    path = stranger(lambda c, config, state: state.update(labels=["a\x1b]0;x\x07", "b\x9b31m"]))
    assert main(["info", path]) == 0
    assert main(["predict", path, "format=table", "--", "x"]) == 0
    shown = "".join(capsys.readouterr())
    assert not any(letter in shown for letter in "\x1b\x07\x9b")


@pytest.mark.skipif(sys.platform == "win32", reason="no such files there")
def test_paths_of_a_checkpoint_are_told_checked_and_quoted_nowhere(stranger, trained, capsys):
    conf = {"_target_": "gru_nlp.data.file_kinds.LabelledCorpus", "format": "csv", "dir": None, "files": None}
    conf |= {"text": "text", "label": "label", "columns": None, "delimiter": ",", "encoding": "utf-8", "hub": None}
    conf |= {"label_names": None, "label_cut": None, "skip_empty": False, "validation_share": 0.1, "split_seed": 1}
    conf |= {"train": None, "validation": None, "test": None, "cache_dir": "elsewhere"}
    Path("secret.txt").write_text("pass word\nof mine\n")
    os.mkfifo("pipe")
    for name, told in (("secret.txt", "cannot be used as the data"), ("pipe", "neither"), ("/dev/zero", "neither")):
        path = stranger(lambda c, config, s, name=name: config.update(data={**conf, "test": name}))
        capsys.readouterr()
        assert main(["evaluate", path]) == 2
        told_all = capsys.readouterr().err
        assert f"reading data.test={name}, which the checkpoint names" in told_all
        assert told in told_all
        assert "pass word" not in told_all
        assert not Path("elsewhere").exists()
    path = stranger(lambda c, config, s: config.update(data={**conf, "hub": None, "test": "gone.csv"}))
    assert "gone.csv: no such file" in refused(capsys, "evaluate", path)
    Path("mine.csv").write_text("text,label\ngood,positive\nbad,negative\n")
    assert main(["evaluate", path, "data.test=mine.csv"]) == 0  # a person's own file is told of by nobody
    assert "which the checkpoint names" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"optimizer": RUN}, "as its optimizer"),
        ({"trainer": {**RUN, "_target_": "os.system"}}, "as its trainer"),
        ({"trainer": {"_target_": "lightning.Trainer", "callbacks": [RUN]}}, "as its trainer"),
        ({"schedule": RUN}, "as its schedule"),
        ({"data": RUN}, "as its data"),
        ({"task": RUN}, "as its task"),
        ({"seed": "${oc.env:HOME}"}, "is no reference"),
        ({"seed": "${seed}"}, "deeper nested"),
        ({"batch_size": 0}, "must be at least 1"),
        ({"trainer": {"_target_": "lightning.Trainer", "devices": 10**6}}, "devices=1000000 must be at most 64"),
        ({"trainer": {"_target_": "lightning.Trainer", "num_nodes": 10**6}}, "num_nodes=1000000 must be at most 64"),
        ({"data": None}, "names no class to build"),
        (
            {"logger": {"m": {"_target_": "lightning.pytorch.loggers.MLFlowLogger", "tracking_uri": "http://x"}}},
            "a place",
        ),
        ({"callbacks": {"c": {"_target_": "lightning.pytorch.callbacks.ModelCheckpoint", "dirpath": "/x"}}}, "a place"),
        ({"callbacks": 7}, "'callbacks' is not a group of parts"),
        ({"logger": {"x": RUN}}, "as its logger.x"),
    ],
)
def test_a_run_folder_of_a_stranger_runs_nothing(change, told, capsys):
    Path("own.csv").write_text("text,label\n" + "".join(f"good {i},yes\nbad {i},no\n" for i in range(30)))
    assert main(["train", "data=csv", "data.train=own.csv", "run_dir=run", *TINY]) == 0
    Path("payload.pkl").write_bytes(pickle.dumps(Payload()))
    stored = yaml.safe_load(Path("run/config.yaml").read_text())
    Path("run/config.yaml").write_text(yaml.safe_dump({**stored, **change}))
    assert told in refused(capsys, "train", "resume=run")


@pytest.mark.parametrize("text", ["", "[1]", "a: &x [1]\nb: *x\n", "a: [", "\x00", "a: ${b\n"])
def test_a_damaged_config_of_a_run_is_told_in_one_line(trained, text, capsys):
    shutil.copytree(trained, "run")
    Path("run/config.yaml").write_text(text)
    assert "config.yaml" in refused(capsys, "train", "resume=run")


@pytest.mark.skipif(sys.platform == "win32", reason="no such files there")
@pytest.mark.parametrize("path", ["/dev/zero", "pipe"])
def test_paths_of_a_run_folder_are_told_and_looked_at(path, capsys):
    Path("own.csv").write_text("text,label\n" + "".join(f"good {i},yes\nbad {i},no\n" for i in range(30)))
    os.mkfifo("pipe")
    assert main(["train", "data=csv", "data.train=own.csv", "run_dir=run", *TINY]) == 0
    stored = yaml.safe_load(Path("run/config.yaml").read_text())
    changed = {**stored, "data": {**stored["data"], "test": path, "cache_dir": "a" * 1000}}
    Path("run/config.yaml").write_text(yaml.safe_dump(changed))
    capsys.readouterr()
    assert main(["train", "resume=run"]) == 2
    told = capsys.readouterr().err
    assert "reading data.train=" in told
    assert f"data.test={Path(path).absolute()}, which the checkpoint names, is neither file nor folder" in told
    assert main(["train", "resume=run", "data.test=own.csv", "trainer.max_epochs=2"]) == 0
