"""Altered checkpoints and run folders, a thousand of them: each must be answered or refused in one line.

Usage: python scripts/fuzz_checkpoints.py checkpoints=<run>[,<run>...] [cases=1000] [seed=1] [case=<one number>]

A case takes one of the run folders, alters its ``best.ckpt`` (or, for ``train resume=``, its ``config.yaml``) in one to
three places, and runs a command on it in a process of its own. What is altered, and how, depends on (seed, case) alone,
so ``case=17`` repeats one and shows what it printed. A case fails on: an exit code other than 0 and 2, a refusal that
is more than a line, a traceback, an escape sequence or a line of /etc/passwd in the output, a score that is no number,
more than 1.5 GB, more than 10 s, or anything that a checkpoint has no business with: a process, a connection, an import
or an unpickling that the file names.
"""

import contextlib
import copy
import io
import json
import os
import pickle
import random
import shutil
import sys
import zipfile
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

from fuzzing import CANARY, judge, run_case

TEXT = "a great cast, but far too slow"
TARGETS = (
    *("os.system", "subprocess.Popen", "builtins.eval", "torch.load", "torch.hub.load_state_dict_from_url", CANARY),
    *(
        f"{CANARY}.Thing",
        "gru_nlp.cli.main.main",
        "gru_nlp.nn.gru.torch.load",
        "gru_nlp.checkpoint.load",
        "",
        "gru_nlp",
    ),
    *("gru_nlp.text.vectors.WordVectors.read", "gru_nlp.nn.nowhere.Thing", "gru_nlp.nn.gru.GRU.forward", "gru_nlp..nn"),
    *("gru_nlp.nn.gru.nn.Linear", "gru_nlp.data.module.DataModule", "gru_nlp.nn.encoder.RecurrentEncoder", "é.x"),
)
RUN = {"_target_": "torch.load", "f": f"{CANARY}.pkl", "weights_only": False}
VALUES = (
    *(None, True, 0, -1, 3, 10**6, 10**9, 10**18, 10**40, 0.5, -0.5, 1e300, float("nan"), float("inf"), "", "x", "???"),
    *(
        "\x1b]0;x\x07",
        "a" * 100_000,
        "${oc.env:HOME}",
        "${seed}",
        "[1]",
        [],
        [1],
        ["a", "a"],
        [[[]]],
        {},
        {"a": 1},
        RUN,
    ),
    *(
        "/dev/zero",
        "/etc/passwd",
        "/",
        "../../../etc/passwd",
        "pipe",
        {1: 2},
        {"defaults": [{"/decoding@_global_": "x"}]},
    ),
)
WORDS = ("_recursive_", "_args_", "_convert_", "_partial_", "_mode_", "defaults", "hydra", "trust", "output", "colour")


def spots(value: Any, found: list[tuple[Any, Any]], depth: int = 0) -> list[tuple[Any, Any]]:
    """Return every place of plain values as its container and key."""
    if depth < 12:
        pairs = value.items() if isinstance(value, dict) else enumerate(value[:50]) if isinstance(value, list) else ()
        for key, inner in pairs:
            found.append((value, key))
            spots(inner, found, depth + 1)
    return found


def alter(content: dict[str, Any], record: dict[str, Any], source: random.Random) -> str:
    """Alter plain values in one place; return what was done."""
    container, key = source.choice(spots(record, []))
    kind = source.choice(("value", "value", "value", "target", "remove", "word", "rename", "shared", "weights", "json"))
    if kind == "weights" and content:
        return alter_weights(content["state_dict"], source)
    if kind == "json" and isinstance(record.get("preprocessing"), dict):
        return alter_tokenizer(record["preprocessing"], source)
    if kind == "target":
        parts = [c for c, k in spots(record, []) if k == "_target_"] or [record]
        source.choice(parts)["_target_"] = target = source.choice(TARGETS)
        return f"_target_={target}"
    if kind == "remove":
        with contextlib.suppress(IndexError):
            del container[key]
    elif kind == "word" and isinstance(container, dict):
        key = source.choice(WORDS)
        container[key] = copy.deepcopy(source.choice(VALUES))
    elif kind == "rename" and isinstance(container, dict):
        container[source.choice((7, "other", "\x1b[31m", -1))] = container.pop(key)
    elif kind == "shared":
        deep: Any = []
        for _ in range(130):
            deep = [deep, deep]
        container[key] = deep
    else:
        container[key] = copy.deepcopy(source.choice(VALUES))
    return (
        f"{kind} at {key!r}: {str(container.get(key) if isinstance(container, dict) and kind != 'shared' else '')[:60]}"
    )


def alter_weights(weights: dict[str, Any], source: random.Random) -> str:
    """Alter one parameter."""
    import torch

    name = source.choice([name for name, value in weights.items() if isinstance(value, torch.Tensor)])
    values = weights[name]
    changed = {
        "nan": lambda: values * float("nan"),
        "inf": lambda: values + float("inf"),
        "huge": lambda: values * 1e30,
        "whole": lambda: torch.ones(values.shape, dtype=torch.int64),
        "double": lambda: values.double(),
        "expanded": lambda: torch.ones(1).expand(10**9),
        "shape": lambda: values.flatten(),
        "text": lambda: "x",
        "sparse": lambda: values.to_sparse(),
        "complex": lambda: values * 1j,
    }
    kind = source.choice([*changed, "gone", "renamed"])
    weights[name if kind in changed else "model.other"] = changed[kind]() if kind in changed else values
    if kind in ("gone", "renamed"):
        weights.pop(name)
    return f"weights {name}: {kind}"


def alter_tokenizer(state: dict[str, Any], source: random.Random) -> str:
    """Alter the JSON of a tokenizer, as text or inside."""
    names = [name for name, value in state.items() if isinstance(value, str) and value.startswith("{")]
    if not names:
        return "no tokenizer"
    name = source.choice(names)
    text = state[name]
    if source.random() < 0.3:
        place = source.randrange(len(text))
        state[name] = source.choice((text[:place], text[:place] + "}" + text[place:], "[" * 100_000, "null", "\ud800"))
        return f"{name}: broken JSON"
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return f"{name}: broken before"
    container, key = source.choice(spots(content, []))
    values = (None, {}, [], 10**9, "(a+)+$", {"type": "Split", "pattern": {"Regex": "(a+)+$"}}, {"Fixed": 10**9})
    container[key] = source.choice((*values, -1, "", "a" * 1000))
    state[name] = json.dumps(content)
    return f"{name}: JSON at {key!r}"


def hostile_pickle(source: random.Random) -> bytes:
    """Return a pickle that does more than hold values, or unfolds."""
    run = f"cos\nsystem\n(Vtouch {CANARY}.ran\ntR.".encode()
    load = f"c{CANARY}\nThing\n(tR.".encode()
    lists = b"\x80\x02](" + b"(l" * 900_000 + b"e."
    choices = (run, load, lists, b"cbuiltins\nbytearray\n(I3500000000\ntR.", b"\x80\x02(" + b"}" * 3_000_000 + b"l.")
    more = (b"", b".", b"\x80\x02" + b"]" * 10**6, b"\x80\x04\x8f.", b"(" * 10**6, b"\x8b\xff\xff\xff\x7f.")
    return source.choice((*choices, *more))


def alter_file(path: Path, source: random.Random) -> str:
    """Alter the bytes of a checkpoint; return what was done."""
    content = bytearray(path.read_bytes())
    kind = source.choice(("cut", "bits", "bits", "pickle", "pickle bits", "compressed", "twice", "text"))
    if kind == "cut":
        content = content[: source.randrange(len(content))]
    elif kind == "bits":
        for _ in range(source.choice((1, 10, 1000))):
            content[source.randrange(len(content))] ^= 1 << source.randrange(8)
    elif kind == "text":
        content = bytearray(source.choice((b"", b"hello", b"\0" * 1000, b"PK\x03\x04", b"\x1b]0;x\x07")))
    else:
        content = bytearray(rewritten(bytes(content), kind, source))
    path.write_bytes(bytes(content))
    return kind


def rewritten(content: bytes, kind: str, source: random.Random) -> bytes:
    """Return an archive with its pickle replaced or altered, or compressed."""
    made = io.BytesIO()
    how = zipfile.ZIP_DEFLATED if kind == "compressed" else zipfile.ZIP_STORED
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(made, "w", how) as new:
        for record in old.infolist():
            inner = old.read(record)
            if record.filename.endswith("data.pkl"):
                if kind == "pickle":
                    inner = hostile_pickle(source)
                elif kind == "pickle bits":
                    own = bytearray(inner)
                    for _ in range(source.choice((1, 5, 50))):
                        own[source.randrange(len(own))] = source.randrange(256)
                    inner = bytes(own)
                elif kind == "compressed":
                    inner += b"\0" * 300_000_000
            new.writestr(record.filename, inner)
            if kind == "twice" and record.filename.endswith("data.pkl"):
                new.writestr("other/data.pkl", hostile_pickle(source))
    return made.getvalue()


def prepare(run: Path, source: random.Random) -> tuple[list[str], str]:
    """Write an altered copy of a run into this folder; return the command and what was altered."""
    import torch
    import yaml

    Path(f"{CANARY}.pkl").write_bytes(pickle.dumps({}))
    os.mkfifo("pipe")
    if source.random() < 0.2:
        shutil.copytree(run, "run", ignore=shutil.ignore_patterns("logs"))
        stored = yaml.safe_load(Path("run/config.yaml").read_text(encoding="utf-8"))
        told = "; ".join(alter({}, stored, source) for _ in range(source.choice((1, 1, 2))))
        with contextlib.suppress(yaml.YAMLError, RecursionError, OverflowError):
            Path("run/config.yaml").write_text(yaml.safe_dump(stored), encoding="utf-8", errors="replace")
        quick = ["trainer.max_epochs=1", "trainer.enable_progress_bar=false"] if source.random() < 0.1 else []
        return ["train", "resume=run", *quick], f"config.yaml: {told}"
    shutil.copy(run / "best.ckpt", "odd.ckpt")
    if source.random() < 0.3:
        told = alter_file(Path("odd.ckpt"), source)
    else:
        content = torch.load("odd.ckpt", weights_only=True)
        told = "; ".join(alter(content, content["gru_nlp"], source) for _ in range(source.choice((1, 1, 2, 3))))
        torch.save(content, "odd.ckpt")
    use = "translate" if "translation" in run.name else "predict"
    text = ["--", TEXT]
    return source.choice((["info", "checkpoint=odd.ckpt"], [use, "checkpoint=odd.ckpt", *text],
                          ["evaluate", "checkpoint=odd.ckpt"])), told  # fmt: skip


def main(arguments: list[str]) -> int:
    """Run the cases, print each failure and the counts."""
    options = dict(argument.split("=", 1) for argument in arguments)
    runs = [Path(run).resolve() for run in options["checkpoints"].split(",")]
    seed, count = int(options.get("seed", 1)), int(options.get("cases", 1000))
    chosen = [int(options["case"])] if "case" in options else range(count)
    import torch

    import gru_nlp.cli.evaluate
    import gru_nlp.cli.info
    import gru_nlp.cli.train
    import gru_nlp.cli.translate  # noqa: F401

    torch.set_num_threads(1)
    print(f"seed {seed}, {len(chosen)} cases over {len(runs)} checkpoints")
    counts: Counter[str] = Counter()
    slowest = largest = 0.0
    for case in chosen:
        run, source = runs[case % len(runs)], random.Random(f"{seed} {case}")
        command, told, outcome = run_case(partial(prepare, run, source))
        wrong = judge(outcome)
        slowest, largest = max(slowest, outcome.seconds), max(largest, outcome.kilobytes)
        counts["failed" if wrong else "answered" if outcome.code == 0 else "refused in one line"] += 1
        if wrong or "case" in options:
            last = (outcome.err.splitlines() or [""])[-1][:200]
            print(f"case {case}: {' '.join(command)}: {told[:200]}\n  {wrong}\n  {last!r}", flush=True)
        if "case" in options:
            print(outcome.out + outcome.err)
    print(", ".join(f"{number} {what}" for what, number in sorted(counts.items())))
    print(f"slowest {slowest:.1f} s, largest {largest / 1e6:.2f} GB")
    return int(counts["failed"] > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
