"""What becomes of sentences of different lengths, and translations that are none: loops, copies, empty ones."""

import re
from collections.abc import Sequence
from typing import Any

from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from gru_nlp.preprocessing.rows import Record

#: Tokens of the longest source of each class of lengths but the last.
LENGTHS = (10, 20, 30, 40)
#: The same tokens, up to so many, so often one after the other, are a loop.
MOST_LOOPED, LEAST_TIMES = 4, 3
#: Examples of each fault.
MOST_EXAMPLES = 10


def by_length(records: Sequence[Record], tokenizer: str) -> list[dict[str, Any]]:
    """Return BLEU, chrF, and the hypotheses' length as a share of the references', by the length of the source.

    Args:
        records: of a translator, with ``source`` and ``reference``.
        tokenizer: of BLEU, by sacreBLEU's name; it counts the tokens of sources too.
    """
    bleu, chrf = BLEU(tokenize=tokenizer), CHRF()
    classes: dict[int, list[Record]] = {}
    for record in records:
        tokens = len(bleu.tokenizer(record["source"]).split())
        classes.setdefault(sum(tokens > most for most in LENGTHS), []).append(record)
    rows = []
    for place, members in sorted(classes.items()):
        said = [record["translation"] for record in members]
        wanted = [[record["reference"] for record in members]]
        score = bleu.corpus_score(said, wanted)
        rows.append(
            {
                "from": LENGTHS[place - 1] + 1 if place else 0,
                "to": LENGTHS[place] if place < len(LENGTHS) else None,
                "sentences": len(members),
                "bleu": score.score,
                "chrf": chrf.corpus_score(said, wanted).score,
                "length_ratio": score.sys_len / max(1, score.ref_len),
            }
        )
    return rows


def faults(records: Sequence[Record], tokenizer: str) -> dict[str, Any]:
    """Return how many translations run in loops, are their source, or are empty where the reference is not.

    Args:
        records, tokenizer: as for ``by_length``.

    Returns:
        By the fault's name its ``count``, and the ``rows`` of the first, from 0.
    """
    cut = BLEU(tokenize=tokenizer).tokenizer
    found: dict[str, list[int]] = {"loops": [], "copies": [], "empty": []}
    for row, record in enumerate(records):
        source, said, wanted = (record[name].strip() for name in ("source", "translation", "reference"))
        if loops(cut(said).split()) and not loops(cut(wanted).split()):
            found["loops"].append(row)
        if said == source != wanted:
            found["copies"].append(row)
        if not said and wanted:
            found["empty"].append(row)
    return {name: {"count": len(rows), "rows": rows[:MOST_EXAMPLES]} for name, rows in found.items()}


def loops(tokens: Sequence[str]) -> bool:
    """Return whether a stretch of at most ``MOST_LOOPED`` tokens comes ``LEAST_TIMES`` times one after the other.

    Tokens of signs alone, such as dots, are no loop.
    """
    for size in range(1, MOST_LOOPED + 1):
        run = 0
        for place in range(size, len(tokens)):
            run = run + 1 if tokens[place] == tokens[place - size] else 0
            stretch = tokens[place - size + 1 : place + 1]
            if run >= size * (LEAST_TIMES - 1) and any(re.search(r"\w", token) for token in stretch):
                return True
    return False
