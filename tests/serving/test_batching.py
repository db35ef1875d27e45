"""Requests of several callers in one line: what is joined, what is left out, what is too much."""

import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import pytest

from gru_nlp.abandoning import Abandoned, go_on
from gru_nlp.errors import UserError
from gru_nlp.serving.batching import Full, Worker
from gru_nlp.serving.models import Served


@dataclass(frozen=True)
class Upper:
    """A question whose answer is the text in capitals, and the size of the batch."""

    mark: str = ""
    task = "predict"

    def answer(self, model, texts, batch_size):
        model.ranked(texts)
        return [{"text": text.upper() + self.mark, "beside": len(texts)} for text in texts]


class Held:
    """A model that holds its first batch until it is let go, and breaks where a text is 'bad'."""

    def __init__(self):
        self.begun, self.free = threading.Event(), threading.Event()
        self.batches = []

    def __call__(self, texts):
        self.batches.append(list(texts))
        self.begun.set()
        assert self.free.wait(30)
        if "bad" in texts:
            raise UserError("a bad text")


@pytest.fixture
def held():
    return Held()


@pytest.fixture
def worker(held):
    model = Served("m", "k", "0", (), {}, "", ("predict",), True, False, ("text",), held, None)
    worker = Worker(model, gather_seconds=0.0, batch_size=4, most_waiting=6)
    worker.start()
    yield worker
    held.free.set()
    worker.end()


def busy(worker, held):
    """Let the model be busy with a first text."""
    first = worker.submit(Upper(), ["first"])
    assert held.begun.wait(30)
    return first


def test_what_has_come_meanwhile_is_answered_together_and_each_gets_its_own(worker, held):
    futures = [busy(worker, held), *(worker.submit(Upper(), texts) for texts in (["a"], ["b", "c"], ["d", "e"]))]
    other = worker.submit(Upper("!"), ["f"])
    held.free.set()
    answers = [[record["text"] for record in future.result(30)] for future in [*futures, other]]
    assert answers == [["FIRST"], ["A"], ["B", "C"], ["D", "E"], ["F!"]]
    assert held.batches == [["first"], ["a", "b", "c"], ["d", "e"], ["f"]]


def test_requests_whose_answers_are_drawn_are_not_joined(worker, held):
    worker.exchange(replace(worker.model, drawn=True))
    futures = [busy(worker, held), worker.submit(Upper(), ["a"]), worker.submit(Upper(), ["b", "c"])]
    held.free.set()
    assert [future.result(30)[0]["beside"] for future in futures] == [1, 1, 2]


def test_a_request_that_nobody_waits_for_is_left_out(worker, held):
    first = busy(worker, held)
    gone, kept = worker.submit(Upper(), ["gone"]), worker.submit(Upper(), ["kept"])
    assert gone.cancel()
    assert not first.cancel()
    held.free.set()
    assert kept.result(30) == [{"text": "KEPT", "beside": 1}]
    assert held.batches == [["first"], ["kept"]]


class Endless(Held):
    """A model that never comes to an end of texts that are 'long', but while somebody waits."""

    def __call__(self, texts):
        self.batches.append(list(texts))
        self.begun.set()
        while "long" in texts:
            go_on()


@pytest.fixture
def endless(worker):
    endless = Endless()
    worker.exchange(replace(worker.model, ranked=endless))
    return endless


def test_a_batch_that_nobody_waits_for_any_more_is_given_up(worker, endless, capfd):
    long = worker.submit(Upper(), ["long"])
    assert endless.begun.wait(30)
    next_one = worker.submit(Upper(), ["next"])
    assert not next_one.done()
    long.unwanted = True
    assert next_one.result(30) == [{"text": "NEXT", "beside": 1}]
    assert isinstance(long.exception(30), Abandoned)
    assert long.exception().__traceback__ is None  # which would hold all that was computed
    assert capfd.readouterr().err == ""


def test_a_batch_that_one_still_waits_for_goes_on(worker, held):
    busy(worker, held)
    gone, kept = worker.submit(Upper(), ["gone"]), worker.submit(Upper(), ["kept"])
    gone.unwanted = True
    held.free.set()
    assert kept.result(30) == [{"text": "KEPT", "beside": 2}]


def test_one_too_many_is_refused_until_another_is_left_out(worker, held):
    busy(worker, held)
    waiting = [worker.submit(Upper(), [str(number)]) for number in range(6)]
    with pytest.raises(Full):
        worker.submit(Upper(), ["7"])
    assert worker.waiting == 6
    waiting[2].cancel()
    waiting.append(worker.submit(Upper(), ["7"]))
    held.free.set()
    assert [future.result(30)[0]["text"] for future in waiting if not future.cancelled()] == list("013457")


def test_nobody_pays_for_a_neighbour(worker, held):
    busy(worker, held)
    good, bad, fine = (worker.submit(Upper(), [text]) for text in ("good", "bad", "fine"))
    held.free.set()
    assert good.result(30)[0]["text"] == "GOOD"
    assert fine.result(30)[0]["text"] == "FINE"
    with pytest.raises(UserError, match="a bad text"):
        bad.result(30)


def test_another_model_answers_what_waits_and_refuses_what_it_does_not_do(worker, held):
    first = busy(worker, held)
    waits = worker.submit(Upper(), ["waits"])
    worker.exchange(replace(worker.model, tasks=("translate",)))
    held.free.set()
    assert first.result(30)
    with pytest.raises(UserError, match="'m' labels no texts: use POST /translate"):
        waits.result(30)


def test_the_end_answers_what_waits(worker, held):
    futures = [busy(worker, held), *(worker.submit(Upper(), [text]) for text in "abcdef")]
    held.free.set()
    worker.end()
    assert all(future.done() for future in futures)
    assert not worker.lives


def asked(server, text):
    return server.ask("POST", "/predict", b'{"texts": ["%s"]}' % text, Content_Type="application/json")


def test_the_server_says_that_it_is_too_slow(opened, held):
    server = opened({"m": slow(held)}, max_seconds=0.05)
    code, headers, text = asked(server, b"a")
    assert (code, headers["Retry-After"]) == (503, "1")
    assert "no answer within 0.05 s" in text
    held.free.set()


def test_the_server_says_that_it_is_full(opened, held):
    server = opened({"m": slow(held)}, max_waiting=1, gather_ms=0.0)
    with ThreadPoolExecutor(2) as callers:
        first = callers.submit(asked, server, b"first")
        assert held.begun.wait(30)
        second = callers.submit(asked, server, b"second")
        while 'gru_nlp_waiting{model="m"} 1' not in server.ask("GET", "/metrics")[2]:
            pass
        code, headers, text = asked(server, b"third")
        assert (code, headers["Retry-After"]) == (503, "1")
        assert "1 requests wait for the model 'm': come again" in text
        held.free.set()
        assert (first.result(30)[0], second.result(30)[0]) == (200, 200)


def test_a_caller_who_has_gone_is_left_out(opened, held):
    server = opened({"m": slow(held)}, gather_ms=0.0)
    with ThreadPoolExecutor(1) as callers:
        first = callers.submit(asked, server, b"first")
        assert held.begun.wait(30)
        with socket.create_connection(("127.0.0.1", server.port)) as caller:
            body = b'{"texts": ["gone"]}'
            head = f"Host: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            caller.sendall(b"POST /predict HTTP/1.1\r\n" + head.encode() + body)
            while 'gru_nlp_waiting{model="m"} 1' not in server.ask("GET", "/metrics")[2]:
                pass
        while 'path="/predict",code="499"} 1' not in server.ask("GET", "/metrics")[2]:
            pass
        server.ask("GET", "/health")  # by when the loop has cancelled what it has counted
        held.free.set()
        assert first.result(30)[0] == 200
        assert asked(server, b"last")[0] == 200
    assert held.batches == [["first"], ["last"]]


def test_the_server_gives_up_what_took_too_long(opened):
    endless = Endless()
    server = opened({"m": slow(endless)}, max_seconds=0.05, gather_ms=0.0)
    assert asked(server, b"long")[0] == 503
    while asked(server, b"next")[0] != 200:  # on a busy machine that too may take too long
        pass
    assert endless.batches[:2] == [["long"], ["next"]]


def slow(held):
    """Return a model that answers texts once it is let go."""

    def ranked(n_best):
        def answer(texts, batch_size, top_k, *, abstain_below):
            held(texts)
            return [{"label": text} for text in texts]

        return answer

    return Served("m", "k", "0", (), {}, "", ("predict",), True, False, ("text",), ranked, None)
