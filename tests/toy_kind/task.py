"""Squared error; the mean absolute error is the score."""

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import mse_loss

from gru_nlp.batch import AnyArray, SequenceBatch
from gru_nlp.preprocessing.base import Preprocessor
from gru_nlp.tasks.base import Recipe, Task
from gru_nlp.tensors import to_array
from toy_kind.model import Counts


class VowelTask(Task):
    """Learns numbers."""

    scorer = "mean absolute error"
    command = "predict"

    def __init__(self, recipe: Recipe, preprocessor: Preprocessor, *, scale: float) -> None:
        super().__init__(recipe)
        self.scale = scale
        self.errors: dict[str, list[Tensor]] = {"validation": [], "test": []}

    def loss(self, batch: SequenceBatch[Tensor]) -> Tensor:
        """Return the mean squared error."""
        assert batch.targets is not None
        return mse_loss(self.model(batch), batch.targets.float()) * self.scale

    def score(self, batch: SequenceBatch[Tensor], stage: str) -> Counts[AnyArray]:
        """Keep the errors."""
        assert batch.targets is not None
        counts = self.model.predict(batch)
        self.errors[stage].append((counts.values - batch.targets).abs())
        return counts.map(to_array)

    def scores(self, stage: str) -> dict[str, float]:
        """Return the mean absolute error."""
        errors = torch.cat(self.errors[stage])
        self.errors[stage] = []
        return {f"{stage}/error": float(errors.mean())}

    def details(self, stage: str) -> dict[str, Any]:
        """Return nothing more."""
        return {}
