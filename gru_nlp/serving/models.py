"""What may stand behind a name, and what it can be asked: a checkpoint, by torch, or an exported folder.

The rest of the server knows ``Served`` alone.
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from gru_nlp import checkpoint, runtime
from gru_nlp.answers.base import answer_class
from gru_nlp.asking import Askable
from gru_nlp.continuing import Continuer
from gru_nlp.errors import UserError
from gru_nlp.export import cached
from gru_nlp.generator import Generator
from gru_nlp.predictor import Predictor
from gru_nlp.preprocessing.base import Preprocessor
from gru_nlp.preprocessing.rows import Record

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
        monitor: the one of them that its best epoch was chosen by.
        tasks: what it can be asked: names of ``TASKS``.
        one_label: whether it says just one label of a text.
        drawn: whether translations are drawn, so that one depends on those beside it.
        record: names of what a record of a text holds.
        ranked: gives what answers texts, by the number of translations of each.
        generator: what continues texts; None: it does not.
    """

    name: str
    kind: str
    version: str
    labels: tuple[str, ...]
    scores: Mapping[str, float | None]
    monitor: str
    tasks: tuple[str, ...]
    one_label: bool
    drawn: bool
    record: tuple[str, ...]
    ranked: Ranking
    generator: Continuer | None

    def told(self) -> Record:
        """Return what ``GET /models`` says of it."""
        told = ("name", "kind", "version", "labels", "monitor", "tasks", "one_label", "record")
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


def load(
    path: str,
    device: str,
    trusted: Sequence[str],
    threads: int = 1,
    precision: str | None = None,
    patterns: Sequence[str] = (),
    *,
    shortlist: bool = False,
) -> Served:
    """Load a checkpoint file, the best one of a run folder, or a folder that ``gru-nlp export`` wrote.

    Args:
        path: of it.
        device: where a checkpoint's model runs.
        trusted: packages that a checkpoint may build from.
        threads: that graphs compute with; those of torch are the process's.
        precision: see ``cached.by_graphs``.
        patterns: files that say what is an entity and what is none.
        shortlist: whether translations hold those tokens alone that ``preprocessing.shortlist`` of training learned.

    Raises:
        UserError: it cannot be read, reads no texts, has patterns and finds no entities, or is to use a short-list and
            has none.
    """
    if cached.by_graphs(path, precision):
        served = _exported(path, cached.runner(path, precision, trusted, threads))
    else:
        served = _restored(path, device, trusted)
    asked = served.ranked(1)
    if patterns:
        asked.use_patterns(patterns)
    if shortlist:
        asked.preprocessor.use_shortlist()
    return served


def _restored(path: str, device: str, trusted: Sequence[str]) -> Served:
    stored = checkpoint.load(path)
    preprocessor, model = checkpoint.restore(stored, trusted)
    return _served(
        path,
        Predictor(preprocessor, model, device),
        lambda: Generator(preprocessor, model, device),
        Told(stored.config, stored.version, stored.scores, stored.config["model"].get("decoding")),
    )


def _exported(path: str, runner: runtime.Runner) -> Served:
    folder = runner.folder
    told = Told(folder.config, folder.version, folder.scores, folder.options.get("decoding"))
    return _served(path, runner, lambda: runtime.Generator(runner), told)


class Told(NamedTuple):
    """What a checkpoint, or an exported folder, says of its model."""

    config: Mapping[str, Any]
    version: str
    scores: Mapping[str, float | None]
    decoding: Mapping[str, Any] | None

    def of_task(self, option: str) -> str:
        """Return an option of the task; nothing where the config of a stranger's folder has none."""
        task = self.config.get("task")
        return str(task.get(option, "")) if isinstance(task, Mapping) else ""


def _served(path: str, asked: Askable, continuer: Callable[[], Continuer], told: Told) -> Served:
    preprocessor = asked.preprocessor
    answers = answer_class(preprocessor)
    if answers.own_files:
        raise UserError(f"{path}: a model of {preprocessor.noun}, which are not served: use predict")
    if answers.command not in TASKS:
        raise UserError(f"{path}: {answers.writer} is not served: use {answers.command}")
    decoding = told.decoding or {}
    generator = continuer() if _continues(preprocessor) else None
    return Served(
        name=name_of(path),
        kind=told.of_task("name"),
        version=told.version,
        labels=tuple(preprocessor.label_names()),
        scores=told.scores,
        monitor=told.of_task("monitor"),
        tasks=(answers.command, *(["generate"] if generator else [])),
        one_label=preprocessor.one_label,
        drawn="seed" in decoding,
        record=tuple(preprocessor.blank),
        ranked=Ranked(asked, decoding.get("beam_size", 1)),
        generator=generator,
    )


def _continues(preprocessor: Preprocessor) -> bool:
    try:
        preprocessor.prompt("")
    except UserError:
        return False
    return True


class Ranked:
    """What answers texts, for each number of translations that is asked for; all of them share their weights.

    Args:
        asked: gives one record a text, with the hypotheses of its model's own decoding.
        most: hypotheses that this decoding can give.
    """

    def __init__(self, asked: Any, most: int) -> None:
        self.most = most
        self._known: dict[int, Askable] = {1: asked}

    def __call__(self, n_best: int) -> Askable:
        """Return what gives ``n_best`` hypotheses of a text.

        Raises:
            UserError: the decoding gives no such number.
        """
        if n_best > self.most:
            raise UserError(f"n_best={n_best}: this model's decoding gives at most {self.most}")
        if n_best not in self._known:
            other: Any = copy.copy(self._known[1])
            other.model = copy.copy(other.model)
            other.model.decoding = copy.copy(other.model.decoding)
            other.model.decoding.n_best = n_best
            self._known[n_best] = other
        return self._known[n_best]
