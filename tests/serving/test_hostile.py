"""Bodies of the fuzzer, some of each kind; ``scripts/fuzz_server.py`` sends a thousand to a process."""

import importlib.util
import random
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "fuzz_server.py"
SPEC = importlib.util.spec_from_file_location("fuzz_server", SCRIPT)
fuzz_server = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(fuzz_server)


@pytest.mark.parametrize("kind", [kind for kind in fuzz_server.KINDS if kind is not fuzz_server.large])
def test_a_hostile_body_gets_a_line_and_harms_nobody(server, kind):
    draw = random.Random(kind.__name__)
    for number in range(12):
        path = fuzz_server.PATHS[number % 3]
        body = kind(draw)
        assert fuzz_server.fault(*fuzz_server.send(server.port, path, body, fuzz_server.JSON)) is None, body[:300]
    assert server.post("/predict", {"texts": ["a"], "model": "ner"})[0] == 200


@pytest.mark.parametrize("kind", fuzz_server.TYPES)
def test_another_content_type_is_refused(server, kind):
    assert fuzz_server.send(server.port, "/predict", b'{"texts": ["a"], "model": "ner"}', kind)[0] == 415
