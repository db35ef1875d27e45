"""Label new text: an argument after ``--``, a file, standard input, or line by line at a prompt."""

from pathlib import Path

from omegaconf import DictConfig

from gru_nlp.answers import flow, images, pipes, prompt, reading
from gru_nlp.answers.base import Answer, answer_class, style_of
from gru_nlp.asking import Askable
from gru_nlp.cli import asked
from gru_nlp.errors import UserError, choose
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
    if answer_class(predictor.preprocessor).command != "predict":
        raise UserError(f"{config['checkpoint']}: a translator gives no labels: use translate")
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
    """Return how the records of a model of texts are written.

    Raises:
        UserError: it reads images.
    """
    answer = answer_of(config, predictor)
    if answer.reads_images:
        name = config["input"] or "standard input"
        raise UserError(f"{name}: no images, which the model of {config['checkpoint']} reads: set input=<image>")
    return answer


def run_text(config: DictConfig, text: str) -> None:
    """Label the one text that stands after ``--``."""
    predictor = load(config)
    flow.run(config, predictor, answer_of(config, predictor), [reading.Entry(text, text, "--")])


def run(config: DictConfig) -> None:
    """Label a stream of texts, or images: as many records as input records, in their order; memory stays flat."""
    if images.holds_images(config["input"]):
        run_images(config)
        return
    if prompt.is_wanted(config):
        predictor = load(config)
        flow.run(config, predictor, text_answer(config, predictor), prompt.entries(config["encoding"]))
        return
    source, pause = reading.input_of(config), pipes.Pause()
    with reading.open_input(source.path, pause) as stream:
        predictor = load(config)
        flow.run(config, predictor, text_answer(config, predictor), reading.read(stream, source), pause)


def run_images(config: DictConfig) -> None:
    """Label the images of a file or folder; a record's ``text`` is the image's name."""
    predictor = load(config)
    answer = answer_of(config, predictor)
    if not answer.reads_images:
        raise UserError(f"input={config['input']}: images, but the model of {config['checkpoint']} reads text")
    flow.run(config, predictor, answer, answer.entries(Path(config["input"])))
