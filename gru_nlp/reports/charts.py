"""Lines on a grid as inline SVG, in the colours of the page around it: they follow its light and its dark."""

import math
from collections.abc import Iterable, Sequence
from html import escape

from gru_nlp.reports.blocks import Chart, shown

WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 480, 280, 56, 40, 12, 12
#: Lines that are told apart by colour; further ones take the colours again.
COLOURS = 6
#: Points of a line that are drawn, and up to how many each is marked.
MOST_POINTS, MOST_MARKED = 400, 60
#: Coordinates that are drawn are smaller; an axis spans more than this share of them.
GREATEST, LEAST = 1e100, 1e-12
#: Steps between ticks, in powers of ten.
STEPS = (1.0, 2.0, 5.0)


def svg(chart: Chart) -> str:
    """Return the chart; points beyond all bounds, and lines without others, are left out."""
    lines = {
        name: [(x, y) for x, y in points if abs(x) < GREATEST and abs(y) < GREATEST]
        for name, points in chart.lines.items()
    }
    lines = {name: points for name, points in lines.items() if points}
    across, up = [(0.0, 1.0)] * 2 if chart.square else [_range(lines.values(), axis) for axis in (0, 1)]
    parts = [
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(chart.title)}">',
        *_grid(across, up),
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2:g}" y="{HEIGHT - 6}" text-anchor="middle">{escape(chart.x)}</text>',
        f'<text transform="translate(12 {(TOP + HEIGHT - BOTTOM) / 2:g}) rotate(-90)" text-anchor="middle">'
        f"{escape(chart.y)}</text>",
    ]
    if chart.square:
        (x1, y1), (x2, y2) = (_place(end, end, across, up) for end in (0.0, 1.0))
        parts.append(f'<line class="ideal" x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}"/>')
    for number, (name, points) in enumerate(lines.items()):
        points = points[:: -(-len(points) // MOST_POINTS)]
        placed = [_place(x, y, across, up) for x, y in points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in placed)
        colour = f"c{number % COLOURS}"
        parts.append(f'<polyline class="{colour}" points="{path}"/>')
        parts += [
            f'<circle class="{colour}" cx="{x:.1f}" cy="{y:.1f}" r="3"><title>{escape(name)}: {shown(point[0])}, '
            f"{shown(point[1])}</title></circle>"
            for (x, y), point in zip(placed, points, strict=True)
            if len(points) <= MOST_MARKED
        ]
    return "\n".join([*parts, "</svg>"])


def _range(lines: Iterable[Sequence[tuple[float, float]]], axis: int) -> tuple[float, float]:
    """Return the least and the greatest coordinate of all points, never the same."""
    values = [point[axis] for points in lines for point in points] or [0.0]
    low, high = min(values), max(values)
    apart = high - low > LEAST * max(abs(low), abs(high), LEAST)
    room = (high - low) * 0.05 if apart else abs(high) * 0.05 or 0.5
    return (low, high) if axis == 0 and apart else (low - room, high + max(room, LEAST))


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Return round numbers from ``low`` to ``high``, at most ``most`` and some."""
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next((one * power for one in STEPS if one * power >= rough), 10.0 * power)
    return [place * step for place in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]


def _place(x: float, y: float, across: tuple[float, float], up: tuple[float, float]) -> tuple[float, float]:
    share_x, share_y = (x - across[0]) / (across[1] - across[0]), (y - up[0]) / (up[1] - up[0])
    return LEFT + share_x * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - share_y * (HEIGHT - BOTTOM - TOP)


def _grid(across: tuple[float, float], up: tuple[float, float]) -> list[str]:
    """Return the lines and numbers of both axes."""
    parts = []
    for tick in ticks(*across):
        x, _ = _place(tick, up[0], across, up)
        parts.append(f'<line class="grid" x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{HEIGHT - BOTTOM}"/>')
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 15}" text-anchor="middle">{tick:g}</text>')
    for tick in ticks(*up):
        _, y = _place(across[0], tick, across, up)
        parts.append(f'<line class="grid" x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{tick:g}</text>')
    return parts
