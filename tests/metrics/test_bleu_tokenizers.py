import pytest
import sacrebleu

from gru_nlp.errors import UserError
from gru_nlp.metrics import bleu_tokenizers
from gru_nlp.metrics.translation import TranslationMetric

CHINESE = ["我今天去北京的GRU公司上班。", "她没有看见那只猫, 对吗?"]


@pytest.mark.parametrize(
    ("texts", "wanted"),
    [
        (["The dog sees a ball.", "Two words"], "13a"),
        (["Die Straße, überall"], "13a"),
        (["Он не видел его."], "13a"),
        (["나는 오늘 학교에 갔다."], "13a"),
        (CHINESE, "zh"),
        (["我 今天 去 北京"], "zh"),
        (["The word 我 means I in many a sentence."], "13a"),
        (["ผมไปโรงเรียน วันนี้ด้วย"], "char"),
        (["Haus", "Katze", "Hund"], "char"),
        (["1 2 3 4", "5 6"], "13a"),
        ([], "13a"),
    ],
)
def test_the_writing_of_the_targets_chooses(texts, wanted):
    assert bleu_tokenizers.by_writing(texts) == wanted


@pytest.mark.parametrize(("missing", "wanted"), [("", "ja-mecab"), ("MeCab", "char"), ("ipadic", "char")])
def test_japanese_is_cut_into_words_where_that_runs(missing, wanted, monkeypatch):
    monkeypatch.setattr(bleu_tokenizers, "find_spec", lambda name: None if name == missing else name)
    assert bleu_tokenizers.by_writing(["今日は天気がいいですね。", "東京都"]) == wanted


def test_a_tokenizer_that_does_not_run_here_is_told_with_its_extra(monkeypatch):
    monkeypatch.setattr(bleu_tokenizers, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"^task.bleu_tokenizer=ja-mecab needs a package: pip install 'gru_nlp\[japan"):
        bleu_tokenizers.check("ja-mecab", "task.bleu_tokenizer")
    with pytest.raises(UserError, match="choose from 13a, zh.*did you mean 'intl'"):
        bleu_tokenizers.check("inlt", "task.bleu_tokenizer")
    assert bleu_tokenizers.check("char", "task.bleu_tokenizer") == "char"


def test_a_model_that_cannot_be_fetched_is_told_in_one_line(monkeypatch):
    def offline(tokenize):
        raise OSError("no\nnetwork")

    monkeypatch.setattr("gru_nlp.metrics.translation.BLEU", offline)
    with pytest.raises(UserError, match=r"^task.bleu_tokenizer=flores200: sacreBLEU cannot load it \(no network\)"):
        TranslationMetric("flores200")


@pytest.mark.parametrize("name", ["zh", "char", "intl"])
def test_bleu_by_a_tokenizer_is_that_of_sacrebleu_and_in_the_signature(name):
    metric = TranslationMetric(name, lowercased=True)
    hypotheses = ["我今天去北京的gru公司。", "她没有看见那只猫吗?"]
    metric.update(metric.tally(hypotheses, CHINESE))
    found = metric.compute()
    for key, lowercase in (("bleu", False), ("bleu_lowercase_tokenized", True)):
        wanted = sacrebleu.corpus_bleu(hypotheses, [CHINESE], tokenize=name, lowercase=lowercase)
        assert found[key] == pytest.approx(wanted.score)
    assert found["bleu_lowercase_tokenized"] > found["bleu"] > 0 or name == "intl"
    assert found["long_references"] == (0.5 if name == "intl" else 1.0)
    assert metric.signature().count(f"tok:{name}|") == 2
    assert "lower-cased BLEU nrefs:1|case:lc" in metric.signature()
