"""The records of sentences and windows put together again: one a text, its entities as spans of characters.

Of two windows that share words, each speaks for its half of them: of entities, it tells those that start there. What an
entity is at a border may look otherwise from either side, so one that the first window saw cut off is left to the
second, and one that only the second saw is told though it starts before the border.
"""

import math
from collections.abc import Iterable, Iterator, Sequence

from gru_nlp.preprocessing.rows import Record
from gru_nlp.text.patterns import Match
from gru_nlp.text.words import Word

#: The number of the text that a window comes from, and the place in it of the window's first word.
Owner = tuple[int, int]


def owned(owners: Sequence[Owner], records: Sequence[Record]) -> Iterator[tuple[int, int, range]]:
    """Yield the number of each window's text, its first word, and the words of the text that it speaks for."""
    begun: dict[int, int] = {}
    for (number, first), record, after in zip(owners, records, [*owners[1:], (None, 0)], strict=True):
        last = first + len(record["tags"])
        shared = max(0, last - after[1]) if after[0] == number else 0
        yield number, first, range(begun.get(number, 0), last - shared // 2)
        begun[number] = last - shared // 2


def merged(count: int, owners: Sequence[Owner], records: Sequence[Record]) -> list[Record]:
    """Join the records of windows into one for each of ``count`` texts, entities as spans of the text's words.

    Where they have ``paths``, of each sentence and of windows as if they were sentences, the text has as many as were
    ``asked`` for: those of the highest products.
    """
    parts: list[tuple[list[Owner], list[Record]]] = [([], []) for _ in range(count)]
    for owner, record in zip(owners, records, strict=True):
        parts[owner[0]][0].append(owner)
        parts[owner[0]][1].append(record)
    return [_whole(*part) for part in parts]


def _whole(owners: Sequence[Owner], records: Sequence[Record]) -> Record:
    """Return the record of a text of its windows'."""
    whole: Record = {"entities": _entities(owners, records, [record["entities"] for record in records])}
    if records and "paths" in records[0]:
        found = [record["paths"] for record in records]
        whole["paths"] = [
            {"score": score, "entities": _entities(owners, records, chosen)}
            for score, chosen in best_together(found, "entities", records[0]["asked"])
        ]
    return whole


def _entities(owners: Sequence[Owner], records: Sequence[Record], found: Sequence[Sequence[Record]]) -> list[Record]:
    """Return the entities ``found`` in the windows of one text, as spans of the text's words."""
    taken: list[Record] = []
    nexts = [first for _, first in owners[1:]]
    for place, (_, first, own) in enumerate(owned(owners, records)):
        last = first + len(records[place]["tags"])
        for entity in found[place]:
            start, end = first + entity["start"], first + entity["end"]
            cut_off = end == last > own.stop and start >= nexts[place]
            if start < own.stop and end > own.start and not cut_off and (not taken or start >= taken[-1]["end"]):
                taken.append({**entity, "start": start, "end": end})
    return taken


def best_together(
    found: Sequence[Sequence[Record]], field: str, count: int
) -> list[tuple[float, list[Sequence[Record]]]]:
    """Return the ``count`` choices of a path a sentence whose products of scores are the highest, best first.

    Args:
        found: paths of each sentence, each with its ``score``.
        field: of a path that is wanted.
        count: most that are returned; fewer where there are no more.
    """
    best: list[tuple[float, tuple[int, ...]]] = [(0.0, ())]  # logarithms: many sentences make a small product
    for paths in found:
        logs = [math.log(path["score"]) if path["score"] > 0.0 else -math.inf for path in paths]
        further = [(sum_, (*ranks, rank), own) for sum_, ranks in best for rank, own in enumerate(logs)]
        further.sort(key=lambda one: (-(one[0] + one[2]), one[1]))
        best = [(sum_ + own, ranks) for sum_, ranks, own in further[:count]]
    return [
        (math.exp(log), [paths[rank][field] for paths, rank in zip(found, ranks, strict=True)]) for log, ranks in best
    ]


def located(record: Record, spots: Sequence[Word], text: str) -> Record:
    """Return a merged record, and its paths, with spans of characters."""
    placed: Record = {"entities": [place(entity, spots, text) for entity in record["entities"]]}
    if "paths" in record:
        placed["paths"] = [
            {"score": path["score"], "entities": [place(entity, spots, text) for entity in path["entities"]]}
            for path in record["paths"]
        ]
    return placed


def ruled(record: Record, found: Sequence[Match], text: str) -> Record:
    """Return a located record with what patterns found in its text.

    What a pattern says is an entity takes the place of all entities that it overlaps, is sure, and has
    ``"source": "pattern"``. Where one says that there is none, an entity goes that lies wholly in the match. The
    ``paths`` stay those of the model.
    """
    said = [match for match in found if match.label is not None]
    never = [match for match in found if match.label is None]
    kept = [
        one
        for one in record["entities"]
        if all(match.end <= one["start"] or one["end"] <= match.start for match in said)
        and not any(match.start <= one["start"] and one["end"] <= match.end for match in never)
    ]
    for start, end, label in said:
        sure = {"start": start, "end": end, "text": text[start:end], "label": label, "score": 1.0}
        kept.append({**sure, "source": "pattern"})
    return {**record, "entities": sorted(kept, key=lambda one: int(one["start"]))}


def place(entity: Record, spots: Sequence[Word], text: str) -> Record:
    """Return an entity of words as one of characters: ``text[start:end]``."""
    start, end = spots[entity["start"]].start, spots[entity["end"] - 1].end
    return {"start": start, "end": end, "text": text[start:end], "label": entity["label"], "score": entity["score"]}


def spots_of(words: Iterable[str]) -> list[Word]:
    """Return where words stand once they are joined by blanks."""
    spots, start = [], 0
    for word in words:
        spots.append(Word(word, start, start + len(word)))
        start += len(word) + 1
    return spots
