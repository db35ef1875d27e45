"""Word lists of a person's own, from their phrases to what the model reads, and in the checkpoint."""

import numpy as np
import pytest

from gru_nlp.errors import UserError
from gru_nlp.preprocessing.rows import Hints
from gru_nlp.preprocessing.tagging import TaggingPreprocessor
from gru_nlp.text.gazetteers import WordList

LISTS = [WordList("places", ["New York", "O'Neill's Bar"]), WordList("firms", ["york"])]


class Table:
    def iter(self, batch_size):
        yield {"words": [["in", "New", "York"]], "tags": [["O", "B-LOC", "I-LOC"]]}


def make(**options):
    chosen = {"scheme": "bioes", "lowercase": True, "fold_digits": True, "min_frequency": 1}
    return TaggingPreprocessor(**chosen | {"max_word_length": 9, "max_words": 40, **options})


def fitted(lists=LISTS, **options):
    made = make(**options)
    made.fit(Table(), Hints())
    made.use_gazetteers(lists)
    return made


def test_phrases_are_found_as_raw_text_is_cut_and_as_blanks_cut_them():
    made = fitted()
    columns, _ = made.cut(["At O'Neill's Bar in NEW YORK"])
    assert columns["words"] == [["At", "O'Neill", "'s", "Bar", "in", "NEW", "YORK"]]
    assert np.reshape(made.encode(columns)["lists"][0], (-1, 2)).T.tolist() == [[0, 1, 2, 3, 0, 1, 3], [0] * 6 + [4]]
    assert made.encode({"words": [["O'Neill's", "Bar"]]})["lists"] == [[1, 0, 3, 0]]
    cased = fitted(lowercase=False)
    assert cased.encode({"words": [["new", "york", "New", "York"]]})["lists"] == [[0, 0, 0, 4, 1, 0, 3, 0]]


def test_a_batch_holds_the_codes_of_each_word_in_each_list():
    made = fitted()
    rows = [["York"], ["in", "new", "York"]]
    for chosen in (rows, rows[:1]):
        encoded = {name: [np.asarray(row) for row in rows_] for name, rows_ in made.encode({"words": chosen}).items()}
        found = made.collate(encoded, training=False).lists
        wanted = [[[0, 4], [0, 0], [0, 0]], [[0, 0], [1, 0], [3, 4]]]
        assert found.tolist() == (wanted if len(chosen) == 2 else [[[0, 4]]])
    assert made.sizes()["num_lists"] == 2
    assert made.told() == {"gazetteers": "places (3 phrases), firms (1 phrases)"}


def test_without_lists_there_is_nothing_of_them():
    made = fitted([])
    encoded = made.encode({"words": [["York"]]})
    assert made.collate(encoded, training=False).lists is None
    assert "lists" not in encoded
    assert "num_lists" not in made.sizes()
    assert "gazetteers" not in made.state_dict()
    assert made.told() == {}


def test_lists_travel_with_what_was_learned_and_change_what_is_cached():
    made, again = fitted(), make()
    again.load_state_dict(made.state_dict())
    words = {"words": [["in", "New", "York"]]}
    assert again.encode(words) == made.encode(words)
    assert again.list_columns == made.list_columns
    assert again.fingerprint() == made.fingerprint()
    for other in ([LISTS[0], WordList("firms", ["yorks"])], []):
        assert fitted(other).fingerprint() != made.fingerprint()
    odd = fitted([WordList("odd", ["a\x1cb", "\u200b", "x" * 200, "." * 200])])  # a blank to Python, and none to Rust
    make().load_state_dict(odd.state_dict())
    assert odd.encode({"words": [["a", "b"]]})["lists"] == [[1, 3]]
    with pytest.raises(UserError, match="see 'gazetteers' of its preprocessing"):
        make().load_state_dict(made.state_dict() | {"gazetteers": [{"name": "a", "phrases": [1]}]})


def test_a_sentence_in_another_case_is_marked_as_it_is_then_written():
    made = fitted(lowercase=False, recase=0.5)
    rows = [["in", "New", "York"]] * 40
    encoded = made.encode({"words": rows, "tags": [["O", "B-LOC", "I-LOC"]] * 40})
    batch = made.collate({**encoded, "words": rows}, training=True)
    pairs = zip(batch.shapes[:, 1].tolist(), batch.lists[:, 1].tolist(), strict=True)
    assert {(shape, *codes) for shape, codes in pairs} == {(1, 0, 0), (2, 0, 0), (3, 1, 0)}
