"""The lines that surprise a language model most."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from gru_nlp.batch import AnyArray
from gru_nlp.text.shortening import shorten

#: Lines that are told, and characters that are shown of each.
MOST, SHOWN = 20, 300
#: Tokens of a line, its end among them: fewer say little of a model.
LEAST_TOKENS = 4


def surprising(texts: Sequence[str], nats: AnyArray, tokens: AnyArray) -> list[dict[str, Any]]:
    """Return the lines whose tokens were, on average, the least likely, the most surprising first.

    Args:
        texts: a line each.
        nats: ``(N,)`` minus the logarithm of each line's probability.
        tokens: ``(N,)`` their number, the end of the line among them.

    Returns:
        Of each its number in the file, from 0, its text, tokens, and bits a token.
    """
    bits = nats / np.maximum(1, tokens) / np.log(2.0)
    ranked = [line for line in np.argsort(-bits, kind="stable").tolist() if tokens[line] >= LEAST_TOKENS]
    return [
        {
            "line": line,
            "text": shorten(texts[line], SHOWN),
            "tokens": int(tokens[line]),
            "bits_per_token": float(bits[line]),
        }
        for line in ranked[:MOST]
    ]
