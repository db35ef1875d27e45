"""Raw text to predictions, from a checkpoint file alone; imports neither Lightning nor datasets."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import torch
from torch import nn

from gru_nlp import checkpoint
from gru_nlp.asking import Askable
from gru_nlp.batch import AnyArray, Batch
from gru_nlp.decoding.grid import Demand
from gru_nlp.errors import UserError
from gru_nlp.models.base import Model
from gru_nlp.models.ensemble import Ensemble
from gru_nlp.models.seq2seq import Seq2Seq
from gru_nlp.preprocessing.base import Preprocessor
from gru_nlp.tensors import to_array, to_tensors

#: What of a preprocessing each of several models may have for itself.
APART = {"shortlist": None, "single": None}


class Predictor(Askable):
    """A trained model with its preprocessing, called with texts.

    Example::

        predictor = Predictor.from_checkpoint("runs/my-run")
        predictor("great cast, but slow")  # {"label": "negative", "score": 0.98}
        predictor(["great cast", "too slow"])  # one such record each

    It pickles, with its weights, so that what computes in other processes (``multiprocessing``, joblib, Ray) can send
    it there, where only this package must be installed. A pickle runs whatever it names when it is loaded: take none
    from a stranger. A checkpoint, of which nothing is run, is the file to keep and to share.

    Args:
        preprocessor: fitted.
        model: trained.
        device: where the model runs, ``cpu`` or ``cuda``.
    """

    def __init__(self, preprocessor: Preprocessor, model: nn.Module, device: str = "cpu") -> None:
        super().__init__(preprocessor)
        self.model = cast(Model[Any], model.eval().to(device))
        self.model.settle()
        self.device = device

    @classmethod
    def from_checkpoint(cls, path: str | Path, device: str = "cpu", trusted: Sequence[str] = ()) -> "Predictor":
        """Load a checkpoint file, or the best one of a run folder.

        Raises:
            UserError: the file is missing, cut off, not ours, of another format, or names a class outside this
                package and the ``trusted`` ones.
        """
        preprocessor, model = checkpoint.restore(checkpoint.load(path), trusted)
        return cls(preprocessor, model, device)

    @torch.inference_mode()
    def _outputs(self, batch: Batch[AnyArray], top_k: int) -> Any:
        return self.model.predict(to_tensors(batch, self.device), top_k).map(to_array)

    def _forced(self, batch: Batch[AnyArray], demands: Sequence[Demand]) -> Any:
        return self.model.forced(to_tensors(batch, self.device), demands)

    def _attended(self, batch: Batch[AnyArray]) -> AnyArray:
        return to_array(self.model.align(to_tensors(batch, self.device)))


def joined(
    first: checkpoint.Checkpoint, model: nn.Module, others: Sequence[checkpoint.Checkpoint], trusted: Sequence[str]
) -> Ensemble:
    """Return one model out of the first of several checkpoints, restored, and the others.

    Raises:
        UserError: as ``check_alike``; one cannot be built.
    """
    for other in others:
        check_alike(first, other)
    members = [model, *(checkpoint.restore(other, trusted)[1] for other in others)]
    return Ensemble(cast(list[Seq2Seq], members))


def check_alike(first: checkpoint.Checkpoint, other: checkpoint.Checkpoint) -> None:
    """Refuse two checkpoints whose probabilities cannot be averaged.

    Raises:
        UserError: they do not share one tokenizer.
    """
    own, its = ({**stored.preprocessing, **APART} for stored in (first, other))
    if own != its:
        raise UserError(f"{other.path}: another tokenizer than that of {first.path}: train both on the same data")
