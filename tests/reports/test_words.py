"""Which words spoke for an answer: a model of a few rules says what each is worth."""

import pytest

from gru_nlp.reports.words import MOST_PARTS, lead, parts_of, spoken, without


def leads(texts):
    """Praise counts one, and the other way round after a "not"; one word of praise is enough."""
    found = []
    for text in texts:
        words = text.split()
        praise = min(sum(word in ("great", "good") for word in words), 1)
        found.append(-3.0 * praise if "not" in words else float(praise))
    return found


def named(text, found):
    return [text[slice(*found.parts[place])] for place in found.most]


def test_a_word_weighs_what_is_lost_without_it():
    found = spoken("the cast is great", leads)
    assert found.weights == [0.0, 0.0, 0.0, 1.0]
    assert named("the cast is great", found)[0] == "great"
    assert spoken("not great", leads).weights == [-4.0, -3.0]


def test_words_that_speak_together_are_found_one_after_the_other():
    found = spoken("good and great", leads)
    assert found.weights == [0.0] * 3  # each of the two is enough
    assert leads([without("good and great", found.parts, found.most)]) == [0.0]


def test_the_second_word_is_sought_after_the_first_is_gone():
    worth = {"a": 3.0, "b": 2.0, "c": 2.0, "d": 1.0}

    def of(texts):
        # What b says, c says again.
        sets = [set(text.split()) for text in texts]
        return [
            sum(worth[word] for word in words - {"b", "c"})
            + (2.5 if words & {"b", "c"} else 0.0)
            + 0.1 * ("b" in words)
            for words in sets
        ]

    found = spoken("a b c d", of)
    assert named("a b c d", found)[:2] == ["a", "d"]
    assert [round(weight, 6) for weight in found.weights] == [3.0, 0.1, 0.0, 1.0]


@pytest.mark.parametrize("text", ["one", "Don't, please!", "我喜欢这部电影", "  gaps   stay  "])
def test_parts_are_words_and_leave_the_rest_as_it_was(text):
    parts = parts_of(text)
    assert without(text, parts, []) == text
    assert without(text, parts, range(len(parts))).strip() == ""
    assert all(text[start:end].strip() for start, end in parts)
    assert len(parts) == {"one": 1, "Don't, please!": 5, "我喜欢这部电影": 7}.get(text, 2)


def test_a_long_text_is_left_out_in_parts_of_several_words():
    text = "word " * (3 * MOST_PARTS + 1)
    parts = parts_of(text)
    assert len(parts) == 97
    assert parts[0] == (0, 19)
    assert without(text, parts, range(len(parts))).strip() == ""


def test_a_lead_is_finite():
    assert lead({"a": 0.5, "b": 0.25, "c": 0.25}, "a") == pytest.approx(0.6931, abs=1e-4)
    assert lead({"a": 1.0, "b": 0.0}, "a") == -lead({"a": 0.0, "b": 1.0}, "a") < 100
    assert lead({"a": 1.0}, "b") == pytest.approx(-87.5, abs=0.1)
