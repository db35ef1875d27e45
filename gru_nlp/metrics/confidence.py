"""How sure a model was of each of its answers, and which were right."""

from typing import NamedTuple

from gru_nlp.batch import AnyArray


class Judged(NamedTuple):
    """Answers of one split.

    Attributes:
        confidence: of each, ``(N,)``, from 0 to 1.
        before: the same before calibration.
        right: whether it is, ``(N,)`` bool.
        temperature: that calibrates.
    """

    confidence: AnyArray
    before: AnyArray
    right: AnyArray
    temperature: float
