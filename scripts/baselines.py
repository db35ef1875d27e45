"""Fit the cheap baselines on the very splits of an experiment, and print one Markdown table.

Usage: python scripts/baselines.py experiment=sst2 [experiment=imdb ...] [models=tfidf_svm,nb_svm,fasttext]
       [runs=<run folder>,...] [any override of gru-nlp train, such as data.dir=<folder>]

The splits are those that ``gru-nlp train`` with the same options learns from, chooses by and is tested on. Options
before the first ``experiment=`` go for all, those behind one for it alone. Settings are chosen on validation; the
chosen one is then fitted anew, on training alone, and timed. ``runs`` puts run folders of ours, with what their
``metrics.json`` says, beneath. Needs: pip install 'gru_nlp[baselines]'
"""

import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Sequence
from importlib.metadata import packages_distributions, version
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from baseline_models import BASELINES, Baseline, Labels, Setting

from gru_nlp import build
from gru_nlp.checkpoint import BEST
from gru_nlp.cli.composing import default_choices
from gru_nlp.cli.shell import composed
from gru_nlp.config import resolved
from gru_nlp.console import say
from gru_nlp.data.corpus import Corpus
from gru_nlp.data.where import Split
from gru_nlp.errors import UserError, choose
from gru_nlp.metrics.classification import ClassificationMetric

METRICS = "metrics.json"
EXPERIMENT = "experiment="


class Texts(NamedTuple):
    """N texts and their labels ``(N,)``; -1 is a label that training does not have."""

    texts: list[str]
    labels: Labels


class Splits(NamedTuple):
    """A data set, the number of its labels, and the seed of the experiment."""

    name: str
    classes: int
    seed: int
    train: Texts
    validation: Texts
    test: Texts


class Clock:
    """Wall and CPU seconds since it was made, once it is stopped."""

    def __init__(self) -> None:
        self._began, self._cpu = time.perf_counter(), time.process_time()

    def stop(self) -> tuple[float, float]:
        """Return seconds and CPU seconds of this process."""
        return time.perf_counter() - self._began, time.process_time() - self._cpu


class Row(NamedTuple):
    """A line of the table; None where a figure is not known."""

    data: str
    model: str
    accuracy: float
    macro_f1: float
    fit: tuple[float, float | None]
    search: tuple[float | None, float | None]
    speed: tuple[float | None, float | None]
    megabytes: float
    chosen: str


def arguments(given: Sequence[str]) -> tuple[dict[str, str], list[list[str]]]:
    """Split arguments into this script's own and, for each experiment, the overrides of ``gru-nlp train``."""
    own = {"models": ",".join(BASELINES), "runs": ""}
    common: list[str] = []
    sets: list[list[str]] = []
    for argument in given:
        name, _, value = argument.partition("=")
        if name in own:
            own[name] = value
        elif argument.startswith(EXPERIMENT):
            sets.append([*common, argument])
        else:
            (sets[-1] if sets else common).append(argument)
    return own, sets or [common]


def name_of(overrides: Sequence[str]) -> str:
    """Return the experiment, or else the data set, that overrides choose."""
    chosen = dict(override.partition("=")[::2] for override in overrides)
    return chosen.get("experiment") or chosen.get("data") or str(default_choices("train")["data"])


def texts_of(corpus: Corpus, split: Split, ids: dict[str, int] | None) -> tuple[Texts, dict[str, int]]:
    """Return a split, and the ids of the labels: those given, or of this split's own in sorted order.

    Raises:
        UserError: there is no such split, it holds no labelled texts, or a label that training does not have.
    """
    table = corpus.load(split)
    if table is None:
        raise UserError(f"no {split} split: set data.{split}=<file>")
    if not {"text", "label"} <= set(table.column_names):
        told = f"{split} holds {', '.join(table.column_names)}, which are not texts of one label each"
        raise UserError(f"{told}: set task=classification, or other data")
    names = list(table["label"])
    known = ids or {name: place for place, name in enumerate(sorted(set(names)))}
    for line, name in zip(table["line"], names, strict=True):
        if name not in known and not corpus.takes_unknown:
            told = f"{corpus.locate(split, line)}: the label '{name}' does not occur in training"
            raise UserError(f"{told} (data.unknown_labels=wrong scores it as wrong)")
    return Texts(list(table["text"]), np.asarray([known.get(name, -1) for name in names], dtype=np.int64)), known


def read(overrides: Sequence[str]) -> Splits:
    """Read the splits of an experiment.

    Raises:
        UserError: any mistake in data or options.
    """
    config = resolved(composed("train", overrides))
    corpus: Corpus = build.build(config["data"])
    corpus.serve(build.preprocessor(config).data_columns)
    train, ids = texts_of(corpus, "train", None)
    if len(ids) < 2:
        raise UserError(f"training has the label '{next(iter(ids))}' alone: set data.train=<file with others too>")
    validation, test = (texts_of(corpus, split, ids)[0] for split in ("validation", "test"))
    return Splits(name_of(overrides), len(ids), config["seed"], train, validation, test)


def search(kind: type[Baseline], data: Splits, folder: Path) -> Setting:
    """Return the setting with the best accuracy on validation, the first of equals; one that diverges has none."""
    model = kind(data.seed, folder)
    model.read(*data.train)
    found: list[float] = []
    for setting in model.settings():
        try:
            model.fit(setting)
            found.append(float(np.mean(model.predict(data.validation.texts) == data.validation.labels)))
        except UserError:
            found.append(float("-inf"))
        say(f"{data.name}: {kind.name} {told(setting)}: validation {100 * found[-1]:.2f} %")
    return model.settings()[int(np.argmax(found))]


def told(setting: Setting) -> str:
    """Return a setting in words."""
    return " ".join(f"{name}={value:g}" for name, value in setting.items())


def measure(kind: type[Baseline], data: Splits, folder: Path) -> Row:
    """Choose a setting, fit it anew and test it."""
    clock = Clock()
    setting = search(kind, data, folder)
    searched, clock = clock.stop(), Clock()
    model = kind(data.seed, folder)
    model.read(*data.train)
    model.fit(setting)
    fitted, clock = clock.stop(), Clock()
    predicted = model.predict(data.test.texts)
    wall, cpu = clock.stop()
    metric = ClassificationMetric(data.classes)
    one_hot = torch.nn.functional.one_hot(torch.from_numpy(predicted), data.classes)
    metric.update(one_hot, torch.from_numpy(data.test.labels))
    scores = metric.compute()
    speed, size = (len(predicted) / wall, len(predicted) / max(cpu, 1e-9)), model.save().stat().st_size / 1e6
    found = (scores.accuracy, scores.macro_f1, fitted, searched, speed, size, told(setting))
    return Row(data.name, kind.title, *found)


def run_of(folder: Path) -> Row:
    """Return what a run folder of ours says of itself.

    Raises:
        UserError: it holds no finished run that was tested.
    """
    try:
        metrics = json.loads((folder / METRICS).read_text(encoding="utf-8"))
        size = (folder / BEST).stat().st_size / 1e6
        scores = metrics["test/accuracy"], metrics["test/macro_f1"]
        chosen = f"seed {metrics['seed']}, {metrics['parameters'] / 1e6:.1f} M parameters"
        seconds, name = metrics["wall_seconds"], name_of(metrics["overrides"])
    except (OSError, ValueError, KeyError) as error:
        raise UserError(f"{folder}: no run with a test accuracy ({error}): set runs=<run folders>") from None
    return Row(name, "gru_nlp", *scores, (seconds, None), (None, None), (None, None), size, chosen)


def number(value: float | None, form: str) -> str:
    """Return a figure, or nothing where there is none."""
    return "" if value is None else format(value, form)


def table(rows: Sequence[Row]) -> str:
    """Return rows as a Markdown table."""
    heads = ["data", "model", "accuracy, %", "macro F1, %", "fit, s", "CPU s", "search, s", "CPU s"]
    heads += ["texts/s", "texts/CPU s", "MB", "chosen"]
    lines = [heads, ["---"] * len(heads)]
    for row in rows:
        times = [number(value, ".1f") for value in (*row.fit, *row.search)]
        speeds = [number(value, ",.0f") for value in row.speed]
        scores = [f"{100 * row.accuracy:.2f}", f"{100 * row.macro_f1:.2f}"]
        lines.append([row.data, row.model, *scores, *times, *speeds, f"{row.megabytes:.1f}", row.chosen])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def compare(given: Sequence[str]) -> str:
    """Measure all that is asked for; return the table.

    Raises:
        UserError: any mistake in data or options, or a package that is not there.
    """
    own, sets = arguments(given)
    kinds = [BASELINES[choose("models", name, BASELINES)] for name in own["models"].split(",")]
    for kind in kinds:
        if find_spec(kind.module) is None:
            rest = ",".join(other.name for other in BASELINES.values() if other.module != kind.module)
            needs = f"models={kind.name} needs {kind.module}: pip install 'gru_nlp[baselines]'"
            raise UserError(f"{needs}, or set models={rest}")
    ours = [run_of(Path(folder)) for folder in own["runs"].split(",") if folder]
    rows: list[Row] = []
    for overrides in sets:
        data = read(overrides)
        for kind in kinds:
            with tempfile.TemporaryDirectory() as folder:
                rows.append(measure(kind, data, Path(folder)))
        rows += [row for row in ours if row.data == data.name]
    return table([*rows, *(row for row in ours if row.data not in {other.data for other in rows})])


def versions() -> dict[str, str]:
    """Return the versions of the packages that the models come from, by name."""
    owners = packages_distributions()
    named = {owner for kind in BASELINES.values() for owner in owners.get(kind.module, [])}
    return {name: version(name) for name in sorted(named)}


def main() -> int:
    """Print the table and the machine; return the exit code."""
    if {"-h", "--help"} & set(sys.argv):
        print(__doc__)
        return 0
    try:
        print(compare(sys.argv[1:]))
    except UserError as error:
        print(f"baselines: {error}", file=sys.stderr)
        return 2
    machine = {"system": platform.platform(), "cpus": os.cpu_count(), "python": platform.python_version()}
    print(json.dumps(machine | {"threads": os.environ.get("OMP_NUM_THREADS"), **versions()}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
