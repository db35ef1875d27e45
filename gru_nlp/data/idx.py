"""The idx format of the original MNIST files: big-endian sizes, then bytes (LeCun et al. 1998)."""

import os
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gru_nlp.data.files import open_bytes
from gru_nlp.errors import UserError

UNSIGNED_BYTE = 8
IMAGES = bytes([0, 0, UNSIGNED_BYTE, 3])  # how a file of images begins


def is_idx(path: Path) -> bool:
    """Return whether a file, plain or gzip, begins as idx files of images do, or says so in its name."""
    if "idx3" in path.name or not os.path.isfile(path):  # a pipe would be emptied by a look at it
        return "idx3" in path.name
    try:
        with open_bytes(path, "input") as stream:
            return stream.read(len(IMAGES)) == IMAGES
    except UserError:
        return False  # what is wrong is told where the file is read


def read_idx(path: Path, dimensions: int, option: str) -> npt.NDArray[np.uint8]:
    """Return the array of a file of unsigned bytes, plain or gzip.

    Raises:
        UserError: it is no such file, has other ``dimensions``, or is cut off.
    """
    with open_bytes(path, option) as stream:
        content = stream.read()
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] != UNSIGNED_BYTE:
        raise UserError(f"{path}: not an idx file of unsigned bytes (see {option})")
    if content[3] != dimensions:
        raise UserError(
            f"{path}: an idx file of {content[3]} dimensions where {dimensions} are expected (see {option})"
        )
    shape = np.frombuffer(content, ">u4", dimensions, 4) if len(content) >= 4 + 4 * dimensions else np.array([1])
    values = np.frombuffer(content, np.uint8, offset=min(len(content), 4 + 4 * dimensions))
    if len(values) != int(shape.astype(np.int64).prod()):
        raise UserError(f"{path}: the idx file is cut off, or longer than it says (see {option})")
    if not len(values):
        raise UserError(f"{path}: the idx file is empty (see {option})")
    return values.reshape(shape.astype(np.int64))
