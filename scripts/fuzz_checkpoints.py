"""Altered checkpoints and run folders, a thousand of them: each must be answered or refused in one line.

Usage: python scripts/fuzz_checkpoints.py checkpoints=<run>[,<run>...] [cases=1000] [seed=1] [case=<one number>]

A case takes one of the run folders, alters its ``best.ckpt`` (or, for ``train resume=``, its ``config.yaml``) in one to
three places, and runs a command on it in a process of its own. What is altered, and how, depends on (seed, case) alone,
so ``case=17`` repeats one and shows what it printed. A case fails on: an exit code other than 0 and 2, a refusal that
is more than a line, a traceback, an escape sequence or a line of /etc/passwd in the output, a score that is no number,
more than 1.5 GB, twice more than 10 s, or anything that a checkpoint has no business with: a process, a connection,
an import or an unpickling that the file names. What is forbidden is stopped as well as told.
"""

import contextlib
import copy
import json
import os
import random
import shutil
import sys
from functools import partial
from pathlib import Path
from typing import Any

from fuzzing import CANARY, Verdict, judge, run_all, run_case
from hostile_files import alter_file, payload

TEXTS = ("a great cast, but far too slow", "a" * 40 + "!")
TARGETS = (
    "", "os.system", "subprocess.Popen", "builtins.eval", "torch.load", "torch.hub.load_state_dict_from_url", "é.x",
    CANARY, f"{CANARY}.Thing", f"{CANARY}_module.Thing", "gru_nlp.cli.main.main", "gru_nlp.nn.gru.torch.load",
    "gru_nlp", "gru_nlp..nn", "gru_nlp.checkpoint.load", "gru_nlp.text.vectors.WordVectors.read",
    "gru_nlp.nn.nowhere.Thing", "gru_nlp.nonexistent.Thing", "gru_nlp.nn.gru.GRU.forward", "gru_nlp.nn.gru.nn.Linear",
    "gru_nlp.data.module.DataModule", "gru_nlp.nn.encoder.RecurrentEncoder",
)  # fmt: skip
RUN = {"_target_": "torch.load", "f": f"{CANARY}.pkl", "weights_only": False}
VALUES = (
    None, True, 0, -1, 3, 10**6, 10**9, 10**18, 10**40, 0.5, -0.5, 1e300, float("nan"), float("inf"), "", "x", "???",
    "\x1b]0;x\x07", "a" * 100_000, "${oc.env:HOME}", "${seed}", "[1]", [], [1], ["a", "a"], [[[]]], {}, {"a": 1},
    {1: 2}, "/dev/zero", "/etc/passwd", "/", "../../../etc/passwd", "pipe", {"defaults": [{"/decoding@_global_": "x"}]},
    RUN, [RUN], {"_target_": f"{CANARY}.Thing"}, ["x"] * 2_000,
)  # fmt: skip
LOAD = {"()": "torch.load", "f": f"{CANARY}.pkl", "weights_only": False}
FETCH = {"_target_": "torch.hub.load_state_dict_from_url", "url": f"file:{CANARY}.pkl", "weights_only": False}
#: What Hydra would obey if it composed a stored group.
DOORS = (
    {"hydra": {"callbacks": {"x": RUN}}}, {"hydra": {"callbacks": {"x": FETCH}}}, {"hydra": {"run": {"dir": CANARY}}},
    {"hydra": {"job_logging": {"formatters": {"x": LOAD}}}}, {"output": f"{CANARY}.out"}, {"trust": [CANARY]},
)  # fmt: skip
#: Sizes that are believed before anything is compared with them.
SIZES = (
    "model.encoder.layers=9 model.encoder.hidden_size=6 model.embedding.size=6 model.decoding.max_ratio=9 "
    "model.decoding.max_extra=9 model.decoding.beam_size=9 model.decoding.n_best=9 num_workers=6 batch_size=9 "
    "model.characters.filters=7 preprocessing.max_length=9 preprocessing.max_words=9 trainer.devices=6 "
    "trainer.num_nodes=6"
).split()
FILES = ("/dev/zero", "/dev/stdin", "/etc/passwd", "/", "pipe", "/proc/self/mem", "\x1b[31m", "~nobody/x", "a" * 5_000)
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
    kind = source.choice(
        ("value", "value", "target", "remove", "word", "rename", "shared", "weights", "json", *ATTACKS)
    )
    if kind in ATTACKS:
        with contextlib.suppress(KeyError, TypeError, AttributeError):  # of what an earlier change has broken
            return ATTACKS[kind](record, record.get("config", record), source)
        return f"{kind} of a broken record"
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
    shown = container.get(key) if isinstance(container, dict) and kind != "shared" else ""
    return f"{kind} at {str(key)[:40]!r}: {str(shown)[:60]}"


def open_door(record: dict[str, Any], config: dict[str, Any], source: random.Random) -> str:
    """Store what Hydra obeys: a list of defaults that lifts the decoding into the whole config."""
    door = copy.deepcopy(source.choice(DOORS))
    lists = (
        [{"/decoding@_global_": "stored"}, "_self_"],
        [{"/decoding@_global_": "beam"}, "_self_"],
        [{"x@_global_": "y"}],
    )
    config["data"] = {"defaults": source.choice(lists), **config["data"]}
    config["decoding"] = config["model"]["decoding"] = {**(config.get("decoding") or {}), **door}
    return f"defaults and {door}"


def believe_size(record: dict[str, Any], config: dict[str, Any], source: random.Random) -> str:
    """Declare a size beyond all memory, or more labels than the weights have."""
    if "preprocessing" in record and "config" in record and source.random() < 0.15:
        record["preprocessing"]["labels"] = [f"label {number}" for number in range(2_000)]
        return "2,000 labels"
    for size in source.sample(SIZES, len(SIZES)):  # the first that this config has
        name, _, digits = size.partition("=")
        *parts, last = name.split(".")
        inner: Any = config
        for part in parts:
            inner = inner.get(part) if isinstance(inner, dict) else None
        if isinstance(inner, dict) and last in inner:
            inner[last] = 10 ** int(digits)
            return f"{name}=10**{digits}"
    return "no size"


def name_file(record: dict[str, Any], config: dict[str, Any], source: random.Random) -> str:
    """Let the data name a file of the machine."""
    spot, path = source.choice(("train", "validation", "test", "dir", "files", "cache_dir")), source.choice(FILES)
    target = config["data"]["_target_"] if "train" in config["data"] else "gru_nlp.data.corpus.FileCorpus"
    config["data"] = {"format": "csv", "text": 0, "label": 1, **config["data"], "_target_": target, spot: path}
    config["data"].pop("name", None)
    return f"data.{spot}={path[:40]!r}"


ATTACKS = {"door": open_door, "size": believe_size, "file": name_file}


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
    if source.random() < 0.3 and isinstance(content, dict):
        content["padding"] = {"strategy": {"Fixed": 10**9}, "direction": "Right", "pad_to_multiple_of": None,
                              "pad_id": 0, "pad_type_id": 0, "pad_token": "<pad>"}  # fmt: skip
        split = {"type": "Split", "pattern": {"Regex": "(a+)+$"}, "behavior": "Isolated", "invert": False}
        chosen = source.choice(("padding", "pre_tokenizer"))
        content |= {"padding": None, "pre_tokenizer": split} if chosen == "pre_tokenizer" else {}
        state[name] = json.dumps(content)
        return f"{name}: hostile {chosen}"
    container, key = source.choice(spots(content, []))
    values = (None, {}, [], 10**9, "(a+)+$", {"type": "Split", "pattern": {"Regex": "(a+)+$"}}, {"Fixed": 10**9})
    container[key] = source.choice((*values, -1, "", "a" * 1000))
    state[name] = json.dumps(content)
    return f"{name}: JSON at {key!r}"


def prepare(run: Path, source: random.Random) -> tuple[list[str], str]:
    """Write an altered copy of a run into this folder; return the command and what was altered."""
    import torch
    import yaml

    Path(f"{CANARY}.pkl").write_bytes(payload())
    os.mkfifo("pipe")
    if source.random() < 0.2:
        shutil.copytree(run, "run", ignore=shutil.ignore_patterns("logs"))
        stored = yaml.safe_load(Path("run/config.yaml").read_text(encoding="utf-8"))
        told = "; ".join(alter({}, stored, source) for _ in range(source.choice((1, 1, 2))))
        with contextlib.suppress(yaml.YAMLError, RecursionError, OverflowError):
            Path("run/config.yaml").write_text(yaml.safe_dump(stored), encoding="utf-8", errors="replace")
        quick = ["trainer.max_epochs=1", "trainer.enable_progress_bar=false"] if source.random() < 0.5 else []
        return ["train", "resume=run", *quick], f"config.yaml: {told}"
    shutil.copy(run / "best.ckpt", "odd.ckpt")
    content = torch.load("odd.ckpt", weights_only=True)
    use = "translate" if "translation" in content["gru_nlp"]["config"]["task"]["_target_"] else "predict"
    if source.random() < 0.3:
        told = alter_file(Path("odd.ckpt"), source)
    else:
        told = "; ".join(alter(content, content["gru_nlp"], source) for _ in range(source.choice((1, 1, 2, 3))))
        torch.save(content, "odd.ckpt")
    text = ["--", source.choice(TEXTS)]
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
    import gru_nlp.cli.restored
    import gru_nlp.cli.train
    import gru_nlp.cli.translate  # noqa: F401

    torch.set_num_threads(1)

    def run(case: int) -> Verdict:
        command, told, outcome = run_case(partial(prepare, runs[case % len(runs)], random.Random(f"{seed} {case}")))
        return Verdict(command, told, outcome, judge(outcome))

    return run_all(seed, chosen, run)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
