"""What a page is made of, whatever it is written in."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

#: Characters of a cell's text, and of a passage.
MOST_CHARACTERS = 1500


class Paragraph(NamedTuple):
    """A line of running text."""

    text: str


class Table(NamedTuple):
    """Rows of cells under a head; numbers are set to the right.

    Attributes:
        head: of each column.
        rows: of cells; a number is shown as it stands in ``shown``.
        shares: column whose values, from 0 to 1, are shown as bars too; None: none.
    """

    head: Sequence[str]
    rows: Sequence[Sequence[str | float | None]]
    shares: int | None = None


class Matrix(NamedTuple):
    """Counts ``(C, C)`` of pairs of labels: the true ones down, the answers across."""

    labels: Sequence[str]
    counts: Sequence[Sequence[int]]


class Chart(NamedTuple):
    """Lines through points ``(x, y)``, each with a name.

    Attributes:
        title: what is drawn.
        x, y: what the axes are.
        lines: points by the line's name.
        square: whether both axes go from 0 to 1, with the diagonal drawn.
    """

    title: str
    x: str
    y: str
    lines: Mapping[str, Sequence[tuple[float, float]]]
    square: bool = False


class Mark(NamedTuple):
    """A part of a text, from one character to before another.

    Attributes:
        weight: from -1, against, to 1, for; None where it is only named.
        label: its name, or what it weighs.
    """

    start: int
    end: int
    weight: float | None
    label: str


class Passage(NamedTuple):
    """A text with parts of it marked, under a line that says what it is; marks do not overlap and are in order."""

    caption: str
    text: str
    marks: Sequence[Mark] = ()


class Listing(NamedTuple):
    """Text to be copied or looked up, such as a command or a config; long ones are folded where they can be."""

    title: str
    text: str


Block = Paragraph | Table | Matrix | Chart | Passage | Listing


class Section(NamedTuple):
    """Blocks under a title; without blocks there is no such section."""

    title: str
    blocks: Sequence[Block]


class Page(NamedTuple):
    """A title, a line beside it, and sections."""

    title: str
    subtitle: str
    sections: Sequence[Section]


def shown(value: str | float | None) -> str:
    """Return a cell's text: counts whole, other numbers with four digits that matter, nothing for None."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value if len(value) <= MOST_CHARACTERS else f"{value[:MOST_CHARACTERS]}..."
    if float(value).is_integer() and abs(value) < 1e15:
        return f"{value:,.0f}"
    return f"{value:.4f}" if 1e-3 <= abs(value) < 1e4 else f"{value:.4g}"
