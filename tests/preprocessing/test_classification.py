import datasets
import numpy as np
import pytest

from gru_nlp.errors import UserError
from gru_nlp.outputs import Classification
from gru_nlp.preprocessing.classification import ClassificationPreprocessor, cut
from gru_nlp.preprocessing.rows import UNKNOWN, Hints
from gru_nlp.text import tokenizer as kinds
from gru_nlp.text.special import UNK

ROWS = datasets.Dataset.from_dict({"text": ["a b c", "b c d e f", "x y", "a a"], "label": ["two", "one", "two", "one"]})


def words(texts, extra_words=()):
    options = {"vocabulary_size": 100, "min_frequency": 1, "lowercase": True, "normalization": "nfc"}
    return kinds.word(texts, **options, extra_words=extra_words)


def make(tokenizer=words, hints=None, rows=ROWS, **changed):
    preprocessor = ClassificationPreprocessor(**{"max_length": 4, "truncation": "head", **changed}, tokenizer=tokenizer)
    preprocessor.fit(rows, hints or Hints())
    return preprocessor


def test_a_text_is_cut_at_the_chosen_end():
    ids = [1, 2, 3, 4, 5]
    assert cut(ids, 5, "head") == ids
    assert cut(ids, 3, "head") == [1, 2, 3]
    assert cut(ids, 3, "tail") == [3, 4, 5]
    assert cut(ids, 3, "both") == [1, 4, 5]
    assert cut(ids, 1, "both") == [5]


def test_collate_pads_and_carries_targets_where_there_are_some():
    preprocessor = make()
    encoded = preprocessor.encode({"text": ["a b", "b c d e f", "\u200b"], "label": ["one", "two", "one"]})
    assert encoded["tokens"][:2] == [2, 5]
    assert encoded["ids"][2] == [UNK]  # nothing visible is still one step
    batch = preprocessor.collate(encoded, training=True)
    assert batch.inputs.shape == (3, 4)
    assert batch.lengths.tolist() == [2, 4, 1]
    assert batch.targets.tolist() == [0, 1, 0]
    assert batch.inputs[0, 2:].tolist() == [0, 0]
    assert preprocessor.collate(preprocessor.encode({"text": ["a"]}), training=False).targets is None


def test_labels_are_sorted_or_in_the_given_order():
    assert make().label_names() == ["one", "two"]
    assert make(hints=Hints(label_order=["two", "zero", "one"])).label_names() == ["two", "one"]


def test_an_unknown_label_has_an_id_of_its_own_and_is_told_with_the_nearest():
    made = make()
    assert made.encode({"text": ["a", "b"], "label": ["one", "twoo"]})["target"] == [0, UNKNOWN]
    told = "the label 'twoo' does not occur in training (labels: one, two); did you mean 'two'?"
    assert made.unknown_label("twoo") == told


def test_one_label_only_is_refused():
    with pytest.raises(UserError, match=r"one label only \('one'\)"):
        make(rows=ROWS.select([1, 3]))


def test_decode_ranks_labels():
    outputs = Classification(np.array([[0.25, 0.75]], np.float32))
    record = make().decode(outputs, top_k=5)[0]
    assert record == {"label": "two", "score": 0.75, "top": [["two", 0.75], ["one", 0.25]]}
    assert "top" not in make().decode(outputs)[0]


def test_state_comes_back_whole_and_changes_the_fingerprint():
    first, other = make(), make(hints=Hints(extra_words=["zebra"]))
    again = ClassificationPreprocessor(tokenizer=words, max_length=4, truncation="head")
    again.load_state_dict(first.state_dict())
    assert again.fingerprint() == first.fingerprint() != other.fingerprint()
    assert again.encode({"text": ["a f"]}) == first.encode({"text": ["a f"]})
    assert other.sizes()["vocabulary_size"] == first.sizes()["vocabulary_size"] + 1


def test_extra_words_need_a_tokenizer_of_words():
    def pieces(texts):
        return kinds.unigram(texts, vocabulary_size=20, lowercase=True, normalization="nfc")

    with pytest.raises(UserError, match="embedding.extra_words needs whole words"):
        make(tokenizer=pieces, hints=Hints(extra_words=["zebra"]))
