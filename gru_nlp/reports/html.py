"""A page as one HTML file: no script, nothing fetched, light or dark as the reader has it, readable on a phone."""

from collections.abc import Iterator
from functools import singledispatch
from html import escape
from importlib.resources import files
from itertools import groupby

from gru_nlp.reports.blocks import Block, Chart, Listing, Matrix, Page, Paragraph, Passage, Section, Table, shown
from gru_nlp.reports.charts import COLOURS, svg

#: Lines of a listing that are shown without being asked for.
SHORT = 3
#: Most that a mark hides of the paper behind it, in percent.
DEEPEST = 55


def html(page: Page) -> str:
    """Return the page."""
    sections = [section for section in page.sections if section.blocks]
    links = [f'<a href="#s{number}">{escape(section.title)}</a>' for number, section in enumerate(sections)]
    style = files("gru_nlp.reports").joinpath("style.css").read_text(encoding="utf-8")
    return "\n".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f'<link rel="icon" href="data:,"><title>{_plain(page.title)}</title>',
            f"<style>\n{style}</style></head><body>",
            f"<header><h1>{_plain(page.title)}</h1><p>{_plain(page.subtitle)}</p></header>",
            f"<nav>{' '.join(links)}</nav><main>",
            *(f'<section id="s{number}">{_section(section)}</section>' for number, section in enumerate(sections)),
            "</main></body></html>\n",
        ]
    )


def _plain(text: str) -> str:
    """Return a text for HTML: characters that no reader sees, such as those that turn lines round, are told."""
    return escape("".join(one if one.isprintable() or one in "\n\t" else "\ufffd" for one in text))


def _section(section: Section) -> str:
    parts = [f"<h2>{_plain(section.title)}</h2>"]
    for charts, blocks in groupby(section.blocks, lambda block: isinstance(block, Chart)):
        drawn = "\n".join(_block(block) for block in blocks)
        parts.append(f'<div class="charts">{drawn}</div>' if charts else drawn)
    return "\n".join(parts)


@singledispatch
def _block(block: Block) -> str:
    raise TypeError(f"{type(block).__name__} is no block of a page")


@_block.register
def _(block: Paragraph) -> str:
    return f"<p>{_plain(block.text)}</p>"


@_block.register
def _(block: Table) -> str:
    numeric = [all(not isinstance(row[place], str) for row in block.rows) for place in range(len(block.head))]

    def cells(row: Iterator[str], tag: str) -> str:
        told = (f'<{tag} class="n">' if number else f"<{tag}>" for number in numeric)
        return "".join(f"{start}{_plain(cell)}</{tag}>" for start, cell in zip(told, row, strict=True))

    rows = []
    for row in block.rows:
        share = None if block.shares is None else row[block.shares]
        bar = "" if block.shares is None else '<td class="bar"></td>'
        if isinstance(share, int | float):
            bar = f'<td class="bar"><i style="width:{100 * min(max(share, 0.0), 1.0):.1f}%"></i></td>'
        rows.append(f"<tr>{cells(map(shown, row), 'td')}{bar}</tr>")
    head = cells(iter(block.head), "th") + ("" if block.shares is None else "<th></th>")
    return _scrolled(f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>")


def _scrolled(table: str) -> str:
    return f'<div class="wide">{table}</div>'


@_block.register
def _(block: Matrix) -> str:
    heads = "".join(f"<th>{_plain(label)}</th>" for label in block.labels)
    rows = []
    for true, (label, counts) in enumerate(zip(block.labels, block.counts, strict=True)):
        whole = max(sum(counts), 1)
        cells = [
            f'<td{"" if true == said else " class=wrong"} style="--s:{90 * count / whole:.0f}%"'
            f' title="{_plain(label)}, said {_plain(block.labels[said])}">{count}</td>'
            if count
            else "<td></td>"
            for said, count in enumerate(counts)
        ]
        rows.append(f"<tr><th>{_plain(label)}</th>{''.join(cells)}</tr>")
    table = f'<table class="matrix"><thead><tr><th></th>{heads}</tr></thead><tbody>{"".join(rows)}</tbody></table>'
    return _scrolled(table) + "<p>True labels down, answers across.</p>"


@_block.register
def _(block: Chart) -> str:
    keys = [
        f'<span class="key"><svg viewBox="0 0 20 10"><polyline class="c{number % COLOURS}" points="0,5 20,5"/></svg>'
        f"{_plain(name)}</span>"
        for number, (name, points) in enumerate(block.lines.items())
        if points
    ]
    return f"<figure><figcaption>{_plain(block.title)}<br>{''.join(keys)}</figcaption>{svg(block)}</figure>"


@_block.register
def _(block: Passage) -> str:
    parts, last = [], 0
    for mark in block.marks:
        weight = 1.0 if mark.weight is None else mark.weight
        name = f"<sub>{_plain(mark.label)}</sub>" if mark.weight is None else ""
        against = "" if weight >= 0 else " class=against"
        depth = f"--s:{DEEPEST * min(abs(weight), 1.0):.0f}%"
        marked = _plain(block.text[mark.start : mark.end])
        parts.append(_plain(block.text[last : mark.start]))
        parts.append(f'<mark{against} style="{depth}" title="{_plain(mark.label)}">{marked}{name}</mark>')
        last = mark.end
    told = "".join([*parts, _plain(block.text[last:])])
    return f'<div class="passage"><p class="caption">{_plain(block.caption)}</p><p dir="auto">{told}</p></div>'


@_block.register
def _(block: Listing) -> str:
    text = f"<pre>{_plain(block.text)}</pre>"
    if block.text.count("\n") < SHORT:
        return f"<p>{_plain(block.title)}</p>{text}"
    return f"<details><summary>{_plain(block.title)}</summary>{text}</details>"
