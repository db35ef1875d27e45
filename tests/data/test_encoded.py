import datasets
import numpy as np
import pytest

from gru_nlp.data.encoded import encode, encode_split
from gru_nlp.errors import UserError
from gru_nlp.preprocessing.classification import ClassificationPreprocessor
from gru_nlp.preprocessing.rows import Hints
from gru_nlp.text import tokenizer as kinds


def fitted(rows, max_length=6):
    def words(texts):
        return kinds.word(texts, vocabulary_size=100, min_frequency=1, lowercase=True, normalization="nfc")

    preprocessor = ClassificationPreprocessor(tokenizer=words, max_length=max_length, truncation="head")
    preprocessor.fit(rows, Hints())
    return preprocessor


def table(count=2500):
    texts = [" ".join(["w"] * (1 + i % 9)) + f" {i % 50}" for i in range(count)]
    return datasets.Dataset.from_dict(
        {"text": texts, "label": ["ab"[i % 2] for i in range(count)], "line": range(count)}
    )


def test_rows_taken_in_any_order_are_those_that_encode_gives():
    rows = table()
    preprocessor = fitted(rows)
    split = encode(rows, preprocessor)
    whole = preprocessor.encode({"text": rows["text"], "label": rows["label"]})
    chosen = np.random.default_rng(1).permutation(len(rows))[:300]
    columns = split.__getitems__(chosen.tolist())
    assert [ids.tolist() for ids in columns["ids"]] == [whole["ids"][row] for row in chosen]
    assert columns["target"].tolist() == [whole["target"][row] for row in chosen]
    assert columns["ids"][0].dtype == np.int32
    assert split.lengths.max() == 6


def test_rows_chosen_from_a_table_are_encoded_in_their_new_order():
    rows = table()
    preprocessor = fitted(rows)
    part = rows.select([7, 3, 2000])
    columns = encode(part, preprocessor).__getitems__([0, 1, 2])
    assert [ids.tolist() for ids in columns["ids"]] == preprocessor.encode({"text": part["text"]})["ids"]


def test_the_cache_follows_the_preprocessor(tmp_path):
    rows = table(40)
    rows.to_parquet(tmp_path / "t.parquet")
    cached = datasets.load_dataset("parquet", data_files=str(tmp_path / "t.parquet"), split="train", cache_dir="cache")
    assert encode(cached, fitted(rows, 6)).lengths.max() == 6
    assert encode(cached, fitted(rows, 3)).lengths.max() == 3
    assert encode(cached, fitted(rows, 6)).lengths.max() == 6


def test_an_unknown_label_is_located():
    rows = table(1500)
    preprocessor = fitted(rows)
    wrong = datasets.concatenate_datasets(
        [rows, datasets.Dataset.from_dict({"text": ["x"], "label": ["c"], "line": [77]})]
    )
    with pytest.raises(UserError, match="line 77 there: the label 'c' does not occur"):
        encode_split(wrong, preprocessor, lambda line: f"line {line} there")
