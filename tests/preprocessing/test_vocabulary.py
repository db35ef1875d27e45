"""The case of words: drawn at random in training, and passed over where a word is unknown as it is written."""

import numpy as np
import pytest

from gru_nlp.errors import UserError
from gru_nlp.preprocessing.rows import Hints
from gru_nlp.preprocessing.tagging import TaggingPreprocessor
from gru_nlp.preprocessing.vocabulary import recased

ROWS = [["Ada", "left", "Straße", str(number)] for number in range(40)]


class Table:
    def iter(self, batch_size):
        yield {"words": [*ROWS, ["us", "US", "US"]], "tags": [["B-PER", "O", "O", "O"]] * 40 + [["O"] * 3]}


def make(**options):
    chosen = {"scheme": "bioes", "lowercase": True, "fold_digits": True, "min_frequency": 1}
    return TaggingPreprocessor(**chosen | {"max_word_length": 9, "max_words": 40, **options})


def fitted(**options):
    made = make(**options)
    made.fit(Table(), Hints())
    return made


def batch(made, rows, training):
    encoded = made.encode({"words": rows, "tags": [["B-PER", "O", "O", "O"]] * len(rows)})
    return made.collate({**encoded, "words": rows}, training)


def content(found):
    """Return all that is told of each word, and the tags."""
    letters = found.characters[found.places]
    return [part.tolist() for part in (found.inputs, found.shapes, letters, found.targets)]


@pytest.mark.parametrize("lowercase", [True, False])
def test_sentences_in_another_case_are_read_as_if_they_had_been_written_so(lowercase):
    made = fitted(recase=0.5, lowercase=lowercase)
    chosen = recased(ROWS, 0.5)
    as_written = [chosen.get(row, words) for row, words in enumerate(ROWS)]
    assert content(batch(made, ROWS, training=True)) == content(batch(made, as_written, training=False))
    assert content(batch(made, ROWS, training=False)) != content(batch(made, ROWS, training=True))
    assert {words[0] for words in as_written} == {"Ada", "ada", "ADA"}
    assert "STRASSE" in {words[2] for words in as_written}


def test_the_draw_follows_from_the_batch_alone_and_has_the_share_that_was_asked_for():
    assert recased(ROWS, 0.5) == recased(ROWS, 0.5) != recased(ROWS[::-1], 0.5)
    many = [[f"Word{number}"] for number in range(4000)]
    drawn = recased(many, 0.3).values()
    small = sum(words[0].islower() for words in drawn)
    assert (len(drawn) / 4000, small / 4000) == (pytest.approx(0.3, abs=0.03), pytest.approx(0.15, abs=0.02))
    assert recased([], 0.5) == {}


def test_letters_are_learned_in_the_cases_that_training_meets():
    assert not set("TRFH") & set(fitted().vocabulary.letters)
    assert set("LEFTADR") <= set(fitted(recase=0.1).vocabulary.letters)
    assert fitted(recase=0.1).raw_columns == ("words",)
    assert fitted().raw_columns == ()


def test_a_word_unknown_as_it_is_written_is_looked_up_in_another_case():
    made = fitted(lowercase=False, any_case=True)
    names = made.tokens()
    known = [names[index] for index in made.encode({"words": [["ADA", "LEFT", "us", "Us", "<PAD>", "x"]]})["ids"][0]]
    assert known == ["Ada", "left", "us", "US", "<unk>", "<unk>"]  # of several the most frequent one
    again = make(lowercase=False, any_case=True)
    again.load_state_dict(made.state_dict())
    assert again.encode({"words": [["ADA", "Us"]]}) == made.encode({"words": [["ADA", "Us"]]})
    strict = fitted(lowercase=False)
    assert strict.encode({"words": [["ADA"]]})["ids"] == [[1]]
    assert strict.fingerprint() != made.fingerprint()
    with pytest.raises(UserError, match="any_case=true has no effect with lowercase"):
        fitted(any_case=True)


def test_ids_come_from_the_mapped_columns_too():
    made = fitted(recase=0.9)
    encoded = made.encode({"words": ROWS, "tags": [["B-PER", "O", "O", "O"]] * len(ROWS)})
    mapped = {name: [np.asarray(row, np.int32) for row in rows] for name, rows in encoded.items() if name != "tokens"}
    drawn = made.collate({**mapped, "tokens": np.array(encoded["tokens"]), "words": ROWS}, training=True)
    assert content(drawn) == content(batch(made, ROWS, training=True))


def test_sentences_of_rare_types_are_read_more_often():
    tags = [["B-A", "O"]] * 90 + [["B-A", "B-R"]] * 1 + [["I-R", "O"]] * 3 + [["O", "O"]] * 6
    made = make(oversample=0.16)
    made.labels, made.tags = ["A", "R"], ["O", "B-A", "I-A", "B-R", "I-R"]
    ids = [[made.tags.index(tag) for tag in row] for row in tags]
    flat = {"target": (np.repeat(np.arange(100), 2), np.concatenate(ids))}
    repeats = made.repeats(flat.__getitem__, 100)  # R is in 4 of 100 sentences: 2 = (0.16 / 0.04) ** 0.5
    assert repeats.tolist() == [1.0] * 90 + [2.0] * 4 + [1.0] * 6
    assert make().repeats(flat.__getitem__, 100) is None
