"""Models that say labels: of logits, which their graph gives, comes what ``gru_nlp.models`` says of them.

Shapes: B texts of T steps, D features of a frame, M n-grams, C labels.
"""

from typing import Any

import numpy as np

from gru_nlp.batch import AnyArray, SequenceBatch, TaggingBatch
from gru_nlp.outputs import Classification, Labelling, Tagging
from gru_nlp.ranges import is_temperature
from gru_nlp.runtime.arrays import sigmoid, softmax
from gru_nlp.runtime.base import GraphModel
from gru_nlp.runtime.folder import Folder
from gru_nlp.runtime.graph import FLOATS, IDS, SHORT_IDS, Form, Graph
from gru_nlp.runtime.tags import Tags, stored_tags

#: What the graph of a classifier may read: ids or frames, and the n-grams of a wide part.
READ: dict[str, tuple[Form, ...]] = {
    "inputs": ((IDS, 2), (FLOATS, 3)),
    "lengths": ((IDS, 1),),
    "ngrams": ((SHORT_IDS, 1),),
    "bags": ((SHORT_IDS, 1),),
}
#: What that of a tagger may read.
WORDS: dict[str, tuple[Form, ...]] = {
    "inputs": ((IDS, 2),),
    "lengths": ((IDS, 1),),
    "shapes": ((IDS, 2),),
    "characters": ((IDS, 2),),
    "character_lengths": ((IDS, 1),),
    "places": ((IDS, 2),),
    "lists": ((IDS, 3),),
}


class _Logits(GraphModel):
    """Logits of texts, and the temperature that they are divided by.

    Attributes:
        size_name: of the number of labels, among the sizes of the preprocessing.
    """

    size_name: str

    def __init__(self, folder: Folder, threads: int) -> None:
        self.labels = folder.size(self.size_name)
        temperature: Any = folder.options.get("temperature")
        if not is_temperature(temperature):
            raise folder.refused("temperature")
        self.temperature = np.float32(temperature)
        self.graph = Graph(folder.path / "model.onnx", threads, READ, {"logits": (FLOATS, 2)})

    def logits(self, batch: SequenceBatch[AnyArray]) -> AnyArray:
        """Return logits ``(B, C)``."""
        return self.graph.run(batch._asdict(), {"logits": (len(batch.lengths), self.labels)})["logits"]


class Classifier(_Logits):
    """One label of a text (``gru_nlp.models.classifier``)."""

    size_name = "num_labels"

    def predict(self, batch: SequenceBatch[AnyArray], top_k: int = 1) -> Classification[AnyArray]:
        """Return the probabilities of all labels, the ``top_k`` best among them."""
        return Classification(softmax(self.logits(batch) / self.temperature))


class MultilabelClassifier(_Logits):
    """Any number of labels of a text (``gru_nlp.models.multilabel``)."""

    size_name = "several_labels"

    def __init__(self, folder: Folder, threads: int) -> None:
        super().__init__(folder, threads)
        given = folder.options.get("thresholds")
        if not isinstance(given, list) or len(given) != self.labels or not all(map(is_share, given)):
            raise folder.refused("thresholds")
        self.thresholds = np.array(given, dtype=np.float32)

    def predict(self, batch: SequenceBatch[AnyArray], top_k: int = 1) -> Labelling[AnyArray]:
        """Return the probabilities of all labels, and which of them reach their thresholds."""
        logits = self.logits(batch)
        return Labelling(sigmoid(logits / self.temperature), sigmoid(logits) >= self.thresholds)


class Tagger(GraphModel):
    """A tag for every word (``gru_nlp.models.tagger``)."""

    def __init__(self, folder: Folder, threads: int) -> None:
        folder.size("num_shapes")  # which no other preprocessing knows
        self.count = len(folder.preprocessor.sizes()["allowed"]) - 1
        tags = stored_tags(folder.options.get("edges", ""), self.count)
        if tags is None:
            raise folder.refused("edges")
        self.tags: Tags = tags
        self.graph = Graph(folder.path / "model.onnx", threads, WORDS, {"emissions": (FLOATS, 3)})

    def predict(self, batch: TaggingBatch[AnyArray], top_k: int = 1) -> Tagging[AnyArray]:
        """Return the ``top_k`` best tag paths, with how sure each tag is."""
        shape = (*batch.inputs.shape, self.count)
        emissions = self.graph.run(batch._asdict(), {"emissions": shape})["emissions"]
        return self.tags.tag(emissions, batch.lengths, top_k)


def is_share(value: object) -> bool:
    """Return whether a value of a record is a number from 0 to 1."""
    return isinstance(value, float | int) and 0.0 <= value <= 1.0
