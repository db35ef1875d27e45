"""A page as Markdown, for a model card: tables and text; a chart becomes the table of its points."""

from functools import singledispatch

from gru_nlp.reports.blocks import Block, Chart, Listing, Matrix, Page, Paragraph, Passage, Table, shown

#: Rows of a chart's table: of more points some are left out, evenly.
MOST_POINTS = 12
#: Labels of a matrix that still fit a line.
MOST_LABELS = 12
#: Share of the heaviest word's weight from which a word stands out.
HEAVY = 0.5


def markdown(page: Page) -> str:
    """Return the page."""
    parts = [f"# {_line(page.title)}", _line(page.subtitle)]
    for section in page.sections:
        if section.blocks:
            parts += [f"## {_line(section.title)}", *(_block(block) for block in section.blocks)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _line(text: str) -> str:
    """Return a text on one line, its signs that mean something in Markdown and in HTML as they are."""
    plain = "".join(one if one.isprintable() else " " for one in text)
    return "".join(f"\\{one}" if one in "\\`*_[]<>|#&" else one for one in plain)


@singledispatch
def _block(block: Block) -> str:
    raise TypeError(f"{type(block).__name__} is no block of a page")


@_block.register
def _(block: Paragraph) -> str:
    return _line(block.text)


@_block.register
def _(block: Table) -> str:
    numeric = [all(not isinstance(row[place], str) for row in block.rows) for place in range(len(block.head))]
    rows = [[_line(shown(cell)) for cell in row] for row in block.rows]
    lines = [[_line(name) for name in block.head], ["---:" if number else "---" for number in numeric], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


@_block.register
def _(block: Matrix) -> str:
    if len(block.labels) > MOST_LABELS:
        pairs = [
            (count, true, said)
            for true, counts in zip(block.labels, block.counts, strict=True)
            for said, count in zip(block.labels, counts, strict=True)
            if count and true != said
        ]
        found = sorted(pairs, key=lambda pair: -pair[0])[:MOST_LABELS]
        return _block(Table(("true", "answered", "times"), [(true, said, count) for count, true, said in found]))
    rows: list[list[str | float | None]] = [
        [label, *counts] for label, counts in zip(block.labels, block.counts, strict=True)
    ]
    return _block(Table(("true, down", *block.labels), rows))


@_block.register
def _(block: Chart) -> str:
    places = sorted({x for points in block.lines.values() for x, _ in points})
    step = -(-len(places) // MOST_POINTS) or 1
    kept = sorted({*places[::step], *places[-1:]})
    values = {name: dict(points) for name, points in block.lines.items()}
    rows: list[list[str | float | None]] = [[x, *(values[name].get(x) for name in values)] for x in kept]
    return f"{_line(block.title)}\n\n{_block(Table((block.x, *values), rows))}"


@_block.register
def _(block: Passage) -> str:
    parts, last = [], 0
    for mark in block.marks:
        parts.append(_line(block.text[last : mark.start]))
        marked = _line(block.text[mark.start : mark.end])
        parts.append(f"**{marked}**" if mark.weight is None or abs(mark.weight) >= HEAVY else marked)
        last = mark.end
    return f"- {_line(block.caption)}: {''.join([*parts, _line(block.text[last:])])}"


@_block.register
def _(block: Listing) -> str:
    fence = "```"
    while fence in block.text:
        fence += "`"
    return f"{_line(block.title)}\n\n{fence}\n{block.text}\n{fence}"
