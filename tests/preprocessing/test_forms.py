"""What is known of the surface forms of training's entities."""

import numpy as np
import pytest

from gru_nlp.errors import UserError
from gru_nlp.preprocessing.forms import Forms, stored_forms
from gru_nlp.preprocessing.rows import Hints
from gru_nlp.preprocessing.tagging import TaggingPreprocessor
from gru_nlp.preprocessing.words import OVERLAP
from gru_nlp.text.schemes import Span

TRAINING = [
    (["Ada", "Moor", "left", "Rome"], ["B-PER", "I-PER", "O", "B-LOC"]),
    (["in", "Llanfairpwll"], ["O", "B-LOC"]),
]


class Table:
    def iter(self, batch_size):
        yield {"words": [words for words, _ in TRAINING], "tags": [tags for _, tags in TRAINING]}


def make():
    return TaggingPreprocessor(
        scheme="bioes", lowercase=True, fold_digits=True, min_frequency=1, max_word_length=8, max_words=OVERLAP + 1
    )


@pytest.mark.parametrize("again", [False, True])
def test_an_entity_is_unseen_where_no_entity_of_training_is_written_so(again):
    made = make()
    made.fit(Table(), Hints())
    if again:
        state, made = made.state_dict(), make()
        made.load_state_dict(state)
    rows = [["Ada", "Moor", "Rome", "ROME"], ["Moor", "Röme", "Llanfairpwllgwyn"], ["left"]]
    columns = made.encode({"words": rows})
    unseen = made.unseen(
        made.collate({name: [np.array(row) for row in values] for name, values in columns.items()}, training=False)
    )
    asked = [
        (0, Span(0, 2, "PER"), False),
        (0, Span(0, 2, "LOC"), False),  # of whatever type
        (0, Span(2, 3, "LOC"), False),
        (0, Span(3, 4, "LOC"), True),  # as it is written
        (0, Span(2, 4, "LOC"), True),
        (1, Span(0, 1, "PER"), True),  # a part of one
        (1, Span(1, 2, "LOC"), True),  # a letter that training lacks
        (1, Span(2, 3, "LOC"), False),  # alike in the letters that are read
        (2, Span(0, 1, "PER"), True),  # a word of training, but of no entity
    ]
    assert [unseen(row, span) for row, span, _ in asked] == [expected for _, _, expected in asked]


def test_of_an_older_checkpoint_nothing_is_known_and_a_broken_one_is_told():
    made = make()
    made.fit(Table(), Hints())
    state = made.state_dict()
    assert ["Rome"] in stored_forms(state)
    older = {name: value for name, value in state.items() if name != "forms"}
    made.load_state_dict(older)
    assert made.forms is None
    assert made.state_dict() == older
    for broken in (7, "?", "AAAA", "ÄÄ", ["Rome"]):
        with pytest.raises(UserError, match="see 'forms'"):
            made.load_state_dict({**state, "forms": broken})


def test_forms_are_kept_in_one_order():
    names = [[f"name{number}", "x"] for number in range(50)]
    assert Forms.of(names).state() == Forms.of(reversed(names)).state()
    assert ["name7 x"] in Forms.of(names)  # a blank is in no word
    assert len(Forms.of(names).hashes) == 50
