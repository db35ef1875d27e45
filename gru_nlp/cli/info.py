"""Show what a checkpoint holds: task, labels, sizes, scores, config."""

import yaml
from omegaconf import DictConfig

from gru_nlp import checkpoint
from gru_nlp.console import show

SHOWN_LABELS = 20


def run(config: DictConfig) -> None:
    """Print the checkpoint's contents as readable lines, its config as YAML at the end."""
    stored = checkpoint.load(config["checkpoint"])
    preprocessor, _ = checkpoint.restore(stored, config["trust"])
    names = preprocessor.label_names()
    more = f", ... ({len(names)} in all)" if len(names) > SHOWN_LABELS else ""
    lines = {
        "checkpoint": stored.path,
        "task": stored.config["task"]["name"],
        **({"labels": ", ".join(names[:SHOWN_LABELS]) + more} if names else {}),
        **{name: size for name, size in preprocessor.sizes().items() if isinstance(size, int)},
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
