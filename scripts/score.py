"""Train one experiment with several seeds and state mean and standard deviation of every test score.

Usage: python scripts/score.py experiment=sst2 seeds=1,2,3 [output=score.json] [any override of gru-nlp train]

Every seed is a training run of its own, in a folder of its own below ``run_dir`` (default: runs/score-<experiment>);
a seed whose folder already holds its metrics is not trained again, and a folder is for one set of overrides alone.
The table goes to standard output, the same as JSON to ``output``.
"""

import json
import shlex
import statistics
import subprocess
import sys
from pathlib import Path

METRICS = "metrics.json"


def arguments(given: list[str]) -> tuple[dict[str, str], list[str]]:
    """Split ``name=value`` arguments into this script's own and the overrides of ``gru-nlp train``."""
    own = {"experiment": "", "seeds": "1,2,3", "output": "", "run_dir": ""}
    overrides = []
    for argument in given:
        name, _, value = argument.partition("=")
        if name in own:
            own[name] = value
        else:
            overrides.append(argument)
    if not own["experiment"]:
        raise SystemExit(f"usage: {__doc__.splitlines()[2].removeprefix('Usage: ')}")
    own["run_dir"] = own["run_dir"] or f"runs/score-{own['experiment']}"
    return own, overrides


def train(experiment: str, seed: int, folder: Path, overrides: list[str]) -> dict[str, object]:
    """Train one seed, unless its metrics are there, and return them."""
    if not (folder / METRICS).is_file():
        options = [f"experiment={experiment}", f"seed={seed}", f"run_dir={folder}", *overrides]
        command = [sys.executable, "-m", "gru_nlp", "train", *options]
        print(shlex.join(command), file=sys.stderr, flush=True)
        subprocess.run(command, check=True, stdout=sys.stderr)
    metrics: dict[str, object] = json.loads((folder / METRICS).read_text(encoding="utf-8"))
    return metrics


def check_same(file: Path, overrides: list[str]) -> None:
    """Refuse to mix runs with different overrides in one folder."""
    if file.is_file() and json.loads(file.read_text(encoding="utf-8")) != overrides:
        raise SystemExit(f"{file.parent} holds runs with other options (see {file.name}): set run_dir=<new folder>")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(overrides) + "\n", encoding="utf-8")


def summarise(runs: list[dict[str, object]]) -> dict[str, dict[str, object]]:
    """Return mean, sample standard deviation and the single values of every score that all runs have."""
    shared = [name for name in runs[0] if "/" in name and all(name in run for run in runs)]
    table = {}
    for name in sorted(shared):
        values = [float(str(run[name])) for run in runs]
        deviation = statistics.stdev(values) if len(values) > 1 else 0.0
        table[name] = {"mean": statistics.fmean(values), "deviation": deviation, "values": values}
    return table


def main() -> None:
    """Train all seeds, print the table, write the JSON."""
    own, overrides = arguments(sys.argv[1:])
    seeds = [int(seed) for seed in own["seeds"].split(",")]
    folder = Path(own["run_dir"])
    check_same(folder / "overrides.json", overrides)
    runs = [train(own["experiment"], seed, folder / f"seed-{seed}", overrides) for seed in seeds]
    table = summarise(runs)
    print(f"experiment={own['experiment']} seeds={own['seeds']} parameters={runs[0]['parameters']}")
    for name, row in table.items():
        print(f"{name:<22} {row['mean']:.4f} +- {row['deviation']:.4f}   {row['values']}")
    print(f"wall seconds: {[run['wall_seconds'] for run in runs]}; machine: {runs[0]['machine']}")
    output = Path(own["output"] or folder / "score.json")
    content = {"experiment": own["experiment"], "seeds": seeds, "scores": table, "runs": runs}
    output.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    print(f"written: {output}")


if __name__ == "__main__":
    main()
