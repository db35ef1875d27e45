"""The one folder of a training run: made only when training starts, named by the last line."""

import contextlib
import io
import json
import os
import platform
import shutil
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import datasets
import lightning
import tokenizers
import torch
import yaml
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from gru_nlp import __version__, build, checkpoint, targets
from gru_nlp.console import is_first_process
from gru_nlp.errors import Fault, UserError
from gru_nlp.plain import check_plain, expand
from gru_nlp.processes.sharing import shared_values
from gru_nlp.ranges import check_ranges, leaves
from gru_nlp.upgrade import upgrade
from gru_nlp.whole import clear, write_whole

CONFIG = "config.yaml"
METRICS = "metrics.json"
PREDICTIONS = "predictions.jsonl"
LOGS = "logs"
#: What a student learns from beside the references, or in their place: see ``distilling``.
DISTILLED = "distilled.jsonl"
#: Where the language models lie that a run began with.
PRETRAINING = "pretraining"
#: Characters of a config; ours have some thousand.
MOST_CONFIG = 1 << 20
#: Characters of a run's scores; the tables of thousands of classes need some hundred thousand.
MOST_METRICS = 1 << 24
#: What a run builds beside the parts of its checkpoint, and where that may lie.
OUTER_HOMES = {"optimizer": "torch.optim", "schedule": "gru_nlp.tasks.schedules", "trainer": "lightning"}
#: The same for what a run may have any number of.
ADDED_HOMES = {"logger": "lightning.pytorch.loggers", "callbacks": "lightning.pytorch.callbacks"}
#: What training reads of a run's config beside them, and of which kind it is.
SETTINGS = {**checkpoint.SETTINGS, "patience": int, "threads": int | str | None, "device": str}
SETTINGS |= {"embedding": dict, "pretraining": dict, "finetune": str | None}


def choose_folder(config: Mapping[str, Any]) -> Path:
    """Return the folder of a new run: ``run_dir``, the sweep's job folder, or a new one below ``runs/``.

    The first process chooses; ``agreed`` tells the others.

    Raises:
        UserError: it holds files already, or cannot be written.
    """
    if not is_first_process():
        return Path()
    if config["run_dir"]:
        folder = Path(config["run_dir"])
    elif HydraConfig.initialized() and HydraConfig.get().mode == RunMode.MULTIRUN:
        folder = Path(HydraConfig.get().runtime.output_dir)
    else:
        folder = _unused(Path("runs") / f"{config['task']['name']}-{datetime.now():%Y%m%d-%H%M%S-%f}")
    if os.path.exists(folder) and (not os.path.isdir(folder) or any(folder.iterdir())):
        raise UserError(f"{folder}: exists and is not an empty folder: set run_dir=<new folder>, or resume={folder}")
    check_writable(folder, "run_dir")
    return folder


def check_writable(folder: Path, option: str) -> None:
    """Refuse a folder that is none, or that cannot be made.

    Raises:
        UserError: naming ``option``, which sets another.
    """
    try:
        folder.exists()
    except OSError as error:  # a name that is too long
        raise UserError(f"{folder}: cannot be written, since {error.strerror}: set {option}=<new folder>") from None
    ancestor = next(parent for parent in (folder, *folder.absolute().parents) if os.path.exists(parent))
    if not os.path.isdir(ancestor) or not os.access(ancestor, os.W_OK):
        raise UserError(f"{folder}: cannot be written, since {ancestor} refuses it: set {option}=<new folder>")


def agreed(folder: Path) -> Path:
    """Return the folder of the first process, in every one."""
    return Path(shared_values(lambda: str(folder)))


def _unused(folder: Path) -> Path:
    number, candidate = 1, folder
    while os.path.exists(candidate):
        number += 1
        candidate = folder.with_name(f"{folder.name}-{number}")
    return candidate


def create(folder: Path, config: DictConfig, resumed: bool) -> None:
    """Make the folder and write ``config.yaml``, in the first process.

    Raises:
        UserError: it cannot be written, or another run has just begun in it.
    """
    if not is_first_process():
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if resumed:
            clear(folder)
        else:
            (folder / CONFIG).touch(exist_ok=False)  # of two runs that begin at once, one gets it
        write_whole(folder / CONFIG, OmegaConf.to_yaml(config))
    except UserError:
        if not resumed:
            remove_unused(folder)
        raise
    except FileExistsError:
        raise UserError(f"{folder}: another run has just begun there: set run_dir=<new folder>") from None
    except OSError as error:
        raise UserError(f"{folder}: cannot be written ({error.strerror}): set run_dir=<new folder>") from None


def stored_config(folder: Path, trusted: Sequence[str] = ()) -> DictConfig:
    """Read the config of an earlier run, its references as they were, once all that it builds has been checked.

    Args:
        folder: of the run.
        trusted: packages, beside this one, that it may build from.

    Raises:
        UserError: the folder holds none, or one that this program did not write.
    """
    file = folder / CONFIG
    if not os.path.isfile(file):
        raise UserError(f"{folder}: holds no {CONFIG}, so it is no run folder (set resume=<run folder>)")
    try:
        with file.open(encoding="utf-8") as stream:
            text = stream.read(MOST_CONFIG + 1)
        # Aliases let a small file unfold to an endless one; the program writes none.
        aliased = any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text, Loader=yaml.SafeLoader))
        if len(text) > MOST_CONFIG or aliased:
            raise UserError(f"{file}: not a config that this program wrote (set resume=<run folder>)")
        loaded = OmegaConf.load(io.StringIO(text))
        plain = OmegaConf.to_container(loaded, resolve=False)
    except (OSError, ValueError, RecursionError, yaml.YAMLError, OmegaConfBaseException) as error:
        reason = " ".join(str(error).split())[:100]
        raise UserError(f"{file}: cannot be read as a config ({reason})") from None
    if not isinstance(plain, dict) or not isinstance(loaded, DictConfig):
        raise UserError(f"{file}: not a config that this program wrote (set resume=<run folder>)")
    check_plain(plain, str(file), checkpoint.MOST_SETTINGS)
    named = upgrade({str(name): value for name, value in plain.items()})
    check_config(file, expand(named, str(file), checkpoint.MOST_SETTINGS), trusted)
    return OmegaConf.create(named)


def check_config(file: Path, plain: Mapping[str, Any], trusted: Sequence[str]) -> None:
    """Refuse a run's config that builds anything but this program's parts, Lightning's trainer and torch's optimisers.

    Raises:
        UserError: naming the file and the target.
    """
    try:
        for part in checkpoint.PARTS:
            targets.check_stored(part, plain.get(part), trusted)
        for part, home in OUTER_HOMES.items():
            build.check_outer(part, plain.get(part), home, trusted)
        for group, home in ADDED_HOMES.items():
            chosen = plain.get(group) or {}
            if not isinstance(chosen, dict):
                raise UserError(f"'{group}' is not a group of parts")
            for option, value in leaves(chosen):
                # A place to write to, or a server to send to, is the person's to name.
                if isinstance(value, str) and not option.endswith("_target_") and set(value) & set("/\\:"):
                    raise UserError(f"{group}.{option} names a place, which resume takes from no run folder")
            for name, part in chosen.items():
                build.check_outer(f"{group}.{name}", part, home, trusted)
        if broken := checkpoint.misfits(plain, SETTINGS):
            raise UserError(f"a run's config that is broken: see its {', '.join(broken)}")
        check_ranges(plain)
    except UserError as error:
        raise UserError(f"{file}: {error}") from None


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write ``content`` whole.

    Raises:
        UserError: it cannot be written.
    """
    write_whole(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def leave_json(folder: Path, name: str, content: Mapping[str, Any], option: str) -> None:
    """Write ``content`` whole into a folder, which is made where there is none.

    Raises:
        Fault: it cannot be written; names ``option``, which sets another folder.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Fault(f"{folder}: cannot be written: {error.strerror} (set {option}=<new folder>)") from None
    write_json(folder / name, content)


def read_metrics(folder: Path) -> dict[str, Any]:
    """Read what a run that has ended says of itself; empty where it has not, or where the file is none of ours."""
    try:
        with (folder / METRICS).open(encoding="utf-8") as file:
            content = json.loads(file.read(MOST_METRICS))
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def environment() -> dict[str, Any]:
    """Return versions and machine, as ``metrics.json`` states them."""
    versions = {
        "gru_nlp": __version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "lightning": lightning.__version__,
        "datasets": datasets.__version__,
        "tokenizers": tokenizers.__version__,
    }
    machine = {
        "system": platform.platform(),
        "processor": _processor(),
        "cpus": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
    }
    return {"versions": versions, "machine": machine}


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.is_file():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def remove_unused(folder: Path) -> None:
    """Remove what a run has made in its folder, and the folder where there is nothing else; not if it holds a model."""
    if any(any(folder.rglob(name)) for name in (checkpoint.BEST, checkpoint.LAST)):
        return
    for name in (LOGS, PRETRAINING):
        shutil.rmtree(folder / name, ignore_errors=True)
    with contextlib.suppress(OSError):
        for name in (CONFIG, DISTILLED):
            (folder / name).unlink(missing_ok=True)
        folder.rmdir()
