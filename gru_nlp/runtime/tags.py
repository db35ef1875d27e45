"""Tags of emissions in numpy, with the numbers of ``gru_nlp.nn.crf``, which says how the passes and the search work.

Shapes: B sentences, T words, C tags, K paths.
"""

import base64
import binascii
from typing import NamedTuple, Protocol

import numpy as np

from gru_nlp.batch import AnyArray
from gru_nlp.outputs import Tagging
from gru_nlp.runtime.arrays import best_places, log_softmax, real_steps

#: As in ``gru_nlp.nn.crf``.
LEAST, SCALED, NEVER, MOST_PLACES = -100.0, 4, -1e4, 1 << 24
#: Most that a stored transition costs, or gains: what is never taken costs less, and no gain overflows an exponential.
MOST_COST, MOST_GAIN = 2e4, 100.0


class Tags(Protocol):
    """What makes tags of emissions."""

    def tag(self, emissions: AnyArray, lengths: AnyArray, paths: int = 1) -> Tagging[AnyArray]:
        """Return the best paths with their log-probabilities and marginals."""


class Passes(NamedTuple):
    """Forward and backward messages in float64, as in ``gru_nlp.nn.crf.Passes``."""

    forward: AnyArray
    backward: AnyArray
    emissions: AnyArray
    normaliser: AnyArray


class ConditionalTags:
    """Tags chosen together (``gru_nlp.nn.crf.ConditionalRandomField``).

    Args:
        edges: ``(C + 1, C + 1)`` log-scores of transitions, the last row and column of start and end.
    """

    def __init__(self, edges: AnyArray) -> None:
        self.edges = edges
        weights = np.exp(edges.astype(np.float64))
        self.moves = np.ascontiguousarray(weights[:-1, :-1])
        self.both_moves = np.stack([self.moves, self.moves.T])  # (2, C, C)
        self.ends = np.stack([weights[-1, :-1], weights[:-1, -1]])[:, None]  # (2, 1, C)

    def passes(self, emissions: AnyArray, lengths: AnyArray) -> Passes:
        """Run both passes as one recursion: the backward one is a forward pass over the mirrored sequence."""
        batch, steps, _ = emissions.shape
        scores = emissions.astype(np.float64)
        peaks = scores.max(axis=2)  # (B, T)
        likely = np.exp(np.maximum(scores - peaks[:, :, None], LEAST))
        mirrored = lengths[:, None] - 1 - np.arange(steps)
        index = (np.arange(batch)[:, None], np.where(mirrored >= 0, mirrored, np.arange(steps)))
        both = np.ascontiguousarray(np.stack([likely, likely[index]]).transpose(2, 0, 1, 3))  # (T, 2, B, C)
        messages = np.empty_like(both)
        heights = peaks
        np.multiply(self.ends, both[0], out=messages[0])
        for step in range(1, steps):
            message = np.matmul(messages[step - 1], self.both_moves, out=messages[step])
            message *= both[step]
            if step % SCALED == 0:
                sums = message.sum(axis=2, keepdims=True)  # (2, B, 1)
                message /= sums
                heights[:, step] += np.log(sums[0, :, 0])
        forward, mirrored = messages.transpose(1, 2, 0, 3)  # (B, T, C)
        last = forward[np.arange(batch), lengths - 1]
        total = np.where(real_steps(lengths, steps), heights, 0.0).sum(axis=1)
        return Passes(forward, mirrored[index], likely, total + np.log(last @ self.ends[1, 0]))

    def best_paths(self, emissions: AnyArray, lengths: AnyArray, paths: int) -> tuple[AnyArray, AnyArray]:
        """Return the ``paths`` best tag paths ``(B, K, T)`` and their scores ``(B, K)`` (Viterbi 1967, list form)."""
        rows = max(1, MOST_PLACES // (emissions[0].size * paths))
        starts = range(0, len(lengths), rows)
        found = [self._best_paths(emissions[at : at + rows], lengths[at : at + rows], paths) for at in starts]
        return np.concatenate([tags for tags, _ in found]), np.concatenate([scores for _, scores in found])

    def _best_paths(self, emissions: AnyArray, lengths: AnyArray, paths: int) -> tuple[AnyArray, AnyArray]:
        """Do as ``best_paths`` for all rows at once."""
        batch, steps, tags = emissions.shape
        rows, after = np.arange(batch)[:, None, None], np.arange(tags)[:, None]
        moves = self.edges[:-1, :-1].T[:, None]  # (C after, 1, C before)
        scores = np.full((batch, tags, paths), -np.inf, dtype=emissions.dtype)
        scores[:, :, 0] = emissions[:, 0] + self.edges[-1, :-1]
        history = np.zeros((steps, batch, tags, paths), dtype=np.int64)
        shortest = int(lengths.min())
        for step in range(1, steps):
            joined = (scores.transpose(0, 2, 1)[:, None] + moves).reshape(batch, tags, -1)  # (B, C after, K C before)
            history[step] = best_places(joined, paths)
            best = joined[rows, after, history[step]] + emissions[:, step, :, None]
            scores = best if step < shortest else np.where((step < lengths)[:, None, None], best, scores)
        ends = (scores.transpose(0, 2, 1) + self.edges[:-1, -1]).reshape(batch, -1)  # (B, K C)
        place = best_places(ends, paths)
        return _trace(history, place, lengths, tags), ends[rows[:, 0], place]

    def tag(self, emissions: AnyArray, lengths: AnyArray, paths: int = 1) -> Tagging[AnyArray]:
        """Return the best paths with their log-probabilities and marginals."""
        tags, scores = self.best_paths(emissions, lengths, paths)
        at = tags.transpose(0, 2, 1)  # (B, T, K)
        rows, steps = np.arange(len(at))[:, None, None], np.arange(at.shape[1])[:, None]
        before, after = at[:, :-1], at[:, 1:]
        with np.errstate(divide="ignore", invalid="ignore"):  # at padding, and in paths that do not exist
            passes = self.passes(emissions, lengths)
            nodes = passes.forward * passes.backward / np.maximum(passes.emissions, np.finfo(np.float64).tiny)
            own = nodes[rows, steps, at] / nodes.sum(axis=2, keepdims=True)
            pairs = ((passes.forward[:, :-1] @ self.moves) * passes.backward[:, 1:]).sum(axis=2, keepdims=True)
            moved = self.moves[before, after] * passes.forward[rows, steps[:-1], before]
            linked = moved * passes.backward[rows, steps[1:], after] / pairs
            links = np.log(np.concatenate([own[:, :1], linked], axis=1))
            own = np.log(own)
        logs = np.minimum(scores - passes.normaliser[:, None], 0.0)
        logs[scores < scores[:, :1] + NEVER / 2] = -np.inf
        kind = emissions.dtype
        own, links = (part.transpose(0, 2, 1).astype(kind) for part in (own, links))
        return Tagging(tags, logs.astype(kind), own, links, lengths)


class IndependentTags:
    """Each tag by itself (``gru_nlp.nn.crf.IndependentTags``)."""

    def tag(self, emissions: AnyArray, lengths: AnyArray, paths: int = 1) -> Tagging[AnyArray]:
        """Return the best paths with their log-probabilities and those of their tags."""
        logs = log_softmax(emissions)
        if paths == 1:
            tags, own = logs.argmax(axis=2)[:, None], logs.max(axis=2)[:, None]  # (B, 1, T)
            real = real_steps(lengths, tags.shape[2])[:, None]
            scores = np.where(real, own, 0.0).sum(axis=2, dtype=own.dtype)
        else:
            count = logs.shape[2] + 1
            tags, scores = ConditionalTags(np.zeros((count, count), logs.dtype)).best_paths(logs, lengths, paths)
            own = np.take_along_axis(logs, tags.transpose(0, 2, 1), axis=2).transpose(0, 2, 1)  # (B, K, T)
        links = np.concatenate([own[..., :1], own[..., 1:] + own[..., :-1]], axis=2)
        return Tagging(tags, scores, own, links, lengths)


def _trace(history: AnyArray, place: AnyArray, lengths: AnyArray, tags: int) -> AnyArray:
    """Follow each path back from ``place`` ``(B, K)``, which counts ranks before tags; return ``(B, K, T)``."""
    steps, batch, _, paths = history.shape
    pointers, rows = history.reshape(steps, batch, -1), np.arange(batch)[:, None]  # (T, B, C K): tag before rank
    found = np.empty((steps, batch, paths), dtype=np.int64)
    found[-1] = place
    for step in range(steps - 1, 0, -1):
        came = pointers[step][rows, place % tags * paths + place // tags]
        place = np.where((step < lengths)[:, None], came, place)
        found[step - 1] = place
    return found.transpose(1, 2, 0) % tags


def stored_tags(edges: object, count: int) -> Tags | None:
    """Return what makes tags, by the ``edges`` of a record; None: they are broken.

    Args:
        edges: None where each tag stands by itself; else ``(C + 1, C + 1)`` little-endian float32 in base64.
        count: the number C of tags.
    """
    if edges is None:
        return IndependentTags()
    try:
        content = base64.b64decode(edges, validate=True) if isinstance(edges, str) else b""
    except (binascii.Error, ValueError):
        return None
    if len(content) != 4 * (count + 1) ** 2:
        return None
    scores = np.frombuffer(content, dtype="<f4").astype(np.float32).reshape(count + 1, count + 1)
    return ConditionalTags(scores) if bool(((scores >= -MOST_COST) & (scores <= MOST_GAIN)).all()) else None
