import json
from functools import partial

import datasets
import numpy as np
import pytest
from torch import nn

from gru_nlp.errors import UserError
from gru_nlp.narrator import Narrator
from gru_nlp.outputs import Speech
from gru_nlp.preprocessing.frames import FramePreprocessor
from gru_nlp.preprocessing.rows import Hints, RowError
from gru_nlp.preprocessing.synthesis import SynthesisPreprocessor
from gru_nlp.samples.spoken_strings import rows
from gru_nlp.text.special import EOS
from gru_nlp.text.tokenizer import character

TABLE = datasets.Dataset.from_list(rows("validation")[:16])


def made():
    tokenizer = partial(character, vocabulary_size=40, min_frequency=1, lowercase=True, normalization="nfc")
    options = {"sample_rate": 8000, "mels": 12, "window_ms": 25, "hop_ms": 10, "max_seconds": 10}
    return SynthesisPreprocessor(tokenizer=tokenizer, **options)


@pytest.fixture(scope="module")
def fitted():
    found = made()
    found.fit(TABLE, Hints())
    return found


def test_bands_have_mean_0_and_spread_1_over_training_and_come_back(fitted):
    columns = fitted.encode(TABLE[:])
    batch = fitted.collate(columns, training=True)
    real = np.arange(batch.frames.shape[1])[None] < batch.frame_lengths[:, None]
    np.testing.assert_allclose(batch.frames[real].mean(axis=0), 0.0, atol=1e-3)
    np.testing.assert_allclose(batch.frames[real].std(axis=0), 1.0, atol=1e-3)
    assert not batch.frames[~real].any()
    assert batch.inputs.shape[1] == max(len(text) for text in TABLE["text"]) + 1
    assert [fitted.speakers[index] for index in batch.speakers] == TABLE["speaker"][:]
    back = fitted.log_mels(batch.frames, batch.frame_lengths)
    for row, flat in zip(back, columns["frames"], strict=True):
        np.testing.assert_allclose(row.ravel(), flat, atol=1e-4)
    assert columns["tokens"] == [len(row) for row in back]


def test_texts_are_spoken_by_one_of_the_speakers(fitted):
    columns = fitted.utterances(["Three", " two  one"], "carl")
    assert [fitted.tokenizer.decode(ids) for ids in columns["ids"]] == ["three", "two one"]
    assert {ids[-1] for ids in columns["ids"]} == {EOS}
    batch = fitted.collate(columns, training=False)
    assert (batch.frames, batch.frame_lengths) == (None, None)
    assert [fitted.speakers[index] for index in batch.speakers] == ["carl"] * 2
    assert fitted.utterances(["one"], None)["speaker_id"] == [0]
    with pytest.raises(UserError, match=r"the speaker 'karl' does not occur in training \(speakers: ada, bert, carl"):
        fitted.utterances(["one"], "karl")
    with pytest.raises(RowError, match="the model cannot speak '5', 'ß', which training does not have") as caught:
        fitted.utterances(["one", "two ß 5"], None)
    assert caught.value.row == 1
    assert len(fitted.utterances(["one " * 250], None)["ids"]) == 1
    with pytest.raises(RowError, match="too long to be spoken at once, 1,001 characters, where 1,000 are the most"):
        fitted.utterances(["o" * 1001], None)
    with pytest.raises(UserError, match="a synthesiser answers by sound: use gru-nlp speak"):
        fitted.cut(["one"])


def test_a_speaker_that_training_lacks_is_refused_with_the_row(fitted):
    columns = {**TABLE[:2], "speaker": ["ada", "eve"]}
    with pytest.raises(RowError, match="the speaker 'eve' does not occur in training") as caught:
        fitted.encode(columns)
    assert caught.value.row == 1


def test_what_is_said_is_told_in_seconds(fitted):
    said = Speech(np.zeros((2, 30, 12)), np.array([30, 12]), np.zeros((2, 10, 4)), np.array([True, False]))
    records = fitted.decode(said)
    assert records == [{"seconds": 0.3, "ended": True}, {"seconds": 0.12, "ended": False}]
    told = [fitted.describe({**truth, **one}) for truth, one in zip(fitted.truth(TABLE[:2]), records, strict=True)]
    assert told[1] == f"{TABLE[1]['text']} ({TABLE[1]['speaker']}): 0.12 s, cut off"


def test_the_state_is_plain_and_comes_back(fitted):
    state = json.loads(json.dumps(fitted.state_dict()))
    other = made()
    other.load_state_dict(state)
    assert other.state_dict() == fitted.state_dict()
    assert other.fingerprint() == fitted.fingerprint()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("speakers", value) for value in (None, [], ["a", "a"], [1])),
        *(("mean", value) for value in (None, [0.0], [float("nan")] * 12, [1e9] * 12, ["0"] * 12, [0] * 12)),
        *(("spread", value) for value in ([0.0] * 12, [-1.0] * 12, [float("inf")] * 12)),
        *(("tokenizer", value) for value in (None, "{}", 7)),
    ],
)
def test_a_strangers_state_is_refused(fitted, name, value):
    with pytest.raises(UserError):
        made().load_state_dict({**fitted.state_dict(), name: value})


def test_nothing_else_speaks():
    with pytest.raises(UserError, match="no synthesiser, which alone speaks text: use predict or translate"):
        Narrator(FramePreprocessor(shift=0), nn.Identity())
