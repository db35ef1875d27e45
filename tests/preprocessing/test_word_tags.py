"""Words with a tag each: ids, answers, and what is refused."""

import numpy as np
import pytest

from gru_nlp.errors import UserError
from gru_nlp.outputs import Tagging
from gru_nlp.preprocessing.rows import Hints, RowError
from gru_nlp.preprocessing.word_tags import WordTagPreprocessor
from gru_nlp.preprocessing.words import MOST_LABELS, OVERLAP

SENTENCES = [(["Ada", "reads", "."], ["NNP", "VBZ", "."]), (["reads", "Ada", "?"], ["NNS", "NNP", "."])]


class Table:
    def __init__(self, rows):
        self.rows = rows

    def iter(self, batch_size):
        yield {"words": [words for words, _ in self.rows], "word_tags": [tags for _, tags in self.rows]}


def make(rows=SENTENCES, extra=("paris",)):
    made = WordTagPreprocessor(
        lowercase=True,
        fold_digits=True,
        min_frequency=1,
        max_word_length=8,
        max_words=OVERLAP + 8,
        recase=0.0,
        any_case=False,
    )
    made.fit(Table(rows), Hints(extra_words=extra))
    return made


def arrays(encoded):
    return {name: [np.asarray(row) for row in rows] for name, rows in encoded.items() if name != "tokens"}


def test_tags_are_names_and_any_may_follow_any():
    made = make()
    assert made.tags == made.label_names() == [".", "NNP", "NNS", "VBZ"]
    encoded = made.encode({"words": [SENTENCES[0][0]], "word_tags": [SENTENCES[0][1]]})
    assert encoded["target"] == [[1, 3, 0]]
    assert made.sizes()["allowed"].all()
    assert made.sizes()["allowed"].shape == (5, 5)
    state = make([(["a", "b"], ["X", "Y"])])
    state.load_state_dict(made.state_dict())
    assert (state.tags, state.tokens()) == (made.tags, made.tokens())


def test_a_tag_that_training_lacks_is_told_and_a_single_one_teaches_nothing():
    with pytest.raises(RowError) as told:
        make().encode({"words": [["a"], ["b", "c"], ["d"]], "word_tags": [["."], ["NNPS", "X"], ["NNPS"]]})
    assert told.value.row == 1
    assert str(told.value).startswith(
        "the tag 'NNPS' does not occur in training (tags: ., NNP, NNS, VBZ); "
        "data.tag_map={NNPS: <one of them>, X: <one of them>} makes it another; did you mean 'NN"
    )
    with pytest.raises(UserError, match=r"all words of the training data have the tag 'O': see data\.columns"):
        make([(["a", "b"], ["O", "O"])])
    many = [str(number) for number in range(MOST_LABELS + 1)]
    with pytest.raises(UserError, match="has 2,001 different tags, and at most 2,000 are learned: see data"):
        make([(many, many)])  # lemmas, say, whose model nobody could load


def test_words_that_training_lacks_are_those_without_an_id_and_those_of_vectors_alone():
    made = make()
    batch = made.collate(arrays(made.encode({"words": [["ADA", "Paris", "zebra"], ["."]]})), training=False)
    assert made.unmet(batch).tolist()[0] == [False, True, True]
    assert not made.unmet(batch)[1, 0]


def outputs(made, rows, best):
    """Return what a model says that gives the words of rows these tags, and of the last one another in second place."""
    ids = {tag: place for place, tag in enumerate(made.tags)}
    width = max(map(len, rows))
    tags = np.zeros((len(rows), 2, width), np.int64)
    for row, words in enumerate(rows):
        tags[row, :, : len(words)] = [ids[best(word)] for word in words]
        tags[row, 1, len(words) - 1] = ids["NNS"]
    nodes = np.full((len(rows), 2, width), np.log(0.9))
    scores = np.log(np.array([[0.75, 0.25]] * len(rows)))
    return Tagging(tags, scores, nodes, nodes, np.array([len(words) for words in rows]))


def test_texts_come_back_as_words_with_their_tags_and_paths_over_all_sentences():
    made = make()
    given = ["Ada reads. Ada  reads?", ["Ada", "New York"], "Ada " * 90]
    rows, owners = made.cut(given)
    said = outputs(made, rows["words"], lambda word: {"Ada": "NNP", "reads": "VBZ"}.get(word, "."))
    alone = made.join(given, owners, made.decode(said))
    assert [(one["text"], one["tag"]) for one in alone[0]["tagged"]] == [
        *(("Ada", "NNP"), ("reads", "VBZ"), (".", ".")),
        *(("Ada", "NNP"), ("reads", "VBZ"), ("?", ".")),
    ]
    assert all(given[0][one["start"] : one["end"]] == one["text"] for one in alone[0]["tagged"])
    assert alone[0]["tagged"][0]["score"] == pytest.approx(0.9)
    assert [(one["start"], one["text"]) for one in alone[1]["tagged"]] == [(0, "Ada"), (4, "New York")]
    assert [one["tag"] for one in alone[2]["tagged"]] == ["NNP"] * 90  # over several windows
    ranked = made.join(given, owners, made.decode(said, top_k=2))
    assert [path["score"] for path in ranked[0]["paths"]] == pytest.approx([0.75**2, 0.75 * 0.25])
    assert ranked[0]["paths"][0]["tags"] == ["NNP", "VBZ", "."] * 2
    assert ranked[0]["paths"][1]["tags"].count("NNS") == 1
    assert all(len(path["tags"]) == len(record["tagged"]) for record in ranked for path in record["paths"])
    assert [{**one, "paths": other["paths"]} for one, other in zip(alone, ranked, strict=True)] == ranked


def test_paths_of_a_long_sentence_keep_probabilities_that_single_precision_has_not():
    made, shape = make(), (1, 2, 3)
    nodes = np.full(shape, -0.1, np.float32)
    scores = np.array([[-150.0, -151.0]], np.float32)
    said = Tagging(np.zeros(shape, np.int64), scores, nodes, nodes, np.array([3]))
    (record,) = made.decode(said, top_k=2)
    assert [path["score"] for path in record["paths"]] == pytest.approx([np.exp(-150.0), np.exp(-151.0)], rel=1e-6)
