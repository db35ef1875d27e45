"""Opening what answers are written to."""

import contextlib
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO

from gru_nlp.errors import UserError
from gru_nlp.whole import text_whole


def check_apart(output: str | None, sources: Mapping[str, str | None]) -> None:
    """Refuse to write over what is read.

    Raises:
        UserError: naming the file and the option of ``sources`` that reads it.
    """
    for option, source in sources.items():
        if output and source and os.path.isfile(output) and os.path.exists(source) and os.path.samefile(output, source):
            raise UserError(f"{output}: is read as {option}, and would be written over: set output=<another file>")


@contextlib.contextmanager
def open_output(path: str | None) -> Iterator[IO[str]]:
    """Open standard output, or a file that appears only once it is complete; a pipe or a device is written as it is.

    Raises:
        UserError: the file cannot be written.
    """
    if path is None:
        yield sys.stdout
        sys.stdout.flush()
        return
    target = Path(path)
    if os.path.exists(target) and not os.path.isfile(target):
        try:
            with target.open("w", encoding="utf-8", newline="\n") as special:
                yield special
        except OSError as error:
            if error.filename != path:
                raise
            raise UserError(f"{path}: cannot be written: {error.strerror} (set output=...)") from None
        return
    with text_whole(target, "output") as file:
        yield file
