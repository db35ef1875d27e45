"""Where entities go wrong: at their bounds, in their type, missed, invented; and whether their scores can be taken so.

The kinds are those of Chinchor and Sundheim (1993), but for partial matches, which are errors here.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from gru_nlp.metrics.confidence import Judged
from gru_nlp.preprocessing.rows import Record
from gru_nlp.text.schemes import Span, spans

#: Pairs of types that are told, the most frequent first.
MOST_PAIRS = 20


def kind_of(entity: Span, true: Sequence[Span]) -> tuple[str, str]:
    """Return what a found entity is, and the type of the true one that it stands for; none where it is invented.

    ``right``; ``type``: another type in the same bounds; ``boundary``: other bounds that share a word, and
    ``boundary_and_type`` where the type is another as well; ``invented``: shares no word with any.
    """
    sharing = [one for one in true if one.start < entity.end and entity.start < one.end]
    for one in sharing:
        if one[:2] == entity[:2]:
            return ("right" if one.label == entity.label else "type"), one.label
    for one in sharing:
        if one.label == entity.label:
            return "boundary", one.label
    return ("boundary_and_type", sharing[0].label) if sharing else ("invented", "")


def entity_errors(records: Sequence[Record]) -> dict[str, Any]:
    """Return how many entities are right, wrong in each way, and missed, and which types stand for which others.

    Args:
        records: of a tagger, with the true tags as ``target``.
    """
    kinds = Counter(dict.fromkeys(("right", "boundary", "type", "boundary_and_type", "invented", "missed"), 0))
    pairs: Counter[tuple[str, str]] = Counter()
    for record in records:
        true, found = spans(record["target"]), [span_of(entity) for entity in record["entities"]]
        for entity in found:
            kind, label = kind_of(entity, true)
            kinds[kind] += 1
            if kind in ("type", "boundary_and_type"):
                pairs[label, entity.label] += 1
        kinds["missed"] += sum(
            not any(one.start < entity.end and entity.start < one.end for entity in found) for one in true
        )
    told = [{"true": true, "said": said, "count": count} for (true, said), count in pairs.most_common(MOST_PAIRS)]
    return {**kinds, "confused": told}


def entity_confidences(records: Sequence[Record]) -> Judged:
    """Return how sure a tagger was of each entity that it found, and whether it is right.

    Args:
        records: as for ``entity_errors``.
    """
    pairs = [
        (entity["score"], span_of(entity) in true)
        for record, true in ((record, set(spans(record["target"]))) for record in records)
        for entity in record["entities"]
    ]
    sure, right = (np.array([pair[place] for pair in pairs]) for place in (0, 1))
    return Judged(sure.astype(np.float64), sure.astype(np.float64), right.astype(np.bool_), 1.0)


def span_of(entity: Record) -> Span:
    """Return the place and the type of an entity of a record."""
    return Span(entity["start"], entity["end"], entity["label"])
