"""What stands in an exported folder beside its graphs, read and checked: a stranger's, until it has passed.

Sizes are bounded before a file is read, values are plain ones, and what they may name is the classes of
``gru_nlp.preprocessing`` and the tokenizers of ``gru_nlp.text``, none of which needs torch.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from gru_nlp import __version__, targets
from gru_nlp.errors import UserError, choose, one_line
from gru_nlp.plain import read_json, read_text
from gru_nlp.preprocessing.base import Preprocessor
from gru_nlp.ranges import check_ranges

#: Of folders, as ``gru-nlp export`` writes it.
FORMAT = 2
RECORD, STATE = "export.json", "state.json"
#: Larger ones hold no config and no vocabulary; n-grams and tables of tags are the largest of what they hold.
MOST_BYTES = 128 << 20
#: What the record holds, and of which kind.
FIELDS: dict[str, Any] = {"version": str, "license": str | None, "precision": str, "runner": str, "options": dict}
FIELDS |= {"made_for": str, "preprocessing": dict, "config": dict, "scores": dict, "scorer": str}
PRECISIONS = ("float32", "int8")
#: Where classes and functions that ``preprocessing`` names may lie.
HOMES = ("gru_nlp.preprocessing", "gru_nlp.speech", "gru_nlp.text")


@dataclass(frozen=True)
class Folder:
    """An exported folder, checked but for its graphs.

    Attributes:
        path: of the folder.
        version: of the program that wrote it.
        license: as its maker said; None: they said nothing.
        precision: of the graphs, ``float32`` or ``int8``.
        made_for: the format that was asked for: ``onnx``, ``web`` or ``torch``, which has no graph.
        runner: the kind of model.
        options: what is needed beside the graphs.
        config: of the training run.
        scores: by name; ``scorer`` says how they are computed.
        preprocessor: with all that it learned.
    """

    path: Path
    version: str
    license: str | None
    precision: str
    made_for: str
    runner: str
    options: Mapping[str, Any]
    config: Mapping[str, Any]
    scores: Mapping[str, float | None]
    scorer: str
    preprocessor: Preprocessor

    def refused(self, name: str) -> UserError:
        """Return the error that tells of a broken option of the record."""
        return UserError(f"{self.path / RECORD}: see its '{name}', which no folder of ours holds")

    def size(self, name: str) -> int:
        """Return a size that the preprocessor found in the data.

        Raises:
            UserError: it finds none such, so that it belongs to another kind of model.
        """
        sizes = self.preprocessor.sizes()
        if name not in sizes:
            raise UserError(f"{self.path / RECORD}: its preprocessing is not one of a runner '{self.runner}'")
        return int(sizes[name])


def is_exported(path: str | Path) -> bool:
    """Return whether a path is that of an exported folder."""
    return os.path.isfile(Path(path) / RECORD)  # False too where it cannot be looked at


def read_folder(path: str | Path) -> Folder:
    """Read and check an exported folder, but for its graphs.

    Raises:
        UserError: it is missing, broken, or of another format; the message names the file.
    """
    folder = Path(path)
    if not os.path.isdir(folder):
        raise UserError(f"{folder}: no such folder (see gru-nlp export)")
    record = read_json(folder / RECORD, MOST_BYTES)
    if record.get("format") != FORMAT:
        other, version = (one_line(record.get(name), 20) for name in ("format", "version"))
        told = f"format {other} of exported folders, but this version ({__version__}) reads {FORMAT}"
        raise UserError(f"{folder / RECORD}: {told}: export it again, or use the version that wrote it ({version})")
    broken = [name for name, kind in FIELDS.items() if name not in record or not isinstance(record[name], kind)]
    if not broken:
        scores = record["scores"].values()
        broken += ["scores"] * (not all(isinstance(score, float | int | None) for score in scores))
        broken += ["precision"] * (record["precision"] not in PRECISIONS)
        task = record["config"].get("task")
        broken += ["config"] * (not isinstance(task, dict) or not isinstance(task.get("name"), str))
    if broken:
        raise UserError(f"{folder / RECORD}: a record that is broken: see its {', '.join(broken)}")
    fields = {name: record[name] for name in FIELDS if name != "preprocessing"}
    return Folder(path=folder, preprocessor=_preprocessor(folder, record["preprocessing"]), **fields)


def _preprocessor(folder: Path, config: Mapping[str, Any]) -> Preprocessor:
    """Build a preprocessor and give it back what it learned."""
    made = built(folder / RECORD, "preprocessing", config)
    if not isinstance(made, Preprocessor):
        raise UserError(f"{folder / RECORD}: its 'preprocessing' names no preprocessor")
    state = read_json(folder / STATE, MOST_BYTES)
    files = [STATE]
    for name in made.tokenizers:
        if name not in state:  # where one serves for another, the state says so
            files.append(f"{name}.json")
            state[name] = read_text(folder / files[-1], MOST_BYTES)
    try:
        made.load_state_dict(state)
    except UserError as error:
        raise UserError(f"{folder / ' or '.join(files)}: {one_line(error)}") from None
    except targets.MISFITS as error:
        raise UserError(f"{folder / STATE}: a broken file ({type(error).__name__})") from error
    return made


def built(file: Path, name: str, config: Mapping[str, Any]) -> Any:
    """Build what a part of a record names, once it has been checked.

    Raises:
        UserError: it names what lies outside ``HOMES``, or options that are not the right ones.
    """
    try:
        for part in targets.parts(name, config):
            if not targets.inside(part["_target_"], HOMES):
                raise UserError(f"wants to build '{part['_target_']}', which no exported folder needs")
        targets.check_stored(name, config)
        check_ranges({name: config})
        return _made(config)
    except UserError as error:
        raise UserError(f"{file}: {one_line(error)}") from None
    except targets.MISFITS as error:
        raise UserError(f"{file}: its '{name}' does not build ({type(error).__name__}): a broken file") from error


def _made(config: Mapping[str, Any]) -> Any:
    named = {name: value for name, value in config.items() if not name.startswith("_")}
    options = {name: _made(value) if isinstance(value, Mapping) else value for name, value in named.items()}
    if "_target_" not in config:
        return options
    make = partial(targets.resolve(config["_target_"]), **options)
    return make if config.get("_partial_") else make()


def choice(folder: Folder, choices: Mapping[str, Any]) -> Any:
    """Return what the folder's ``runner`` names.

    Raises:
        UserError: it is none of ``choices``.
    """
    try:
        return choices[choose("runner", folder.runner, choices)]
    except UserError as error:
        raise UserError(f"{folder.path / RECORD}: {one_line(error)}") from None
