"""Translate text: an argument after ``--``, a file, standard input, or line by line at a prompt."""

from collections.abc import Iterable
from pathlib import Path
from typing import cast

from omegaconf import DictConfig
from torch import nn

from gru_nlp import checkpoint
from gru_nlp.answers import flow, pipes, prompt, reading
from gru_nlp.answers.base import answer_class, style_of, whole
from gru_nlp.answers.picture import write_picture
from gru_nlp.answers.translations import TranslationAnswer, rounded
from gru_nlp.config import resolved
from gru_nlp.decoding.base import DecodingStrategy
from gru_nlp.errors import UserError, choose
from gru_nlp.models.ensemble import Ensemble
from gru_nlp.models.seq2seq import Seq2Seq
from gru_nlp.predictor import Predictor
from gru_nlp.preprocessing.base import Record
from gru_nlp.tensors import resolve_device
from gru_nlp.threads import limit_tokenizers, set_threads


def run_text(config: DictConfig, text: str) -> None:
    """Translate the one text that stands after ``--``."""
    write(config, load(config), [reading.Entry(text, text, "--")])


def run(config: DictConfig) -> None:
    """Translate a stream of lines: as many out as in, in their order; memory stays flat."""
    if prompt.is_wanted(config):
        write(config, load(config), prompt.entries(config["encoding"]))
        return
    source, pause = reading.input_of(config), pipes.Pause()
    with reading.open_input(source.path, pause) as stream:
        write(config, load(config), reading.read(stream, source), pause)


def load(config: DictConfig) -> Predictor:
    """Load the checkpoint with the decoding that was asked for.

    Raises:
        UserError: it cannot be read, is no translator, or its further hypotheses would not be shown.
    """
    choose("format", config["format"], TranslationAnswer.formats)
    limit_tokenizers()
    stored = checkpoint.load(config["checkpoint"])
    if "decoding" not in stored.config["model"]:
        raise UserError(f"{stored.path}: no translator but a {stored.config['task']['name']} model: use predict")
    given = resolved(config).get("decoding") or {}
    preprocessor, model = checkpoint.restore(checkpoint.with_decoding(stored, given), list(config["trust"]))
    if given.get("n_best", 1) > 1:  # the checkpoint's own may be above 1 whatever the format
        TranslationAnswer.check_ranked("decoding.n_best", given["n_best"], kind_of(config))
    if config["ensemble"]:
        model = joined(stored, model, list(config["ensemble"]), list(config["trust"]))
    set_threads(config["threads"], model)
    return Predictor(preprocessor, model, resolve_device(config["device"]))


def kind_of(config: DictConfig) -> str:
    """Return the format of the answers."""
    return "jsonl" if config["alignments"] else str(config["format"])


def joined(first: checkpoint.Checkpoint, model: nn.Module, others: list[str], trusted: list[str]) -> Ensemble:
    """Return one model out of several checkpoints.

    Raises:
        UserError: they do not share one tokenizer.
    """
    members = [model]
    for path in others:
        stored = checkpoint.load(path)
        if stored.preprocessing != first.preprocessing:
            raise UserError(f"{path}: another tokenizer than that of {first.path}: train both on the same data")
        members.append(checkpoint.restore(stored, trusted)[1])
    return Ensemble(cast(list[Seq2Seq], members))


def write(
    config: DictConfig, translator: Predictor, entries: Iterable[reading.Entry], pause: pipes.Pause | None = None
) -> None:
    """Translate and write one record a text, with alignments and a picture where they are asked for."""
    count = cast(DecodingStrategy, translator.model.decoding).n_best
    picture = Path(config["picture"]) if config["picture"] else None

    def aligned(record: Record, entry: reading.Entry) -> Record:
        nonlocal picture
        text = whole(entry.text)
        if not text.strip() or not (config["alignments"] or picture):
            return record
        alignment = translator.align(text, record["translation"])
        if picture:
            write_picture(picture, alignment)
            picture = None  # one sentence makes one picture
        return {**record, **rounded(alignment)} if config["alignments"] else record

    kind = kind_of(config)
    style = style_of(config, kind=kind, top_k=count if kind in TranslationAnswer.ranked else 1)
    answer = answer_class(translator.preprocessor)(translator.preprocessor, style)
    flow.run(config, translator, answer, entries, pause, aligned)
