"""Servers in this process, behind real sockets, with models of random weights."""

import http.client
import json
import threading

import pytest
import torch
from hydra import compose, initialize_config_dir

from gru_nlp import build, checkpoint
from gru_nlp.config import conf_dir, resolved
from gru_nlp.preprocessing.rows import Hints

pytest.importorskip("fastapi", reason="the extra serve")

TINY = ["encoder.hidden_size=6", "embedding.size=5", "data.train=null", "device=cpu"]
ROWS = {
    "sentiment": {
        "text": ["a great cast", "far too slow", "not bad at all", "don't miss it"],
        "label": ["good", "bad", "good", "good"],
    },
    "ner": {
        "words": [["Amara", "Brook", "left", "Selby", "."], ["It", "rained", "."]],
        "tags": [["B-PER", "I-PER", "O", "B-LOC", "O"], ["O", "O", "O"]],
    },
    "translation": {"source": ["the mouse is grey", "the keys"], "target": ["die Maus ist grau", "die Schlüssel"]},
    "language_model": {"text": ["One morning Jonas lost a basket.", "Karla was tired.", "They found it."]},
}


class Rows:
    """A table to be learned from."""

    def __init__(self, columns):
        self.columns = columns

    def iter(self, batch_size):
        yield self.columns


def make(folder, task, seed=1):
    """Write the checkpoint of a small model with random weights; return its folder."""
    with initialize_config_dir(config_dir=str(conf_dir()), version_base="1.3"):
        more = {
            "translation": ["decoder.hidden_size=6"],
            "language_model": ["tokenizer=character", "tokenizer.min_frequency=1"],
        }.get(task, [])
        config = resolved(compose("train", overrides=[f"task={task}", *TINY[:2], *more]))
    preprocessor = build.preprocessor(config)
    preprocessor.fit(Rows(ROWS[task]), Hints())
    torch.manual_seed(seed)
    model = build.model(config, preprocessor.sizes())
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.6)
    folder.mkdir(exist_ok=True)
    stored = checkpoint.Checkpoint(
        path=folder / checkpoint.BEST,
        version="0",
        config=config,
        preprocessing=preprocessor.state_dict(),
        scores={"test/accuracy": 0.5},
        scorer="",
        weights=model.state_dict(),
    )
    checkpoint.write(stored.path, stored)
    return folder


@pytest.fixture(scope="session")
def made():
    """Return what writes a checkpoint."""
    return make


@pytest.fixture(scope="session")
def runs(tmp_path_factory):
    """Return the run folders of a model of each kind, by the names of their tasks."""
    folder = tmp_path_factory.mktemp("runs")
    return {task: make(folder / task, task) for task in ROWS}


@pytest.fixture(scope="session")
def served(runs):
    """Return these models as they are served."""
    from gru_nlp.serving.models import load

    return {task: load(str(folder), "cpu", ()) for task, folder in runs.items()}


class Running:
    """A server that runs in a thread of this process."""

    def __init__(self, models, load=None, **options):
        from gru_nlp.serving.app import make_app
        from gru_nlp.serving.server import Server, listening
        from gru_nlp.serving.settings import Settings

        settings = Settings(port=0, **options)
        self.gate = make_app(models, settings, load)
        self.socket = listening("127.0.0.1", 0)
        self.port = self.socket.getsockname()[1]
        self.server = Server(self.gate, settings, "it serves")
        self.thread = threading.Thread(target=self.server.run, kwargs={"sockets": [self.socket]}, daemon=True)
        self.thread.start()

    def ask(self, method, path, body=None, **headers):
        """Return code, headers and text of an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        response = connection.getresponse()
        text = response.read().decode()
        connection.close()
        return response.status, response.headers, text

    def get(self, path, **headers):
        """Return code and value of an answer."""
        code, _, text = self.ask("GET", path, **headers)
        return code, json.loads(text)

    def post(self, path, body, **headers):
        """Return code and value of an answer; a body that is no bytes is sent as JSON."""
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        code, _, text = self.ask("POST", path, sent, **{"Content_Type": "application/json", **headers})
        return code, json.loads(text)

    def end(self):
        """End the server."""
        self.server.should_exit = True
        self.thread.join()


@pytest.fixture(scope="module")
def server(served):
    """Return a server of all kinds of models."""
    running = Running(served, max_body=100_000, max_texts=20, max_characters=1000, max_tokens=200)
    yield running
    running.end()


@pytest.fixture
def opened():
    """Return what starts a server, which ends with the test."""
    running = []

    def start(models, load=None, **options):
        running.append(Running(models, load, **options))
        return running[-1]

    yield start
    for one in running:
        one.end()
