"""Language models: cross-entropy of the next token, the unit's state carried from stretch to stretch."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gru_nlp.batch import AnyArray, StreamBatch
from gru_nlp.metrics.language_model import LanguageModelMetric, sum_scores
from gru_nlp.metrics.tally import Tally, dense
from gru_nlp.models.language_model import LanguageModel
from gru_nlp.outputs import Surprise
from gru_nlp.preprocessing.language_model import SIZES, LanguageModelPreprocessor
from gru_nlp.tasks.base import Recipe, Task
from gru_nlp.tasks.halving import halves
from gru_nlp.tensors import to_array
from gru_nlp.text.special import UNK


class LanguageModelTask(Task):
    """Back-propagation is cut between two batches; the states are not (Merity et al. 2018, section 4).

    Args:
        recipe: as in ``Task``.
        preprocessor: fitted; knows in which order a text is read.
    """

    model: LanguageModel
    scorer = (
        "cross-entropy of every token after all text before it in its document, by the token (loss and perplexity) and "
        "over the text's words, characters and bytes, line feeds among each; validation is read from several places "
        "side by side"
    )
    command = "generate"
    answers_rows = False  # a batch holds stretches of a stream

    def __init__(self, recipe: Recipe, preprocessor: LanguageModelPreprocessor) -> None:
        super().__init__(recipe)
        self.preprocessor = preprocessor
        self.kept: dict[str, list[list[AnyArray]]] = {"validation": [], "test": []}
        self.metrics = nn.ModuleDict({f"{stage}_scores": LanguageModelMetric() for stage in ("validation", "test")})
        self.carried: dict[str, Tensor] = {}
        self.before: Tensor | None = None

    def loss(self, batch: StreamBatch[Tensor]) -> Tensor:
        """Return the mean cross-entropy of the tokens."""
        loss: Tensor
        self.before = self.carried.get("train")
        loss, after = self.model(batch, self.before)
        self.carried["train"] = after.detach()
        return loss

    def divisor(self, batch: StreamBatch[Tensor]) -> float:
        """Return the number of tokens."""
        return float(batch.lengths.sum())

    def half_losses(self, batch: StreamBatch[Tensor]) -> Iterator[Tensor]:
        """Yield the losses of both halves of the streams, each read on from its own states."""
        before, whole, afters = self.before, self.divisor(batch), []
        for half in halves(batch):
            self.carried.pop("train", None)
            if before is not None:
                self.carried["train"] = before
            yield self.loss(half) * (self.divisor(half) / whole)
            afters.append(self.carried["train"])
        self.carried["train"] = torch.cat(afters, dim=1)
        self.before = before

    def halfway_state(self) -> dict[str, Any]:
        """Return also the states that the next stretches go on from."""
        return {**super().halfway_state(), "carried": self.carried.get("train")}

    def _start_epoch(self, batch_idx: int) -> None:
        """Take back the carried states too."""
        if self.halfway is not None and self.halfway.get("carried") is not None:
            self.carried["train"] = self.halfway["carried"].to(self.device)
        super()._start_epoch(batch_idx)

    def score(self, batch: Any, stage: str) -> Surprise[AnyArray]:
        """Count a batch of streams."""
        found, self.carried[stage] = self.model.surprise(batch, self.carried.get(stage))
        unknown = int((batch.targets == UNK).sum())
        self._metric(stage).update(found, int(batch.lengths.sum()), unknown, batch.sizes)
        if self.keeps_rows:
            kept = (found, batch.targets == UNK, batch.lengths, batch.places)
            self.kept[stage].append([to_array(each) for each in kept])
        return Surprise(to_array(found), to_array(batch.lengths))

    def tallies(self, stage: str, columns: Mapping[str, AnyArray]) -> list[Tally]:
        """Return what each line adds; its tokens are found by their place in the stream."""
        kept, self.kept[stage] = self.kept[stage], []
        if not kept:
            return []
        rows = np.repeat(np.arange(len(columns["tokens"])), columns["tokens"])
        read = self.preprocessor.as_read(rows, ended=True)
        nats, unknown = np.zeros((2, len(columns["tokens"])))
        for found, strange, lengths, places in kept:
            steps = np.arange(found.shape[1])
            real = steps < lengths[:, None]
            own = read[(places[:, None] + steps)[real]]
            nats -= np.bincount(own, found[real].astype(np.float64), minlength=len(nats))
            unknown += np.bincount(own, strange[real], minlength=len(nats))
        sums = [nats, columns["tokens"], unknown, *(columns[name] for name in SIZES)]
        return [dense(np.stack(sums, axis=1), sum_scores)]

    def scores(self, stage: str) -> dict[str, float]:
        """Return cross-entropy and perplexity a token, and the same over words, characters and bytes."""
        metric = self._metric(stage)
        report = metric.compute()
        metric.reset()
        self.carried.pop(stage, None)
        return {f"{stage}/{name}": value for name, value in report._asdict().items()}

    def _metric(self, stage: str) -> LanguageModelMetric:
        metric = self.metrics[f"{stage}_scores"]
        assert isinstance(metric, LanguageModelMetric)
        return metric
