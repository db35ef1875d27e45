"""A real process: it is told to end while requests are under way, answers them all, and leaves with code 0."""

import http.client
import json
import os
import re
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from gru_nlp.cli.main import main
from gru_nlp.predictor import Predictor


@pytest.fixture
def process(runs):
    """Return a server as a command, and its port."""
    own = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "gru_nlp", "serve", f"checkpoint=[{runs['sentiment']},{runs['language_model']}]"]
    started = subprocess.Popen([*command, "port=0"], stderr=subprocess.PIPE, env=own, text=True)
    line = started.stderr.readline()
    yield started, int(re.search(r"at http://127\.0\.0\.1:(\d+) ", line)[1])
    started.kill()
    started.wait()
    started.stderr.close()


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX systems")
def test_a_signal_ends_it_once_all_is_answered(process, runs):
    started, port = process
    texts = [f"great cast {number}" for number in range(4)]
    expected = Predictor.from_checkpoint(runs["sentiment"])(texts)

    def caller(number):
        """Ask on one connection until the server says that it ends; return what came back."""
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        records, ended = [], False
        while not ended:
            body = json.dumps({"texts": [texts[number]], "model": "sentiment"})
            connection.request("POST", "/predict", body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            ended = response.headers["Connection"] == "close"
            records += json.loads(response.read())["predictions"]
            if number == 0 and len(records) == 10:
                started.send_signal(signal.SIGTERM)
        connection.close()
        return records

    stream = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    body = json.dumps({"max_tokens": 1000, "stream": True, "seed": 1})
    stream.request("POST", "/generate", body, {"Content-Type": "application/json"})
    with ThreadPoolExecutor(4) as callers:
        found = list(callers.map(caller, range(4)))
    assert json.loads(stream.getresponse().read().splitlines()[-1])["seed"] == 1
    stream.close()
    assert len(found[0]) >= 10
    for records, one in zip(found, expected, strict=True):
        assert {record["label"] for record in records} == {one["label"]}
        assert [record["score"] for record in records] == pytest.approx([one["score"]] * len(records), abs=1e-5)
    assert started.wait(60) == 0
    assert started.stderr.read() == "all that was asked is answered\n"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["port=70000"], "port=70000 must be from 0 to 65535"),
        (["gather_ms=-1"], "gather_ms=-1 must be from 0 to 1,000"),
        (["max_texts=0"], "max_texts=0 must be from 1 to"),
        (["host=nowhere.invalid"], "no server can listen there"),
        (["api_key=''"], "GRU_NLP_API_KEY in the environment, must be printable ASCII"),
        (["hosts=[1]", "checkpoint=[]"], "checkpoint=[] must be a path, or a list of paths"),
        (["checkpoint=gone"], "gone: no such checkpoint"),
    ],
)
def test_mistakes_are_told_in_a_line(runs, capsys, options, told):
    assert main(["serve", f"checkpoint={runs['ner']}", *options]) == 2
    line = capsys.readouterr().err
    assert line.startswith("gru-nlp: ")
    assert told in line
    assert line.count("\n") == 1


def test_two_runs_of_one_name_are_told_apart(runs, tmp_path, capsys):
    other = tmp_path / "ner"
    other.mkdir()
    (other / "best.ckpt").write_bytes((runs["ner"] / "best.ckpt").read_bytes())
    assert main(["serve", f"checkpoint=[{runs['ner']},{other}]"]) == 2
    assert "would both be served as 'ner': rename one of the folders" in capsys.readouterr().err


def test_a_port_in_use_is_told(runs, capsys):
    from gru_nlp.serving.server import listening

    with listening("127.0.0.1", 0) as taken:
        assert main(["serve", f"checkpoint={runs['ner']}", f"port={taken.getsockname()[1]}"]) == 2
    assert "no server can listen there: " in capsys.readouterr().err


def test_without_the_extra_it_says_what_to_install(runs, capsys, monkeypatch):
    for name in [name for name in sys.modules if name.startswith(("gru_nlp.serving", "uvicorn"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert main(["serve", f"checkpoint={runs['ner']}"]) == 2
    assert "this needs the package uvicorn: pip install 'gru_nlp[serve]'" in capsys.readouterr().err
