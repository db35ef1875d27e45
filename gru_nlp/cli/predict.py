"""Label new text: an argument after ``--``, a file, standard input, or line by line at a prompt."""

from pathlib import Path

from omegaconf import DictConfig

from gru_nlp.answers import flow, images, pipes, prompt, reading
from gru_nlp.answers.base import Answer, answer_class, style_of
from gru_nlp.asking import Askable
from gru_nlp.cli import asked
from gru_nlp.errors import UserError, choose
from gru_nlp.speech.recordings import is_recording
from gru_nlp.threads import limit_tokenizers

#: Which texts are written, where not all are.
SELECTIONS = ("uncertain",)


def load(config: DictConfig) -> Askable:
    """Load the checkpoint onto the chosen device, or an exported folder.

    Raises:
        UserError: see ``Predictor.from_checkpoint`` and ``runtime.Runner``; or there is no GPU.
    """
    limit_tokenizers()
    predictor = asked.predictor(config)
    answer = answer_class(predictor.preprocessor)
    if answer.command != "predict":
        raise UserError(f"{config['checkpoint']}: {answer.writer} gives no labels: use {answer.command}")
    if config["patterns"]:
        predictor.use_patterns(list(config["patterns"]))
    return predictor


def answer_of(config: DictConfig, predictor: Askable) -> Answer:
    """Return how the model's records are written."""
    if config["select"] is not None:
        choose("select", config["select"], SELECTIONS)
    style = style_of(config, scheme=config["scheme"], top_k=config["top_k"], abstain_below=config["abstain_below"])
    return answer_class(predictor.preprocessor)(predictor.preprocessor, style)


def text_answer(config: DictConfig, predictor: Askable) -> Answer:
    """Return how the records of a model of texts, or of what is listed by its path, are written.

    Raises:
        UserError: it reads files of another kind, such as images.
    """
    answer = answer_of(config, predictor)
    if not answer.reads_lists:
        name, noun = config["input"] or "standard input", answer.preprocessor.noun
        told = f"{name}: no {noun}, which the model of {config['checkpoint']} reads"
        raise UserError(f"{told}: set {answer.preprocessor.example}")
    return answer


def run_text(config: DictConfig, text: str) -> None:
    """Label the one text that stands after ``--``."""
    predictor = load(config)
    flow.run(config, predictor, answer_of(config, predictor), [reading.Entry(text, text, "--")])


def run(config: DictConfig) -> None:
    """Label a stream of texts, or files: as many records as input records, in their order; memory stays flat."""
    path = config["input"]
    if images.holds_images(path) or (path is not None and is_recording(path)):
        run_files(config)
        return
    if prompt.is_wanted(config):
        predictor = load(config)
        answer = text_answer(config, predictor)
        flow.run(config, predictor, answer, answer.listed(prompt.entries(config["encoding"]), None))
        return
    source, pause = reading.input_of(config), pipes.Pause()
    with reading.open_input(source.path, pause) as stream:
        predictor = load(config)
        answer = text_answer(config, predictor)
        flow.run(config, predictor, answer, answer.listed(reading.read(stream, source), source.path), pause)


def run_files(config: DictConfig) -> None:
    """Label the images or recordings of a file or folder; a record's ``text`` is the name of one."""
    predictor = load(config)
    answer = answer_of(config, predictor)
    if not answer.own_files:
        told = f"input={config['input']}: images, recordings or a folder"
        raise UserError(f"{told}, but the model of {config['checkpoint']} reads text")
    flow.run(config, predictor, answer, answer.entries(Path(config["input"])))
