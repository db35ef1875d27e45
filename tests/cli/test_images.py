import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from gru_nlp.cli.main import main
from gru_nlp.predictor import Predictor

DIGITS = load_digits()
PIXELS = (DIGITS.images * (255 / 16)).astype(np.uint8)


@pytest.fixture(scope="session")
def reader(tmp_path_factory):
    """Return the run folder of a reader of scikit-learn's digits."""
    folder = tmp_path_factory.mktemp("reader") / "run"
    options = ["experiment=mnist_rows", "data=digits", "preprocessing.shift=0", "task.average_decay=0"]
    own = ["batch_size=32", "trainer.enable_progress_bar=false", f"run_dir={folder}"]
    assert main(["train", *options, *own]) == 0
    return folder


def records(capsys, *arguments):
    capsys.readouterr()
    assert main(["predict", *arguments]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_digits_are_read_row_by_row(reader):
    metrics = json.loads((reader / "metrics.json").read_text())
    assert metrics["test/accuracy"] >= 0.95


def test_pictures_folders_and_arrays_are_read(reader, capsys):
    own = f"checkpoint={reader}"
    Path("folder").mkdir()
    for place in (1, 2, 3):
        Image.fromarray(PIXELS[place]).save(f"folder/{place}.png")
    np.save("many.npy", PIXELS[1:4])
    np.save("one.npy", PIXELS[1])
    content = b"\0\0\x08\x03" + np.array([3, 8, 8], ">u4").tobytes() + PIXELS[1:4].tobytes()
    Path("some-idx3-ubyte").write_bytes(content)
    Path("packed.gz").write_bytes(gzip.compress(content))
    expected = records(capsys, own, "input=folder")
    assert [record["text"] for record in expected] == ["1.png", "2.png", "3.png"]
    assert [record["label"] for record in expected] == [str(label) for label in DIGITS.target[1:4]]
    for name in ("many.npy", "some-idx3-ubyte", "packed.gz"):
        found = records(capsys, own, f"input={name}")
        assert [record["score"] for record in found] == [record["score"] for record in expected]
        assert found[0]["text"] == f"{name}:1"
    assert len(records(capsys, own, "input=one.npy", "top_k=3")[0]["top"]) == 3
    Image.fromarray(PIXELS[1]).resize((80, 80)).save("large.png")
    assert records(capsys, own, "input=large.png")[0]["label"] == str(DIGITS.target[1])


def test_the_predictor_takes_arrays_in_any_batch(reader):
    predictor = Predictor.from_checkpoint(reader)
    whole, single = predictor(list(PIXELS[:50])), predictor(list(PIXELS[:50]), batch_size=1)
    assert [record["label"] for record in whole] == [record["label"] for record in single]
    assert [r["score"] for r in whole] == pytest.approx([r["score"] for r in single], abs=1e-5)


@pytest.mark.parametrize("precision", ["bf16-true", "64-true"])
def test_frames_come_in_the_number_format_of_the_model(precision, capsys):
    own = ["experiment=mnist_rows", "data=digits", "encoder.hidden_size=8", "trainer.max_epochs=1", "run_dir=out"]
    assert main(["train", *own, f"trainer.precision={precision}", "trainer.enable_progress_bar=false"]) == 0
    assert len(Path("out/predictions.jsonl").read_text().splitlines()) > 100


def test_what_is_no_image_is_refused_in_one_line(reader, capsys, trained):
    own = f"checkpoint={reader}"
    Path("text.png").write_text("hello")
    np.save("float.npy", np.zeros((8, 8)))
    np.save("wide.npy", np.zeros((2, 9, 9), np.uint8))
    Path("empty").mkdir()
    Path("archive.npy").write_bytes(b"PK\3\4 and no more")
    np.save("header.npy", PIXELS[0])
    Path("header.npy").write_bytes(Path("header.npy").read_bytes().replace(b"(8, 8)", b"(8, 8 "))
    Image.fromarray(PIXELS[0]).save("chunk.png")
    Path("chunk.png").write_bytes(Path("chunk.png").read_bytes().replace(b"IDAT", b"I\0AT"))
    cases = {
        "text.png": "text.png: not a picture that can be read",
        "gone.png": "gone.png: no such file",
        "gone.npy": "gone.npy: no such file",
        "float.npy": "float.npy: float64 of shape (8, 8); uint8 (height, width) or",
        "wide.npy": "this model reads images of 8 x 8 grey bytes, not uint8 of shape (9, 9)",
        "archive.npy": "archive.npy: not an array that can be read",
        "header.npy": "header.npy: not an array that can be read",
        "chunk.png": "chunk.png: not a picture that can be read",
        "empty": "empty: no image in this folder",
    }
    for name, told in cases.items():
        capsys.readouterr()
        assert main(["predict", own, f"input={name}", "output=out.jsonl"]) == 2
        captured = capsys.readouterr()
        assert told in captured.err
        assert captured.err.count("\n") == 1
        assert not Path("out.jsonl").exists()
    Path("labels").write_bytes(b"\0\0\x08\x01\0\0\0\x01\xff")
    assert main(["predict", own, "input=labels"]) == 2
    assert "labels: no images, which the model of" in capsys.readouterr().err
    assert main(["predict", own, "--", "hello"]) == 2
    assert "grey bytes, not text" in capsys.readouterr().err
    for name in ("empty", "gone.flac"):
        assert main(["predict", f"checkpoint={trained}", f"input={name}"]) == 2
        assert f"input={name}: images, recordings or a folder, but the model of" in capsys.readouterr().err
