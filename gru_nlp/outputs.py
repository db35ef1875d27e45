"""The tuples that travel from model to preprocessing: what a model says, one a task kind; see ``batch``."""

from collections.abc import Callable
from typing import Generic, NamedTuple, Protocol

from gru_nlp.batch import Array, Array_co, Other, optional


class Outputs(Protocol[Array_co]):
    """What a model's ``predict`` gives, one row a row of its batch."""

    def map(self, change: Callable[[Array_co], Other]) -> "Outputs[Other]":
        """Return the outputs with every array changed."""


class Speech(NamedTuple, Generic[Array]):
    """What a synthesiser says.

    Attributes:
        frames: ``(B, T, M)``, normalised by band; zeros after each text's end.
        lengths: ``(B,)`` int64, frames of each text.
        weights: ``(B, G, S)``, to which characters it attended at each of its G steps.
        ended: ``(B,)`` bool, whether it ended by itself, and not at the limit of its length.
    """

    frames: Array
    lengths: Array
    weights: Array
    ended: Array

    def map(self, change: Callable[[Array], Other]) -> "Speech[Other]":
        """Return the same with every array changed."""
        return Speech(*map(change, self))


class Surprise(NamedTuple, Generic[Array]):
    """How likely a language model finds texts.

    Attributes:
        log_probabilities: ``(B, T)`` of each token after those before it; 0 at padding.
        lengths: ``(B,)``.
    """

    log_probabilities: Array
    lengths: Array

    def map(self, change: Callable[[Array], Other]) -> "Surprise[Other]":
        """Return the same with every array changed."""
        return Surprise(*map(change, self))


class Classification(NamedTuple, Generic[Array]):
    """What a classifier says.

    Attributes:
        probabilities: of each label, ``(B, C)``.
    """

    probabilities: Array

    def map(self, change: Callable[[Array], Other]) -> "Classification[Other]":
        """Return the same with every array changed."""
        return Classification(change(self.probabilities))


class Labelling(NamedTuple, Generic[Array]):
    """Which of all labels each row of a batch has.

    Attributes:
        probabilities: of each label by itself, ``(B, C)``.
        chosen: whether it is said of the row, ``(B, C)`` bool.
    """

    probabilities: Array
    chosen: Array

    def map(self, change: Callable[[Array], Other]) -> "Labelling[Other]":
        """Return the same with every array changed."""
        return Labelling(*map(change, self))


class Tagging(NamedTuple, Generic[Array]):
    """Tag paths of a batch, best first, and how sure each is.

    Attributes:
        tags: ``(B, K, T)`` tag ids; unspecified at padding and in paths that do not exist.
        scores: ``(B, K)`` log-probabilities of the paths; ``-inf`` where there are fewer than K.
        nodes: ``(B, K, T)`` log-probability of each tag of a path, whatever stands around it.
        links: ``(B, K, T)`` log-probability of each tag together with the one before it; that of the tag at step 0.
        lengths: ``(B,)``.
    """

    tags: Array
    scores: Array
    nodes: Array
    links: Array
    lengths: Array

    def map(self, change: Callable[[Array], Other]) -> "Tagging[Other]":
        """Return the same with every array changed."""
        return Tagging(*map(change, self))


class Hypotheses(NamedTuple, Generic[Array]):
    """What decoding found, best first.

    Attributes:
        tokens: ``(B, N, T)`` int64 without start and end marks, padded.
        lengths: ``(B, N)`` int64, end mark not counted.
        scores: ``(B, N)`` what hypotheses are ranked by; minus infinity where fewer than N were found.
        totals: ``(B, N)`` summed log-probabilities, the end mark counted; None: nobody asked for them.
    """

    tokens: Array
    lengths: Array
    scores: Array
    totals: Array | None = None

    def map(self, change: Callable[[Array], Other]) -> "Hypotheses[Other]":
        """Return the same with every array changed."""
        kept = change(self.tokens), change(self.lengths), change(self.scores)
        return Hypotheses(*kept, optional(change, self.totals))


class Recognition(NamedTuple, Generic[Array]):
    """What is heard in recordings: N texts of each, best first, and where the tokens of the best one are.

    Attributes:
        tokens: ``(B, N, S)`` int64, padded.
        lengths: ``(B, N)`` int64.
        scores: ``(B, N)`` what texts are ranked by; minus infinity where there are fewer than N.
        totals: ``(B,)`` log-probability of the best one, by its sound alone.
        starts: ``(B, S)`` int64, the first frame of each of its tokens.
        ends: ``(B, S)`` int64, the frame after the last one.
        surest: ``(B, S)`` log-probability of each where it is the surest.
    """

    tokens: Array
    lengths: Array
    scores: Array
    totals: Array
    starts: Array
    ends: Array
    surest: Array

    def map(self, change: Callable[[Array], Other]) -> "Recognition[Other]":
        """Return the same with every array changed."""
        return Recognition(*map(change, self))
