"""What the server answers is what the models say in Python."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from gru_nlp.cli.main import main
from gru_nlp.continuing import Limits
from gru_nlp.decoding.drawing import Drawing
from gru_nlp.errors import UserError
from gru_nlp.serving import models
from gru_nlp.text.terms import Terms, Wishes

TEXTS = ["a great cast", "", "far too slow, not bad", "Amara left Selby. It rained.", " ", "nul\0 \u202e 日本"]


def same(found, expected):
    """Return whether records are equal, numbers nearly so."""
    if isinstance(expected, dict):
        return found.keys() == expected.keys() and all(same(found[name], expected[name]) for name in expected)
    if isinstance(expected, list | tuple):
        return len(found) == len(expected) and all(map(same, found, expected))
    return found == (pytest.approx(expected, abs=1e-5) if isinstance(expected, float) else expected)


@pytest.mark.parametrize("task", ["sentiment", "ner", "language_model"])
@pytest.mark.parametrize("options", [{}, {"top_k": 2}])
def test_predictions_are_the_records_of_a_predictor(server, served, task, options):
    code, told = server.post("/predict", {"texts": TEXTS, "model": task, **options})
    assert code == 200
    assert same(told["predictions"], served[task].ranked(1)(TEXTS, **options))


def test_a_label_that_is_not_sure_is_not_said(server, served):
    body = {"texts": TEXTS, "model": "sentiment", "abstain_below": 1.0}
    assert {record["label"] for record in server.post("/predict", body)[1]["predictions"]} == {None}
    code, told = server.post("/predict", {**body, "model": "ner"})
    assert (code, told["error"]) == (422, "abstain_below is for models that say one label of a text: leave it out")


def test_translations_come_with_what_they_looked_at_and_the_n_best(server, served):
    texts = ["the grey mouse", "", "the keys"]
    records = served["translation"].ranked(1)(texts)
    assert same(server.post("/translate", {"texts": texts})[1]["translations"], records)
    attended = server.post("/translate", {"texts": texts, "attention": True, "n_best": 3})[1]["translations"]
    assert [record["translation"] for record in attended] == [record["translation"] for record in records]
    assert attended[1] == records[1]
    for record in (attended[0], attended[2]):
        assert len(record["n_best"]) == 3
        assert len(record["alignment"]) == len(record["target_tokens"])
        assert all(len(row) == len(record["source_tokens"]) for row in record["alignment"])
        assert all(sum(row) == pytest.approx(1.0, abs=0.01) for row in record["alignment"])
    code, told = server.post("/translate", {"texts": texts, "n_best": 200})
    assert (code, told["error"]) == (422, "n_best=200: this model's decoding gives at most 5")


def test_translations_hold_what_a_request_asks_for(server, served):
    texts = ["the grey mouse has 35 keys", "the keys"]
    wishes = Wishes(Terms({"grey mouse": "Feldmaus", "keys": "Tasten"}), "Und so", copy=True)
    body = {"texts": texts, "terms": {"grey  mouse": "Feldmaus", "keys": "Tasten"}, "prefix": " Und  so "}
    found = server.post("/translate", {**body, "copy": True, "min_log_probability": -0.01})[1]["translations"]
    assert same(found, served["translation"].ranked(1)(texts, min_log_probability=-0.01, wishes=wishes))
    for record, words in zip(found, (["Feldmaus", "35", "Tasten"], ["Tasten"]), strict=True):
        assert record["translation"].startswith("Und so ")
        assert all(word in record["translation"] for word in words)
        assert record["doubtful"] is True


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("terms", {"keys": " "}, "terms.keys: string should match pattern "),
        ("terms", {"keys": "\x1f"}, "terms.keys: string should match pattern "),
        ("terms", {"\x1c ": "x"}, "terms."),
        ("min_log_probability", 0.5, "min_log_probability: input should be less than or equal to 0"),
        ("terms", {"keys": 3}, "terms.keys: input should be a valid string"),
        ("terms", {str(number): "x" for number in range(1001)}, "terms: dictionary should have at most 1000 items"),
        ("prefix", "x" * 201, "prefix: string should have at most 200 characters"),
        ("copied", True, "no field 'copied'; did you mean 'copy'?"),
    ],
)
def test_what_a_translation_cannot_hold_is_refused(server, field, value, told):
    code, answer = server.post("/translate", {"texts": ["the keys"], field: value})
    assert code == 422
    assert answer["error"].startswith(told)


@pytest.mark.parametrize("task", ["sentiment", "translation"])
def test_a_short_list_that_was_not_learned_is_refused(runs, task):
    with pytest.raises(UserError, match="no short-list was learned"):
        models.load(str(runs[task]), "cpu", [], shortlist=True)


def test_a_checkpoint_in_8_bits_translates_with_what_it_looked_at(runs, opened, tmp_path, monkeypatch, capsys):
    pytest.importorskip("onnxruntime", reason="the extra export")
    pytest.importorskip("onnxscript", reason="the extra export")
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    run = runs["translation"]
    model = models.load(str(run), "cpu", [], precision="int8")
    assert (model.name, model.kind, model.ranked(1).folder.precision) == ("translation", "translation", "int8")
    server = opened({str(run): model})
    body = {"texts": ["the grey mouse"], "attention": True, "n_best": 3}
    told = server.post("/translate", body)[1]["translations"][0]
    capsys.readouterr()
    options = ["precision=int8", "alignments=true", "decoding.n_best=3", "picture=seen.svg"]
    assert main(["translate", f"checkpoint={run}", *options, "--", *body["texts"]]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["n_best"] == told["n_best"]
    assert np.allclose(record["alignment"], told["alignment"], atol=1e-3)
    assert Path("seen.svg").read_text().startswith("<svg ")


def test_a_text_is_continued_as_a_generator_does_whole_and_as_it_is_drawn(server, served):
    body = {"prompt": "One", "max_tokens": 20, "temperature": 0.8, "top_k": 9, "stop": ["found"], "seed": 5}
    expected = served["language_model"].generator.records(
        ["One"], Drawing(temperature=0.8, top_k=9), Limits(20, ("found",)), seed=5
    )[0]
    code, told = server.post("/generate", body)
    assert code == 200
    assert same(told, {**expected, "seed": 5})
    code, headers, text = server.ask(
        "POST", "/generate", json.dumps({**body, "stream": True}), Content_Type="application/json"
    )
    assert (code, headers["Content-Type"]) == (200, "application/x-ndjson")
    *pieces, last = map(json.loads, text.splitlines())
    assert "".join(piece["text"] for piece in pieces) == expected["text"]
    assert same(last, {"log_probability": expected["log_probability"], "seed": 5})
    seeds = {server.post("/generate", {"max_tokens": 1})[1]["seed"] for _ in range(2)}
    assert len(seeds) == 2


@pytest.mark.parametrize("stream", [False, True])
def test_a_text_that_cannot_be_continued_is_refused_before_anything_is_sent(server, stream):
    code, told = server.post("/generate", {"prompt": "☃", "stream": stream})
    assert code == 422
    assert "the model has never seen '☃'" in told["error"]


def test_callers_side_by_side_get_their_own_answers(server, served):
    texts = [f"{'great ' * (number % 5)}cast {number}" for number in range(40)]
    expected = served["sentiment"].ranked(1)(texts)

    def one(number):
        return server.post("/predict", {"texts": [texts[number]], "model": "sentiment"})[1]["predictions"][0]

    def drawn(number):
        return server.post("/generate", {"prompt": "One", "max_tokens": 30, "seed": number})[1]["text"]

    with ThreadPoolExecutor(12) as callers:
        found, written = list(callers.map(one, range(40))), list(callers.map(drawn, range(20)))
    assert same(found, expected)
    alone = [
        record["text"]
        for seed in range(20)
        for record in served["language_model"].generator.records(["One"], Drawing(), Limits(30), seed)
    ]
    assert written == alone


def test_models_are_told_and_chosen_by_name(server):
    models = {one["name"]: one for one in server.get("/models")[1]["models"]}
    assert {name: one["tasks"] for name, one in models.items()} == {
        "sentiment": ["predict"],
        "ner": ["predict"],
        "translation": ["translate"],
        "language_model": ["predict", "generate"],
    }
    assert models["ner"]["labels"] == ["LOC", "PER"]
    assert models["sentiment"]["scores"] == {"test/accuracy": 0.5}
    for path, body, code, told in (
        ("/predict", {"model": "sentimen"}, 404, "did you mean 'sentiment'?"),
        ("/predict", {}, 422, "model: several would do: choose from 'sentiment', 'ner', 'language_model'"),
        ("/predict", {"model": "translation"}, 422, "'translation' labels no texts: use POST /translate"),
        ("/translate", {"model": "ner"}, 422, "the model 'ner' translates nothing: use POST /predict"),
    ):
        found = server.post(path, {"texts": ["x"], **body})
        assert (found[0], told in found[1]["error"]) == (code, True), found


def test_it_tells_of_itself(server):
    assert server.get("/health") == (200, {"live": True, "ready": True, "key": False})
    server.post("/predict", {"texts": ["a", "b", "c"], "model": "sentiment"})
    server.get("/nothing")
    text = server.ask("GET", "/metrics")[2]
    assert re.search(r'^gru_nlp_requests_total\{path="/predict",code="200"\} [1-9]', text, re.MULTILINE)
    assert re.search(r'^gru_nlp_requests_total\{path="other",code="404"\} [1-9]', text, re.MULTILINE)
    assert re.search(r'^gru_nlp_batch_texts_bucket\{model="sentiment",le="4"\} [1-9]', text, re.MULTILINE)
    assert '\ngru_nlp_waiting{model="ner"} 0\n' in text
    assert re.search(r'^gru_nlp_request_seconds_count\{path="/health"\} [1-9]', text, re.MULTILINE)
    spec = server.get("/openapi.json")[1]
    assert {"/predict", "/translate", "/generate", "/models", "/health", "/metrics"} == set(spec["paths"])
    assert spec["components"]["schemas"]["PredictRequest"]["examples"][0]["top_k"] == 2
    assert server.ask("GET", "/docs")[0] == 404  # which would be fetched from elsewhere


def test_the_page_is_served_and_names_nothing_elsewhere(server):
    for path, kind in (("/", "text/html"), ("/style.css", "text/css"), ("/script.js", "text/javascript")):
        code, headers, text = server.ask("GET", path)
        assert (code, headers["Content-Type"].partition(";")[0]) == (200, kind)
        assert not re.search(r"https?://|//cdn|innerHTML|@import", text), path
        assert "script-src 'self'" in headers["Content-Security-Policy"]


def test_an_exported_folder_is_asked_as_a_checkpoint_is(runs, served, tmp_path, monkeypatch):
    """The folder's own answers are held against torch's in tests/runtime."""
    from gru_nlp.checkpoint import load as stored_at
    from gru_nlp.export import cached
    from gru_nlp.predictor import Predictor
    from gru_nlp.serving.models import load

    stored = stored_at(runs["translation"])
    runner = Predictor.from_checkpoint(runs["translation"])
    options = {"decoding": stored.config["model"]["decoding"]}
    runner.folder = SimpleNamespace(config=stored.config, version="1", precision="float32", scores={}, options=options)
    monkeypatch.setattr(cached, "Runner", lambda path, threads, decoding: runner)
    (tmp_path / "export.json").touch()
    folder = load(str(tmp_path), "cpu", ())
    assert (folder.kind, folder.version, folder.tasks) == ("translation", "1", ("translate",))
    texts = ["the grey mouse", "the keys"]
    assert folder.ranked(3)(texts, 64, 3) == served["translation"].ranked(3)(texts, 64, 3)
    assert folder.ranked(1)(texts) == served["translation"].ranked(1)(texts)
