"""Streams of text: every token once, in order, whatever the columns."""

from types import SimpleNamespace

import numpy as np
import pytest

from gru_nlp.data.batching import Plan
from gru_nlp.data.streams import COLUMNS, streamed
from gru_nlp.errors import UserError
from gru_nlp.preprocessing.language_model import LanguageModelPreprocessor
from gru_nlp.text.special import EOS


class Ids:
    def __init__(self, ids):
        self.ids = ids

    def flat(self):
        return None, self.ids


def split(number, documents=()):
    ids = np.arange(4, number + 4, dtype=np.int32)
    if documents:  # each row is a document that ends with an end mark
        ids[np.cumsum(documents) - 1] = EOS
        rows = {"starts": np.ones(len(documents), dtype=np.int32)}
        rows |= {name: np.array(documents) for name in ("characters", "bytes", "words")}
        return SimpleNamespace(lists={"ids": Ids(ids)}, scalars=rows, lengths=np.array(documents))
    sizes = {"starts": np.array([0])} | {
        name: np.array([number, size]) for size, name in enumerate(("characters", "bytes", "words"))
    }
    return SimpleNamespace(lists={"ids": Ids(ids)}, scalars=sizes, lengths=np.array([number]))


def read(stream, order):
    return [stream.__getitems__(place) for place in order]


def plan(batch_size=4, **given):
    return Plan(batch_size, None, seed=1, **given)


LENGTH = LanguageModelPreprocessor(tokenizer=None, sequence_length=8)
BACKWARD = LanguageModelPreprocessor(tokenizer=None, sequence_length=8, direction="backward")


@pytest.mark.parametrize("number", [1, 31, 500, 513, 4100])
@pytest.mark.parametrize(("name", "columns"), [("test", 1), ("validation", COLUMNS)])
def test_scores_see_every_token_once_with_the_one_before_it(number, name, columns):
    stream, order = streamed(split(number), LENGTH, plan(), name)
    batches = read(stream, order)
    assert len(batches) == len(order)
    assert stream.columns <= columns
    ids = [np.concatenate([batch["ids"][row] for batch in batches]) for row in range(stream.columns)]
    assert np.concatenate(ids).tolist() == list(range(4, number + 4))
    for batch in batches:
        for row, before in zip(batch["ids"], batch["before"], strict=True):
            assert len(row) == 0 or before == (row[0] - 1 if row[0] > 4 else EOS)
    own = list(range(stream.columns))
    assert [batch["sources"] for batch in batches] == [[-1] * len(own)] + [own] * (len(batches) - 1)
    assert sum(batch["characters"].sum() for batch in batches) == number
    assert sum(batch["words"].sum() for batch in batches) == number + 2


def test_the_test_split_does_not_depend_on_the_batch_size():
    one, other = (streamed(split(300), LENGTH, plan(size), "test") for size in (1, 64))
    assert list(one[1]) == list(other[1])
    assert one[0].columns == other[0].columns == 1


def test_training_reads_columns_that_go_on_and_change_with_the_epoch():
    stream, order = streamed(split(1000), LENGTH, plan(shuffle=True), "train")
    seen = []
    for epoch in (0, 1, 0):
        order.set_epoch(epoch)
        batches = read(stream, order)
        assert len(batches) == len(order)
        rows = [np.concatenate([batch["ids"][row] for batch in batches]) for row in range(4)]
        assert all((np.diff(row) == 1).all() for row in rows)
        assert {len(row) for row in rows} == {stream.width}
        assert all(batch["before"][row] == batch["ids"][row][0] - 1 for batch in batches[1:] for row in range(4))
        assert {len({len(row) for row in batch["ids"]}) for batch in batches} == {1}
        seen.append([len(batch["ids"][0]) for batch in batches] + [int(rows[0][0])])
    assert seen[0] == seen[2] != seen[1]
    assert 4 <= min(seen[0][:-2]) <= max(seen[0][:-2]) <= 12
    assert stream.width * 4 >= 1000 - 8 - 4


def test_a_stream_that_is_read_backwards_is_the_other_one_turned_round():
    stream, order = streamed(split(50), BACKWARD, plan(), "test")
    batches = read(stream, order)
    assert np.concatenate([batch["ids"][0] for batch in batches]).tolist() == list(range(53, 3, -1))
    assert batches[0]["before"] == [EOS]
    assert sum(batch["characters"].sum() for batch in batches) == 50


def test_a_short_text_has_fewer_columns():
    assert streamed(split(70), LENGTH, plan(shuffle=True), "train")[0].columns == 2
    assert streamed(split(1), LENGTH, plan(shuffle=True), "train")[0].columns == 1


@pytest.mark.parametrize(("number", "columns"), [(3000, 12), (300, 9), (40, 1)])
def test_processes_train_on_the_columns_of_one_stream(number, columns):
    parts = [streamed(split(number), LENGTH, plan(shuffle=True, rank=rank, world_size=3), "train") for rank in range(3)]
    batches = [read(*part) for part in parts]
    assert {part[0].columns for part in parts} == {columns}
    assert len({len(part) for part in batches}) == 1
    firsts = [row[0] for part in batches for row in part[0]["ids"]]
    assert len(set(firsts)) == columns
    assert all(1 <= len(part[0]["ids"]) <= 4 for part in batches)
    assert sum(batch["characters"].sum() for batch in batches[0]) == number


@pytest.mark.parametrize("name", ["test", "validation"])
def test_one_process_scores_a_stream_while_the_others_wait(name):
    alone, *parts = (
        read(*streamed(split(5000), LENGTH, plan(rank=rank, world_size=size), name))
        for rank, size in ((0, 1), (0, 2), (1, 2))
    )
    assert len(alone) == len(parts[0]) == len(parts[1]) > 1
    for one, other in zip(alone, parts[0], strict=True):
        assert np.concatenate(one["ids"]).tolist() == np.concatenate(other["ids"]).tolist()
    assert parts[1] == [{}] * len(alone)


def test_what_a_stream_cannot_do_is_refused():
    with pytest.raises(UserError, match="batch_tokens has no effect"):
        streamed(split(9), LENGTH, plan()._replace(batch_tokens=9), "train")


def joined(batches):
    """Return what is read from a start of its own, each with what stands before its first token."""
    done, going_on = [], []
    for batch in batches:
        rows = []
        for ids, before, source in zip(batch["ids"], batch["before"], batch["sources"], strict=True):
            if source < 0:
                rows.append((before, list(ids)))
                done.append(rows[-1])
            else:
                going_on[source][1].extend(ids)
                rows.append(going_on[source])
        going_on = rows
    return done


DOCUMENTS = [3, 1, 40, 2, 2, 1500, 7, 60]


@pytest.mark.parametrize("preprocessor", [LENGTH, BACKWARD])
def test_each_document_is_scored_from_its_own_start(preprocessor):
    stream, order = streamed(split(sum(DOCUMENTS), DOCUMENTS), preprocessor, plan(), "test")
    batches = read(stream, order)
    found = sorted(joined(batches), key=len)
    assert stream.columns == 1
    assert sorted(len(ids) for _, ids in found) == sorted(DOCUMENTS)
    assert {before for before, _ in found} == {EOS}
    assert all(ids[-1] == EOS and EOS not in ids[:-1] for _, ids in found)
    assert all(abs(np.diff(ids[:-1])).tolist() == [1] * (len(ids) - 2) for _, ids in found if len(ids) > 1)
    assert sum(batch["words"].sum() for batch in batches) == sum(DOCUMENTS)
    other = streamed(split(sum(DOCUMENTS), DOCUMENTS), preprocessor, plan(64), "test")
    assert list(other[1]) == list(order)


def test_a_stretch_in_training_goes_on_where_its_column_was_and_begins_anew_at_documents():
    stream, order = streamed(split(sum(DOCUMENTS), DOCUMENTS), LENGTH, plan(shuffle=True), "train")
    batches = read(stream, order)
    assert max(len(batch["ids"]) for batch in batches) > stream.columns
    assert sum(len(ids) for batch in batches for ids in batch["ids"]) == stream.width * stream.columns
    found = joined(batches)
    assert all(EOS not in ids[:-1] for _, ids in found)
    first = [before for before, _ in found if before != EOS]
    assert len(first) <= stream.columns  # columns begin anywhere
    whole = {length: ids for length, (_, ids) in zip(map(len, (ids for _, ids in found)), found, strict=True)}
    assert {3, 40, 7} & set(whole)


@pytest.mark.parametrize("ids", [[7, 8, EOS, 9, EOS], [7, 8, EOS, 9]])
def test_documents_that_are_read_backwards_begin_where_they_end(ids):
    as_read = BACKWARD.as_read(np.array(ids)).tolist()
    assert BACKWARD.starts_as_read(np.array([0, 3]), np.array(ids)).tolist() == [0, 2]
    assert as_read[:2] == [9, EOS]
    assert as_read[2:4] == [8, 7]
