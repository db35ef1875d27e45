"""How soon and how fast a model answers: from its checkpoint, from its exported folder, and peers beside it.

Usage: python scripts/benchmark_answers.py input=<file, a text a line> [torch=<run>] [onnx=<folder>] [int8=<folder>]
       [<peer>=<file or folder> ...] [singles=1000] [rounds=3]
       python scripts/benchmark_answers.py train=<folder> peers=tfidf_svm,nb_svm,fasttext,spacy experiment=sst2
       [epochs=5] [any override of gru-nlp train, such as data.dir=<folder>]

The second form fits peers on the training split of an experiment, with their own settings, and writes them into a
folder, for the first. Each system answers in a process of its own, one after the other, ``rounds`` times, of which the
best counts: ``first``, seconds from the start of Python to the first answer; ``p50`` and ``p99`` of one text at a time;
``bulk``, all texts in one call. Needs, for peers: pip install 'gru_nlp[baselines]' spacy
"""

import json
import pickle
import random
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

Answer = Callable[[list[str]], Any]
#: The file that a peer is written to.
FILES = {"tfidf_svm": "model.pkl", "nb_svm": "model.pkl", "fasttext": "model.bin", "spacy": "model"}
#: Texts of the batches of spaCy's model.
BATCH = 64


def load_torch(path: str) -> Answer:
    """Return what answers from a checkpoint, with the threads that the command line would give it."""
    from gru_nlp.predictor import Predictor
    from gru_nlp.threads import limit_tokenizers, set_threads

    limit_tokenizers()
    predictor = Predictor.from_checkpoint(path)
    set_threads("auto", predictor.model)
    return predictor


def load_folder(path: str) -> Answer:
    """Return what answers from an exported folder."""
    from gru_nlp.runtime import Runner

    return Runner(path)


def load_tfidf(path: str) -> Answer:
    """Return scikit-learn's n-grams under its linear machine."""
    vectorizer, svm = pickle.loads(Path(path).read_bytes())
    return lambda texts: svm.predict(vectorizer.transform(texts))


def load_naive_bayes(path: str) -> Answer:
    """Return scikit-learn's n-grams under weights of naive Bayes."""
    vectorizer, weights, bias = pickle.loads(Path(path).read_bytes())
    return lambda texts: vectorizer.transform(texts) @ weights + bias


def load_fasttext(path: str) -> Answer:
    """Return fastText's own model, its words cut as for training."""
    import fasttext
    from baseline_models import FastText

    reader = FastText(0, Path())
    model = fasttext.load_model(path)
    return lambda texts: model.predict(reader._lines(texts))


def load_spacy(path: str) -> Answer:
    """Return spaCy's pipeline."""
    import spacy

    pipeline = spacy.load(path)
    return lambda texts: list(pipeline.pipe(texts))


LOADERS: Mapping[str, Callable[[str], Answer]] = {
    "torch": load_torch,
    "onnx": load_folder,
    "int8": load_folder,
    "tfidf_svm": load_tfidf,
    "nb_svm": load_naive_bayes,
    "fasttext": load_fasttext,
    "spacy": load_spacy,
}


def train_spacy(texts: Sequence[Any], answers: Sequence[Any], path: Path, epochs: int) -> None:
    """Fit spaCy's default text categoriser, or its recogniser of entities where texts are lists of words."""
    import spacy
    from spacy.tokens import Doc
    from spacy.training import Example, biluo_tags_to_spans, iob_to_biluo

    random.seed(1)
    pipeline, examples = spacy.blank("en"), []
    pipe = pipeline.add_pipe("textcat" if isinstance(texts[0], str) else "ner")
    for text, answer in zip(texts, answers, strict=True):
        if isinstance(text, str):
            truth = pipeline.make_doc(text)
            truth.cats = {label: float(label == answer) for label in sorted(set(answers))}
        else:
            truth = Doc(pipeline.vocab, words=text)
            truth.ents = biluo_tags_to_spans(truth, iob_to_biluo(list(answer)))
        examples.append(Example(Doc(pipeline.vocab, [token.text for token in truth]), truth))
    optimizer = pipeline.initialize(lambda: examples)
    for _ in range(epochs):
        random.shuffle(examples)
        for start in range(0, len(examples), BATCH):
            pipeline.update(examples[start : start + BATCH], sgd=optimizer, drop=0.2)
    print(f"spacy: {pipe.name}, {epochs} epochs of {len(examples):,} examples", file=sys.stderr)
    pipeline.to_disk(path)


def train_peers(given: dict[str, str], overrides: Sequence[str]) -> None:
    """Fit peers and write each into a folder of its own."""
    import baselines

    from gru_nlp import build
    from gru_nlp.cli.shell import composed
    from gru_nlp.config import resolved

    for name in given["peers"].split(","):
        folder = Path(given["train"], name)
        folder.mkdir(parents=True, exist_ok=True)
        if name == "spacy":
            config = resolved(composed("train", overrides))
            corpus = build.build(config["data"])
            columns = build.preprocessor(config).data_columns
            corpus.serve(columns)
            table = corpus.load("train")
            texts, answers = (list(table[column]) for column in columns[:2])
            train_spacy(texts, answers, folder / FILES[name], int(given.get("epochs", "5")))
        else:
            data = baselines.read(overrides)
            model = baselines.BASELINES[name](data.seed, folder)
            model.read(*data.train)
            model.fit(baselines.search(baselines.BASELINES[name], data, folder))
            model.save()


def work(system: str, path: str, source: str, singles: int, started: float) -> dict[str, float]:
    """Answer in this process; return seconds by name."""
    texts = Path(source).read_text(encoding="utf-8").splitlines()
    answer = LOADERS[system](path)
    answer(texts[:1])
    found = {"first": time.time() - started}
    for text in texts[:50]:
        answer([text])
    times = []
    for text in texts[:singles]:
        begun = time.perf_counter()
        answer([text])
        times.append(time.perf_counter() - begun)
    times.sort()
    found |= {"p50": times[len(times) // 2], "p99": times[int(len(times) * 0.99)]}
    begun = time.perf_counter()
    answer(texts)
    return found | {"bulk": (time.perf_counter() - begun) / len(texts)}


def size_of(path: Path) -> float:
    """Return the megabytes of a file, or of all files in a folder; of a run, of its best checkpoint."""
    if (path / "best.ckpt").is_file():
        path = path / "best.ckpt"
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return sum(file.stat().st_size for file in files) / 1e6


def measure(system: str, path: str, given: Mapping[str, str]) -> dict[str, float]:
    """Return the least seconds of some processes."""
    found: list[dict[str, float]] = []
    for _ in range(int(given.get("rounds", "3"))):
        call = [sys.executable, __file__, "work", system, path, given["input"], given.get("singles", "1000")]
        process = subprocess.run([*call, repr(time.time())], check=True, stdout=subprocess.PIPE)
        found.append(json.loads(process.stdout))
    return {name: min(round_[name] for round_ in found) for name in found[0]}


def main() -> None:
    """Train peers, or measure and print one table."""
    if sys.argv[1:2] == ["work"]:
        system, path, source, singles, started = sys.argv[2:]
        print(json.dumps(work(system, path, source, int(singles), float(started))))
        return
    own = {"input", "train", "peers", "singles", "rounds", "epochs", *LOADERS}
    given = {name: value for name, _, value in (argument.partition("=") for argument in sys.argv[1:]) if name in own}
    overrides = [argument for argument in sys.argv[1:] if argument.partition("=")[0] not in own]
    if "train" in given:
        train_peers(given, overrides)
        return
    print("| system | first answer, s | one text, ms: p50 | p99 | texts/s in bulk | MB |\n|---|---|---|---|---|---|")
    for system in LOADERS:
        if system in given:
            found = measure(system, given[system], given)
            times = f"{found['first']:.2f} | {1e3 * found['p50']:.2f} | {1e3 * found['p99']:.2f}"
            print(f"| {system} | {times} | {1 / found['bulk']:,.0f} | {size_of(Path(given[system])):.1f} |", flush=True)


if __name__ == "__main__":
    main()
