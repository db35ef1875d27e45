"""Corpora of small grey images with labels: idx files, the hub, or scikit-learn's digits."""

from abc import abstractmethod
from collections.abc import Mapping
from functools import cached_property
from typing import Any, NamedTuple

import datasets
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from datasets.table import InMemoryTable

from gru_nlp.data.corpus import Corpus, Split, carve, fingerprint
from gru_nlp.data.files import content_hash, find_in
from gru_nlp.data.hub import load_table
from gru_nlp.data.idx import read_idx
from gru_nlp.errors import UserError

IMAGES = datasets.Features(
    {
        "pixels": datasets.List(datasets.Value("uint8")),
        "width": datasets.Value("int32"),
        "label": datasets.Value("string"),
        "line": datasets.Value("int64"),
    }
)


class Images(NamedTuple):
    """Images ``(N, height, width)`` uint8, their labels ``(N,)``, and a key of the content."""

    pixels: npt.NDArray[np.uint8]
    labels: npt.NDArray[Any]
    key: str


def table(images: Images) -> datasets.Dataset:
    """Return images as rows: flat pixels, width, label, and the image's number from 1 as ``line``.

    The table lies in memory, a byte a pixel, and gives pixels as arrays.
    """
    count, height, width = images.pixels.shape
    starts = np.arange(0, images.pixels.size + 1, height * width, dtype=np.int32)
    columns = {
        "pixels": pa.ListArray.from_arrays(pa.array(starts), pa.array(images.pixels.reshape(-1))),
        "width": np.full(count, width, np.int32),
        "label": images.labels.astype(str),
        "line": np.arange(1, count + 1),
    }
    arrow = InMemoryTable(pa.table(columns).cast(IMAGES.arrow_schema))
    made = datasets.Dataset(arrow, fingerprint=fingerprint("images", images.key))
    return made.with_format("numpy", columns=["pixels"], output_all_columns=True)


class ImageCorpus(Corpus):
    """Labelled images; a validation split is carved out of training.

    Args:
        validation_share: share of training that is carved out.
        split_seed: of the carving.
    """

    def __init__(self, *, validation_share: float, split_seed: int) -> None:
        self.validation_share = validation_share
        self.split_seed = split_seed

    @abstractmethod
    def read(self, split: Split) -> datasets.Dataset:
        """Return the training or the test split, whole."""

    def load(self, split: Split) -> datasets.Dataset:
        """Return a split."""
        if split == "test":
            return self.read(split)
        return carve(self._train, split, self.validation_share, self.split_seed, "label")

    @cached_property
    def _train(self) -> datasets.Dataset:
        return self.read("train")

    def label_order(self) -> None:
        """Labels are sorted as found."""
        return


class IdxCorpus(ImageCorpus):
    """MNIST and its relatives: four idx files in a folder, plain or gzip, or the hub.

    Args:
        dir: the folder; None: the hub.
        files: names of the files ``train_images``, ``train_labels``, ``test_images``, ``test_labels``.
        hub_path: the same data set on the hub.
        cache_dir: where the hub's tables are cached; None: the cache of ``datasets``.
        validation_share, split_seed: as in ``ImageCorpus``.
    """

    def __init__(
        self,
        *,
        dir: str | None,
        files: Mapping[str, str],
        hub_path: str,
        cache_dir: str | None,
        validation_share: float,
        split_seed: int,
    ) -> None:
        super().__init__(validation_share=validation_share, split_seed=split_seed)
        self.dir = dir
        self.files = dict(files)
        self.hub_path = hub_path
        self.cache_dir = cache_dir

    def read(self, split: Split) -> datasets.Dataset:
        """Read a split's two files, or load it from the hub."""
        if self.dir is None:
            return self._hub(split)
        names = [self.files[f"{split}_{part}"] for part in ("images", "labels")]
        paths = [find_in(self.dir, name, self.files.values()) for name in names]
        pixels, labels = (read_idx(path, size, "data.dir") for path, size in zip(paths, (3, 1), strict=True))
        if len(pixels) != len(labels):
            raise UserError(f"{paths[1]}: {len(labels)} labels for the {len(pixels)} images of {paths[0]}")
        return table(Images(pixels, labels, ".".join(map(content_hash, paths))))

    def _hub(self, split: Split) -> datasets.Dataset:
        loaded = load_table(self.hub_path, None, split, list(self.files.values()), self.cache_dir)
        if missing := [name for name in ("image", "label") if name not in loaded.column_names]:
            known = ", ".join(loaded.column_names)
            raise UserError(f"{self.hub_path}: no column '{missing[0]}' (there are: {known}): set data.hub_path=...")
        images = [np.asarray(image.convert("L"), np.uint8) for image in loaded["image"]]
        if len({image.shape for image in images}) != 1:
            raise UserError(f"{self.hub_path}: {split} images of different sizes, or none: set data.hub_path=...")
        pixels = np.stack(images)
        return table(Images(pixels, np.asarray(loaded["label"]), loaded._fingerprint))

    def locate(self, split: Split, line: int) -> str:
        """Return folder, split and the image's number."""
        return f"{self.dir or self.hub_path} ({split}), image {line}"


class DigitsCorpus(ImageCorpus):
    """1,797 digits of 8 x 8 pixels that come with scikit-learn (Alpaydin and Kaynak 1998); every fifth is for tests.

    Args:
        validation_share, split_seed: as in ``ImageCorpus``.
    """

    def read(self, split: Split) -> datasets.Dataset:
        """Return a split."""
        try:
            from sklearn.datasets import load_digits
        except ImportError:
            raise UserError("data=digits needs scikit-learn: pip install 'gru_nlp[digits]'") from None
        digits = load_digits()
        chosen = (np.arange(len(digits.target)) % 5 == 0) == (split == "test")
        pixels = (digits.images[chosen] * (255 / 16)).astype(np.uint8)
        return table(Images(pixels, digits.target[chosen], f"digits {split}"))

    def locate(self, split: Split, line: int) -> str:
        """Return the image's number."""
        return f"digits ({split}), image {line}"
