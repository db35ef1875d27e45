"""Training configs that an older version stored in a checkpoint, in the shape that this version builds."""

from typing import Any

#: Where the kinds of corpora lie that format 1 looked for elsewhere; their options are the same.
MOVED = {
    "gru_nlp.data.corpus.FileCorpus": "gru_nlp.data.file_kinds.LabelledCorpus",
    "gru_nlp.data.corpus.SampleCorpus": "gru_nlp.data.kinds.SampleCorpus",
    "gru_nlp.data.image_corpus.DigitsCorpus": "gru_nlp.data.kinds.DigitsCorpus",
    "gru_nlp.data.image_corpus.IdxCorpus": "gru_nlp.data.file_kinds.IdxCorpus",
    "gru_nlp.data.pair_corpus.PairCorpus": "gru_nlp.data.file_kinds.PairCorpus",
    "gru_nlp.data.tagged_corpus.TaggedCorpus": "gru_nlp.data.file_kinds.TaggedCorpus",
}


def upgrade(config: dict[str, Any]) -> dict[str, Any]:
    """Return a training config of format 1 in today's shape; one that has it already comes back as it is.

    Args:
        config: plain values, as a checkpoint keeps them; it is not changed.
    """
    data = config.get("data")
    target = data.get("_target_") if isinstance(data, dict) else None
    if not isinstance(target, str) or target not in MOVED:
        return config
    return {**config, "data": {**config["data"], "_target_": MOVED[target]}}
