import random

import pytest
import sacrebleu

from gru_nlp.metrics.translation import TranslationMetric


def sentences(seed, count=40):
    source = random.Random(seed)
    words = ["the", "dog", "sees", "a", "ball,", "and", "runs", "away.", "über", "Straße"]
    references = [" ".join(source.choices(words, k=source.randint(4, 12))) for _ in range(count)]
    hypotheses = [" ".join(w for w in r.split() if source.random() < 0.85) or "the" for r in references]
    return hypotheses, references


def test_summed_counts_give_the_corpus_scores_of_sacrebleu():
    hypotheses, references = sentences(1)
    metric = TranslationMetric()
    for start in (0, 7, 30):
        end = {0: 7, 7: 30, 30: 40}[start]
        metric.update(metric.tally(hypotheses[start:end], references[start:end]))
    report = metric.compute()
    assert report["bleu"] == pytest.approx(sacrebleu.corpus_bleu(hypotheses, [references]).score)
    assert report["chrf"] == pytest.approx(sacrebleu.corpus_chrf(hypotheses, [references]).score)
    assert report["exact_match"] == sum(h == r for h, r in zip(hypotheses, references, strict=True)) / 40


def test_states_of_two_processes_add_up():
    hypotheses, references = sentences(2)
    whole, first, second = TranslationMetric(), TranslationMetric(), TranslationMetric()
    whole.update(whole.tally(hypotheses, references))
    first.update(first.tally(hypotheses[:11], references[:11]))
    second.update(second.tally(hypotheses[11:], references[11:]))
    first.sums += second.sums
    assert first.compute() == pytest.approx(whole.compute())


def test_the_signature_states_tokenizer_and_case():
    signature = TranslationMetric().signature()
    assert "case:mixed" in signature
    assert "tok:13a" in signature
    assert "nrefs:1" in signature


def test_nothing_seen_scores_nothing():
    with pytest.warns(UserWarning, match="called before the ``update`` method"):
        scores = TranslationMetric().compute()
    assert scores == {"bleu": 0.0, "chrf": 0.0, "exact_match": 0.0, "long_references": 0.0}
