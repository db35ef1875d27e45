"""Work that nobody waits for any more ends where it can stop, in its own thread alone."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from gru_nlp.abandoning import Abandoned, go_on, unless
from gru_nlp.asking import Askable


class Blank:
    """As much of a preprocessor as a text needs to be asked of a model."""

    list_columns = ("ids",)

    def __init__(self):
        self.blank = {"text": None}

    def is_blank(self, text):
        return not text

    def cut(self, texts):
        return texts, [[place] for place in range(len(texts))]

    def encode(self, rows):
        return {"ids": [[1] * len(row) for row in rows], "tokens": [len(row) for row in rows]}

    def collate(self, columns, *, training):
        return columns["ids"]

    def decode(self, outputs, top_k):
        return [{"text": len(ids)} for ids in outputs]

    def join(self, texts, owners, records):
        return records

    def marked(self, record, least):
        return record


class Asked(Askable):
    """What notes its batches."""

    def __init__(self):
        super().__init__(Blank())
        self.batches = []

    def _outputs(self, batch, top_k):
        self.batches.append(batch)
        return batch

    def _forced(self, batch, demands):
        raise NotImplementedError

    def _attended(self, batch):
        raise NotImplementedError


def test_nothing_ends_where_nobody_says_how_it_is_seen_or_somebody_waits():
    go_on()
    with unless(lambda: False):
        go_on()


def test_what_nobody_waits_for_ends_and_what_comes_after_does_not():
    with pytest.raises(Abandoned), unless(lambda: True):
        go_on()
    go_on()


def test_another_thread_goes_on():
    with ThreadPoolExecutor(1) as others, unless(lambda: True):
        assert others.submit(go_on).result(30) is None


def test_a_model_is_asked_for_no_further_batch():
    asked = Asked()
    with pytest.raises(Abandoned), unless(lambda: len(asked.batches) == 2):
        asked(["a", "b", "c", "d", "e"], 1)
    assert len(asked.batches) == 2
    assert asked(["a", "bb"], 1) == [{"text": 1}, {"text": 2}]
