"""The best translations of a search, put in a new order by translators of the other direction.

How it works. A translator prefers what is likely in its target language, whatever the source says of it. How likely the
source is as a translation of each hypothesis tells what was left out or made up (the noisy channel: Yee et al. 2019,
section 2; Li and Jurafsky 2016, section 3). So all K hypotheses of a beam search are ranked anew by

    score + weight * mean over the other translators of log P(source | hypothesis) / ((5 + length) / 6) ** penalty

where the length is the source's in that translator's tokens, and the penalty the search's own. The other translators
read hypotheses as text, so each may have a tokenizer of its own.
"""

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from torch import nn

from gru_nlp import checkpoint
from gru_nlp.abandoning import go_on
from gru_nlp.archive import locate
from gru_nlp.batch import AnyArray, Batch, SequencePairBatch
from gru_nlp.decoding.beam import BeamSearch
from gru_nlp.errors import UserError
from gru_nlp.models.ensemble import Ensemble
from gru_nlp.models.seq2seq import Seq2Seq
from gru_nlp.outputs import Hypotheses
from gru_nlp.predictor import Predictor
from gru_nlp.preprocessing.base import Preprocessor
from gru_nlp.preprocessing.translation import TranslationPreprocessor
from gru_nlp.ranges import is_number
from gru_nlp.tensors import to_array, to_tensors
from gru_nlp.text.text_tokenizer import TextTokenizer

#: Hypotheses that another translator reads at a time.
BATCH = 256
#: Most that the other direction may weigh: far above, sums would leave the range of float32.
MOST_WEIGHT = 100.0


class Backward:
    """A translator of the other direction, which says how likely sources are.

    Args:
        preprocessor, model: of the translator.
        device: where the model runs.
    """

    def __init__(self, preprocessor: TranslationPreprocessor, model: Seq2Seq, device: str) -> None:
        self.preprocessor, self.model, self.device = preprocessor, model.eval().to(device), device

    def scores(self, hypotheses: Sequence[str], sources: Sequence[str], penalty: float) -> AnyArray:
        """Return the log-probability of each source as a translation of its hypothesis, ``(N,)``, by its length."""
        columns = {"source": list(hypotheses), "target": list(sources)}
        columns |= self.preprocessor.encode(columns)
        scores = np.zeros(len(hypotheses), dtype=np.float32)
        order = np.argsort([len(ids) for ids in columns["target_ids"]], kind="stable")
        for places in np.split(order, range(BATCH, len(order), BATCH)):
            go_on()
            some = {name: [values[place] for place in places] for name, values in columns.items()}
            batch = self.preprocessor.collate(some, training=False)
            assert batch.target_lengths is not None
            totals = self.model.likelihoods(to_tensors(batch, self.device))
            scores[places] = to_array(totals) / ((5.0 + batch.target_lengths) / 6.0) ** penalty
        return scores


class Reranked(Predictor):
    """A translator whose hypotheses are ranked by what translators of the other direction say of them too.

    The model's search gives all that it follows from now on. A text that is searched anew for what must be in its
    translation keeps the order of that search.

    Args:
        preprocessor, model, device: of the translator, as in ``Predictor``.
        backward: translators of the other direction, at least one.
        weight: of what they say, above 0, at most ``MOST_WEIGHT``.

    Raises:
        UserError: the search follows one hypothesis alone, or the weight is no such number.
    """

    def __init__(
        self, preprocessor: Preprocessor, model: nn.Module, device: str, backward: Sequence[Backward], weight: float
    ) -> None:
        assert isinstance(model, Seq2Seq | Ensemble)
        if model.decoding.beam_size < 2:
            told = "decoding.beam_size=5" if isinstance(model.decoding, BeamSearch) else "decoding=beam"
            raise UserError(f"backward ranks the hypotheses of a beam search: set {told}, or leave it out")
        if not is_number(weight) or not 0.0 < weight <= MOST_WEIGHT:
            raise UserError(f"backward_weight={weight} must be a number above 0, at most {MOST_WEIGHT:g}")
        model.decoding.n_best = model.decoding.beam_size
        super().__init__(preprocessor, model, device)
        self.backward, self.weight, self.penalty = list(backward), weight, model.decoding.length_penalty

    def _outputs(self, batch: Batch[AnyArray], top_k: int) -> Any:
        found = super()._outputs(batch, top_k)
        return self._ranked(found, cast(SequencePairBatch[AnyArray], batch))

    def _ranked(self, found: Hypotheses[AnyArray], batch: SequencePairBatch[AnyArray]) -> Hypotheses[AnyArray]:
        """Return the same hypotheses in their new order, with the scores that say it."""
        scores = found.scores.copy()
        rows, places = np.nonzero(np.isfinite(scores))
        if len(rows):
            own = cast(TranslationPreprocessor, self.preprocessor)
            texts = written(own.target, found.tokens[rows, places], found.lengths[rows, places])
            sources = written(own.source, batch.inputs, batch.lengths)  # without their end marks
            asked = [sources[row] for row in rows]
            told = [one.scores(texts, asked, self.penalty) for one in self.backward]
            scores[rows, places] += np.float32(self.weight) * np.mean(told, axis=0)
        order = np.argsort(-scores, axis=1, kind="stable")  # (B, K)
        lengths, scores = (np.take_along_axis(part, order, axis=1) for part in (found.lengths, scores))
        totals = None if found.totals is None else np.take_along_axis(found.totals, order, axis=1)
        return Hypotheses(np.take_along_axis(found.tokens, order[:, :, None], axis=1), lengths, scores, totals)


def written(tokenizer: TextTokenizer, rows: AnyArray, lengths: AnyArray) -> list[str]:
    """Return the texts of rows of ids ``(N, T)``, of ``lengths`` ``(N,)``."""
    return [tokenizer.decode(ids[:length]) for ids, length in zip(rows.tolist(), lengths.tolist(), strict=True)]


def backward_of(paths: Sequence[str], device: str, trusted: Sequence[str]) -> list[Backward]:
    """Load translators of the other direction.

    Raises:
        UserError: one cannot be read, or is no translator.
    """
    return [_loaded(path, device, trusted) for path in paths]


def _loaded(path: str, device: str, trusted: Sequence[str]) -> Backward:
    stored = checkpoint.load(locate(path, option="backward"))
    preprocessor, model = checkpoint.restore(stored, trusted)
    if not isinstance(preprocessor, TranslationPreprocessor) or not isinstance(model, Seq2Seq):
        raise UserError(f"{stored.path}: no translator but a {stored.config['task']['name']} model: set backward=[...]")
    return Backward(preprocessor, model, device)
