"""What a model scores before and after its graphs were rounded, and how fast both are."""

import contextlib
import time
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from gru_nlp.checkpoint import Checkpoint
from gru_nlp.console import remark
from gru_nlp.errors import UserError
from gru_nlp.export.checks import Answer, onnx_answer
from gru_nlp.models.base import Model
from gru_nlp.models.graphs import Graph, Sizes
from gru_nlp.threads import limit_tokenizers
from gru_nlp.training import lightning_parts
from gru_nlp.training.parts import make_task
from gru_nlp.training.scoring import prepared

#: By their names, ``before`` and ``after``.
Scores = dict[str, dict[str, float]]
#: What a short text is in time: a row of so many steps, and how often it is tried.
SHORT, TRIES = Sizes(1, 16), 50


def compare(
    stored: Checkpoint, given: Mapping[str, Any], model: Model[Any], files: Mapping[str, bytes]
) -> Scores | None:
    """Score a checkpoint, and the files that its model became; fit again what is fitted on validation.

    Args:
        stored: the checkpoint.
        given: the person's options, plain values.
        model: of the checkpoint; it gets the temperature and the thresholds that fit the files.
        files: by their names.

    Returns:
        The scores; None: there are no data.
    """
    lightning_parts.quieten()
    limit_tokenizers()
    try:
        task, data, split = prepared(stored, {**given, "split": "test", "batch_size": None, "batch_tokens": None})
    except UserError as error:
        remark(f"scores before and after are not known: {error}")
        return None
    trainer = lightning_parts.scoring_trainer("cpu", None)
    trainer.test(task, data.loader(split, shuffle=False), verbose=False)
    answers = {graph.name: called(graph, onnx_answer(files[f"{graph.name}.onnx"])) for graph in model.graphs()}
    stand = model.by_graphs(answers)
    rounded = make_task(stored.config, data.preprocessor, stand, None)
    rounded.keeps_rows = True
    with contextlib.suppress(UserError):
        data.encode("validation")
    if "validation" in data.encoded:
        trainer.validate(rounded, data.loader("validation", shuffle=False), verbose=False)
        rounded.refit()
        model.temperature = stand.temperature
    trainer.test(rounded, data.loader(split, shuffle=False), verbose=False)
    stages = {"before": task, "after": rounded}
    return {
        when: {name.replace("test/", f"{split}/"): score for name, score in scored.latest["test"].items()}
        for when, scored in stages.items()
    }


def called(graph: Graph, answer: Answer) -> Any:
    """Return a function of tensors, in the order in which a graph reads them, that gives tensors."""

    def call(*inputs: Tensor) -> Sequence[Tensor]:
        found = answer({name: value.numpy() for name, value in zip(graph.inputs, inputs, strict=True)})
        return [torch.from_numpy(part) for part in found]

    return call


def milliseconds(model: Model[Any], files: Mapping[str, bytes]) -> float:
    """Return how long the graphs of a model take for a short text, a step of a decoder counted once: the best try."""
    least = 0.0
    for graph in model.graphs():
        answer = onnx_answer(files[f"{graph.name}.onnx"])
        inputs = graph.draw(SHORT, torch.Generator().manual_seed(1))
        named = {name: value.numpy() for name, value in zip(graph.inputs, inputs, strict=True)}
        times = []
        for _ in range(TRIES):
            start = time.perf_counter()
            answer(named)
            times.append(time.perf_counter() - start)
        least += min(times)
    return 1e3 * least
