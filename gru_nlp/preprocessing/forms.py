"""Surface forms of entities that training has, to tell how a model does on those that it has not seen.

A form is the words of an entity as they are written, each by as many letters as the model reads; its type plays no part
(Augenstein et al. 2017, "Generalisation in named entity recognition"). A checkpoint keeps hashes of 8 bytes, so that a
model can be scored later, and names nobody; two of a million forms share one with a chance of 1 in 37 million.
"""

import base64
import binascii
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gru_nlp.preprocessing.rows import broken_state

#: Bytes of a hash.
SIZE = 8
#: Stands between the words of a form, and in the place of a letter that training lacks; no word holds either.
BETWEEN, LACKING = " ", "\ud800"


class Forms:
    """Surface forms of training's entities.

    Args:
        hashes: of the forms.
    """

    def __init__(self, hashes: Iterable[bytes]) -> None:
        self.hashes = frozenset(hashes)

    @classmethod
    def of(cls, forms: Iterable[Sequence[str]]) -> "Forms":
        """Make them of the words of each."""
        return cls(map(_hashed, forms))

    def __contains__(self, words: Sequence[str]) -> bool:
        return _hashed(words) in self.hashes

    def state(self) -> str:
        """Return the hashes as base64, sorted."""
        return base64.b64encode(b"".join(sorted(self.hashes))).decode()


def stored_forms(state: Mapping[str, Any]) -> Forms | None:
    """Return the forms of a checkpoint; None: it is an older one, which does not keep them.

    Raises:
        UserError: they are not as ``Forms.state`` gives them.
    """
    given = state.get("forms")
    if given is None:
        return None
    try:
        content = base64.b64decode(given, validate=True) if isinstance(given, str) else b"?"
    except (binascii.Error, ValueError):
        content = b"?"
    if len(content) % SIZE:
        raise broken_state("forms")
    return Forms(content[start : start + SIZE] for start in range(0, len(content), SIZE))


def _hashed(words: Sequence[str]) -> bytes:
    return hashlib.blake2b(BETWEEN.join(words).encode("utf-8", "surrogatepass"), digest_size=SIZE).digest()
