"""Translators: the encoder's graph once a sentence, the decoder's once a token, and a search around it.

How it works. The graph of a step ends with features, which one of two others turns into log-probabilities: of all
tokens, or, by a short-list, of the candidates of a batch alone, as ``gru_nlp.models.shortlist`` says.

Shapes: B sentences of S steps, K hypotheses, V target tokens, U candidates of a batch, P features kept, R fed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple, TypeVar

import numpy as np

from gru_nlp.batch import AnyArray, SequencePairBatch
from gru_nlp.decoding.grid import Demand
from gru_nlp.errors import UserError, choose, one_line
from gru_nlp.outputs import Hypotheses
from gru_nlp.ranges import check_ranges
from gru_nlp.runtime.base import GraphModel
from gru_nlp.runtime.beam import BeamSearch
from gru_nlp.runtime.folder import RECORD, Folder
from gru_nlp.runtime.graph import FLOATS, IDS, SWITCHES, Form, Graph
from gru_nlp.runtime.searching import Greedy, Sampling, Strategy
from gru_nlp.targets import MISFITS, check_options
from gru_nlp.text.special import BOS

Kind = TypeVar("Kind")
#: What a record calls the strategies, by those of torch.
STRATEGIES: dict[str, type[Strategy]] = {
    "gru_nlp.decoding.beam.BeamSearch": BeamSearch,
    "gru_nlp.decoding.greedy.Greedy": Greedy,
    "gru_nlp.decoding.sampling.Sampling": Sampling,
}
SOURCE: dict[str, tuple[Form, ...]] = {"inputs": ((IDS, 2),), "lengths": ((IDS, 1),)}
#: What the encoder gives and the decoder reads, and what only some decoders keep beside it.
KEPT: dict[str, Form] = {"hidden": (FLOATS, 3), "keys": (FLOATS, 3), "values": (FLOATS, 3), "mask": (SWITCHES, 2)}
FED: dict[str, Form] = {"fed": (FLOATS, 3)}
#: How the names of what a step leaves differ from those of what it reads.
AFTER = "_after"
#: What a graph reads in the place of minus infinity: what it gives is to be finite.
LEAST = np.float32(-1e30)


class State(NamedTuple):
    """What stands between steps, as ``gru_nlp.nn.decoder.DecoderState``.

    Attributes:
        each: arrays of every hypothesis, ``(B, K, ...)``, by name.
        shared: arrays of every sentence, ``(B, S, ...)``, by name.
    """

    each: dict[str, AnyArray]
    shared: dict[str, AnyArray]

    def select_sentences(self, rows: AnyArray) -> "State":
        """Keep the sentences ``rows`` ``(B',)``."""
        return State(*({name: array[rows] for name, array in part.items()} for part in self))

    def select_hypotheses(self, places: AnyArray) -> "State":
        """Take hypotheses ``places`` ``(B, K')`` of every sentence, in their order."""
        rows = np.arange(len(places))[:, None]
        return self._replace(each={name: array[rows, places] for name, array in self.each.items()})


class Among(NamedTuple):
    """A state, and what is added for each sentence ``(B, U)``: 0 to its own candidates, minus infinity to others."""

    state: State
    mask: AnyArray

    def select_sentences(self, rows: AnyArray) -> "Among":
        """Keep the sentences ``rows`` ``(B',)``."""
        return Among(self.state.select_sentences(rows), self.mask[rows])

    def select_hypotheses(self, places: AnyArray) -> "Among":
        """Take hypotheses ``places`` ``(B, K')`` of every sentence, in their order."""
        return self._replace(state=self.state.select_hypotheses(places))


def union(candidates: AnyArray) -> tuple[AnyArray, AnyArray]:
    """Return the ids ``(U,)`` among candidates ``(B, C)``, and the mask ``(B, U)`` of ``Among``."""
    ids, places = np.unique(candidates, return_inverse=True)
    mask = np.full((len(candidates), len(ids)), -np.inf, dtype=np.float32)
    np.put_along_axis(mask, places.reshape(candidates.shape), 0.0, axis=1)
    return ids, mask


class Translator(GraphModel):
    """Source ids to hypotheses (``gru_nlp.models.seq2seq``).

    Attributes:
        decoding: what searches.
    """

    def __init__(self, folder: Folder, threads: int) -> None:
        self.vocabulary = folder.size("target_vocabulary_size")
        self.decoding = strategy(folder, folder.options.get("decoding"), STRATEGIES)
        self.encoder = Graph(folder.path / "encoder.onnx", threads, SOURCE, KEPT, FED)
        self.feeds = "fed" in self.encoder.outputs
        kept = KEPT | FED if self.feeds else KEPT
        after = {name + AFTER: kept[name] for name in ("hidden", "fed") if name in kept}
        given = {"features": (FLOATS, 3), "weights": (FLOATS, 3), **after}
        read = {name: (form,) for name, form in kept.items()} | {"tokens": ((IDS, 2),)}
        self.one = Graph(folder.path / "step.onnx", threads, read, given)
        features, likely = {"features": ((FLOATS, 3),)}, {"log_probabilities": (FLOATS, 3)}
        self.output = Graph(folder.path / "output.onnx", threads, features, likely)
        chosen: dict[str, tuple[Form, ...]] = {**features, "ids": ((IDS, 1),), "mask": ((FLOATS, 2),)}
        short = folder.size("has_candidates")
        self.among = Graph(folder.path / "among.onnx", threads, chosen, likely) if short else None

    @property
    def n_best(self) -> int:
        """How many hypotheses of a text it gives."""
        return self.decoding.n_best

    def start(self, batch: SequencePairBatch[AnyArray]) -> State:
        """Encode sources; return the state before the first step, with one open hypothesis a sentence."""
        rows, steps = batch.inputs.shape
        shared = {"keys": (rows, steps, None), "values": (rows, steps, None), "mask": (rows, steps)}
        each: dict[str, Any] = {"hidden": (rows, 1, None)} | ({"fed": (rows, 1, None)} if self.feeds else {})
        found = self.encoder.run(batch._asdict(), {**each, **shared})
        return State({name: found[name] for name in each}, {name: found[name] for name in shared})

    def _step(self, tokens: AnyArray, state: State, wanted: Mapping[str, Any]) -> tuple[dict[str, AnyArray], State]:
        """Return what is ``wanted``, its shapes by name, and the state after last ``tokens`` ``(B, K)``."""
        after = {name + AFTER: (*tokens.shape, array.shape[2]) for name, array in state.each.items()}
        found = self.one.run({"tokens": tokens, **state.each, **state.shared}, {**wanted, **after})
        return found, state._replace(each={name: found[name + AFTER] for name in state.each})

    def step(self, tokens: AnyArray, state: State) -> tuple[AnyArray, State]:
        """Return log-probabilities ``(B, K, V)`` after last ``tokens`` ``(B, K)``, and the state after them."""
        found, after = self._step(tokens, state, {"features": (*tokens.shape, None)})
        return self._likely(found["features"]), after

    def step_among(self, ids: AnyArray, tokens: AnyArray, before: "Among") -> tuple[AnyArray, "Among"]:
        """Return log-probabilities ``(B, K, U)`` of ``ids`` ``(U,)``, which ``tokens`` count by their places."""
        found, after = self._step(ids[tokens], before.state, {"features": (*tokens.shape, None)})
        assert self.among is not None
        given = {"features": found["features"], "ids": ids, "mask": np.maximum(before.mask, LEAST)}
        likely = self.among.run(given, {"log_probabilities": (*tokens.shape, len(ids))})["log_probabilities"]
        likely += before.mask[:, None]
        return likely, Among(after, before.mask)

    def _likely(self, features: AnyArray) -> AnyArray:
        shapes = {"log_probabilities": (*features.shape[:2], self.vocabulary)}
        return self.output.run({"features": features}, shapes)["log_probabilities"]

    def attended_step(self, tokens: AnyArray, state: State) -> tuple[AnyArray, AnyArray, State]:
        """Return the same with the attention ``(B, K, S)``, before the state."""
        wanted = {"features": (*tokens.shape, None), "weights": (*tokens.shape, state.shared["mask"].shape[1])}
        found, after = self._step(tokens, state, wanted)
        return self._likely(found["features"]), found["weights"], after

    def predict(self, batch: SequencePairBatch[AnyArray], top_k: int = 1) -> Hypotheses[AnyArray]:
        """Translate a batch by the folder's own strategy, which says how many hypotheses it gives."""
        state = self.start(batch)
        if batch.candidates is None:
            found = self.decoding(self.step, state, batch.lengths)
        else:
            ids, mask = union(batch.candidates)
            found = self.decoding(partial(self.step_among, ids), Among(state, mask), batch.lengths)
            found = found._replace(tokens=ids[found.tokens])
        return found._replace(totals=self.decoding.totals(found))

    def forced(self, batch: SequencePairBatch[AnyArray], demands: Sequence[Demand]) -> Hypotheses[AnyArray]:
        """Translate a batch so that each translation holds what is demanded of it."""
        return self.decoding.forced(self.attended_step, self.start(batch), batch.lengths, demands)

    def align(self, batch: SequencePairBatch[AnyArray]) -> AnyArray:
        """Return attention weights ``(B, T, S)`` as the decoder reads each true target of a batch."""
        assert batch.targets is not None
        shifted = np.roll(batch.targets, 1, axis=1)
        shifted[:, 0] = BOS
        state, weights = self.start(batch), []
        for place in range(shifted.shape[1]):
            wanted = {"weights": (len(shifted), 1, batch.inputs.shape[1])}
            found, state = self._step(shifted[:, place : place + 1], state, wanted)
            weights.append(found["weights"])
        return np.concatenate(weights, axis=1)


def with_decoding(folder: Folder, given: Mapping[str, Any] | None) -> Folder:
    """Return a folder with another decoding strategy, or other values of its own.

    Args:
        folder: of a model that searches.
        given: options by name, those with a ``_target_`` all that there are; None: nothing.

    Raises:
        UserError: its model decodes nothing.
    """
    stored = folder.options.get("decoding")
    if not given:
        return folder
    if not isinstance(stored, Mapping):
        raise UserError(f"{folder.path}: its model decodes nothing: leave decoding=... out")
    changed = given if "_target_" in given else {**stored, **given}
    return replace(folder, options={**folder.options, "decoding": changed})


def strategy(folder: Folder, config: Any, kinds: Mapping[str, Callable[..., Kind]]) -> Kind:
    """Return the strategy, one of some kinds by their names, that a record, or a person in its place, names.

    Raises:
        UserError: there is none such, or its options are not the right ones.
    """
    if not isinstance(config, Mapping) or not isinstance(config.get("_target_"), str):
        raise folder.refused("decoding")
    try:
        kind = kinds[choose("decoding", config["_target_"], kinds)]
        check_options(config, kinds.__getitem__)
        check_ranges({"decoding": config})
        return kind(**{name: value for name, value in config.items() if name != "_target_"})
    except UserError as error:
        raise UserError(f"{folder.path / RECORD}: {one_line(error)}") from None
    except MISFITS as error:
        raise folder.refused("decoding") from error
