"""From a plain training config to the parts that Lightning joins: corpus, preprocessing, data, model, task."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, cast

import torch
from torch import nn

from gru_nlp import build, checkpoint
from gru_nlp.console import say
from gru_nlp.data.corpus import Corpus
from gru_nlp.data.module import DataModule, check_columns
from gru_nlp.errors import UserError
from gru_nlp.models.base import Model
from gru_nlp.plain import check_plain
from gru_nlp.preprocessing.base import Preprocessor
from gru_nlp.preprocessing.rows import Hints
from gru_nlp.processes.company import rank
from gru_nlp.processes.sharing import shared_values
from gru_nlp.tasks.base import Recipe, Task
from gru_nlp.text import gazetteers
from gru_nlp.text.vectors import WordVectors
from gru_nlp.training import finetuning
from gru_nlp.training.pretrained import Start, begin_from, read_start

#: What takes the options that every task has; a task kind's own options go to its class.
RECIPE = f"{Recipe.__module__}.{Recipe.__qualname__}"


@dataclass(frozen=True)
class Parts:
    """What a training run is made of."""

    preprocessor: Preprocessor
    data: DataModule
    model: Model[Any]
    task: Task


def read_vectors(config: Mapping[str, Any]) -> WordVectors | None:
    """Read the file of ``embedding.vectors``, if one is set."""
    path = config["embedding"]["vectors"]
    if path and "decoder" in config["model"]:
        raise UserError("embedding.vectors serves classifiers, not translators: leave it out")
    if path and "embedding" not in config["model"]:
        raise UserError("embedding.vectors serves models of words, which this is not: leave it out")
    return WordVectors.read(path) if path else None


def fit_preprocessor(
    config: Mapping[str, Any], corpus: Corpus, vectors: WordVectors | None, start: Start | None = None
) -> Preprocessor:
    """Learn tokenizer and labels from the training split; the tokenizer is that of a language model to begin from."""
    extra = config["embedding"]["extra_words"] if vectors else 0
    words = vectors.words[:extra] if vectors else ()
    preprocessor = build.preprocessor(config)
    lists = gazetteers.read(config["gazetteers"])
    corpus.serve(preprocessor.data_columns)
    rows = corpus.load("train")
    assert rows is not None
    check_columns(rows, preprocessor)
    preprocessor.fit(rows, Hints(corpus.label_order(), words, corpus.label_separator, start and start.tokenizer))
    if lists:
        preprocessor.use_gazetteers(lists)
    return preprocessor


def learned(config: dict[str, Any], corpus: Corpus, vectors: WordVectors | None, start: Start | None) -> Preprocessor:
    """Return what ``fit_preprocessor`` gives in the first process, in every one; ``embedding.size`` is set as there.

    Raises:
        UserError: as ``fit_preprocessor`` does.
    """
    fitted: list[Preprocessor] = []

    def told() -> dict[str, Any]:
        fitted.append(fit_preprocessor(config, corpus, vectors, start))
        return {"state": fitted[0].state_dict(), "size": config["embedding"]["size"]}

    found = shared_values(told)
    if fitted:
        return fitted[0]
    check_plain(found, "what the first process has learned")
    if "embedding" in config["model"]:
        config["embedding"]["size"] = config["model"]["embedding"]["size"] = found["size"]
    return with_state(config, found["state"])


def with_state(config: Mapping[str, Any], state: Mapping[str, Any]) -> Preprocessor:
    """Return the preprocessor of a config with what it has learned."""
    preprocessor = build.preprocessor(config)
    preprocessor.load_state_dict(state)
    return preprocessor


def load_vectors(model: Model[Any], preprocessor: Preprocessor, vectors: WordVectors, path: str) -> None:
    """Copy pretrained vectors into the model's embedding and report how many tokens have one.

    Raises:
        UserError: none has; ``path`` names their file.
    """
    rows, found = vectors.rows(preprocessor.tokens())
    if not found.any():
        raise UserError(
            f"{path}: has none of the {len(found):,} tokens of the training data, but words such as "
            f"{', '.join(map(repr, vectors.words[:3]))}: set embedding.vectors=<vectors of the same language>, "
            "and a tokenizer of whole words"
        )
    model.load_vectors(torch.from_numpy(rows), torch.from_numpy(found))
    say(f"pretrained vectors: {int(found.sum()):,} of {len(found):,} tokens ({100 * found.mean():.1f} %)")


def make_data(config: Mapping[str, Any], corpus: Corpus, preprocessor: Preprocessor) -> DataModule:
    """Join corpus and preprocessor."""
    return DataModule(
        corpus,
        preprocessor,
        batch_size=config["batch_size"],
        batch_tokens=config["batch_tokens"],
        seed=config["seed"],
        num_workers=config["num_workers"],
    )


def make_task(config: Mapping[str, Any], preprocessor: Preprocessor, model: nn.Module, data: DataModule | None) -> Task:
    """Build the task; without ``data`` it can only score."""
    training = data is not None
    optimizer = dict(config["optimizer"])
    if "mixed" in str(config["trainer"]["precision"]) and optimizer.get("fused"):
        optimizer["fused"] = False  # a fused step unscales gradients itself, so Lightning could not clip them
    given = {
        "model": model,
        "optimizer": build.build(optimizer) if training else None,
        "schedule": build.build(config["schedule"]) if training else None,
        "seed": config["seed"],
        "calibrate": config.get("calibrate", False),
    }
    shared = {field.name for field in fields(Recipe)} - given.keys()
    common = {name: value for name, value in config["task"].items() if name in shared}
    own = {name: value for name, value in config["task"].items() if name not in shared}
    recipe: Recipe = build.build({"_target_": RECIPE, **common}, **given)
    task: Task = build.build(own, recipe=recipe, preprocessor=preprocessor)
    task.record = checkpoint.record(config, preprocessor, task.scorer)
    if data is not None:
        task.observe(data.encoded["train"].scalars)
        task.check_recipe()
    return task


def set_embedding_size(config: dict[str, Any], vectors: WordVectors | None, start: Start | None) -> None:
    """Set ``embedding.size`` to that of the vectors that are read, if any are.

    Raises:
        UserError: those of ``embedding.vectors`` and of ``pretrained`` have different sizes.
    """
    tables = [] if vectors is None else [vectors.matrix.shape]
    tables += [] if start is None else [start.beginning.table.shape]
    sizes = {int(shape[1]) for shape in tables}
    if len(sizes) > 1:
        raise UserError(f"pretrained and embedding.vectors have vectors of {' and '.join(map(str, sizes))} features")
    if sizes and "embedding" in config["model"]:
        config["embedding"]["size"] = config["model"]["embedding"]["size"] = sizes.pop()


def begin(
    model: Model[Any], preprocessor: Preprocessor, vectors: WordVectors | None, start: Start | None, path: str | None
) -> str:
    """Let a model begin from vectors of ``path`` and from language models, as far as there are any.

    Returns:
        how far it begins from language models, for people.

    Raises:
        UserError: they do not fit.
    """
    if vectors is not None:
        load_vectors(model, preprocessor, vectors, str(path))
    return "" if start is None else begin_from(model, start, preprocessor.tokens())


def prepare(
    config: dict[str, Any],
    stopped: checkpoint.Checkpoint | None = None,
    *,
    start: Start | None = None,
    corpus: Corpus | None = None,
    state: Mapping[str, Any] | None = None,
) -> Parts:
    """Read and encode the data, fit the preprocessor, build model and task.

    Args:
        config: the resolved training config; ``embedding.size`` is set to that of pretrained vectors.
        stopped: the last checkpoint of a run that goes on; None: a new run.
        start: what the model begins from; None: what ``pretrained`` says.
        corpus: the data; None: that of ``data``.
        state: what the preprocessor has learned elsewhere; None: it learns from the training split.

    Raises:
        UserError: any mistake in data or options; nothing has been written yet.
    """
    corpus = corpus or cast(Corpus, build.build(config["data"]))
    reads = stopped is None and rank() == 0  # the others get the first one's weights when training begins
    vectors = read_vectors(config) if reads else None
    named = read_start(config) if reads else None
    start = start or named
    set_embedding_size(config, vectors, start)
    say("reading the data")
    tuned = finetuning.read(config) if stopped is None else None
    before = stopped or tuned
    state = state if before is None else before.preprocessing
    preprocessor = learned(config, corpus, vectors, start) if state is None else with_state(config, state)
    data = make_data(config, corpus, preprocessor)
    data.encode("train", "validation", "test")
    torch.manual_seed(config["seed"])
    sizes = preprocessor.sizes()
    model = cast(Model[Any], build.model(config, sizes)) if before is None else checkpoint.sized(before, config, sizes)
    told = begin(model, preprocessor, vectors, start, config["embedding"]["vectors"])
    if named is not None:
        say(told)
    if before is not None:
        checkpoint.load_weights(before, model)
    if tuned is not None:
        finetuning.tell(tuned.path, data.encoded["train"])
    return Parts(preprocessor, data, model, make_task(config, preprocessor, model, data))
