"""Show what a checkpoint holds: task, labels, sizes, scores, config; copy it without the paths of its maker."""

import os
from collections.abc import Sequence
from pathlib import Path

import yaml
from omegaconf import DictConfig

from gru_nlp import checkpoint, traces
from gru_nlp.answers.writing import check_apart
from gru_nlp.console import say, show
from gru_nlp.errors import UserError

SHOWN_LABELS = 20


def run(config: DictConfig) -> None:
    """Print the checkpoint's contents as readable lines, its config as YAML at the end; copy it if asked to."""
    stored = checkpoint.load(config["checkpoint"])
    if config["output"] is not None:
        check_output(config["output"], stored)
    preprocessor, _ = checkpoint.restore(stored, config["trust"])
    names = preprocessor.label_names()
    more = f", ... ({len(names)} in all)" if len(names) > SHOWN_LABELS else ""
    lines = {
        "checkpoint": stored.path,
        "task": stored.config["task"]["name"],
        **({"labels": ", ".join(names[:SHOWN_LABELS]) + more} if names else {}),
        **{name: size for name, size in preprocessor.sizes().items() if isinstance(size, int)},
        **preprocessor.told(),
        # Tied weights stand under several names but are stored once.
        "parameters": sum({values.data_ptr(): values.numel() for values in stored.weights.values()}.values()),
        "file_bytes": stored.path.stat().st_size,
        **{name: f"{value:.4f}" for name, value in sorted(stored.scores.items())},
        "scorer": stored.scorer,
        "seed": stored.config["seed"],
        "version": stored.version,
    }
    width = max(map(len, lines)) + 2
    for name, value in lines.items():
        show(f"{name + ':':<{width}}{value}")
    show("config:")
    show(yaml.safe_dump(stored.config, sort_keys=False, allow_unicode=True).rstrip())
    found = traces.paths(stored.config)
    show("paths of its maker:" if found else "paths of its maker: none")
    for option, path in found.items():
        show(f"  {option}={path}".replace("\n", "\\n"))
    if config["output"] is not None:
        copy(stored, config["output"], config["trust"])
    elif found:
        say("output=<file> writes a copy without them")


def check_output(output: str, stored: checkpoint.Checkpoint) -> None:
    """Refuse a place where no copy can stand.

    Raises:
        UserError: it is what is read, or no regular file.
    """
    check_apart(output, {"checkpoint": str(stored.path)})
    if not output or (os.path.exists(output) and not os.path.isfile(output)):
        raise UserError(f"output={output}: is no regular file, which a checkpoint is: set output=<file>")


def copy(stored: checkpoint.Checkpoint, output: str, trusted: Sequence[str]) -> None:
    """Write a checkpoint without the paths of its maker, once it is known to build without them.

    Raises:
        UserError: it does not, or the copy cannot be written.
    """
    bare = traces.without_paths(stored)
    checkpoint.restore(bare, trusted)
    checkpoint.write(Path(output), bare, "output")
    show(f"copy without them: {output}")
