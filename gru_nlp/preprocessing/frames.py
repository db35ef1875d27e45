"""Sequences of frames, such as the rows of an image, and their labels."""

import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from gru_nlp.batch import AnyArray, SequenceBatch
from gru_nlp.errors import UserError
from gru_nlp.outputs import Classification
from gru_nlp.preprocessing.base import Preprocessor
from gru_nlp.preprocessing.probabilities import decode_labels
from gru_nlp.preprocessing.rows import (
    FIT_BATCH,
    Columns,
    Hints,
    Record,
    RowError,
    Rows,
    Text,
    broken_state,
    distinct,
    target_ids,
)

#: Most pixels across or down an image.
MOST_PIXELS = 1 << 14


class FramePreprocessor(Preprocessor):
    """Images as sequences of rows; pixels are centred and scaled by their mean and spread in training.

    Args:
        shift: most pixels by which an image is moved at random in training, each way.
    """

    answer = "gru_nlp.answers.images.ImageAnswer"
    errors = "gru_nlp.reports.worst.ImageErrors"
    one_label = True
    example = "input=<image or folder of images>"
    data_columns = ("pixels", "width", "label")
    list_columns = ("pixels",)
    list_type = "uint8"
    noun = "images"
    scalar_columns = ("tokens", "target")
    input_column = "pixels"
    blank: ClassVar[Record] = {"label": None, "score": None}

    def __init__(self, *, shift: int) -> None:
        if shift < 0:
            raise UserError(f"preprocessing.shift={shift} must not be negative")
        self.shift = shift
        self.labels: list[str] = []
        self.width = 0
        self.height = 0
        self.mean = 0.0
        self.spread = 1.0

    def fit(self, rows: Rows, hints: Hints) -> None:
        """Learn labels, size, mean and spread from the columns ``label``, ``width`` and ``pixels``."""
        labels: Counter[str] = Counter()
        found = np.zeros(256, np.int64)  # how often each grey value occurs
        for batch in rows.iter(FIT_BATCH):
            labels.update(batch["label"])
            found += np.bincount(np.asarray(batch["pixels"]).ravel(), minlength=256)
            self.width, self.height = batch["width"][0], len(batch["pixels"][0]) // max(1, batch["width"][0])
        if len(labels) < 2:
            raise UserError("the training images have one label only: give at least two")
        self.labels = list(hints.label_order or sorted(labels))
        greys, shares = np.arange(256) / 255.0, found / found.sum()
        self.mean = float(shares @ greys)
        self.spread = float(max(1e-6, (shares @ (greys - self.mean) ** 2) ** 0.5))

    def encode(self, columns: Columns) -> dict[str, list[Any]]:
        """``pixels`` stay as they are; ``label`` -> ``target``."""
        size = self.height * self.width
        widths = columns.get("width", [self.width] * len(columns["pixels"]))
        for row, (pixels, width) in enumerate(zip(columns["pixels"], widths, strict=True)):
            if len(pixels) != size or width != self.width:
                learned = f"{self.height} x {self.width}"
                raise RowError(row, f"{len(pixels)} pixels, {width} wide, where {learned} were learned")
        result: dict[str, list[Any]] = {
            "pixels": list(columns["pixels"]),
            "tokens": [size] * len(columns["pixels"]),
        }
        if "label" in columns:
            places = {label: place for place, label in enumerate(self.labels)}
            for row, label in enumerate(columns["label"]):
                if label not in places:
                    raise RowError(row, f"the label '{label}' does not occur in training")
            result["target"] = [places[label] for label in columns["label"]]
        return result

    def collate(self, columns: Columns, training: bool) -> SequenceBatch[AnyArray]:
        """Return frames ``(B, height, width)``."""
        images = np.stack([np.asarray(row) for row in columns["pixels"]]).reshape(-1, self.height, self.width)
        if training and self.shift:
            images = self._moved(images)
        frames = images.astype(np.float32)
        frames /= 255.0
        frames -= self.mean
        frames /= self.spread
        return SequenceBatch(frames, np.full(len(frames), self.height, dtype=np.int64), target_ids(columns))

    def _moved(self, images: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Move each image by whole pixels at random; what comes in is black.

        The draw depends on the batch alone, so that a run which was stopped and resumed makes the same moves.
        """
        shift, random = self.shift, np.random.default_rng(zlib.crc32(images.tobytes()))
        padded = np.pad(images, ((0, 0), (shift, shift), (shift, shift)))
        down, right = random.integers(0, 2 * shift + 1, (2, len(images)))
        lines = down[:, None] + np.arange(self.height)
        across = right[:, None] + np.arange(self.width)
        moved: npt.NDArray[Any] = padded[np.arange(len(images))[:, None, None], lines[:, :, None], across[:, None, :]]
        return moved

    def asked(self) -> str:
        """Return a black image."""
        return f"[[0] * {self.width}] * {self.height}"

    def cut(self, texts: Sequence[Text]) -> tuple[Columns, list[Any]]:
        """Flatten images ``(height, width)`` of bytes.

        Raises:
            UserError: something else than an image of the learned size.
        """
        return {"pixels": [self._flat(text) for text in texts]}, []

    def _flat(self, text: Text) -> npt.NDArray[Any]:
        try:
            image = np.asarray(text)
            given = "text" if image.dtype.kind == "U" else f"{image.dtype} of shape {image.shape}"
        except ValueError:
            image, given = np.zeros(0), "rows of different lengths"
        if image.shape == (self.height, self.width) and image.dtype.kind in "iu":
            if image.min() >= 0 and image.max() <= 255:
                return image.ravel()
            given = f"values from {image.min()} to {image.max()}"
        wanted = f"images of {self.height} x {self.width} grey bytes"
        raise UserError(f"this model reads {wanted}, not {given}: set input=<image>")

    def decode(self, outputs: Classification[AnyArray], top_k: int = 1) -> list[Record]:
        """Probabilities ``(B, C)`` -> ``label`` and ``score``, and with ``top_k`` above 1 ``top``: the best pairs."""
        return decode_labels(outputs, self.labels, top_k)

    def truth(self, columns: Columns) -> list[Record]:
        """Return the image's number and the true label."""
        return [{"image": line, "target": label} for line, label in zip(columns["line"], columns["label"], strict=True)]

    def describe(self, record: Record) -> str:
        """Return label, score, true label and the image's number."""
        return f"{record['label']} {record['score']:.2f}  (is {record['target']}): image {record['image']}"

    def sizes(self) -> dict[str, Any]:
        """Return the frames' size and the labels' number."""
        return {"frame_size": self.width, "num_labels": len(self.labels)}

    def tokens(self) -> list[str]:
        """There is no vocabulary."""
        return []

    def label_names(self) -> list[str]:
        """Return the labels in the order of their ids."""
        return list(self.labels)

    def state_dict(self) -> dict[str, Any]:
        """Return labels, size, mean and spread."""
        names = ("labels", "width", "height", "mean", "spread")
        return {name: getattr(self, name) for name in names}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take back what ``state_dict`` gave.

        Raises:
            UserError: something in it is not as ``state_dict`` gives it.
        """
        self.labels = distinct(state, "labels")
        for name in ("width", "height"):
            if type(state.get(name)) is not int or not 0 < state[name] <= MOST_PIXELS:
                raise broken_state(name)
        for name in ("mean", "spread"):
            if not isinstance(state.get(name), float) or not 0.0 <= state[name] <= 1.0:
                raise broken_state(name)
        self.width, self.height = int(state["width"]), int(state["height"])
        self.mean, self.spread = float(state["mean"]), max(1e-6, float(state["spread"]))

    def options(self) -> dict[str, Any]:
        """Nothing bears on ``encode`` beside the learned state."""
        return {}
