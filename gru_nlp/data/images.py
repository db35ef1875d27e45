"""Small grey images with labels, as rows of one Arrow table in memory."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import datasets
import numpy as np
import pyarrow as pa
from datasets.table import InMemoryTable

from gru_nlp.data.layouts import Layout, Row, fingerprint
from gru_nlp.data.values import label_of, value_of
from gru_nlp.data.where import Found
from gru_nlp.errors import UserError


@dataclass(frozen=True)
class LabelledImage(Layout):
    """An image and its label: columns ``pixels`` (flat, a byte a pixel), ``width`` and ``label``.

    Attributes:
        option: that names the data, for messages.
    """

    noun = "images"
    stratify = "label"
    features = datasets.Features(
        {
            "pixels": datasets.List(datasets.Value("uint8")),
            "width": datasets.Value("int32"),
            "label": datasets.Value("string"),
            "line": datasets.Value("int64"),
        }
    )
    option: str

    def row(self, fields: Mapping[str, Any]) -> Row:
        """Return the image ``(height, width)`` uint8 and its label."""
        return {"image": value_of(fields, "image", self.option), "label": label_of(fields, "label", self.option)}

    def table(self, found: Found, cache_dir: str | None) -> datasets.Dataset:
        """Return all images of a split; the table lies in memory, a byte a pixel, and gives pixels as arrays.

        Raises:
            UserError: the images differ in size; there are none.
        """
        rows = list(self.rows(found))
        images = [row["image"] for row in rows]
        if len({image.shape for image in images}) != 1:
            raise UserError(f"{found.name}: images of different sizes: set {self.option}=...")
        pixels = np.stack(images)
        count, height, width = pixels.shape
        starts = np.arange(0, pixels.size + 1, height * width, dtype=np.int32)
        columns = {
            "pixels": pa.ListArray.from_arrays(pa.array(starts), pa.array(pixels.reshape(-1))),
            "width": np.full(count, width, np.int32),
            "label": [row["label"] for row in rows],
            "line": [row["line"] for row in rows],
        }
        arrow = InMemoryTable(pa.table(columns).cast(self.features.arrow_schema))
        made = datasets.Dataset(arrow, fingerprint=fingerprint("images", found.key()))
        return made.with_format("numpy", columns=["pixels"], output_all_columns=True)
