import gzip
from pathlib import Path

import datasets
import numpy as np
import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
from PIL import Image

from gru_nlp.build import build
from gru_nlp.config import conf_dir
from gru_nlp.errors import UserError

NAMES = {"train": "train", "test": "t10k"}


def idx(array):
    sizes = np.array(array.shape, ">u4").tobytes()
    return b"\0\0\x08" + bytes([array.ndim]) + sizes + array.astype(np.uint8).tobytes()


def lay_out(folder, count=20, zipped=False):
    Path(folder).mkdir()
    images = np.arange(count * 12).reshape(count, 4, 3) % 256
    labels = np.arange(count) % 2
    for name in NAMES.values():
        for kind, array in (("images-idx3", images), ("labels-idx1", labels)):
            content = idx(array)
            path = Path(folder) / f"{name}-{kind}-ubyte{'.gz' if zipped else ''}"
            path.write_bytes(gzip.compress(content, mtime=0) if zipped else content)
    return images, labels


def corpus(*overrides):
    with initialize_config_dir(config_dir=str(conf_dir()), version_base="1.3"):
        config = compose("train", overrides=["data=mnist", "data.cache_dir=cache", *overrides])
    return build(OmegaConf.to_container(config.data, resolve=True))


@pytest.mark.parametrize("zipped", [False, True])
def test_idx_files_are_read_plain_or_zipped(zipped):
    images, labels = lay_out("folder", zipped=zipped)
    test = corpus("data.dir=folder").load("test")
    assert np.array_equal(np.array(test["pixels"]).reshape(images.shape), images)
    assert test["label"] == [str(label) for label in labels]
    assert set(test["width"]) == {3}
    train, validation = (corpus("data.dir=folder").load(split) for split in ("train", "validation"))
    assert sorted([*train["line"], *validation["line"]]) == list(range(1, 21))
    assert len(validation) == 2


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "not an idx file"),
        (b"hello there", "not an idx file"),
        (idx(np.zeros((2, 2))), "an idx file of 2 dimensions where 3 are expected"),
        (idx(np.zeros((3, 2, 2)))[:-1], "cut off, or longer than it says"),
        (idx(np.zeros((3, 2, 2)))[:9], "cut off, or longer than it says"),
        (idx(np.zeros((3, 2, 2))), "20 labels for the 3 images of"),
        (gzip.compress(idx(np.zeros((3, 2, 2))), mtime=0)[:20], "the gzip file is cut off or broken"),
    ],
)
def test_a_bad_file_is_named(content, told):
    lay_out("folder")
    Path("folder/train-images-idx3-ubyte").write_bytes(content)
    with pytest.raises(UserError) as caught:
        corpus("data.dir=folder").load("train")
    assert told in str(caught.value)
    assert "ubyte" in str(caught.value)


def test_the_hub_gives_pictures():
    features = datasets.Features({"image": datasets.Image(), "label": datasets.ClassLabel(names=["0", "1"])})
    rows = {"image": [Image.fromarray(np.full((4, 3), 7 * i, np.uint8)) for i in range(4)], "label": [0, 1, 0, 1]}
    Path("hub/data").mkdir(parents=True)
    datasets.Dataset.from_dict(rows, features).to_parquet("hub/data/test-00000-of-00001.parquet")
    table = corpus("data.hub_path=hub").load("test")
    assert table["pixels"][2].tolist() == [14] * 12
    assert table["label"] == ["0", "1", "0", "1"]


@pytest.mark.parametrize(
    ("column", "sizes", "told"),
    [
        ("picture", [4, 4], r"hub \(test\):1: no column 'image'; the columns are: picture, label \(set data.hub_path="),
        ("image", [4, 5], r"hub \(test\): images of different sizes: set data.hub_path="),
    ],
)
def test_another_layout_on_the_hub_is_told(column, sizes, told):
    rows = {column: [Image.fromarray(np.zeros((size, 3), np.uint8)) for size in sizes], "label": [0, 1]}
    features = datasets.Features({column: datasets.Image(), "label": datasets.ClassLabel(names=["0", "1"])})
    Path("hub/data").mkdir(parents=True)
    datasets.Dataset.from_dict(rows, features).to_parquet("hub/data/test-00000-of-00001.parquet")
    with pytest.raises(UserError, match=told):
        corpus("data.hub_path=hub").load("test")
