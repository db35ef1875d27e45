"""Paths of tags as a person reads them: in IOB2 as the true tags are, with the entities that they hold."""

from collections.abc import Sequence

import numpy as np

from gru_nlp.batch import AnyArray
from gru_nlp.outputs import Tagging
from gru_nlp.preprocessing.rows import Record
from gru_nlp.text import schemes

#: The scheme of every tag that a person did not ask for in another; data is kept in it too.
TOLD = "iob2"


def told(outputs: Tagging[AnyArray], names: Sequence[str]) -> list[list[Record]]:
    """Return the paths of each sentence, best first, with the probability, tags and entities of each.

    Args:
        outputs: of a tagger; further paths than the first are left out where they are impossible.
        names: of the tags that it was trained on, in the order of their ids.
    """
    sentences = []
    for row, length in enumerate(outputs.lengths.tolist()):
        paths: list[Record] = []
        for rank, score in enumerate(np.exp(outputs.scores[row].astype(np.float64)).tolist()):
            if score > 0.0 or rank == 0:
                found = schemes.spans([names[tag] for tag in outputs.tags[row, rank, :length].tolist()])
                entities = scored(found, outputs.nodes[row, rank], outputs.links[row, rank])
                paths.append({"score": score, "tags": schemes.write(found, length, TOLD), "entities": entities})
        sentences.append(paths)
    return sentences


def scored(found: Sequence[schemes.Span], nodes: AnyArray, links: AnyArray) -> list[Record]:
    """Return spans with the probability that just the path's tags stand there: a chain of conditionals.

    Args:
        found: entities of a path.
        nodes: ``(T,)`` log-probability of each tag of the path.
        links: ``(T,)`` that of each tag together with the one before it.
    """
    single, joined = nodes.tolist(), links.tolist()
    entities = []
    for start, end, label in found:
        inner = sum(joined[place] - single[place - 1] for place in range(start + 1, end))
        score = min(1.0, float(np.exp(single[start] + inner)))
        entities.append({"start": start, "end": end, "label": label, "score": score})
    return entities
