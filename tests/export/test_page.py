"""A browser shows what the program says, from static files alone."""

import http.server
import json
import os
import re
import shutil
import subprocess
import threading
from functools import partial
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper, save

from gru_nlp.errors import UserError
from gru_nlp.export import folder, web
from gru_nlp.outputs import Classification
from gru_nlp.preprocessing.classification import ClassificationPreprocessor
from gru_nlp.preprocessing.frames import FramePreprocessor
from gru_nlp.preprocessing.rows import Hints
from gru_nlp.preprocessing.tagging import TaggingPreprocessor
from gru_nlp.text import tokenizer as kinds

#: Where onnxruntime-web is: said so, or installed by npm in the repository.
DIST = os.environ.get("ONNXRUNTIME_WEB", str(Path(__file__).parents[2] / "node_modules/onnxruntime-web/dist"))
TEXTS = ["a great film", "not a good film", "Amara Brook left Selby. 𝒳 <b>Amara</b> stayed"]
#: What the toy of a classifier knows, and the sizes of it.
TABLES = {"tokens": "vocabulary_size", "grams": "num_ngrams"}
needs_browser = pytest.mark.skipif(
    shutil.which("chromium") is None or not Path(DIST, web.RUNTIME[1]).is_file(),
    reason="no chromium here, or no onnxruntime-web: npm install --no-save onnxruntime-web, or set ONNXRUNTIME_WEB",
)


class Table:
    def __init__(self, **columns):
        self.columns = columns

    def iter(self, batch_size):
        yield self.columns


def classifier():
    learn = partial(kinds.word, vocabulary_size=50, min_frequency=1, lowercase=True, normalization="nfkc")
    made = ClassificationPreprocessor(tokenizer=learn, max_length=5, truncation="both", wide="both")
    made.fit(Table(text=TEXTS * 2, label=["good", "bad", "neither"] * 2), Hints())
    return made


def tagger():
    options = {"scheme": "bioes", "lowercase": True, "fold_digits": True, "min_frequency": 1}
    made = TaggingPreprocessor(**options, max_word_length=20, max_words=100)
    words = ["Amara", "Brook", "left", "Selby", "."]
    made.fit(Table(words=[words], tags=[["B-PER", "I-PER", "O", "B-LOC", "O"]]), Hints())
    return made


def save_graph(path, nodes, inputs, output, **tables):
    """Write a graph that adds rows of tables up, which is enough to be fed by."""
    given = [helper.make_tensor_value_info(name, kind, shape) for name, (kind, shape) in inputs.items()]
    told = helper.make_tensor_value_info(output, TensorProto.FLOAT, None)
    weights = [numpy_helper.from_array(table, name) for name, table in tables.items()]
    made = [helper.make_node(kind, ins.split(), [out], **options) for kind, ins, out, options in nodes]
    content = helper.make_graph(made, "g", given, [told], weights)
    save(helper.make_model(content, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), path)


def write(path, preprocessor, options, runtime=DIST):
    """Write what a page reads, and the page."""
    state = {
        name: text if isinstance(text, str) else json.dumps(text) for name, text in folder.state(preprocessor).items()
    }
    told = {
        "options": options,
        "preprocessing": {name: value for name, value in vars(preprocessor).items() if isinstance(value, str | int)},
        "config": {"task": {"name": "toy"}},
    }
    path.mkdir()
    for name, text in {**state, "export.json": json.dumps(told)}.items():
        (path / name).write_text(text, encoding="utf-8")
    for name, content in web.page(preprocessor, runtime).items():
        (path / name).write_bytes(content)


class Handler(http.server.SimpleHTTPRequestHandler):
    """Gives files, keeps back a picture until the page has told what it shows, and takes that."""

    def log_message(self, *parts):
        pass

    def do_GET(self):
        if self.path == "/held":
            self.server.done.wait(60)
            self.send_response(204)
            self.end_headers()
        else:
            super().do_GET()

    def do_POST(self):
        self.server.told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(204)
        self.end_headers()
        self.server.done.set()


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """Return the folder of two pages, what is typed into them, and the server that gives their files."""
    root = tmp_path_factory.mktemp("pages")
    shutil.copy(Path(__file__).with_name("drive.html"), root)
    pages = [labels_page(root / "labels"), tags_page(root / "tags")]
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(root))) as server:
        server.done, server.told = threading.Event(), []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield root, pages, server
        server.shutdown()


@pytest.fixture(scope="module")
def said(served):
    """Return what two pages show for texts that are typed into them, after what the browser's console says."""
    root, pages, server = served
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--hide-scrollbars"]
    options += ["--window-size=1400,1400", f"--screenshot={root}/page.png", f"--user-data-dir={root}/profile"]
    address = f"http://127.0.0.1:{server.server_port}/drive.html#{quote(json.dumps(pages))}"
    run = subprocess.run(["chromium", *options, address], capture_output=True, text=True, timeout=120)
    assert (root / "page.png").read_bytes().startswith(b"\x89PNG")
    return [re.findall(r"CONSOLE.*", run.stderr), *server.told]


def labels_page(path):
    made, sizes, draw = classifier(), classifier().sizes(), np.random.default_rng(0)
    write(path, made, {"temperature": 1.5})
    nodes = [
        ("Gather", "tokens inputs", "a", {}),
        ("ReduceSum", "a one", "b", {"keepdims": 0}),
        ("Gather", "grams ngrams", "c", {}),
        ("ReduceSum", "c zero", "d", {"keepdims": 1}),
        ("Add", "b d", "logits", {}),
    ]
    inputs = {"inputs": (TensorProto.INT64, ["B", "T"]), "ngrams": (TensorProto.INT32, ["M"])}
    tables = {name: draw.normal(size=(sizes[size], 3)).astype(np.float32) for name, size in TABLES.items()}
    axes = {"one": np.array([1]), "zero": np.array([0])}
    save_graph(path / "model.onnx", nodes, inputs, "logits", **tables, **axes)
    return {"page": "labels/index.html", "width": 390, "texts": [*TEXTS, "unheard 电影", " "]}


def tags_page(path):
    made = tagger()
    write(path, made, {"edges": None})
    scores = np.zeros((made.sizes()["vocabulary_size"], len(made.tags)), dtype=np.float32)
    for word, tag in {"amara": "B-PER", "brook": "E-PER", "selby": "S-LOC"}.items():
        scores[made.vocabulary.words[word], made.tags.index(tag)] = 5
    inputs = {"inputs": (TensorProto.INT64, ["B", "T"])}
    nodes = [("Gather", "scores inputs", "emissions", {})]
    save_graph(path / "model.onnx", nodes, inputs, "emissions", scores=scores)
    return {"page": "tags/index.html", "width": 1400, "texts": TEXTS[2:]}


@needs_browser
def test_a_browser_says_labels_as_the_program_does(said):
    console, told, _ = said
    assert console == []
    assert told["state"].startswith("Ready")
    assert (told["wide"], told["focused"]) == (390, "text")
    made, draw = classifier(), np.random.default_rng(0)
    tokens, grams = (draw.normal(size=(made.sizes()[size], 3)) for size in TABLES.values())
    encoded = made.encode({"text": [*TEXTS, "unheard 电影"]})
    for ids, known, answer in zip(encoded["ids"], encoded["ngrams"], told["answers"], strict=False):
        logits = (tokens[ids].sum(axis=0) + grams[known].sum(axis=0)) / 1.5
        likely = np.exp(logits - logits.max())
        record = made.decode(Classification((likely / likely.sum())[None]))[0]
        assert json.loads(answer["record"]) == pytest.approx(record, abs=1e-5)
        assert answer["seen"].startswith(f"{record['label']}{record['score']:.4f}")
    assert told["answers"][4]["record"] == ""


@needs_browser
def test_a_browser_marks_entities_where_the_program_finds_them(said):
    _, _, told = said
    assert told["wide"] == 1400
    found = json.loads(told["answers"][0]["record"])["entities"]
    assert [(one["start"], one["end"], one["text"], one["label"]) for one in found] == [
        (0, 11, "Amara Brook", "PER"),
        (17, 22, "Selby", "LOC"),
        (29, 34, "Amara", "PER"),
    ]
    sure = 1 / (1 + 8 * np.exp(-5))
    assert [one["score"] for one in found] == pytest.approx([sure**2, sure, sure], abs=1e-5)
    seen = told["answers"][0]["seen"].replace("\xa0", " ")
    assert seen == "Amara Brook PER 0.90 left Selby LOC 0.95. 𝒳 <b>Amara PER 0.95</b> stayed"


@needs_browser
@pytest.mark.parametrize(("page", "width", "text"), [("labels", 390, TEXTS[0]), ("tags", 1400, "Amara left")])
def test_all_of_a_page_is_reached_by_the_tabulator_alone(served, browser, page, width, text):
    browser.events.clear()
    browser.visit(f"http://127.0.0.1:{served[2].server_port}/{page}/index.html", width)
    browser.until("state.textContent.startsWith('Ready') && document.activeElement.id === 'text'")
    browser.call("Input.insertText", text=text)
    browser.until("state.textContent.startsWith('Answered')")
    reached = [browser.focus()]
    for key in ("Tab", "Enter", "Tab"):
        browser.press(key, {"Tab": 9, "Enter": 13}[key], text="\r" if key == "Enter" else None)
        reached.append(browser.focus())
        assert browser.value("getComputedStyle(document.activeElement).outlineStyle") != "none"
    assert reached == ["text", "As JSON", "As JSON", "json"]
    said = json.loads(browser.value("document.activeElement.innerText"))  # which is empty where it is not shown
    assert set(said) == {"entities"} if page == "tags" else {"label", "score"}
    for _ in range(2):
        browser.press("Tab", 9, modifiers=8)  # with shift, back
    assert browser.focus() == "text"
    assert browser.value("document.documentElement.scrollWidth") <= width
    assert browser.events == []


def test_a_page_fetches_nothing_from_elsewhere(tmp_path):
    dist = tmp_path / "dist"
    dist.mkdir()
    with pytest.raises(UserError, match=r"format=web needs onnxruntime-web: run npm install onnxruntime-web"):
        web.page(tagger(), None)
    with pytest.raises(UserError, match=r"web_runtime=.*dist: has no ort"):
        web.page(tagger(), str(dist))
    for name in web.RUNTIME:
        (dist / name).write_bytes(b"runtime")
    with pytest.raises(UserError, match="set format=onnx"):
        web.page(FramePreprocessor(shift=0), str(dist))
    contents = web.page(tagger(), str(dist))
    assert b"MIT License" in contents[web.LICENSE]
    own = "".join(content.decode() for name, content in contents.items() if name not in (*web.RUNTIME, web.LICENSE))
    assert not re.search(r"https?://(?!localhost)", own)
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", own)
    assert re.findall(r"<(?:script|link|img)[^>]*(?:src|href)=\"(.*?)\"", own) == ["data:,", "style.css", "app.js"]
    assert not re.search(r"'unsafe-(inline|eval)'", own)
    assert "style=" not in own
