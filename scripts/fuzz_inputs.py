"""Hostile input over all commands, three thousand cases: each answered with the right count, or refused in one line.

Usage: python scripts/fuzz_inputs.py checkpoints=<classifier>,<tagger>,<translator> [cases=3000] [seed=1] [case=<one>]

A case makes a file of data (``hostile_inputs``), damages some, and hands it to ``predict``, ``translate``, ``evaluate``
or ``train`` with options that people type, some of them wrong, in a process of its own. All of it depends on (seed,
case) alone, so ``case=17`` repeats one and shows what it printed. A case fails on: an exit code other than 0 and 2, a
refusal that is more than a line, a traceback, an escape sequence, more than 2 GB, twice more than 20 s;
on a record too many or too few for what the file was made of; and on a file that a refused command leaves behind.
"""

import contextlib
import csv
import io
import json
import os
import random
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import hostile_inputs as hostile
from fuzzing import Outcome, Verdict, judge, run_all, run_case
from hostile_inputs import Made

MOST_KILOBYTES = 2_000_000
MOST_SECONDS = 20.0
READERS = {"lines": hostile.lines, "csv": hostile.csv, "tsv": hostile.tsv, "jsonl": hostile.jsonl,
           "parquet": hostile.parquet, "conll": hostile.conll}  # fmt: skip
QUICK = ("trainer.max_steps=3", "trainer.max_epochs=1", "encoder.hidden_size=8", "embedding.size=8", "logger=none",
         "trainer.enable_progress_bar=false", "data.validation_share=0.3", "run_dir=run")  # fmt: skip
#: What a command may leave in the folder that it ran in.
LEFT = ("run", "out", "in")
NAMES = (
    "in",
    "IN",
    "a b",
    "größe (1)",
    "x=1,y",
    "[1]",
    "it's",
    "~in",
    "#",
    "a" * 150,
    "$(x)",
    "%s",
    "-in",
    "{a}",
    "\\",
)
PLACES = ("/dev/null", "/dev/zero", "/dev/urandom", "/", ".", "gone", "~nobody/x", "b" * 300, "loop", "/proc/self/mem",
          "/proc/self/environ", "", "http://x.y/z.csv", "a\nb", "*.csv")  # fmt: skip
SLIPS = """
batch_size=0 batch_size=many batch_size=1e99 device=tpu device=cuda encoding=klingon encoding=rot13
encoding=zlib encoding=utf-16 encoding=latin-1 encoding=idna encoding= encoding=null seed=-1 +foo=1 foo=1 = ==
a=b=c [ ' batch_size={ batch_size=${x} batch_size=${oc.env:X} --bad -x batch_size=[1] ~batch_size
batch_size=null ++batch_size=3 é=1 \x1b=1 trust=x
""".split()
WRITING = """
format=csv format=tsv format=jsonl format=lines format=table format=html format=conll format=xml format=JSONL
format=null top_k=3 top_k=0 top_k=10000 top_k=x delimiter=; 'delimiter=\\t' delimiter= delimiter=ab text=nope
text= text=0 text=[text,label] input_format=csv input_format=jsonl input_format=zip output=out output=/dev/full
output=gone/out output=. batch_size=1 batch_size=7 scheme=bioes
""".split()
DATA = """
data.text=nope data.label=text data.text=[text,label] data.label_names={yes:good,no:bad} data.delimiter=;
data.label_names=[no,yes] data.label_names={} data.encoding=utf-16 data.encoding=hex data.columns=[text,label]
data.skip_empty=true data.label_cut=x data.validation_share=1 data.validation_share=0 data.text=0 data.label=1
data.validation_share=x data.format=xml data.train=null data.nope=1 data.hub=x
""".split()
TUNING = """
optimizer.lr=1e30 optimizer.lr=-1 optimizer.lr=x batch_tokens=1 patience=0 seed=1e9 num_workers=-1
trainer.max_steps=0 trainer.precision=8 trainer.devices=0 trainer.accelerator=x tokenizer=nope
tokenizer=character tokenizer=bpe tokenizer=wordpiece preprocessing.max_length=1 encoder=min_gru
tokenizer.vocabulary_size=1 tokenizer.vocabulary_size=x encoder.layers=0 encoder.layers=65 encoder.dropout=1
task.class_weights=x task.class_weights=balanced model.dropout=2 run_dir=/dev/null/x run_dir=in pooling=last
embedding.vectors=gone embedding.vectors=/dev/null batch_size=1 optimizer=sgd schedule=plateau task=ner logger=x
callbacks=x experiment=x
""".split()


class Case(NamedTuple):
    """A command, what is told about it, and how many records it must give where it succeeds; None: not known."""

    command: list[str]
    told: str
    records: int | None


def written(made: Made, source: random.Random, told: list[str]) -> tuple[str, Made]:
    """Write a file under some name, damaged or not; return its path and what it came to."""
    for _ in range(source.choice((0, 0, 1, 1, 2))):
        made, kind = hostile.damage(made, source)
        told.append(kind)
    path = source.choice(NAMES) + source.choice((made.ending, made.ending, made.ending.upper()))
    if source.random() < 0.08:
        with contextlib.suppress(OSError):
            os.symlink("loop", "loop")
        place = source.choice(PLACES)
        told.append(f"at {place[:20]}")
        return place, made._replace(records=None)
    Path(path).write_bytes(made.content)
    return path, made


def slips(source: random.Random, share: float, *kinds: list[str]) -> list[str]:
    """Return some options, most of them wrong."""
    return [source.choice(source.choice(kinds)) for _ in range(3) if source.random() < share]


def predict(runs: list[Path], source: random.Random) -> Case:
    """Label or translate a file."""
    run = source.choice(runs)
    command = "translate" if run == runs[2] else "predict"
    kind = source.choice([kind for kind in READERS if kind != "conll" or run == runs[1]])
    told = [kind]
    made = READERS[kind](source)
    if kind == "csv" and command == "translate":
        made = hostile.csv(source, ("source", "target"))
    path, made = written(made, source, told)
    options = slips(source, 0.2, WRITING, WRITING, SLIPS)
    named = [] if command == "predict" or kind in ("lines", "csv") else ["text=text"]
    known = not any(
        option.startswith(("input_format", "text=[", "text=0", "output", "encoding", "'deli", "deli"))
        for option in options
    )
    spelt = [] if (known and made.ending.startswith(f".{kind}")) or kind == "lines" else [f"input_format={kind}"]
    if source.random() < 0.05:
        shown = hostile.text(source) or "x"
        return Case([command, f"checkpoint={run}", *options, "--", shown], "a text", 1 if known else None)
    records = made.records if known else None
    return Case([command, f"checkpoint={run}", f"input={path}", *named, *spelt, *options], ", ".join(told), records)


def evaluate(runs: list[Path], source: random.Random) -> Case:
    """Score a file of labelled texts."""
    kind = source.choice(("csv", "tsv", "jsonl", "parquet"))
    told = [kind]
    path, _ = written(READERS[kind](source), source, told)
    names = "data.label_names={yes:positive,no:negative}"
    options = [f"data={kind}", f"data.test={path}", names, "output=out", *slips(source, 0.15, DATA, SLIPS)]
    return Case(["evaluate", f"checkpoint={runs[0]}", *options], ", ".join(told), None)


def train(runs: list[Path], source: random.Random) -> Case:
    """Train on a file for three steps."""
    kinds = {**READERS, "labelled_lines": hostile.labelled_lines, "tagged_jsonl": hostile.tagged_jsonl}
    kind = source.choice([kind for kind in kinds if kind != "lines"])
    told = [kind]
    path, _ = written(kinds[kind](source), source, told)
    task = "ner" if kind in ("conll", "tagged_jsonl") else source.choice(("sentiment", "classification"))
    options = [f"task={task}", f"data={kind}", f"data.train={path}", *slips(source, 0.2, DATA, SLIPS, TUNING, TUNING)]
    if source.random() < 0.3:
        options.append(f"data.test={path}")
    return Case(["train", *QUICK, *options], ", ".join(told), None)


MAKERS: tuple[Callable[[list[Path], random.Random], Case], ...] = (predict, predict, predict, evaluate, train)


def counted(outcome: Outcome, command: list[str]) -> int | None:
    """Return how many records a successful ``predict`` or ``translate`` wrote; None where that cannot be counted."""
    formats = [option.partition("=")[2] for option in command if option.startswith("format=")]
    format = (formats or ["lines" if command[0] == "translate" else "jsonl"])[-1]
    if format == "csv":
        return max(0, sum(1 for _ in csv.reader(io.StringIO(outcome.out, newline=""))) - 1)
    rows = outcome.out.split("\n")[:-1]
    if format in ("jsonl", "null"):
        for row in rows:
            json.loads(row, parse_constant=lambda word: sys.exit(f"{word} is no JSON"))
        return len(rows)
    return len(rows) if format in ("lines", "html") else None


def faults(case: Case, outcome: Outcome, before: set[str], after: set[str]) -> str:
    """Return what is wrong with an outcome; an empty text where nothing is."""
    wrong = [fault for fault in judge(outcome).split(", ") if fault and not fault.startswith("too much memory")]
    if outcome.kilobytes > MOST_KILOBYTES:
        wrong.append("too much memory")
    new = {name for name in after - before if name not in LEFT}
    if outcome.code == 2:
        new = after - before
    if new:
        wrong.append(f"left {', '.join(sorted(new))[:80]}")
    if outcome.code == 0 and case.records is not None and case.command[0] in ("predict", "translate"):
        found = counted(outcome, case.command)
        if found is not None and found != case.records:
            wrong.append(f"{found} records of {case.records}")
    return ", ".join(wrong)


def run(seed: int, runs: list[Path], case: int) -> Verdict:
    """Run one case."""
    seen: dict[str, Case] = {}
    listed: list[set[str]] = []

    def prepare() -> tuple[list[str], str]:
        source = random.Random(f"{seed} {case}")
        seen["case"] = source.choice(MAKERS)(runs, source)
        listed.append(set(os.listdir()))
        return seen["case"].command, seen["case"].told

    def finish() -> None:
        listed.append(set(os.listdir()))

    _, _, outcome = run_case(prepare, finish, MOST_SECONDS)
    found = seen["case"]
    return Verdict(found.command, found.told, outcome, faults(found, outcome, *listed))


def main(arguments: list[str]) -> int:
    """Run the cases, print each failure and the counts."""
    options = dict(argument.split("=", 1) for argument in arguments)
    runs = [Path(run).resolve() for run in options["checkpoints"].split(",")]
    seed, count = int(options.get("seed", 1)), int(options.get("cases", 3000))
    chosen = [int(options["case"])] if "case" in options else range(count)
    import torch

    import gru_nlp.cli.evaluate
    import gru_nlp.cli.predict
    import gru_nlp.cli.restored
    import gru_nlp.cli.train
    import gru_nlp.cli.translate  # noqa: F401

    torch.set_num_threads(1)
    return run_all(seed, chosen, partial(run, seed, runs))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
