"""How much a command says: ``--quiet`` and ``--verbose``, which any command takes and Hydra never sees."""

import contextlib
import logging
import warnings
from collections.abc import Iterator, Sequence

from gru_nlp import console
from gru_nlp.console import Voice
from gru_nlp.errors import UserError

FLAGS: dict[str, Voice] = {"--quiet": "quiet", "--verbose": "verbose"}


def taken(arguments: Sequence[str]) -> tuple[list[str], Voice]:
    """Take the flags out of the arguments of a command; what stands after ``--`` is text.

    Raises:
        UserError: both are given, or one with a value.
    """
    end = arguments.index("--") if "--" in arguments else len(arguments)
    options, text = list(arguments[:end]), list(arguments[end:])
    given = {argument for argument in options if argument in FLAGS}
    if len(given) > 1:
        raise UserError("only one of --quiet and --verbose can be given")
    for argument in options:
        name, sign, _ = argument.partition("=")
        if sign and name in FLAGS:
            raise UserError(f"{name} takes no value")
    voices: list[Voice] = [FLAGS[flag] for flag in given]
    return [argument for argument in options if argument not in FLAGS] + text, (voices or ["usual"])[0]


@contextlib.contextmanager
def speaking(voice: Voice) -> Iterator[None]:
    """Let the block speak so: the program itself, and what libraries log and warn of."""
    before = logging.root.manager.disable
    libraries = [(logger, logger.level, logger.propagate) for logger in map(logging.getLogger, console.LIBRARIES)]
    console.begin(voice)
    try:
        with warnings.catch_warnings():
            if voice == "quiet":
                logging.disable(logging.WARNING)
                warnings.simplefilter("ignore")
            elif voice == "verbose":
                warnings.simplefilter("default")
            yield
    finally:
        logging.disable(before)
        for logger, level, propagate in libraries if voice == "verbose" else ():
            logger.setLevel(level)
            logger.propagate = propagate
        console.begin()
