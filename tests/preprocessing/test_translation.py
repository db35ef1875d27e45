import pickle

import datasets
import numpy as np
import pytest

from gru_nlp.console import begin
from gru_nlp.errors import UserError
from gru_nlp.outputs import Hypotheses
from gru_nlp.preprocessing.rows import Hints
from gru_nlp.preprocessing.translation import TranslationPreprocessor
from gru_nlp.text import tokenizer as kinds
from gru_nlp.text.special import EOS

SOURCE = ["the old dogs run through the park", "old cats sleep", "the park sleeps 😀"]
TARGET = ["die alten Hunde laufen durch den Park", "alte Katzen schlafen", "der Park schläft 😀"]
ROWS = datasets.Dataset.from_dict({"source": SOURCE, "target": TARGET})
COMMON = {"vocabulary_size": 120, "min_frequency": 1, "lowercase": False, "normalization": "nfc"}
COLUMNS = {"source": SOURCE, "target": TARGET}


def bpe(texts):
    return kinds.bpe(texts, **COMMON)


def word(texts):
    return kinds.word(texts, **COMMON)


def make(tokenizer=bpe, joint=True, max_length=50, bpe_dropout=0.0):
    preprocessor = TranslationPreprocessor(
        tokenizer=tokenizer, joint=joint, max_length=max_length, bpe_dropout=bpe_dropout
    )
    preprocessor.fit(ROWS, Hints())
    return preprocessor


@pytest.mark.parametrize("joint", [True, False])
def test_sentences_end_with_a_mark_and_come_back_whole(joint):
    preprocessor = make(joint=joint)
    encoded = preprocessor.encode(COLUMNS)
    assert all(ids[-1] == EOS for ids in encoded["ids"] + encoded["target_ids"])
    batch = preprocessor.collate({**encoded, **COLUMNS}, training=False)
    assert batch.references == TARGET
    lengths = batch.target_lengths[:, None] - 1
    found = Hypotheses(batch.targets[:, None], lengths, np.zeros((3, 1)))
    assert [record["translation"] for record in preprocessor.decode(found)] == TARGET
    sizes = preprocessor.sizes()
    assert (sizes["source_vocabulary_size"] == sizes["target_vocabulary_size"]) == joint


def test_it_is_told_how_many_targets_do_not_come_back(capsys):
    begin()
    make(tokenizer=lambda texts: kinds.bpe(texts, **COMMON | {"lowercase": True}))
    assert "cannot give back 3 of the 3 training targets as they are: it changes " in capsys.readouterr().err
    preprocessor = make()
    assert not capsys.readouterr().err
    assert preprocessor.encode({"source": ["the ｏｌｄ dogs"]}) == preprocessor.encode({"source": ["the old dogs"]})


def test_state_comes_back_whole():
    for joint in (True, False):
        first = make(joint=joint)
        again = TranslationPreprocessor(tokenizer=bpe, joint=joint, max_length=50, bpe_dropout=0.0)
        again.load_state_dict(first.state_dict())
        assert again.fingerprint() == first.fingerprint()
        assert again.encode(COLUMNS) == first.encode(COLUMNS)
        assert again.single
        state = {name: value for name, value in first.state_dict().items() if name != "single"}
        again.load_state_dict(state)  # as of an older checkpoint
        assert not again.single
        with pytest.raises(UserError, match="see 'single'"):
            again.load_state_dict({**state, "single": 1})


def test_bpe_dropout_draws_other_pieces_in_training_alone():
    preprocessor = make(bpe_dropout=0.5)
    drawn = set()
    texts = {"source": [SOURCE[0], "cats"], "target": [SOURCE[0], "Katzen"]}
    for number in range(10):
        columns = {**preprocessor.encode(texts), **texts, "draws": [number, 99]}
        batch = preprocessor.collate(columns, training=True)
        rows = zip((batch.inputs, batch.targets), (batch.lengths, batch.target_lengths), strict=True)
        same = [array[0, : lengths[0]].tolist() for array, lengths in rows]
        assert all(preprocessor.source.decode(ids) == SOURCE[0] and ids[-1] == EOS for ids in same)
        drawn |= set(map(tuple, same))
        plain = preprocessor.collate(columns, training=False)
        assert plain.inputs[0, : plain.lengths[0]].tolist() == columns["ids"][0]
    assert len(drawn) > 15  # both sides draw for themselves
    with pytest.raises(UserError, match="bpe_dropout needs tokenizer=bpe"):
        make(tokenizer=word, bpe_dropout=0.1)


@pytest.mark.parametrize("joint", [True, False])
def test_a_draw_depends_on_its_number_alone(joint):
    first = make(joint=joint, bpe_dropout=0.5)
    columns = {**first.encode(COLUMNS), **COLUMNS, "draws": [7, 2**64 - 1, 5][: len(SOURCE)]}
    batch = first.collate(columns, training=True)
    worker = pickle.loads(pickle.dumps(first))
    fresh = TranslationPreprocessor(tokenizer=bpe, joint=joint, max_length=50, bpe_dropout=0.5)
    fresh.load_state_dict(first.state_dict())
    for other in (first, worker, fresh):
        again = other.collate(columns, training=True)
        assert np.array_equal(again.inputs, batch.inputs)
        assert np.array_equal(again.targets, batch.targets)
        assert np.array_equal(other.drawn_sizes(columns), np.maximum(batch.lengths, batch.target_lengths))
        last = {name: values[-1:] for name, values in columns.items()}
        alone = other.collate(last, training=True)
        assert alone.inputs[0].tolist() == batch.inputs[-1, : alone.lengths[0]].tolist()
        assert alone.lengths[0] == batch.lengths[-1]


def test_long_sentences_are_cut_before_the_mark_and_new_text_has_no_target():
    preprocessor = make(max_length=3)
    encoded = preprocessor.encode({"source": SOURCE})
    assert [len(ids) for ids in encoded["ids"]] == [4, 4, 4]
    assert max(encoded["tokens"]) > 4
    batch = preprocessor.collate(encoded, training=False)
    assert batch.targets is None
    assert batch.references is None


def test_hypotheses_that_were_not_found_are_left_out_of_the_n_best():
    preprocessor = make()
    ids = preprocessor.encode(COLUMNS)["target_ids"][1][:-1]
    tokens = np.array([[ids, ids]])
    found = Hypotheses(tokens, np.array([[len(ids), 0]]), np.array([[-1.0, float("-inf")]]))
    assert preprocessor.decode(found, top_k=2) == [
        {"translation": TARGET[1], "score": -1.0, "n_best": [[TARGET[1], -1.0]]}
    ]


def test_a_short_list_is_learned_stored_and_gives_each_sentence_its_candidates():
    with pytest.raises(UserError, match=r"train with preprocessing\.shortlist=50"):
        make().use_shortlist()
    options = {"tokenizer": word, "joint": False, "max_length": 50, "bpe_dropout": 0.0}
    with pytest.raises(UserError, match=r"preprocessing\.shortlist=-1 must lie between 0 and 1,000"):
        TranslationPreprocessor(**options, shortlist=-1)
    first, again = TranslationPreprocessor(**options, shortlist=3), TranslationPreprocessor(**options)
    first.fit(ROWS, Hints())
    again.load_state_dict(pickle.loads(pickle.dumps(first.state_dict())))
    assert again.lexicon == first.lexicon
    columns = {**first.encode({"source": SOURCE}), "source": SOURCE}
    assert first.collate(columns, training=False).candidates is None
    again.use_shortlist()
    batch = again.collate(columns, training=False)
    assert batch.candidates.shape[0] == len(SOURCE)
    assert {0, 1, 2, 3} <= set(batch.candidates[1].tolist())
    assert batch.rows(1, 2).candidates.tolist() == batch.candidates[1:2].tolist()


@pytest.mark.parametrize("broken", [None, {}, {"each": [], "always": [0, 1, 2, 3]}, {"each": 1, "always": 2}])
def test_a_broken_short_list_is_refused(broken):
    preprocessor = make()
    with pytest.raises(UserError, match="see 'shortlist'"):
        make().load_state_dict({**preprocessor.state_dict(), "shortlist": broken})
