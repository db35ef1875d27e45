"""Recognisers of speech: the graph of all steps, and a search in what it gives (``gru_nlp.decoding.ctc``).

Shapes: B recordings of T frames of F features, S steps of several frames, V tokens.
"""

from typing import Any

import numpy as np

from gru_nlp.batch import AnyArray, IntArray, SequencePairBatch
from gru_nlp.decoding.ctc import CTCDecoding, Greedy, PrefixBeam, recognise
from gru_nlp.errors import UserError
from gru_nlp.outputs import Recognition
from gru_nlp.ranges import MOST
from gru_nlp.runtime.base import GraphModel
from gru_nlp.runtime.folder import Folder
from gru_nlp.runtime.graph import FLOATS, IDS, Graph
from gru_nlp.runtime.translation import strategy

#: What a record calls the strategies.
STRATEGIES = {f"gru_nlp.decoding.ctc.{kind.__name__}": kind for kind in (Greedy, PrefixBeam)}


class Recogniser(GraphModel):
    """Frames to text (``gru_nlp.models.recogniser``)."""

    def __init__(self, folder: Folder, threads: int) -> None:
        self.vocabulary = folder.size("vocabulary_size")
        self.frame_size = folder.size("frame_size")
        stack: Any = folder.options.get("stack")
        if type(stack) is not int or not 1 <= stack <= MOST["stack"]:
            raise folder.refused("stack")
        self.stack = stack
        self.decoding: CTCDecoding = strategy(folder, folder.options.get("decoding"), STRATEGIES)
        if self.decoding.language_model is not None:
            raise UserError("decoding.language_model needs the recogniser's checkpoint, not its graphs: leave it out")
        read = {"inputs": ((FLOATS, 3),), "lengths": ((IDS, 1),)}
        self.graph = Graph(folder.path / "model.onnx", threads, read, {"log_probabilities": (FLOATS, 3)})

    def predict(self, batch: SequencePairBatch[AnyArray], top_k: int = 1) -> Recognition[AnyArray]:
        """Recognise a batch by the folder's own strategy."""
        steps: IntArray = (batch.lengths + (self.stack - 1)) // self.stack
        shapes = {"log_probabilities": (len(steps), int(steps.max()), self.vocabulary)}
        found = self.graph.run({"inputs": self._stacked(batch.inputs, int(steps.max())), "lengths": steps}, shapes)
        return recognise(found["log_probabilities"], steps, self.decoding, top_k, self.stack)

    def _stacked(self, frames: AnyArray, steps: int) -> AnyArray:
        """Join frames ``(B, T, F)``, zeros behind each recording's end, several a step -> ``(B, S, stack F)``."""
        padded = np.zeros((len(frames), steps * self.stack, self.frame_size), dtype=np.float32)
        padded[:, : frames.shape[1]] = frames[:, : padded.shape[1]]
        return padded.reshape(len(frames), steps, -1)
