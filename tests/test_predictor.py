"""A predictor goes to other processes as a pickle; tests/test_configs.py pickles one of every task kind and unit."""

import json
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from gru_nlp.predictor import Predictor

TEXTS = ["a great cast, but far too slow", "", "what a lovely tune", "don't miss it"]
#: Loads a pickled predictor, and prints what it says and which modules that took.
PROGRAM = f"""
import json, pickle, sys
predictor = pickle.load(open("predictor.pickle", "rb"))
heavy = [name for name in ("lightning", "datasets", "pandas", "torchmetrics") if name in sys.modules]
print(json.dumps([predictor({TEXTS!r}), heavy]))
"""


def test_a_process_that_imports_nothing_of_training_answers_from_a_pickle(trained):
    predictor = Predictor.from_checkpoint(trained)
    expected = predictor(TEXTS)
    assert {record["label"] for record in expected} == {"positive", "negative", None}
    Path("predictor.pickle").write_bytes(pickle.dumps(predictor))
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    records, heavy = json.loads(done.stdout)
    assert heavy == []
    assert [record["label"] for record in records] == [record["label"] for record in expected]
    scores = [[record["score"] or 0.0 for record in given] for given in (records, expected)]
    assert scores[0] == pytest.approx(scores[1], abs=1e-6)  # torch may take another number of threads there


def test_cloudpickle_takes_it_too(trained):
    cloudpickle = pytest.importorskip("cloudpickle")
    predictor = Predictor.from_checkpoint(trained)
    predictor("a text")  # what a call may leave behind is pickled as well
    copied = pickle.loads(cloudpickle.dumps(predictor))
    assert copied(TEXTS) == predictor(TEXTS)
