"""A picture of speech: which characters it attended to, and its spectrogram under that, over the same seconds.

Each is a small grey image (PNG, by zlib alone) that the SVG holds, a pixel a number, since a square a number would make
a file of megabytes. Dark is much.
"""

import base64
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np
import numpy.typing as npt

from gru_nlp.batch import AnyArray
from gru_nlp.errors import UserError
from gru_nlp.whole import text_whole

#: Pixels of a second, of a character, of a band, of a margin, and of letters.
SECOND, CHARACTER, BAND, MARGIN, FONT = 240, 14, 4, 40, 12
#: Pixels to which a long text or recording is narrowed.
WIDEST = 4000
#: Natural logarithms below the loudest that are white.
RANGE = 10.0
#: What is shown for a blank, and for the end.
BLANK, END = "␣", "■"


def png(shades: AnyArray) -> bytes:
    """Return a grey PNG of shades ``(H, W)`` from 0, white, to 1, black."""
    grey = np.round(255 * (1 - np.clip(shades, 0.0, 1.0))).astype(np.uint8)
    rows: npt.NDArray[np.uint8] = np.pad(grey, ((0, 0), (1, 0)))  # a 0 before each row: it is not filtered
    header = struct.pack(">IIBBBBB", grey.shape[1], grey.shape[0], 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes())), (b"IEND", b""))
    parts = (
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def svg(characters: Sequence[str], weights: AnyArray, frames: AnyArray, seconds: float) -> str:
    """Return an SVG of attention above a spectrogram.

    Args:
        characters: S of them, from the top down.
        weights: ``(G, S)``, steps from left to right.
        frames: log-mel ``(T, M)``, low bands below.
        seconds: that they last.
    """
    wide = min(max(round(SECOND * seconds), 2 * MARGIN), WIDEST)
    high, low = CHARACTER * len(characters), BAND * frames.shape[1]
    width, height = wide + 2 * MARGIN, high + low + 3 * MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-size="{FONT}"'
        ' font-family="sans-serif">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
        _image(weights.T, MARGIN, wide, high),
        _image((frames.T[::-1] - frames.max()) / RANGE + 1, high + 2 * MARGIN, wide, low),
    ]
    for place, character in enumerate(characters):
        y = MARGIN + CHARACTER * place + FONT
        parts.append(f'<text x="{MARGIN - 8}" y="{y}" text-anchor="end">{_shown(character)}</text>')
    count = int(seconds * 2)
    for half in range(0, count + 1, -(-count // 16) or 1):
        x = MARGIN + wide * half / 2 / seconds
        if x <= MARGIN + wide:
            parts.append(
                f'<text x="{x:.0f}" y="{height - MARGIN + 2 * FONT}" text-anchor="middle">{half / 2:g} s</text>'
            )
    return "\n".join([*parts, "</svg>"]) + "\n"


def _image(shades: AnyArray, top: int, wide: int, high: int) -> str:
    data = base64.b64encode(png(shades)).decode()
    return (
        f'<image x="{MARGIN}" y="{top}" width="{wide}" height="{high}" preserveAspectRatio="none"'
        f' style="image-rendering: pixelated" href="data:image/png;base64,{data}"/>'
    )


def _shown(character: str) -> str:
    if not character:
        return END
    plain = "".join(letter if letter.isprintable() else "\ufffd" for letter in character)
    return escape(plain.replace("▁", BLANK).replace(" ", BLANK))


def check_picture(path: str | None) -> None:
    """Refuse a file that is no SVG by its name.

    Raises:
        UserError: it is none.
    """
    if path is not None and Path(path).suffix.lower() != ".svg":
        raise UserError(f"picture={path}: only SVG is written: give a name that ends in .svg")


def write_picture(path: Path, picture: str) -> None:
    """Write a picture, whole.

    Raises:
        Fault: it cannot be written.
    """
    with text_whole(path, "picture") as file:
        file.write(picture)
