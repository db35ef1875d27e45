"""Language models: the graph of one step, and loops over it that read texts and continue them.

Shapes: B texts of T steps, V tokens, L layers of H features.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from gru_nlp.batch import AnyArray, StreamBatch
from gru_nlp.continuing import MARKS, Walk
from gru_nlp.decoding.drawing import Drawing
from gru_nlp.errors import UserError
from gru_nlp.outputs import Surprise
from gru_nlp.preprocessing.rows import pad, sizes_of
from gru_nlp.ranges import MOST
from gru_nlp.runtime.base import GraphModel
from gru_nlp.runtime.chance import draw
from gru_nlp.runtime.folder import RECORD, Folder
from gru_nlp.runtime.graph import FLOATS, IDS, Graph


class LanguageModel(GraphModel):
    """What comes next (``gru_nlp.models.language_model``)."""

    def __init__(self, folder: Folder, threads: int) -> None:
        self.vocabulary = folder.size("vocabulary_size")
        try:
            folder.preprocessor.text_of([])
        except UserError as error:
            raise UserError(f"{folder.path / RECORD}: {error}") from None
        for name, most in (("layers", MOST["layers"]), ("size", MOST["size"])):
            value = folder.options.get(name)
            if type(value) is not int or not 1 <= value <= most:
                raise folder.refused(name)
        self.layers, self.size = folder.options["layers"], folder.options["size"]
        read = {"tokens": ((IDS, 1),), "before": ((FLOATS, 3),)}
        given = {"log_probabilities": (FLOATS, 2), "after": (FLOATS, 3)}
        self.graph = Graph(folder.path / "step.onnx", threads, read, given)

    def go_on(self, tokens: AnyArray, before: AnyArray) -> tuple[AnyArray, AnyArray]:
        """Read one token ``(B,)`` more of each text after the states ``before`` ``(L, B, H)``."""
        shapes = {"log_probabilities": (len(tokens), self.vocabulary), "after": (self.layers, len(tokens), self.size)}
        found = self.graph.run({"tokens": tokens, "before": before}, shapes)
        return found["log_probabilities"], found["after"]

    def read(self, inputs: AnyArray, lengths: AnyArray) -> Iterator[tuple[int, AnyArray, AnyArray, AnyArray]]:
        """Read texts together, each as far as it goes.

        Args:
            inputs: ids ``(B, T)``.
            lengths: ``(B,)``, each at least 1.

        Yields:
            A step, the rows ``(B',)`` that it belongs to, what may follow each ``(B', V)``, and states ``(L, B', H)``.
        """
        order = np.argsort(-lengths, kind="stable")
        state = np.zeros((self.layers, len(order), self.size), dtype=np.float32)
        for step in range(int(lengths.max())):
            rows = order[: int((lengths > step).sum())]
            scores, state = self.go_on(inputs[rows, step], state[:, : len(rows)])
            yield step, rows, scores, state

    def predict(self, batch: StreamBatch[AnyArray], top_k: int = 1) -> Surprise[AnyArray]:
        """Return the log-probability of each token ``(B, T)``."""
        found = np.zeros(batch.targets.shape, dtype=np.float32)
        for step, rows, scores, _ in self.read(batch.inputs, batch.lengths):
            found[rows, step] = scores[np.arange(len(rows)), batch.targets[rows, step]]
        return Surprise(found, batch.lengths)

    def begin(self, prompts: Sequence[Sequence[int]]) -> tuple[AnyArray, AnyArray]:
        """Read prompts, those that are alike once; return what may follow each ``(B, V)`` and states ``(L, B, H)``."""
        places = {row: place for place, row in enumerate(dict.fromkeys(map(tuple, prompts)))}
        lengths = sizes_of(list(places))
        scores = np.empty((len(places), self.vocabulary), dtype=np.float32)
        states = np.empty((self.layers, len(places), self.size), dtype=np.float32)
        for step, rows, found, state in self.read(pad(list(places), lengths), lengths):
            ended = lengths[rows] == step + 1
            scores[rows[ended]], states[:, rows[ended]] = found[ended], state[:, ended]
        chosen = [places[tuple(row)] for row in prompts]
        return scores[chosen], states[:, chosen]


class GraphWalk(Walk):
    """Texts that are being continued.

    Args:
        model: of language.
        ids: of the prompts' tokens.
        drawing: how tokens are drawn.
        seeds: of each text's random numbers.
    """

    def __init__(self, model: GraphModel, ids: Sequence[Sequence[int]], drawing: Drawing, seeds: Sequence[int]) -> None:
        self.model = model
        self.drawing = drawing
        self.generators = [np.random.default_rng(seed) for seed in seeds]
        self.scores, self.state = model.begin(ids)
        self.seen: AnyArray | None = None
        if drawing.repetition_penalty != 1.0:
            self.seen = np.zeros(self.scores.shape, dtype=np.bool_)
            for place, row in enumerate(ids):
                self.seen[place, list(row)] = True
        self.tokens = np.zeros(len(ids), dtype=np.int64)

    def draw(self) -> tuple[list[int], list[float]]:
        """Draw a token a text; return them with their log-probabilities."""
        self.scores[:, list(MARKS)] = -np.inf
        self.tokens = draw(self.drawing, self.scores, self.seen, self.generators)  # (B,)
        rows = np.arange(len(self.tokens))
        if self.seen is not None:
            self.seen[rows, self.tokens] = True
        return self.tokens.tolist(), self.scores[rows, self.tokens].tolist()

    def go_on(self, kept: Sequence[int]) -> None:
        """Read the tokens just drawn of the texts at the places ``kept``; the others have ended."""
        places = list(kept)
        self.generators = [self.generators[place] for place in places]
        self.seen = None if self.seen is None else self.seen[places]
        self.scores, self.state = self.model.go_on(self.tokens[places], self.state[:, places])
