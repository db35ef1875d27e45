"""What a search has found, as records: translations, their scores, and how likely a token of them is."""

from gru_nlp.batch import AnyArray
from gru_nlp.outputs import Hypotheses
from gru_nlp.preprocessing.rows import Record
from gru_nlp.text.text_tokenizer import TextTokenizer


def records(outputs: Hypotheses[AnyArray], tokenizer: TextTokenizer, top_k: int) -> list[Record]:
    """Turn hypotheses into ``translation`` and ``score``; with ``top_k`` above 1 ``n_best``: pairs, best first.

    Where their ``totals`` are told, ``log_probability`` is the best one's, and ``tokens`` the number of its tokens, the
    end mark counted.
    """
    told: list[Record] = []
    fields = (outputs.tokens, outputs.lengths, outputs.scores)
    for tokens, lengths, scores in zip(*(field.tolist() for field in fields), strict=True):
        found = [
            [tokenizer.decode(ids[:length]), score]
            for ids, length, score in zip(tokens, lengths, scores, strict=True)
            if score > float("-inf")
        ]
        # A model that has diverged gives no hypothesis at all.
        best, score = found[0] if found else ("", float("-inf"))
        record: Record = {"translation": best, "score": score}
        told.append(record | {"n_best": found[:top_k]} if top_k > 1 else record)
    if outputs.totals is not None:
        for record, total, lengths in zip(told, outputs.totals.tolist(), outputs.lengths.tolist(), strict=True):
            record |= {"log_probability": total[0], "tokens": lengths[0] + 1}
    return told


def marked(record: Record, least: float | None) -> Record:
    """Return a record without the sums it was made by; with ``least`` how likely a token is, and if it is doubtful.

    ``log_probability`` is the mean natural logarithm a token, the end mark counted.
    """
    kept = dict(record)
    total, tokens = kept.pop("log_probability", None), kept.pop("tokens", 1)
    if least is None or record["score"] is None:
        return kept
    mean = float("-inf") if total is None else total / tokens
    return {**kept, "log_probability": mean, "doubtful": mean < least}
