"""Hydra's parser under Python 3.14, whose argparse refuses help that is no string.

Hydra 1.3 gives ``--shell-completion`` a help object that makes its text when it is printed, since making it loads the
plugins. Python 3.14 checks help strings when an option is added, so that every command would end before it began.
"""

import argparse
import contextlib
from collections.abc import Iterator
from types import ModuleType
from typing import Any, NoReturn

from hydra._internal import utils

from gru_nlp.errors import UserError


class LateHelp(str):
    """A string that is empty to argparse's check, and Hydra's late text where it is printed.

    Args:
        source: the object whose ``str`` is the text.
    """

    source: object

    def __new__(cls, source: object) -> "LateHelp":
        """Stand for ``source``."""
        text = super().__new__(cls)
        text.source = source
        return text

    def __str__(self) -> str:
        """Make the text."""
        return str(self.source)

    def __format__(self, specification: str) -> str:
        """Make the text: Hydra prints help by f-strings."""
        return format(str(self), specification)


class Parser(argparse.ArgumentParser):
    """A parser whose options have strings as help, whatever they were given."""

    def add_argument(self, *names: Any, **options: Any) -> argparse.Action:
        """Add an option as argparse does."""
        text = options.get("help")
        if text is not None and not isinstance(text, str):
            options["help"] = LateHelp(text)
        return super().add_argument(*names, **options)

    def error(self, message: str) -> NoReturn:
        """Tell a flag's missing or wrong value in one line, without argparse's usage."""
        raise UserError(message.removeprefix("argument "))


@contextlib.contextmanager
def hydra_help_as_strings() -> Iterator[None]:
    """Let Hydra build its parsers from :class:`Parser`; argparse itself stays as it is for everybody else."""
    plain = vars(utils)["argparse"]
    own = ModuleType("argparse")
    vars(own).update(vars(plain), ArgumentParser=Parser)
    vars(utils)["argparse"] = own
    try:
        yield
    finally:
        vars(utils)["argparse"] = plain
