import itertools
import random

import pytest
from seqeval.metrics.sequence_labeling import get_entities
from seqeval.scheme import IOB1, IOB2, IOBES, Entities

from gru_nlp.text import schemes
from gru_nlp.text.schemes import Span

LABELS = ("PER", "LOC")


def drawn(source, length):
    """Draw entities without overlap."""
    found, place = [], 0
    while place < length:
        size = source.randint(1, 4)
        if source.random() < 0.5 and place + size <= length:
            found.append(Span(place, place + size, source.choice(LABELS)))
            place += size
        else:
            place += 1
    return found


def test_entities_of_any_tags_are_those_of_seqeval():
    source = random.Random(1)
    tags = ["O", *(f"{prefix}-{label}" for prefix in "BIES" for label in LABELS)]
    for _ in range(3000):
        drawn_tags = source.choices(tags, k=source.randint(1, 9))
        theirs = [Span(start, end + 1, label) for label, start, end in get_entities(drawn_tags)]
        assert schemes.spans(drawn_tags) == theirs, drawn_tags


@pytest.mark.parametrize("scheme", schemes.SCHEMES)
def test_every_scheme_says_the_same_entities_and_is_recognised(scheme):
    source, written = random.Random(2), []
    for _ in range(300):
        entities = drawn(source, 9)
        tags = schemes.write(entities, 9, scheme)
        assert schemes.spans(tags) == entities
        assert schemes.broken(tags, scheme) is None
        written.append(tags)
        if theirs := {"iob1": IOB1, "iob2": IOB2, "bioes": IOBES}.get(scheme):
            strict = Entities([tags], theirs).entities[0]
            assert [Span(e.start, e.end, e.tag) for e in strict] == entities
    assert schemes.guess(schemes.look(written)) == scheme


def test_bilou_is_read_as_bioes():
    tags = ["B-PER", "L-PER", "O", "U-LOC", "B-LOC", "I-LOC", "L-LOC"]
    assert schemes.spans(tags) == [Span(0, 2, "PER"), Span(3, 4, "LOC"), Span(4, 7, "LOC")]
    assert schemes.guess(schemes.look([tags])) == "bioes"
    assert schemes.broken(tags, "bioes") is None


@pytest.mark.parametrize(
    ("tags", "scheme", "place"),
    [
        (["O", "I-PER"], "iob2", 1),
        (["B-PER", "I-LOC"], "iob2", 1),
        (["B-PER"], "iob1", 0),
        (["I-PER", "B-PER"], "iob1", None),
        (["B-PER", "O"], "bioes", 0),
        (["S-PER", "E-PER"], "bioes", 1),
        (["B-PER", "M-PER", "E-PER"], "bmes", None),
    ],
)
def test_a_tag_that_breaks_its_scheme_is_found(tags, scheme, place):
    assert schemes.broken(tags, scheme) == place


@pytest.mark.parametrize("scheme", ["bioes", "iob2"])
def test_what_may_follow_is_what_whole_tag_rows_show(scheme):
    source = random.Random(3)
    seen = set()
    for _ in range(5000):
        row = ["O", *schemes.write(drawn(source, 6), 6, scheme), "O"]
        seen |= set(itertools.pairwise(row))
    tags = sorted({tag for pair in seen for tag in pair} - {"O"})
    moves = schemes.moves(scheme, ["O", *tags])
    assert (moves[0] == moves[-1]).all()  # both ends are outside
    assert (moves[:, 0] == moves[:, -1]).all()
    allowed = {
        (one, other)
        for one, row in zip(["O", *tags], moves, strict=False)
        for other, may in zip(["O", *tags], row, strict=False)
        if may
    }
    assert allowed == seen
