"""A picture of attention: a square a pair of tokens, darker where the weight is greater."""

import unicodedata
from pathlib import Path
from xml.sax.saxutils import escape

from gru_nlp.asking import Alignment
from gru_nlp.errors import UserError
from gru_nlp.whole import text_whole

CELL, MARGIN, FONT = 28, 150, 14
#: The mark of a blank inside tokens, and what is shown instead.
BLANK, SHOWN = "▁", "·"


def svg(alignment: Alignment) -> str:
    """Return an SVG of source tokens across and target tokens down.

    Words stay text, so that whatever shows the picture chooses fonts for Chinese. A source that is written from right
    to left, as Arabic is, stands so.
    """
    columns = list(range(len(alignment.source)))
    if from_right("".join(alignment.source)):
        columns.reverse()
    width = MARGIN + CELL * len(alignment.source) + CELL
    height = MARGIN + CELL * len(alignment.target) + CELL
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-size="{FONT}"'
        ' font-family="sans-serif">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
    ]
    for column, token in zip(columns, alignment.source, strict=True):
        x, y = MARGIN + CELL * column + CELL // 2 + FONT // 3, MARGIN - 8
        turned = f'x="{x}" y="{y}" transform="rotate(-60 {x} {y})"'
        parts.append(f"<text {turned}{_anchor(token, right=False)}>{_shown(token)}</text>")
    for row, (token, weights) in enumerate(zip(alignment.target, alignment.weights, strict=True)):
        y = MARGIN + CELL * row
        place = f'x="{MARGIN - 8}" y="{y + CELL // 2 + FONT // 3}"'
        parts.append(f"<text {place}{_anchor(token, right=True)}>{_shown(token)}</text>")
        for column, weight in zip(columns, weights, strict=True):
            grey = round(255 * (1.0 - weight))
            parts.append(
                f'<rect x="{MARGIN + CELL * column}" y="{y}" width="{CELL - 1}" height="{CELL - 1}"'
                f' fill="rgb({grey},{grey},{grey})" stroke="#ccc"><title>{weight:.3f}</title></rect>'
            )
    return "\n".join([*parts, "</svg>"]) + "\n"


def from_right(text: str) -> bool:
    """Return whether most letters of a text are written from right to left."""
    kinds = [unicodedata.bidirectional(letter) for letter in text]
    return 2 * sum(kind in ("R", "AL") for kind in kinds) > sum(kind in ("R", "AL", "L") for kind in kinds)


def _anchor(token: str, *, right: bool) -> str:
    """Return the attributes of a text whose right end, or left one, stands at its place, whichever way it is read."""
    if from_right(token.strip(BLANK)):
        return ' direction="rtl"' + ("" if right else ' text-anchor="end"')
    return ' text-anchor="end"' if right else ""


def _shown(token: str) -> str:
    # Control characters have no place in XML.
    plain = "".join(character if character.isprintable() else "\ufffd" for character in token)
    return escape(plain.replace(BLANK, SHOWN))


def write_picture(path: Path, alignment: Alignment) -> None:
    """Write the picture of an alignment.

    Raises:
        UserError: the file is no SVG by its name, or cannot be written.
    """
    if path.suffix.lower() != ".svg":
        raise UserError(f"picture={path}: only SVG is written: give a name that ends in .svg")
    with text_whole(path, "picture") as file:
        file.write(svg(alignment))
