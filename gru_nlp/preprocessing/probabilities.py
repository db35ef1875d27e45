"""From the probabilities of labels to records."""

from collections.abc import Sequence

import numpy as np

from gru_nlp.batch import AnyArray
from gru_nlp.outputs import Classification
from gru_nlp.preprocessing.rows import Record


def decode_labels(outputs: Classification[AnyArray], labels: Sequence[str], top_k: int) -> list[Record]:
    """Turn probabilities ``(B, C)`` into ``label`` and ``score``; with ``top_k`` above 1, the best pairs as ``top``."""
    probabilities = outputs.probabilities
    if top_k > 1:
        ids = np.argsort(-probabilities, axis=1, kind="stable")[:, :top_k]
    else:
        ids = probabilities.argmax(axis=1, keepdims=True)
    scores = np.take_along_axis(probabilities, ids, axis=1)
    records: list[Record] = []
    for row_scores, row_ids in zip(scores.tolist(), ids.tolist(), strict=True):
        pairs = [[labels[label], score] for label, score in zip(row_ids, row_scores, strict=True)]
        record: Record = {"label": pairs[0][0], "score": pairs[0][1]}
        records.append(record | {"top": pairs} if top_k > 1 else record)
    return records
