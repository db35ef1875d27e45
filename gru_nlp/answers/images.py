"""Images of a person's own (picture files, arrays, idx files, or a folder of them), and the answers to them."""

import os
import tokenize
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt

from gru_nlp.answers.labels import LabelAnswer
from gru_nlp.answers.reading import Entry
from gru_nlp.data.idx import is_idx, read_idx
from gru_nlp.errors import UserError
from gru_nlp.plain import entries_of
from gru_nlp.preprocessing.frames import FramePreprocessor

PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".pgm", ".tif", ".tiff")
ENDINGS = (*PICTURES, ".npy")
Image = npt.NDArray[np.uint8]


class ImageAnswer(LabelAnswer):
    """Labels of images; a record's ``text`` is the image's name."""

    own_files, reads_lists = True, False

    def entries(self, path: Path) -> Iterator[Entry]:
        """Yield the images of a file or folder, scaled to the size that was learned.

        Raises:
            UserError: a file is no image, or there is none.
        """
        learned = cast(FramePreprocessor, self.preprocessor)
        for name, image in read_images(path, learned.height, learned.width):
            yield Entry(image, name, str(path))


def holds_images(path: str | None) -> bool:
    """Return whether a path is a folder, or names a picture, an array or an idx file."""
    if path is None:
        return False
    name = Path(path)
    return os.path.isdir(name) or name.suffix.lower() in ENDINGS or is_idx(name)


def read_images(path: Path, height: int, width: int) -> Iterator[tuple[str, Image]]:
    """Yield name and grey bytes ``(height, width)`` of each image of a file, or of a folder in the order of its names.

    Pictures are scaled to the size that was learned; arrays and idx files must have it.

    Raises:
        UserError: a file is no image, or there is none.
    """
    if os.path.isdir(path):
        files = [file for file in entries_of(path, "input") if file.suffix.lower() in ENDINGS or is_idx(file)]
        if not files:
            raise UserError(f"{path}: no image in this folder ({', '.join(ENDINGS)}, idx): set input=...")
        for file in files:
            yield from read_images(file, height, width)
    elif path.suffix.lower() in PICTURES:
        yield path.name, read_picture(path, height, width)
    elif path.suffix.lower() == ".npy":
        yield from numbered(path, read_array(path))
    else:
        yield from numbered(path, read_idx(path, 3, "input"))


def numbered(path: Path, images: Image) -> Iterator[tuple[str, Image]]:
    """Name the images of one file by their number from 1."""
    return ((f"{path.name}:{place}", image) for place, image in enumerate(images, start=1))


def reason(error: Exception) -> str:
    """Return the first line of an error, or its name where it says nothing."""
    return (str(error).splitlines() or [type(error).__name__])[0]


def read_picture(path: Path, height: int, width: int) -> Image:
    """Return a picture in grey, scaled."""
    from PIL import Image as Pictures
    from PIL import UnidentifiedImageError

    try:
        with Pictures.open(path) as picture:
            if picture.mode.startswith(("I", "F")) or "A" in picture.mode or "transparency" in picture.info:
                raise UserError(f"{path}: {picture.mode} pixels; save it with 8 bits and without transparency")
            return np.asarray(picture.convert("L").resize((width, height)), dtype=np.uint8)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file (set input=...)") from None
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Pictures.DecompressionBombError) as error:
        raise UserError(f"{path}: not a picture that can be read: {reason(error)}") from None


def read_array(path: Path) -> Image:
    """Return the images ``(N, height, width)`` of an array file, which may hold a single one."""
    try:
        array = np.load(path, allow_pickle=False)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file (set input=...)") from None
    except (ValueError, OSError, EOFError, MemoryError, SyntaxError, zipfile.BadZipFile, tokenize.TokenError) as error:
        raise UserError(f"{path}: not an array that can be read: {reason(error)}") from None
    if not isinstance(array, np.ndarray):
        raise UserError(f"{path}: an archive of arrays, where a single one is needed")
    if array.dtype != np.uint8 or array.ndim not in (2, 3):
        raise UserError(
            f"{path}: {array.dtype} of shape {array.shape}; uint8 (height, width) or (N, height, width) is read"
        )
    images: Image = array[None] if array.ndim == 2 else array
    return images
