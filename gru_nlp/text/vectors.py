"""Pretrained word vectors in GloVe or word2vec text format, plain or gzip."""

import gzip
import os
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gru_nlp.errors import UserError

OPTION = "embedding.vectors"
GZIP_MAGIC = b"\x1f\x8b"

Matrix = npt.NDArray[np.float32]


class WordVectors:
    """Words and their vectors.

    Args:
        words: in the order of the file, each once.
        matrix: ``(N, D)`` float32.
    """

    def __init__(self, words: list[str], matrix: Matrix) -> None:
        self.words = words
        self.matrix = matrix
        self.size = int(matrix.shape[1])

    @classmethod
    def read(cls, path: str | Path) -> "WordVectors":
        """Read a file of lines ``word v1 ... vD``, with or without the word2vec header ``N D``.

        A word may hold blanks, since the last D fields are the vector; of a repeated word the first line counts.

        Raises:
            UserError: naming file and line, where there is no such file, or a line that is no vector.
        """
        file = Path(path)
        if not os.path.isfile(file):
            raise UserError(f"{path}: no such file of vectors (set {OPTION}=<file>)")
        words: dict[str, None] = {}
        rows: list[Matrix] = []
        size: int | None = None
        for number, line in _lines(file):
            # A mark that the file begins with is no part of its first word or number.
            line = line.removeprefix("\ufeff") if number == 1 else line
            fields = line.rstrip().split(" ")
            if number == 1 and len(fields) == 2 and fields[0].isdigit() and fields[1].isdigit():
                size = int(fields[1])
                continue
            size = size or len(fields) - 1
            vector = _vector(fields, size, f"{path}:{number}")
            word = " ".join(fields[:-size])
            if word not in words:
                words[word] = None
                rows.append(vector)
        if not rows:
            raise UserError(f"{path}: holds no vectors (set {OPTION}=<file>)")
        return cls(list(words), np.stack(rows))

    def rows(self, tokens: Sequence[str]) -> tuple[Matrix, npt.NDArray[np.bool_]]:
        """Return vectors ``(V, D)`` for ``tokens`` and a mask ``(V,)`` of those found, as they are or in lower case."""
        places = {word: place for place, word in enumerate(self.words)}
        found = np.array([places.get(token, places.get(token.lower(), -1)) for token in tokens], dtype=np.int64)
        matrix = np.zeros((len(tokens), self.size), dtype=np.float32)
        mask = found >= 0
        matrix[mask] = self.matrix[found[mask]]
        return matrix, mask


def _vector(fields: list[str], size: int, place: str) -> Matrix:
    if size < 1 or len(fields) < size + 1:
        raise UserError(f"{place}: {len(fields) - 1} numbers where {max(size, 1)} are expected (see {OPTION})")
    try:
        vector = np.array(fields[-size:], dtype=np.float32)
    except ValueError:
        raise UserError(f"{place}: a vector holds something that is not a number (see {OPTION})") from None
    if not np.isfinite(vector).all():
        raise UserError(f"{place}: a vector holds something that is not a finite number (see {OPTION})")
    return vector


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield numbered lines; vectors are UTF-8, and other bytes in single words of large files do no harm."""
    with path.open("rb") as start:
        zipped = start.read(len(GZIP_MAGIC)) == GZIP_MAGIC
    with gzip.GzipFile(path) if zipped else path.open("rb") as file:
        try:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield number, line.decode(errors="replace")
        except (EOFError, gzip.BadGzipFile, zlib.error):
            raise UserError(f"{path}: the gzip file is cut off or broken (see {OPTION})") from None
