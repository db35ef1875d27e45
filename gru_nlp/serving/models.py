"""What may stand behind a name: a checkpoint's model, and what it can be asked.

The rest of the server knows ``Served`` alone, so that another runtime of the same answers is another ``load``.
"""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast

from gru_nlp import checkpoint
from gru_nlp.answers.base import answer_class
from gru_nlp.asking import Askable
from gru_nlp.continuing import Continuer
from gru_nlp.decoding.base import DecodingStrategy
from gru_nlp.errors import UserError
from gru_nlp.generator import Generator
from gru_nlp.predictor import Predictor
from gru_nlp.preprocessing.base import Preprocessor, Record

#: What a request can ask for, and how one says that a model does not do it.
TASKS = {"predict": "labels no texts", "translate": "translates nothing", "generate": "continues no text"}


class Ranking(Protocol):
    """A number of translations a text to what gives as many."""

    def __call__(self, n_best: int) -> Askable:
        """Return it.

        Raises:
            UserError: the model gives no such number.
        """


@dataclass(frozen=True)
class Served:
    """A model that answers requests.

    Attributes:
        name: that requests choose it by.
        kind: of its task, as ``gru-nlp info`` names it.
        version: of the program that trained it.
        labels: that it may say, in the order of their ids.
        scores: of its training run.
        tasks: what it can be asked: names of ``TASKS``.
        one_label: whether it says just one label of a text.
        record: names of what a record of a text holds.
        ranked: gives what answers texts, by the number of translations of each.
        generator: what continues texts; None: it does not.
    """

    name: str
    kind: str
    version: str
    labels: tuple[str, ...]
    scores: Mapping[str, float]
    tasks: tuple[str, ...]
    one_label: bool
    record: tuple[str, ...]
    ranked: Ranking
    generator: Continuer | None

    def told(self) -> Record:
        """Return what ``GET /models`` says of it."""
        told = ("name", "kind", "version", "labels", "tasks", "one_label", "record")
        return {**{name: getattr(self, name) for name in told}, "scores": dict(self.scores)}

    def check(self, task: str) -> None:
        """Refuse to be asked for what it does not do.

        Raises:
            UserError: saying what it does.
        """
        if task not in self.tasks:
            can = " or ".join(f"POST /{task}" for task in self.tasks)
            raise UserError(f"the model '{self.name}' {TASKS[task]}: use {can}")


def name_of(path: str) -> str:
    """Return the name that a checkpoint is served by: that of its run folder, or of a file of another name."""
    place = Path(path).absolute()
    if place.name in (checkpoint.BEST, checkpoint.LAST):
        place = place.parent
    name = place.stem if place.suffix == ".ckpt" else place.name
    return name.encode("utf-8", "backslashreplace").decode()


def load(path: str, device: str, trusted: Sequence[str]) -> Served:
    """Load a checkpoint file, or the best one of a run folder.

    Raises:
        UserError: it cannot be read, or reads no texts.
    """
    stored = checkpoint.load(path)
    preprocessor, model = checkpoint.restore(stored, trusted)
    answers = answer_class(preprocessor)
    if answers.reads_images:
        raise UserError(f"{stored.path}: a model of images, which are not served: use predict")
    predictor = Predictor(preprocessor, model, device)
    generator = Generator(preprocessor, model, device) if _continues(preprocessor) else None
    return Served(
        name=name_of(path),
        kind=str(stored.config["task"]["name"]),
        version=stored.version,
        labels=tuple(preprocessor.label_names()),
        scores=stored.scores,
        tasks=(answers.command, *(["generate"] if generator else [])),
        one_label=preprocessor.one_label,
        record=tuple(preprocessor.blank),
        ranked=Ranked(predictor),
        generator=generator,
    )


def _continues(preprocessor: Preprocessor) -> bool:
    try:
        preprocessor.prompt("")
    except UserError:
        return False
    return True


class Ranked:
    """A predictor for each number of translations that is asked for; they share their weights.

    Args:
        predictor: that gives one record a text, with the hypotheses of its own decoding.
    """

    def __init__(self, predictor: Predictor) -> None:
        self.predictor = predictor
        self._known = {1: predictor}

    def __call__(self, n_best: int) -> Predictor:
        """Return the predictor whose strategy gives ``n_best`` hypotheses.

        Raises:
            UserError: it gives no such number.
        """
        if n_best not in self._known:
            model = copy.copy(self.predictor.model)
            vars(model)["decoding"] = cast(DecodingStrategy, model.decoding).ranked(n_best)
            self._known[n_best] = Predictor(self.predictor.preprocessor, model, self.predictor.device)
        return self._known[n_best]
