"""Write a checkpoint as a folder that answers without torch, or without this program."""

from pathlib import Path

from omegaconf import DictConfig, ListConfig

from gru_nlp.config import resolved
from gru_nlp.console import show
from gru_nlp.errors import UserError, choose
from gru_nlp.export import exporting, folder

PRECISIONS = ("float32", "int8")


def run(config: DictConfig) -> None:
    """Export; show the files, their sizes, and how far the graphs are from the model."""
    if isinstance(config["checkpoint"], ListConfig):
        raise UserError("checkpoint=[...]: one model is exported at a time, and no ensemble: set checkpoint=<run>")
    choose("format", config["format"], exporting.MAKERS)
    choose("precision", config["precision"], PRECISIONS)
    given = resolved(config)
    if given["web_runtime"] is not None and given["format"] != "web":
        raise UserError("web_runtime is for format=web: leave it out")
    if not isinstance(given["license"], str | None):
        raise UserError(f"license={given['license']} must be text")
    target = Path(given["output"])
    folder.check_place(target)
    sizes, apart = exporting.export(given, target)
    for name, size in sizes.items():
        show(f"{target / name}: {size / 1e6:.2f} MB" if size > 1e5 else f"{target / name}: {size / 1e3:.1f} kB")
    show(f"{sum(sizes.values()) / 1e6:.2f} MB in all; at most {apart:.1e} away from torch")
