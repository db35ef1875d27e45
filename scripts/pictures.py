"""The README's pictures, drawn from what commands wrote.

Usage: gru-nlp predict checkpoint=<run> < texts.txt | python scripts/pictures.py entities > entities.svg
       python scripts/pictures.py confusion < <run>/predictions.jsonl > confusion.svg

``entities`` takes the records of a tagger, one text a line; ``confusion`` those of a classifier, with their targets.
The picture of attention is the program's own: ``gru-nlp translate picture=attention.svg``.
"""

import json
import re
import sys
from collections import Counter
from collections.abc import Iterable
from typing import Any
from xml.sax.saxutils import escape

Record = dict[str, Any]
COLOURS = ("#cfe2ff", "#ffe0b3", "#d1f0d1", "#f3d1ea", "#fff3b0", "#d9d9d9")
LETTER, LINE, CELL, MARGIN = 9, 34, 30, 90  # LETTER: the width of a letter in a monospaced font of 15 pixels


def frame(width: int, height: int, parts: Iterable[str], font: str) -> str:
    """Return an SVG on white."""
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" {font}>'
    return "\n".join([head, f'<rect width="{width}" height="{height}" fill="white"/>', *parts, "</svg>"]) + "\n"


def entities(records: list[Record]) -> str:
    """Draw each text on a line, its entities on a coloured ground with their labels above."""
    labels = sorted({entity["label"] for record in records for entity in record["entities"]})
    colours = dict(zip(labels, COLOURS * len(labels), strict=False))
    parts = []
    for row, record in enumerate(records):
        y = LINE * (row + 1) - 4
        for entity in record["entities"]:
            x, width = 10 + LETTER * entity["start"], LETTER * (entity["end"] - entity["start"])
            parts.append(
                f'<rect x="{x - 2}" y="{y - 14}" width="{width + 4}" height="19" rx="3"'
                f' fill="{colours[entity["label"]]}"><title>{entity["score"]:.3f}</title></rect>'
            )
            parts.append(f'<text x="{x}" y="{y - 16}" font-size="9" fill="#555">{escape(entity["label"])}</text>')
        for word in re.finditer(r"\S+", record["text"]):  # each at its place, whatever the font's width
            x, width = 10 + LETTER * word.start(), LETTER * len(word[0])
            parts.append(f'<text x="{x}" y="{y}" textLength="{width}">{escape(word[0])}</text>')
    width = 20 + LETTER * max(len(record["text"]) for record in records)
    return frame(width, LINE * len(records) + 8, parts, 'font-size="15" font-family="monospace"')


def confusion(records: list[Record]) -> str:
    """Draw how often each label was answered (across) where each was right (down)."""
    counts = Counter((record["target"], record["label"]) for record in records)
    labels = sorted({label for pair in counts for label in pair})
    seen = Counter(record["target"] for record in records)
    right = sum(count for (target, label), count in counts.items() if target == label)
    size = CELL * len(labels)
    parts = [
        f'<text x="{MARGIN + size / 2}" y="18" text-anchor="middle">answered ({right} of {len(records)} right)</text>',
        f'<text x="20" y="{60 + size / 2}" text-anchor="middle" transform="rotate(-90 20 {60 + size / 2})">true</text>',
    ]
    for row, target in enumerate(labels):
        y = 60 + CELL * row
        parts.append(f'<text x="{MARGIN - 8}" y="{y + 20}" text-anchor="end">{escape(target)}</text>')
        parts.append(f'<text x="{MARGIN + CELL * row + 15}" y="50" text-anchor="middle">{escape(target)}</text>')
        for column, label in enumerate(labels):
            x, count = MARGIN + CELL * column, counts[target, label]
            share = count / max(1, seen[target])
            ground = "70,110,180" if row == column else "210,80,60"
            parts.append(
                f'<rect x="{x}" y="{y}" width="{CELL - 1}" height="{CELL - 1}" fill="rgb({ground})"'
                f' fill-opacity="{share:.2f}" stroke="#ccc"/>'
            )
            if count:
                ink = "white" if share > 0.5 else "black"
                parts.append(f'<text x="{x + 15}" y="{y + 20}" text-anchor="middle" fill="{ink}">{count}</text>')
    font = 'font-size="13" font-family="sans-serif"'
    return frame(MARGIN + size + 10, 70 + size, parts, font)


if __name__ == "__main__":
    if sys.argv[1:] not in (["entities"], ["confusion"]):
        raise SystemExit(__doc__)
    given = [json.loads(line) for line in sys.stdin]
    sys.stdout.write(entities(given) if sys.argv[1] == "entities" else confusion(given))
