"""Recordings of a person's own: files, a folder of them, or their paths line by line; and the answers to them."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from gru_nlp.answers.base import whole
from gru_nlp.answers.labels import LabelAnswer
from gru_nlp.answers.reading import Entry
from gru_nlp.errors import UserError
from gru_nlp.preprocessing.rows import Text
from gru_nlp.speech.recordings import ENDINGS, of_folder


def recordings(path: Path) -> Iterator[Entry]:
    """Yield the recording of a file, or those of a folder in the order of their names.

    Raises:
        UserError: the folder holds none, or cannot be read.
    """
    if not os.path.isdir(path):
        yield Entry(str(path), path.name, str(path))
        return
    found = of_folder(path, "input")
    if not found:
        raise UserError(f"{path}: no recording in this folder ({', '.join(ENDINGS)}): set input=...")
    for entry in found:
        yield Entry(str(entry), entry.name, str(path))


def beside(entries: Iterable[Entry], path: str | None) -> Iterator[Entry]:
    """Yield the recordings of a list of paths, which are relative to the folder of the list.

    Args:
        entries: a path each.
        path: of the list; None: standard input, whose paths are relative to where the person stands.
    """
    folder = Path() if path is None or not os.path.isfile(path) else Path(path).parent
    for entry in entries:
        named = whole(entry.text)
        yield entry._replace(text=str(folder / named) if named.strip() else "")


class RecordingAnswer(LabelAnswer):
    """Labels of recordings; a record's ``text`` is the recording's name, or its path as it is listed."""

    own_files = True

    def given(self, text: Text) -> Text:
        """Return a path as it is."""
        return text

    def entries(self, path: Path) -> Iterator[Entry]:
        """Yield a recording, or those of a folder."""
        return recordings(path)

    def listed(self, entries: Iterable[Entry], path: str | None) -> Iterator[Entry]:
        """Yield the recordings of a list of paths."""
        return beside(entries, path)
