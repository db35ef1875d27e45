"""Write a checkpoint as a folder that answers without torch, or without this program."""

from pathlib import Path

from omegaconf import DictConfig, ListConfig

from gru_nlp.config import absolute_paths, resolved
from gru_nlp.console import show
from gru_nlp.errors import UserError, choose
from gru_nlp.export import exporting


def run(config: DictConfig) -> None:
    """Export; show the files, their sizes, how far the graphs are from the model, and what 8 bits change."""
    if isinstance(config["checkpoint"], ListConfig):
        raise UserError("checkpoint=[...]: one model is exported at a time, and no ensemble: set checkpoint=<run>")
    choose("format", config["format"], exporting.MAKERS)
    choose("precision", config["precision"], exporting.PRECISIONS)
    absolute_paths(config)
    target = Path(config["output"])
    written = exporting.export(resolved(config), target)
    for name, size in written.sizes.items():
        show(f"{target / name}: {size / 1e6:.2f} MB" if size > 1e5 else f"{target / name}: {size / 1e3:.1f} kB")
    if written.compared is not None:
        for name, before in sorted(written.compared["before"].items()):
            if name in written.compared["after"]:  # not those of each part, which the graphs have no more
                show(f"{name}: {before:.4f} before, {written.compared['after'][name]:.4f} in 8 bits")
    if written.speeds:
        show(" and ".join(f"{speed:.2f} ms in {name}" for name, speed in written.speeds.items()) + ", a short text")
    show(f"{sum(written.sizes.values()) / 1e6:.2f} MB in all; at most {written.apart:.1e} away from torch")
