"""A language model of a run, weighed in where a recogniser searches (``decoding.language_model``)."""

from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor

from gru_nlp import checkpoint
from gru_nlp.archive import locate
from gru_nlp.decoding.ctc import Foretelling, Node
from gru_nlp.errors import UserError
from gru_nlp.models.base import Model
from gru_nlp.models.recogniser import Recogniser
from gru_nlp.preprocessing.base import Preprocessor
from gru_nlp.tensors import to_array
from gru_nlp.text.special import EOS, SPECIAL_TOKENS

OPTION = "decoding.language_model"
#: Tokens that are named where a language model lacks them.
MOST_NAMED = 10


class LanguageModel(Foretelling):
    """A language model over the tokens of a recogniser, and the end of a line.

    Args:
        model: of text that is read forwards.
        start: ids of its own that a text begins with.
        places: its ids of the recogniser's tokens, ``(V,)``.
    """

    def __init__(self, model: Model[Any], start: Sequence[int], places: Tensor) -> None:
        self.model, self.start, self.places = model.eval(), list(start), places
        self.model.settle()

    @torch.inference_mode()
    def begin(self) -> Node:
        """Return what begins a line."""
        (node,) = self._nodes(*self.model.begin(torch.tensor([self.start])))
        return node

    @torch.inference_mode()
    def go_on(self, tokens: Sequence[int], before: Sequence[Any]) -> list[Node]:
        """Read a token more of each text."""
        return self._nodes(*self.model.go_on(self.places[list(tokens)], torch.stack(list(before), dim=1)))

    def _nodes(self, scores: Tensor, states: Tensor) -> list[Node]:
        follows = to_array(scores[:, self.places])
        return [Node(row, state) for row, state in zip(follows, states.unbind(dim=1), strict=True)]


def weigh_in(preprocessor: Preprocessor, model: Model[Any], path: str | None, trusted: Sequence[str]) -> None:
    """Let a recogniser weigh in a language model that a person names; its stored config never names one.

    Args:
        preprocessor, model: of the recogniser.
        path: of the language model's run or checkpoint; None: there is none.
        trusted: packages that its checkpoint may build from.

    Raises:
        UserError: it is no language model, reads backwards, or lacks tokens of the recogniser.
    """
    if path is None:
        return
    stored = checkpoint.load(locate(path, option=OPTION))
    own, language_model = checkpoint.restore(stored, trusted)
    try:
        start = own.prompt("")
    except UserError as error:
        raise UserError(f"{stored.path}: {error} (set {OPTION}=...)") from None
    ids = {token: place for place, token in enumerate(own.tokens())}
    spoken = preprocessor.tokens()
    if lacking := [token for token in spoken[len(SPECIAL_TOKENS) :] if token not in ids]:
        named = ", ".join(map(repr, lacking[:MOST_NAMED])) + (", ..." if len(lacking) > MOST_NAMED else "")
        told = f"{stored.path}: its tokens lack {named} of the recogniser's"
        raise UserError(f"{told}: train it with the same tokenizer=... on text with all of them")
    places = torch.tensor([ids.get(token, EOS) for token in spoken])
    cast(Recogniser, model).decoding.foretelling = LanguageModel(language_model, start, places)
