"""The folder that a checkpoint becomes: graphs, tokenizers, labels, what is known of the model, and how to use it.

``export.json`` says what the rest is:

- ``format``, ``version``: of the folder and of the program;
- ``runner``: what answers by the graphs, by its name in ``gru_nlp.runtime``; ``options``: what it needs beside them;
- ``preprocessing``: the class that turns text into ids, by ``_target_``, with its options; what it learned stands in
  ``state.json``, each tokenizer in a file of its own as Hugging Face's libraries read it;
- ``precision``, ``license``, ``scores``, ``scorer``, and ``config``: that of the training run, without its paths.
"""

import contextlib
import json
import math
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from gru_nlp import __version__
from gru_nlp.checkpoint import Checkpoint
from gru_nlp.errors import Fault, UserError
from gru_nlp.export.readme import readme, requirements
from gru_nlp.models.base import Model
from gru_nlp.preprocessing.base import Preprocessor
from gru_nlp.runtime.folder import FORMAT, RECORD, STATE
from gru_nlp.traces import without_paths
from gru_nlp.whole import beside

LABELS = "labels.json"


class Exported(NamedTuple):
    """A model that is to be written.

    Attributes:
        stored: the checkpoint.
        preprocessor: of it.
        model: of it.
        files: the graphs by the names of their files.
        precision: ``float32`` or ``int8``.
        license: as the person says; None: they say nothing.
        found: what else is known of it, for ``export.json``.
    """

    stored: Checkpoint
    preprocessor: Preprocessor
    model: Model[Any]
    files: Mapping[str, bytes]
    precision: str
    license: str | None
    found: Mapping[str, Any]


def write(folder: Path, exported: Exported) -> dict[str, int]:
    """Write a folder, whole or not at all; return the bytes of each file.

    Raises:
        UserError: there is something in its place.
        Fault: it cannot be written.
    """
    contents = {**exported.files, **{name: text.encode() for name, text in texts(exported).items()}}
    with placed(folder) as part:
        for name, content in contents.items():
            (part / name).write_bytes(content)
    return {name: len(content) for name, content in contents.items()}


def texts(exported: Exported) -> dict[str, str]:
    """Return the files that are text, by their names."""
    told = record(exported)
    files = {RECORD: told, **state(exported.preprocessor)}
    if names := exported.preprocessor.label_names():
        files[LABELS] = names
    written = {name: value if isinstance(value, str) else _json(value) for name, value in files.items()}
    return {
        **written,
        "README.md": readme(told, exported.preprocessor, exported.files),
        "requirements.txt": requirements(exported.files, exported.preprocessor),
    }


def record(exported: Exported) -> dict[str, Any]:
    """Return what goes into ``export.json``."""
    bare = without_paths(exported.stored)
    options = exported.model.kept()
    decoding = bare.config["model"].get("decoding")
    if isinstance(decoding, dict):
        options["decoding"] = decoding
    return {
        "format": FORMAT,
        "version": __version__,
        "license": exported.license,
        "precision": exported.precision,
        "runner": exported.model.runner,
        "options": options,
        "preprocessing": bare.config["preprocessing"],
        "scores": {name: value if math.isfinite(value) else None for name, value in bare.scores.items()},
        "scorer": bare.scorer,
        **exported.found,
        "config": bare.config,
    }


def state(preprocessor: Preprocessor) -> dict[str, Any]:
    """Return the files of what a preprocessor learned: each tokenizer in one of its own, and the rest in one."""
    learned = preprocessor.state_dict()
    names = [name for name in preprocessor.tokenizers if learned[name] is not None]
    files: dict[str, Any] = {f"{name}.json": learned.pop(name) for name in names}
    return {STATE: learned, **files}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def check_place(folder: Path) -> None:
    """Refuse a place where no folder can be made.

    Raises:
        UserError: there is a file, or a folder that holds something; or it cannot be made.
    """
    try:
        taken = folder.exists() and (not folder.is_dir() or any(folder.iterdir()))
    except OSError as error:
        raise UserError(f"output={folder}: cannot be written: {error.strerror}: set output=<a new folder>") from None
    if taken:
        raise UserError(f"output={folder}: there is something already: set output=<a new folder>")
    ancestor = next(parent for parent in (folder, *folder.absolute().parents) if os.path.exists(parent))
    if not os.path.isdir(ancestor) or not os.access(ancestor, os.W_OK):
        raise UserError(f"output={folder}: cannot be written, since {ancestor} refuses it: set output=<a new folder>")


@contextlib.contextmanager
def placed(folder: Path) -> Iterator[Path]:
    """Give a folder beside, which takes the place of ``folder`` once the block has ended without an error.

    Raises:
        UserError: there is something in its place.
        Fault: it cannot be written.
    """
    check_place(folder)
    target = folder.resolve()  # a link is followed and stays
    part = beside(target)
    made = [parent for parent in target.parents if not parent.exists()]
    try:
        part.mkdir(parents=True)
        yield part
        for file in part.rglob("*"):
            if file.is_file():
                _synced(file)
        os.replace(part, target)
    except OSError as error:
        raise Fault(f"output={folder}: cannot be written: {error.strerror or error}") from None
    finally:
        shutil.rmtree(part, ignore_errors=True)
        for parent in made:
            with contextlib.suppress(OSError):
                parent.rmdir()  # which leaves what holds something


def _synced(file: Path) -> None:
    with file.open("rb+") as opened:
        os.fsync(opened.fileno())


def megabytes(sizes: Mapping[str, int], ending: Sequence[str] = ("",)) -> float:
    """Return the megabytes of the files with one of some endings."""
    return sum(size for name, size in sizes.items() if name.endswith(tuple(ending))) / 1e6
