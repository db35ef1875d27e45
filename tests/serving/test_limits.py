"""What is refused, with which code, and in one line of JSON."""

import json
import socket

import pytest

DEEP = b'{"texts": ' + b"[" * 5000 + b"]" * 5000 + b"}"


@pytest.mark.parametrize(
    ("body", "code", "told"),
    [
        (b"", 422, "the body: field required"),
        (b"{", 400, "the body is not JSON"),
        (b'{"texts": ["\xff"]}', 400, "not UTF-8"),
        (b'{"texts": [NaN]}', 400, "NaN is no number"),
        (b'{"texts": ["a"], "texts": ["b"]}', 400, "'texts' stands twice"),
        (DEEP, 400, "nested too deep"),
        (b'{"texts": [%s]}' % b",".join([b"1"] * 40_000), 422, "texts[0]: input should be a valid string"),
        (b"{%s}" % b",".join(b'"k%d": 1' % number for number in range(200)), 400, "more than 100 names"),
        (b"[" * 40 + b"]" * 40, 400, "deeper nested"),
        (b'{"texts": ["\\ud800"]}', 400, "lone surrogate"),
        (b'{"\\udfff": 1}', 400, "lone surrogate"),
        (b'{"texts": [1' + b"0" * 5000 + b"]}", 400, "the body is not taken"),
        (b"[]", 422, "the body: input should be"),
        (b'"texts"', 422, "the body: input should be"),
        ({"texts": "a"}, 422, "texts: input should be a valid list"),
        ({"texts": ["a", 3]}, 422, "texts[1]: input should be a valid string"),
        ({"texts": ["a"], "top_k": "2"}, 422, "top_k: input should be a valid integer"),
        ({"texts": ["a"], "top_k": True}, 422, "top_k: input should be a valid integer"),
        ({"texts": ["a"], "top_k": 0}, 422, "top_k: input should be greater than or equal to 1"),
        ({"texts": ["a"], "abstain_below": 1.5}, 422, "abstain_below: input should be less than or equal to 1"),
        ({"texts": ["a"], "topk": 2}, 422, "no field 'topk'; did you mean 'top_k'?"),
        ({"texts": ["a"], "x\ny" * 500: 2}, 422, "no field 'x y"),
        ({"texts": ["a"] * 21}, 413, "texts: 21 are more than 20"),
        ({"texts": ["b", "a" * 1001]}, 413, "texts[1]: 1,001 characters are more than 1,000"),
        ({"texts": ["a" * 100_000]}, 413, "the body has more than 100,000 bytes"),
    ],
    ids=lambda value: ascii(value[:20]) if isinstance(value, bytes) else None,  # a whole body makes an endless name
)
def test_a_bad_body_is_refused(server, body, code, told):
    found = server.post("/predict", {"model": "sentiment", **body} if isinstance(body, dict) else body)
    assert (found[0], list(found[1])) == (code, ["error"]), found
    assert told in found[1]["error"]
    assert len(found[1]["error"]) < 400
    assert "\n" not in found[1]["error"]


@pytest.mark.parametrize(
    ("body", "code", "told"),
    [
        ({"max_tokens": 201}, 422, "max_tokens: 201 are more than 200"),
        ({"temperature": -1}, 422, "temperature: "),
        (b'{"temperature": 1e999}', 422, "temperature: input should be a finite number"),
        ({"temperature": 5e-324}, 422, "temperature=5e-324 must be at least 0: 0, or from 0.0001 to 10,000"),
        ({"repetition_penalty": 1e-45}, 422, "repetition_penalty: "),
        ({"top_p": 0}, 422, "top_p: "),
        ({"stop": [""]}, 422, "stop[0]: "),
        ({"seed": 2**32}, 422, "seed: "),
        ({"prompt": "a" * 1001}, 413, "prompt: "),
        ({"model": "ner"}, 422, "the model 'ner' continues no text: use POST /predict"),
    ],
)
def test_a_bad_wish_is_refused(server, body, code, told):
    found = server.post("/generate", body)
    assert (found[0], told in found[1]["error"]) == (code, True), found


def test_an_empty_list_has_an_empty_answer(server):
    assert server.post("/predict", {"texts": [], "model": "ner"}) == (200, {"predictions": []})


@pytest.mark.parametrize(
    ("method", "path", "headers", "code", "told"),
    [
        ("POST", "/predict", {}, 415, "send Content-Type: application/json"),
        ("POST", "/predict", {"Content_Type": "text/plain"}, 415, "send Content-Type"),
        ("POST", "/predict", {"Content_Type": "application/json; charset=latin-1"}, 415, "in UTF-8"),
        ("POST", "/nothing", {}, 404, "no path /nothing"),
        ("GET", "/predict", {}, 405, "/predict does not take GET"),
        ("OPTIONS", "/predict", {"Origin": "http://evil.example"}, 405, "does not take OPTIONS"),
        ("GET", "/models", {"Host": "evil.example"}, 403, "this server is not 'evil.example'"),
        ("GET", "/models", {"Host": "127.0.0.1.evil.example:80"}, 403, "this server is not"),
        ("GET", "/models", {"Host": "[::1"}, 403, "this server is not"),
    ],
)
def test_what_is_no_request_of_ours_is_refused(server, method, path, headers, code, told):
    found, got, text = server.ask(method, path, b"{}" if method == "POST" else None, **headers)
    assert (found, told in json.loads(text)["error"]) == (code, True), text
    assert not [name for name in got if name.lower().startswith("access-control")]


def test_a_name_of_this_machine_passes(server):
    assert server.ask("GET", "/health", Host="10.0.0.7:8000")[0] == 200
    for host in ("localhost", "LOCALHOST:99", "[::1]:8000", "127.0.0.1"):
        assert server.ask("GET", "/models", Host=host)[0] == 200


def test_a_body_is_refused_before_it_is_there(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        head = "POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        connection.sendall(f"{head}Content-Length: {10**9}\r\n\r\n".encode())
        assert connection.recv(1000).startswith(b"HTTP/1.1 413 ")
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
        for _ in range(11):
            connection.sendall(b"2710\r\n" + b" " * 10_000 + b"\r\n")
        assert connection.recv(1000).startswith(b"HTTP/1.1 413 ")


def test_a_body_that_never_comes_is_not_waited_for(opened, served):
    server = opened({"a": served["ner"]}, max_seconds=0.05)
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        head = (
            "POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n"
        )
        connection.sendall(head.encode())
        assert connection.recv(1000).startswith(b"HTTP/1.1 408 ")


def test_a_key_is_wanted_of_all_but_the_page_and_probes(opened, served):
    server = opened({"a": served["ner"]}, api_key="secret")
    for path in ("/", "/style.css", "/script.js", "/health", "/openapi.json"):
        assert server.ask("GET", path)[0] == 200
    assert server.get("/health")[1]["key"] is True
    bad = [{}, {"X_API_Key": "secre"}, {"Authorization": "Bearer secret2"}, {"Authorization": "Basic secret"}]
    for headers in [*bad, {"X_API_Key": "s\xe9cret"}]:
        for path in ("/models", "/metrics"):
            code, got, text = server.ask("GET", path, **headers)
            assert (code, got["WWW-Authenticate"]) == (401, "Bearer")
            assert "the API key is missing or wrong" in text
        assert server.post("/predict", {"texts": ["a"]}, **headers)[0] == 401
    for headers in ({"X_API_Key": "secret"}, {"Authorization": "Bearer secret"}, {"Authorization": "bearer secret"}):
        assert server.get("/models", **headers)[0] == 200
        assert server.post("/predict", {"texts": ["a"]}, **headers)[0] == 200
