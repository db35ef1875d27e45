"""BLEU, chrF and exact matches of translations, by sacreBLEU, over counts that add up across processes."""

from collections.abc import Sequence

import numpy as np
import torch
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF
from torch import Tensor
from torchmetrics import Metric

from gru_nlp.batch import AnyArray
from gru_nlp.errors import UserError
from gru_nlp.metrics.bleu_tokenizers import USUAL
from gru_nlp.metrics.tally import Tally, dense, ratio
from gru_nlp.tensors import to_array

#: Counts beside those of the scorers: sentences that are exact, whose references are long, and all.
SHARES = 3
#: The score of lower-cased text.
LOWERCASE = "bleu_lowercase_tokenized"


class TranslationMetric(Metric):
    """Corpus BLEU (Papineni et al. 2002) and chrF (Popović 2015) of detokenised text, one reference each.

    sacreBLEU computes both from counts a sentence, which are summed here; so every sentence counts once however many
    processes share the test set, and the scores are those of ``corpus_score`` on the whole.

    Args:
        tokenizer: of BLEU, by sacreBLEU's name.
        lowercased: whether BLEU of lower-cased text stands beside that of the text as it is, as
            ``bleu_lowercase_tokenized``: hypotheses and references are lower-cased, then cut by the same tokenizer.
            The literature's measure on Multi30k, multi-bleu over Moses' tokens of lower-cased text, differs in the
            cuts alone.

    Raises:
        UserError: sacreBLEU cannot read what the tokenizer needs.
    """

    full_state_update = False
    sums: Tensor

    def __init__(self, tokenizer: str = USUAL, *, lowercased: bool = False) -> None:
        super().__init__()
        try:
            self.bleu = BLEU(tokenize=tokenizer)
            self.scorers: dict[str, BLEU | CHRF] = {"bleu": self.bleu, "chrf": CHRF()}
            if lowercased:
                self.scorers[LOWERCASE] = BLEU(tokenize=tokenizer, lowercase=True)
        except (OSError, RuntimeError) as error:  # a model that cannot be fetched, a dictionary that is not there
            reason = " ".join(str(error).split())[:100]
            raise UserError(f"task.bleu_tokenizer={tokenizer}: sacreBLEU cannot load it ({reason}): use char") from None
        widths = [len(self._counts(scorer, ["a"], ["a"])[0]) for scorer in self.scorers.values()]
        self.ends = np.cumsum(widths).tolist()
        sums = torch.zeros(self.ends[-1] + SHARES, dtype=torch.float64)
        self.add_state("sums", sums, dist_reduce_fx="sum")

    @staticmethod
    def _counts(scorer: BLEU | CHRF, hypotheses: Sequence[str], references: Sequence[str]) -> AnyArray:
        # sacreBLEU has no public way to its counts; a test holds the sums against its corpus_score.
        counts: list[list[float]] = scorer._extract_corpus_statistics(hypotheses, [references])
        return np.array(counts, dtype=np.float64)

    def tally(self, hypotheses: Sequence[str], references: Sequence[str]) -> Tally:
        """Return what each of some sentences, with one reference each, adds to the counts."""
        counts = [self._counts(scorer, hypotheses, references) for scorer in self.scorers.values()]
        exact = [one.strip() == other.strip() for one, other in zip(hypotheses, references, strict=True)]
        most = self.bleu.max_ngram_order
        long = [len(self.bleu.tokenizer(reference.rstrip()).split()) >= most for reference in references]
        return dense(np.column_stack([*counts, exact, long, np.ones(len(exact))]), self.sum_scores)

    def sum_scores(self, sums: AnyArray) -> dict[str, AnyArray]:
        """Return the scores, ``(B,)`` each, of sums ``(B, K)``: BLEU and chrF from 0 to 100.

        ``exact_match`` is the share of hypotheses equal to their reference, from 0 to 1. ``long_references`` is the
        share of references with as many tokens as the longest n-grams of BLEU, which is 0 where no hypothesis matches
        one of these.
        """
        parts = np.split(sums.astype(np.int64), self.ends, axis=1)
        scores = {
            name: np.array([scorer._compute_score_from_stats(row).score for row in part.tolist()])
            for (name, scorer), part in zip(self.scorers.items(), parts, strict=False)
        }
        exact, long, total = sums[:, -SHARES:].T
        return scores | {"exact_match": ratio(exact, total), "long_references": ratio(long, total)}

    def update(self, found: Tally) -> None:
        """Add what sentences add to the counts."""
        self.sums += torch.from_numpy(found.total()[0]).to(self.sums.device)

    def compute(self) -> dict[str, float]:
        """Return the scores of everything seen since the last reset by name, as ``sum_scores`` does."""
        return {name: float(values[0]) for name, values in self.sum_scores(to_array(self.sums)[None]).items()}

    def signature(self) -> str:
        """Return how the scores are computed, as sacreBLEU states it."""
        told = {"bleu": "BLEU", "chrf": "chrF", LOWERCASE: "lower-cased BLEU"}
        for scorer in self.scorers.values():
            scorer.corpus_score(["a b c d"], [["a b c d"]])  # a signature knows its references only after a score
        stated = "; ".join(f"{told[name]} {scorer.get_signature()}" for name, scorer in self.scorers.items())
        return f"{stated}; detokenised, case kept"
