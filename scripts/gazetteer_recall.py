"""What word lists are worth: recall on names that training never met, of a tagger with and without them.

Usage: python scripts/gazetteer_recall.py [sentences=200] [share=0.5] [seeds=1,2,3] [option of train=value ...]

Of the embedded sample, whose test split has names of its own, as few sentences are trained on as is said. The lists are
people, places and firms: a share of the names of each, of training and test alike. Where training had none of a list's
names, nothing would tell a model what it is worth to be on it. Told is the recall on those entities of the test split
whose names are on a list, on the others, and F1 over all.
"""

import json
import random
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import mean
from typing import Any

import gru_nlp
from gru_nlp import samples
from gru_nlp.text import schemes

FILES = {"PER": "people.txt", "LOC": "places.txt", "ORG": "firms.txt"}
Names = set[tuple[str, str]]


def names(words: Sequence[str], tags: Sequence[str]) -> list[tuple[str, str]]:
    """Return the entities of a sentence: name and type."""
    return [(" ".join(words[span.start : span.end]), span.label) for span in schemes.spans(tags)]


def half(rows: Iterable[dict[str, Any]], share: float) -> Names:
    """Return a share of the names of rows, always the same ones."""
    found = sorted({name for row in rows for name in names(row["words"], row["tags"])})
    random.Random(1).shuffle(found)
    return set(found[: round(share * len(found))])


def recall(predictions: Path, listed: Names) -> tuple[float, float]:
    """Return the recall on names that are listed, and on the others."""
    hits: dict[bool, list[bool]] = {True: [], False: []}
    for line in predictions.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        said = set(schemes.spans(row["tags"]))
        for span in schemes.spans(row["target"]):
            name = (" ".join(row["words"][span.start : span.end]), span.label)
            hits[name in listed].append(span in said)
    return mean(hits[True]), mean(hits[False])


def main(arguments: dict[str, str]) -> None:
    """Train both kinds of models by each seed, and print what they find."""
    count, share = int(arguments.pop("sentences", 200)), float(arguments.pop("share", 0.5))
    seeds = [int(seed) for seed in arguments.pop("seeds", "1,2,3").split(",")]
    options = [f"{name}={value}" for name, value in arguments.items()]
    splits = {split: samples.generate("entities", split) for split in samples.SPLITS}
    splits["train"] = splits["train"][:count]
    listed = half(splits["train"], share) | half(splits["test"], share)
    with tempfile.TemporaryDirectory() as folder:
        for split, rows in splits.items():
            lines = ("".join(f"{w} {t}\n" for w, t in zip(row["words"], row["tags"], strict=True)) for row in rows)
            Path(folder, f"{split}.txt").write_text("\n".join(lines), encoding="utf-8")
            options.append(f"data.{split}={folder}/{split}.txt")
        for label, file in FILES.items():
            phrases = sorted(name for name, kind in listed if kind == label)
            Path(folder, file).write_text("\n".join(phrases), encoding="utf-8")
        files = ",".join(f"{folder}/{file}" for file in FILES.values())
        for kind, own in (("without", []), ("with", [f"gazetteers=[{files}]"])):
            found = []
            for seed in seeds:
                place = f"{folder}/{kind}{seed}"
                run = gru_nlp.train("task=ner", "data=conll", *options, *own, f"seed={seed}", f"run_dir={place}")
                found.append((*recall(Path(place, "predictions.jsonl"), listed), run.scores["test/f1"]))
                print(kind, seed, *(f"{100 * one:.1f}" for one in found[-1]), flush=True)
            print(f"{kind} lists: listed, others, F1:", *(f"{100 * mean(one):.1f}" for one in zip(*found, strict=True)))


if __name__ == "__main__":
    main(dict(argument.split("=", 1) for argument in sys.argv[1:]))
