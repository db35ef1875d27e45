import hashlib
import json
import os
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

from gru_nlp.errors import UserError
from gru_nlp.samples import MODULES, SPLITS, generate, translation

LABELLED = ("sentiment", "topics")
DIGEST = (
    "import hashlib, json; from gru_nlp.samples import MODULES, generate;"
    "print(hashlib.sha256(json.dumps([generate(n, s) for n in MODULES"
    " for s in ('train', 'validation', 'test')], default=lambda a: hashlib.sha256(a).hexdigest()).encode())"
    ".hexdigest())"
)


def test_every_process_makes_the_same_sample():
    here = [generate(name, split) for name in MODULES for split in ("train", "validation", "test")]
    expected = hashlib.sha256(
        json.dumps(here, default=lambda array: hashlib.sha256(array).hexdigest()).encode()
    ).hexdigest()
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        done = subprocess.run([sys.executable, "-c", DIGEST], env=environment, capture_output=True, text=True)
        assert done.stdout.strip() == expected


@pytest.mark.parametrize("name", LABELLED)
def test_splits_share_no_text_and_labels_are_balanced(name):
    texts = {split: {row["text"] for row in generate(name, split)} for split in SPLITS}
    assert not texts["train"] & texts["test"]
    assert not texts["train"] & texts["validation"]
    assert not texts["validation"] & texts["test"]
    counts = Counter(row["label"] for row in generate(name, "train"))
    assert len(set(counts.values())) == 1
    assert sum(counts.values()) > 2000


def test_a_bag_of_words_does_not_solve_the_sentiment_sample():
    train, test = generate("sentiment", "train"), generate("sentiment", "test")
    vectorizer = CountVectorizer(token_pattern=r"[\w']+")
    inputs = vectorizer.fit_transform(row["text"] for row in train)
    model = LogisticRegression(max_iter=1000).fit(inputs, [row["label"] for row in train])
    accuracy = model.score(vectorizer.transform(row["text"] for row in test), [row["label"] for row in test])
    assert 0.5 <= accuracy < 0.8


def test_spoken_samples_are_sound_of_every_digit_by_every_speaker():
    digits = generate("spoken_digits", "train")
    assert len({row["name"] for row in digits}) == len(digits) == 480
    assert set(Counter((row["label"], row["speaker"]) for row in digits).values()) == {12}
    strings = generate("spoken_strings", "test")
    assert {len(row["text"].split()) for row in strings} == {2, 3, 4, 5}
    assert {word for row in strings for word in row["text"].split()} == {row["label"] for row in digits}
    for row in (*digits, *strings):
        assert row["recording"].dtype == np.float32
        assert 0.02 < np.abs(row["recording"]).max() < 1.0
        assert 0.25 < len(row["recording"]) / row["rate"] < (1 if "label" in row else 4)
    once, again = (row["recording"] for row in digits if row["name"] in ("one_ada_0", "one_ada_1"))
    assert len(once) != len(again)


def test_an_unknown_sample_names_the_nearest():
    with pytest.raises(UserError, match="did you mean 'sentiment'"):
        generate("sentimant", "train")


def test_german_agrees_separates_its_verbs_and_puts_them_last_in_clauses():
    splits = {split: generate("translation", split) for split in ("train", "validation", "test")}
    assert [len(rows) for rows in splits.values()] == [5000, 200, 400]
    pairs = {row["source"]: row["target"] for rows in splits.values() for row in rows}
    assert len(pairs) == 5600  # no sentence stands in two splits
    known = {
        "We sing when a small king paints the ball.": "Wir singen, wenn ein kleiner König den Ball anmalt.",
        "Twelve teachers open the bottle.": "Zwölf Lehrer machen die Flasche auf.",
        "Do the red horses draw a chair?": "Zeichnen die roten Pferde einen Stuhl?",
        "The mouse cleans a small bag.": "Die Maus putzt eine kleine Tasche.",
        "The women buy the big pictures.": "Die Frauen kaufen die großen Bilder.",
    }
    assert {source: pairs[source] for source in known} == known


def test_what_the_test_split_puts_together_is_new():
    def combination(source):
        words = [word.strip(".?").lower() for word in source.split(" ")]
        nouns = {form for noun in translation.Grammar(None, ()).nouns for form in noun[:2]}
        verbs = {form: verb[0] for verb in translation.Grammar(None, ()).verbs for form in verb[:2]}
        subject = next(word for word in words if word in nouns)
        return subject, next(verbs[word] for word in words[words.index(subject) :] if word in verbs)

    trained = {combination(row["source"]) for row in generate("translation", "train")}
    assert not trained & {combination(row["source"]) for row in generate("translation", "test")}
