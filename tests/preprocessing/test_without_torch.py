"""Preprocessing on a machine that has no torch: every module imports, every kind goes the whole road."""

import json
import subprocess
import sys

#: Refuses torch; fits each kind on four rows, encodes, collates, and decodes outputs made up in numpy.
PROGRAM = """
import importlib, json, pkgutil, sys

class NoTorch:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "lightning", "datasets"):
            raise ImportError(f"{name} is not here")

sys.meta_path.insert(0, NoTorch())

import numpy as np
import gru_nlp.preprocessing as package

for module in pkgutil.iter_modules(package.__path__):
    importlib.import_module(f"{package.__name__}.{module.name}")

from functools import partial
from gru_nlp.outputs import Classification, Hypotheses, Labelling, Tagging
from gru_nlp.preprocessing.rows import Hints
from gru_nlp.preprocessing.classification import ClassificationPreprocessor
from gru_nlp.preprocessing.frames import FramePreprocessor
from gru_nlp.preprocessing.spoken_words import SpokenWordPreprocessor
from gru_nlp.speech.augment import Augmentation
from gru_nlp.preprocessing.multilabel import MultilabelPreprocessor
from gru_nlp.preprocessing.rating import RatingPreprocessor
from gru_nlp.preprocessing.tagging import TaggingPreprocessor
from gru_nlp.preprocessing.translation import TranslationPreprocessor
from gru_nlp.text.tokenizer import word

class Table:
    def __init__(self, **columns):
        self.columns = columns

    def iter(self, batch_size):
        yield self.columns

def through(preprocessor, table, outputs):
    preprocessor.fit(table, Hints())
    batch = preprocessor.collate({**table.columns, **preprocessor.encode(table.columns)}, training=True)
    arrays = [part for part in batch if isinstance(part, np.ndarray)]
    assert len(arrays) >= 3
    assert all(part.flags.writeable for part in arrays)  # torch.from_numpy warns of others
    return preprocessor.decode(outputs(batch), top_k=2)

def probabilities(batch):
    return Classification(np.tile(np.array([[0.25, 0.75]], np.float32), (len(batch.inputs), 1)))

def several(batch):
    scores = probabilities(batch).probabilities
    return Labelling(scores, scores > 0.5)

def tags(batch):
    found = batch.targets[:, None]
    certain = np.zeros(found.shape, np.float32)
    return Tagging(found, certain[:, :, 0], certain, certain, batch.lengths)

def translations(batch):
    lengths = batch.target_lengths[:, None] - 1  # without the end mark
    return Hypotheses(batch.targets[:, None], lengths, np.zeros(lengths.shape, np.float32))

tokenizer = partial(word, vocabulary_size=50, min_frequency=1, lowercase=False, normalization="nfc")
texts, labels = ["a b", "c d e", "a", "b b"], ["x", "y", "x", "y"]
pixels = [np.full(6, grey, np.uint8) for grey in (0, 80, 160, 250)]
classifier = ClassificationPreprocessor(tokenizer=tokenizer, max_length=5, truncation="head")
tagger = TaggingPreprocessor(
    scheme="bioes", lowercase=True, fold_digits=True, min_frequency=1, max_word_length=9, max_words=40
)
translator = TranslationPreprocessor(tokenizer=tokenizer, joint=True, max_length=9, bpe_dropout=0.0)
still = Augmentation(time_masks=1, time_width=2, frequency_masks=1, frequency_width=2, speed=0.1, noise=0.1)
spoken = SpokenWordPreprocessor(
    sample_rate=8000, mels=4, window_ms=25, hop_ms=10, max_seconds=1, augmentation=still, normalisation="level"
)
sounds = [np.random.default_rng(seed).uniform(-0.5, 0.5, 900 + seed) for seed in range(4)]
options = {"tokenizer": tokenizer, "max_length": 5, "truncation": "head"}
lists = Table(text=texts, labels=[["x", "y"], [], ["y"], ["x"]])
sentences = Table(words=[["Ada", "left", "Rome"], ["so"]], tags=[["B-PER", "O", "B-LOC"], ["O"]])
print(json.dumps([
    through(classifier, Table(text=texts, label=labels), probabilities)[0],
    through(FramePreprocessor(shift=1), Table(pixels=pixels, width=[3] * 4, label=labels), probabilities)[0],
    through(tagger, sentences, tags)[0]["tags"],
    through(translator, Table(source=texts, target=texts), translations)[1]["translation"],
    through(MultilabelPreprocessor(**options), lists, several)[0],
    through(RatingPreprocessor(**options), Table(text=texts, rating=["10", "9", "9", "10"]), probabilities)[0],
    through(spoken, Table(recording=sounds, label=labels), probabilities)[0],
    sorted(name for name in sys.modules if name.partition(".")[0] in ("torch", "soundfile", "soxr")),
]))
"""


def test_every_kind_fits_encodes_collates_and_decodes_without_torch():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    label, image, tags, translation, several, rating, word, torch_modules = json.loads(done.stdout)
    assert label == image == word == {"label": "y", "score": 0.75, "top": [["y", 0.75], ["x", 0.25]]}
    assert tags == ["B-PER", "O", "B-LOC"]
    assert translation == "c d e"
    assert several == {"labels": ["y"], "scores": [0.75], "top": [["y", 0.75], ["x", 0.25]]}
    assert rating == {"label": "10", "score": 0.75, "top": [["10", 0.75], ["9", 0.25]], "expected": 9.75}
    assert torch_modules == []
