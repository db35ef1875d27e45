"""Translate text: an argument after ``--``, a file, standard input, or line by line at a prompt."""

from collections.abc import Iterable
from pathlib import Path

from omegaconf import DictConfig

from gru_nlp.answers import flow, pipes, prompt, reading
from gru_nlp.answers.base import answer_class, style_of, whole
from gru_nlp.answers.picture import write_picture
from gru_nlp.answers.translations import TranslationAnswer, rounded
from gru_nlp.asking import Askable
from gru_nlp.cli import asked
from gru_nlp.config import resolved
from gru_nlp.errors import UserError, choose
from gru_nlp.preprocessing.rows import Record
from gru_nlp.text.terms import Terms, Wishes
from gru_nlp.threads import limit_tokenizers

#: Sentences as they were in training.
AUTO = "auto"


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


def load(config: DictConfig) -> tuple[Askable, int]:
    """Load what translates, with the decoding that was asked for; return it with how many hypotheses it gives.

    Raises:
        UserError: it cannot be read, is no translator, or its further hypotheses would not be shown.
    """
    choose("format", config["format"], TranslationAnswer.formats)
    limit_tokenizers()
    loaded = asked.translator(config)
    given = (resolved(config).get("decoding") or {}).get("n_best", 1)
    if given > 1:  # the checkpoint's own may be above 1 whatever the format
        TranslationAnswer.check_ranked("decoding.n_best", given, kind_of(config))
    return loaded


def wishes_of(config: DictConfig) -> Wishes | None:
    """Return what translations must hold; None: nothing.

    Raises:
        UserError: the file of terms cannot be read, or a line of it is broken.
    """
    terms = Terms.read(config["terms"]) if config["terms"] else None
    prefix = " ".join(str(config["prefix"]).split()) if config["prefix"] is not None else ""
    each = None if config["sentences"] == AUTO else config["sentences"]
    if not isinstance(each, bool | None):
        raise UserError(f"sentences={each} must be {AUTO}, true or false")
    wishes = Wishes(terms, prefix, config["copy"], each)
    return None if wishes == Wishes() else wishes


def kind_of(config: DictConfig) -> str:
    """Return the format of the answers."""
    return "jsonl" if config["alignments"] else str(config["format"])


def write(
    config: DictConfig, loaded: tuple[Askable, int], entries: Iterable[reading.Entry], pause: pipes.Pause | None = None
) -> None:
    """Translate and write one record a text, with alignments and a picture where they are asked for."""
    translator, count = loaded
    picture = Path(config["picture"]) if config["picture"] else None

    def aligned(record: Record, entry: reading.Entry) -> Record:
        nonlocal picture
        text = whole(entry.text)
        if not text.strip() or not (config["alignments"] or picture):
            return record
        alignment = translator.aligned(text, record)
        if picture:
            write_picture(picture, alignment)
            picture = None  # one sentence makes one picture
        return {**record, **rounded(alignment)} if config["alignments"] else record

    kind = kind_of(config)
    top_k, least = count if kind in TranslationAnswer.ranked else 1, config["min_log_probability"]
    style = style_of(config, kind=kind, top_k=top_k, min_log_probability=least, wishes=wishes_of(config))
    answer = answer_class(translator.preprocessor)(translator.preprocessor, style)
    flow.run(config, translator, answer, entries, pause, aligned)
