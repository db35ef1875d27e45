"""A training split in parts, each of which serves as the test split of what is trained on the others."""

from dataclasses import dataclass

import datasets
import numpy as np
import numpy.typing as npt

from gru_nlp.data.corpus import Corpus, Recipe
from gru_nlp.data.layouts import fingerprint
from gru_nlp.data.where import Split


@dataclass(kw_only=True, eq=False)
class Fold(Corpus):
    """A corpus whose training split is without a part, which is its test split.

    Attributes:
        corpus: whose training split is parted; its validation split serves every fold.
        label: column whose values are spread evenly over the parts.
        held: number of the part that is kept out.
        parts: how many there are.
        seed: of the parting.
    """

    corpus: Corpus
    label: str
    held: int
    parts: int
    seed: int

    def recipe(self) -> Recipe:
        """Return that of the corpus."""
        return self.corpus.recipe()

    def load(self, split: Split) -> datasets.Dataset | None:
        """Return the part that is kept out as test split, the others as training split."""
        table = self.corpus.load("validation" if split == "validation" else "train")
        if table is None or split == "validation":
            return table
        part = parts_of(np.asarray(table.data.column(self.label)), self.parts, self.seed)
        rows = np.flatnonzero((part == self.held) == (split == "test"))
        key = fingerprint(table._fingerprint, split, self.label, self.held, self.parts, self.seed)
        return table.select(rows, new_fingerprint=key)

    @property
    def takes_unknown(self) -> bool:
        """Whether a label may be in the part alone."""
        return True

    def locate(self, split: Split, line: int) -> str:
        """Return where ``line`` stands in the corpus."""
        return self.corpus.locate("validation" if split == "validation" else "train", line)


def parts_of(labels: npt.NDArray[np.object_], parts: int, seed: int) -> npt.NDArray[np.int64]:
    """Return the number of the part of each row, ``(N,)``: of all parts like many rows, in all, and of each label.

    Args:
        labels: ``(N,)``.
        parts: how many there are.
        seed: of the choice.
    """
    rows = np.random.default_rng(seed).permutation(len(labels))
    rows = rows[np.argsort(labels[rows], kind="stable")]
    part = np.empty(len(labels), dtype=np.int64)
    part[rows] = np.arange(len(labels)) % parts
    return part
