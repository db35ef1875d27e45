"""Language models that a model begins from: one that reads forwards, one that reads backwards, or both."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch

from gru_nlp import checkpoint
from gru_nlp.archive import locate
from gru_nlp.console import say
from gru_nlp.errors import UserError
from gru_nlp.models.base import Beginning, Model
from gru_nlp.preprocessing.base import Preprocessor
from gru_nlp.text.special import SPECIAL_TOKENS


class Start(NamedTuple):
    """What a model begins from: names of checkpoints for messages, their tokenizer as JSON, and what they hand on.

    Attributes:
        tokens: of the tokenizer, in the order of their ids.
    """

    name: str
    tokenizer: str
    tokens: list[str]
    beginning: Beginning


def read_start(config: Mapping[str, Any]) -> Start | None:
    """Read the language models of ``pretrained``, if there are any.

    Raises:
        UserError: one is none, or cannot be read, or two of them do not go together.
    """
    given = config["pretrained"]
    paths = given if isinstance(given, list) else [given] if given else []
    if not all(isinstance(path, str) and path for path in paths) or len(paths) > 2:
        raise UserError(f"pretrained={given} must be a run of a language model, or two: pretrained=[forward,backward]")
    starts = [_read(path, config["trust"]) for path in paths]
    return joined(starts) if starts else None


def _read(path: str, trusted: Sequence[str]) -> Start:
    stored = checkpoint.load(locate(path, option="pretrained"))
    preprocessor, model = checkpoint.restore(stored, trusted)
    try:
        return start_of(str(stored.path), preprocessor, model)
    except UserError as error:
        raise UserError(f"{stored.path}: {error} (set pretrained=...)") from None


def start_of(name: str, preprocessor: Preprocessor, model: Model[Any]) -> Start:
    """Return what others may begin from, as the model now is.

    Raises:
        UserError: it is no language model.
    """
    beginning = model.handed_on(preprocessor.direction)
    return Start(name, preprocessor.state_dict()["tokenizer"], preprocessor.tokens(), beginning)


def joined(starts: Sequence[Start]) -> Start:
    """Return two starts as one: tokenizer and vectors of the first, layers of both."""
    first, last = starts[0], starts[-1]
    if first is last:
        return first
    if first.tokenizer != last.tokenizer:
        raise UserError(f"{last.name}: has other tokens than {first.name}: train it with pretrained={first.name}")
    one, other = first.beginning, last.beginning
    if (one.forward is None) == (other.forward is None):
        raise UserError(f"{last.name}: reads in the direction of {first.name}: set pretrained=[forward,backward]")
    if not torch.equal(one.table, other.table):
        told = f"its layers were trained with other vectors than those of {first.name}, which are taken"
        say(f"{last.name}: {told}: better train it with pretrained={first.name} embedding.trainable=false")
    both = one._replace(forward=one.forward or other.forward, backward=one.backward or other.backward)
    return first._replace(name=f"{first.name} and {last.name}", beginning=both)


def aligned(start: Start, tokens: Sequence[str]) -> Beginning:
    """Return what is handed on with the vectors in the order of a model's own tokens.

    Raises:
        UserError: the language models have none of them, or there are none.
    """
    if not tokens:
        raise UserError("pretrained serves models of text, which this is not: leave it out")
    places = {token: place for place, token in enumerate(start.tokens)}
    found = torch.tensor([places.get(token, -1) for token in tokens])
    known = found >= 0
    if not bool(known[len(SPECIAL_TOKENS) :].any()):
        raise UserError(f"has none of the {len(tokens):,} tokens of the training data (set pretrained=...)")
    return start.beginning._replace(table=start.beginning.table[found.clamp(min=0)], known=known)


def begin_from(model: Model[Any], start: Start, tokens: Sequence[str]) -> str:
    """Let a model of ``tokens`` begin from language models; return how far it does, for people.

    Raises:
        UserError: they do not fit.
    """
    try:
        beginning = aligned(start, tokens)
        layers = model.begin_from(beginning)
    except UserError as error:
        raise UserError(f"{start.name}: {error}") from None
    given = [cells for cells in (start.beginning.forward, start.beginning.backward) if cells is not None]
    of = sum(map(len, given))
    count, size = int(beginning.known.sum()), len(tokens)
    return f"begun from {start.name}: {count:,} of {size:,} tokens, {layers} of {of} layers"
