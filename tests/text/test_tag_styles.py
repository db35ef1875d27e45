"""Tags as people write them, and what of it can only mean one thing."""

from collections import Counter

import pytest

from gru_nlp.text import tag_styles
from gru_nlp.text.tag_styles import OddTag, read


def reading(tags, **given):
    return read(Counter(tags.split()), {name.replace("__", "-"): value for name, value in given.items()})


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("O B-PER I-PER", "O B-PER I-PER"),
        ("B_PER I_PER O B_drug_S", "B-PER I-PER O B-drug_S"),
        ("b-per i-per o", "B-per I-per O"),
        ("B:PER U:PER O", "B-PER U-PER O"),
        ("PER-B PER-I LOC-B O", "B-PER I-PER B-LOC O"),
        ("PER_S GEO_POL_B GEO_POL_E O", "S-PER B-GEO_POL E-GEO_POL O"),
        ("B I O", "B-ENT I-ENT O"),
        ("B O", "B-ENT O"),
        ("b i e s o", "B-ENT I-ENT E-ENT S-ENT O"),
        ("PER LOC O", "I-PER I-LOC O"),
        ("O e-mail phone", "O I-e-mail I-phone"),
        ("O S M L XL", "O I-S I-M I-L I-XL"),
        ("O MOUSE LOUSE", "O I-MOUSE I-LOUSE"),
        ("O", "O"),
    ],
)
def test_a_style_that_all_tags_share_is_read(tags, expected):
    found = reading(tags)
    assert [found.tags[tag] for tag in tags.split()] == expected.split()
    assert found.labels == {}
    assert found.unused == []


@pytest.mark.parametrize(
    ("tags", "odd", "reason"),
    [
        ("O B-PER PER", "PER", "is no tag like O, B-PER or I-LOC"),
        ("O B-PER B-LOC I_PER", "I_PER", "is no tag like O, B-PER or I-LOC"),
        ("O B_PER B_LOC PER", "PER", "is no tag like 'B_PER', as others of the file are"),
        ("O B_PER B_LOC i_PER", "i_PER", "is no tag like 'B_PER'"),
        ("O B_PER B_LOC PER-B", "PER-B", "is no tag like 'B_PER'"),
        ("O B I b", "b", "is no tag like 'B'"),
        ("O PER b-cell LOC", "b-cell", "is no tag like 'PER'"),
        ("O per-b per-i", "per-b", "may be a type, or tell the place of its word in an entity"),
        ("O B_x_I I_y_B", "B_x_I", "may be a type, or tell the place"),
        ("O BPER IPER", "BPER", "may be a type, or tell the place"),
        ("O S E", "S", "may be a type, or tell the place"),
        ("PER LOC", "PER", "is no tag like O, B-PER or I-LOC"),
        ("O NN", "NN", "is no tag like O, B-PER or I-LOC"),
        ("O x VBZ", "VBZ", "is no tag like O, B-PER or I-LOC"),
        ("O _", "_", "is no tag like O, B-PER or I-LOC"),
        ("O B- PER", "B-", "is no tag like 'PER'"),
        ("O o PER", "o", "is no tag like 'PER'"),
        ("O 1 2", "1", "is a number and no tag"),
        ("O B-PER 1", "1", "is a number and no tag"),
        (" ".join(["O", *(f"word{n}" for n in range(201))]), "word0", "is no tag like O, B-PER or I-LOC"),
    ],
)
def test_what_can_mean_several_things_is_refused(tags, odd, reason):
    with pytest.raises(OddTag) as caught:
        reading(tags)
    assert caught.value.tag == odd
    assert reason in str(caught.value)


def test_a_map_says_what_whole_tags_are():
    assert reading("0 1 2", **{"0": "O", "1": "B-PER", "2": "I-PER"}).tags == {"0": "O", "1": "B-PER", "2": "I-PER"}
    mixed = reading("O B_PER I_PER PER NONE", PER="B-PER", NONE="O")
    assert mixed.tags == {"O": "O", "B_PER": "B-PER", "I_PER": "I-PER", "PER": "B-PER", "NONE": "O"}
    assert reading("NONE PER", NONE="O").tags == {"NONE": "O", "PER": "I-PER"}
    assert reading("O b-cell t-cell", b__cell="bcell").labels == {"b-cell": "bcell"}


def test_a_map_says_what_types_are_called_and_which_are_none():
    found = reading("B-PERSON I-PERSON B-MISC O", PERSON="PER", MISC="O", GPE="LOC")
    assert found.unused == ["GPE"]
    assert found.entities(["B-PERSON", "I-PERSON", "B-MISC", "O"]) == [(0, 2, "PER")]
    assert reading("B I O", ENT="PER").entities(["B-ENT", "O"]) == [(0, 1, "PER")]
    # Neighbours of two types stay two entities where both get one name.
    assert reading("CITY LAND O", CITY="LOC", LAND="LOC").entities(["I-CITY", "I-LAND"]) == [
        (0, 1, "LOC"),
        (1, 2, "LOC"),
    ]


@pytest.mark.parametrize(
    ("tags", "given", "odd", "reason"),
    [
        ("O PER LOC", {"PER": "B-PER"}, "LOC", "has only a type where other tags tell places too"),
        ("O B-PER x", {"x": "PER"}, "x", "has only a type where other tags tell places too"),
        ("O B-MISC", {"MISC": "B-LOC"}, "B-MISC", "is of the type 'MISC', which data.tag_map can only make another"),
        ("0 1 2", {"0": "O", "1": "B-PER"}, "2", "is a number and no tag"),
    ],
)
def test_a_map_that_does_not_fit_is_refused(tags, given, odd, reason):
    with pytest.raises(OddTag) as caught:
        read(Counter(tags.split()), given)
    assert caught.value.tag == odd
    assert reason in str(caught.value)


def test_what_tags_can_stand_for():
    assert [text for text in ("O", "B-PER", "U-x", "PER", "geo_pol") if not tag_styles.is_meaning(text)] == []
    assert [
        text for text in ("", "B_PER", "PER-B", "B", "1", "a b", "-", "b-per", "o") if tag_styles.is_meaning(text)
    ] == []
