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
#: Options that kinds of corpora have had from some version on, with what an older config means by leaving them out; so
#: that ``evaluate`` and ``resume`` can set them for an older checkpoint too.
ADDED: dict[str, dict[str, Any]] = {
    "gru_nlp.data.file_kinds.LabelledCorpus": {"folders": None, "unknown_labels": "refuse", "label_separator": None},
    "gru_nlp.data.hub_kinds.HubLabelledCorpus": {"unknown_labels": "refuse", "label_separator": None},
    "gru_nlp.data.file_kinds.PairCorpus": {"delimiter": ","},
    "gru_nlp.data.file_kinds.TaggedCorpus": {"separator": None, "tag_map": None, "overlap": "refuse"},
    "gru_nlp.data.hub_kinds.HubTaggedCorpus": {"tag_map": None, "overlap": "refuse"},
    "gru_nlp.data.prose.TextCorpus": {"documents": "stream"},
}
#: The same of decoding strategies.
ADDED_DECODING: dict[str, dict[str, Any]] = {"gru_nlp.decoding.beam.BeamSearch": {"early_stop": False}}
#: Top-level options of the same kind.
LATER: dict[str, Any] = {
    "threads": "auto",
    "matmul_precision": "highest",
    "finetune": None,
    "pretrained": None,
    "pretraining": {"epochs": 0, "text": []},
    "checkpoint_every_steps": None,
    "checkpoint_every_minutes": 10,
    "report_format": "html",
    "calibrate": False,
    "gazetteers": [],
}


def upgrade(config: dict[str, Any]) -> dict[str, Any]:
    """Return an older training config in today's shape; one that has it already comes back as it is.

    Args:
        config: plain values, as a checkpoint keeps them; it is not changed.
    """
    data = config.get("data")
    target = data.get("_target_") if isinstance(data, dict) else None
    if not isinstance(target, str):
        return config
    target = MOVED.get(target, target)
    config = _with_decoding(config)
    model = config.get("model")
    if isinstance(model, dict):
        config = {**config, "model": _with_decoding(model)}
    # Top-level options that training has had from some version on come first: a config's own win.
    return {**LATER, **config, "data": {**ADDED.get(target, {}), **config["data"], "_target_": target}}


def _with_decoding(part: dict[str, Any]) -> dict[str, Any]:
    """Return options with those that their ``decoding`` lacks."""
    decoding = part.get("decoding")
    target = decoding.get("_target_") if isinstance(decoding, dict) else None
    if not isinstance(decoding, dict) or not isinstance(target, str) or target not in ADDED_DECODING:
        return part
    return {**part, "decoding": {**ADDED_DECODING[target], **decoding}}
