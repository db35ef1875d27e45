"""BLEU, chrF and exact matches of translations, by sacreBLEU, over counts that add up across processes."""

from collections.abc import Sequence

import torch
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF
from torch import Tensor
from torchmetrics import Metric

from gru_nlp.errors import UserError
from gru_nlp.metrics.bleu_tokenizers import USUAL


class TranslationMetric(Metric):
    """Corpus BLEU (Papineni et al. 2002) and chrF (Popović 2015) of detokenised text, one reference each.

    sacreBLEU computes both from counts a sentence, which are summed here; so every sentence counts once however many
    processes share the test set, and the scores are those of ``corpus_score`` on the whole.

    Args:
        tokenizer: of BLEU, by sacreBLEU's name.
        lowercased: whether BLEU of lower-cased text stands beside that of the text as it is.

    Raises:
        UserError: sacreBLEU cannot read what the tokenizer needs.
    """

    full_state_update = False
    bleu_counts: Tensor
    chrf_counts: Tensor
    exact: Tensor
    long: Tensor
    total: Tensor

    def __init__(self, tokenizer: str = USUAL, *, lowercased: bool = False) -> None:
        super().__init__()
        try:
            self.bleu = BLEU(tokenize=tokenizer)
            self.scorers: dict[str, BLEU | CHRF] = {"bleu": self.bleu, "chrf": CHRF()}
            if lowercased:
                self.scorers["bleu_lowercase"] = BLEU(tokenize=tokenizer, lowercase=True)
        except (OSError, RuntimeError) as error:  # a model that cannot be fetched, a dictionary that is not there
            reason = " ".join(str(error).split())[:100]
            raise UserError(f"task.bleu_tokenizer={tokenizer}: sacreBLEU cannot load it ({reason}): use char") from None
        for name, scorer in self.scorers.items():
            width = len(self._counts(scorer, ["a"], ["a"])[0])
            self.add_state(f"{name}_counts", torch.zeros(width, dtype=torch.float64), dist_reduce_fx="sum")
        for name in ("exact", "long", "total"):
            self.add_state(name, torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")

    @staticmethod
    def _counts(scorer: BLEU | CHRF, hypotheses: Sequence[str], references: Sequence[str]) -> list[list[float]]:
        # sacreBLEU has no public way to its counts; a test holds the sums against its corpus_score.
        counts: list[list[float]] = scorer._extract_corpus_statistics(hypotheses, [references])
        return counts

    def update(self, hypotheses: Sequence[str], references: Sequence[str]) -> None:
        """Add sentences and their references, one each."""
        if not hypotheses:
            return
        for name, scorer in self.scorers.items():
            counts = torch.tensor(self._counts(scorer, hypotheses, references), dtype=torch.float64).sum(dim=0)
            getattr(self, f"{name}_counts").add_(counts.to(self.total.device))
        self.exact += sum(one.strip() == other.strip() for one, other in zip(hypotheses, references, strict=True))
        most = self.bleu.max_ngram_order
        self.long += sum(len(self.bleu.tokenizer(reference.rstrip()).split()) >= most for reference in references)
        self.total += len(hypotheses)

    def compute(self) -> dict[str, float]:
        """Return the scores of everything seen since the last reset by name: BLEU and chrF from 0 to 100.

        ``exact_match`` is the share of hypotheses equal to their reference, from 0 to 1. ``long_references`` is the
        share of references with as many tokens as the longest n-grams of BLEU, which is 0 where no hypothesis matches
        one of these.
        """
        if not self.total:
            return dict.fromkeys([*self.scorers, "exact_match", "long_references"], 0.0)
        scores: dict[str, float] = {
            name: scorer._compute_score_from_stats(getattr(self, f"{name}_counts").long().tolist()).score
            for name, scorer in self.scorers.items()
        }
        shares = {"exact_match": self.exact / self.total, "long_references": self.long / self.total}
        return scores | {name: float(share) for name, share in shares.items()}

    def signature(self) -> str:
        """Return how the scores are computed, as sacreBLEU states it."""
        told = {"bleu": "BLEU", "chrf": "chrF", "bleu_lowercase": "lower-cased BLEU"}
        for scorer in self.scorers.values():
            scorer.corpus_score(["a b c d"], [["a b c d"]])  # a signature knows its references only after a score
        stated = "; ".join(f"{told[name]} {scorer.get_signature()}" for name, scorer in self.scorers.items())
        return f"{stated}; detokenised, case kept"
