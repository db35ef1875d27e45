"""Work whose answer nobody waits for any more is given up.

How it works. Who computes for somebody says how it is seen that nobody waits (``unless``); what takes long asks that
wherever it can stop: between two batches, and steps of a search (``go_on``). It belongs to the thread, so that nothing
between the two has to hand it down.
"""

import contextlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar

_unwanted: ContextVar[Callable[[], bool] | None] = ContextVar("unwanted", default=None)


class Abandoned(Exception):
    """Nobody waits for the answer."""


@contextlib.contextmanager
def unless(unwanted: Callable[[], bool]) -> Iterator[None]:
    """Let the block be given up as soon as ``unwanted`` says so.

    Raises:
        Abandoned: it was.
    """
    token = _unwanted.set(unwanted)
    try:
        yield
    finally:
        _unwanted.reset(token)


def go_on() -> None:
    """Return where somebody still waits, or nobody has said how that is seen.

    Raises:
        Abandoned: nobody waits.
    """
    unwanted = _unwanted.get()
    if unwanted is not None and unwanted():
        raise Abandoned
