"""The records of sentences and windows put together again: one a text, its entities as spans of characters."""

from collections.abc import Iterable, Sequence

from gru_nlp.preprocessing.base import Record
from gru_nlp.text.patterns import Match
from gru_nlp.text.words import Word

#: The number of the text that a window comes from, and the place in it of the window's first word.
Owner = tuple[int, int]


def merged(count: int, owners: Sequence[Owner], records: Sequence[Record]) -> list[Record]:
    """Join the records of windows into one for each of ``count`` texts, entities as spans of the text's words.

    Of two windows that share words, each says what starts in its half of them.
    """
    joined: list[Record] = [{"entities": []} for _ in range(count)]
    owned = [0] * count  # words of a text that the windows so far have spoken for
    for (number, first), record, after in zip(owners, records, [*owners[1:], (None, 0)], strict=True):
        shared = max(0, first + len(record["tags"]) - after[1]) if after[0] == number else 0
        limit = first + len(record["tags"]) - shared // 2
        taken = joined[number]["entities"]
        for entity in record["entities"]:
            start, end = first + entity["start"], first + entity["end"]
            if owned[number] <= start < limit and (not taken or start >= taken[-1]["end"]):
                taken.append({**entity, "start": start, "end": end})
        owned[number] = limit
        if "paths" in record:
            joined[number].setdefault("paths", []).append(record["paths"])
    return joined


def located(record: Record, spots: Sequence[Word], text: str) -> Record:
    """Return a merged record with spans of characters; with paths where the text is a single window."""
    placed: Record = {"entities": [place(entity, spots, text) for entity in record["entities"]]}
    if "paths" not in record:
        return placed
    # The paths of several windows do not join.
    paths = record["paths"][0] if len(record["paths"]) == 1 else []
    placed["paths"] = [
        {"score": path["score"], "entities": [place(entity, spots, text) for entity in path["entities"]]}
        for path in paths
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
