"""BLEU, chrF and exact matches of translations, by sacreBLEU, over counts that add up across processes."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF
from torch import Tensor
from torchmetrics import Metric


class TranslationReport(NamedTuple):
    """BLEU and chrF from 0 to 100, and the share of hypotheses equal to their reference, from 0 to 1."""

    bleu: float
    chrf: float
    exact_match: float


class TranslationMetric(Metric):
    """Corpus BLEU (Papineni et al. 2002) and chrF (Popović 2015) of detokenised text, one reference each.

    sacreBLEU computes both from counts a sentence, which are summed here; so every sentence counts once however many
    processes share the test set, and the scores are those of ``corpus_score`` on the whole.
    """

    full_state_update = False
    bleu_counts: Tensor
    chrf_counts: Tensor
    exact: Tensor
    total: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.bleu = BLEU()
        self.chrf = CHRF()
        widths = {name: len(self._counts(scorer, ["a"], ["a"])[0]) for name, scorer in self._scorers().items()}
        for name, width in widths.items():
            self.add_state(f"{name}_counts", torch.zeros(width, dtype=torch.float64), dist_reduce_fx="sum")
        for name in ("exact", "total"):
            self.add_state(name, torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")

    def _scorers(self) -> dict[str, BLEU | CHRF]:
        return {"bleu": self.bleu, "chrf": self.chrf}

    @staticmethod
    def _counts(scorer: BLEU | CHRF, hypotheses: Sequence[str], references: Sequence[str]) -> list[list[float]]:
        # sacreBLEU has no public way to its counts; a test holds the sums against its corpus_score.
        counts: list[list[float]] = scorer._extract_corpus_statistics(hypotheses, [references])
        return counts

    def update(self, hypotheses: Sequence[str], references: Sequence[str]) -> None:
        """Add sentences and their references, one each."""
        if not hypotheses:
            return
        for name, scorer in self._scorers().items():
            counts = torch.tensor(self._counts(scorer, hypotheses, references), dtype=torch.float64).sum(dim=0)
            getattr(self, f"{name}_counts").add_(counts.to(self.total.device))
        self.exact += sum(one.strip() == other.strip() for one, other in zip(hypotheses, references, strict=True))
        self.total += len(hypotheses)

    def compute(self) -> TranslationReport:
        """Return the scores of everything seen since the last reset."""
        if not self.total:
            return TranslationReport(0.0, 0.0, 0.0)
        scores = {
            name: scorer._compute_score_from_stats(getattr(self, f"{name}_counts").long().tolist()).score
            for name, scorer in self._scorers().items()
        }
        return TranslationReport(scores["bleu"], scores["chrf"], float(self.exact / self.total))

    def signature(self) -> str:
        """Return how the scores are computed, as sacreBLEU states it."""
        for scorer in self._scorers().values():
            scorer.corpus_score(["a b c d"], [["a b c d"]])  # a signature knows its references only after a score
        return f"BLEU {self.bleu.get_signature()}; chrF {self.chrf.get_signature()}; detokenised, case kept"
