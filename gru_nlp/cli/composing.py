"""What composing a config takes: Hydra, its defaults and names, and one line for what it raises where it fails."""

import contextlib
import re
from collections.abc import Callable, Iterator, Sequence

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from gru_nlp.config import conf_dir
from gru_nlp.errors import UserError, nearest
from gru_nlp.ranges import leaves

#: What Hydra and OmegaConf raise where options or a person's own yaml cannot be composed, their plain errors among it.
BROKEN = (HydraException, OmegaConfBaseException, YAMLError, UnicodeDecodeError, OSError)
#: Where the choices of groups of Hydra's come from that do not come with it.
PLUGINS = {
    "hydra/sweeper": "optuna needs: pip install 'gru_nlp[optuna]'",
    "hydra/launcher": "joblib, submitit_local and submitit_slurm need: pip install 'gru_nlp[scale]'; "
    "ray needs: pip install hydra-ray-launcher",
}
#: Groups whose parts have a recurrent unit, by default the encoder's.
CELL_GROUPS = ("decoder", "pooling", "characters")


@contextlib.contextmanager
def told_in_a_line(
    command: str, overrides: Sequence[str], entered: Callable[[], bool] = lambda: False
) -> Iterator[None]:
    """Make what is raised where a config cannot be composed one line.

    Args:
        command: whose config it is.
        overrides: that it is composed from.
        entered: says whether the command itself has begun; what it raises stays.

    Raises:
        UserError: that line.
    """
    try:
        yield
    except (*BROKEN, ValueError, AttributeError) as error:
        # A yaml of a person's own can break Hydra with errors of Python's own kinds, which name what they were about.
        known = isinstance(error, BROKEN) or any(word in str(error) for word in ("defaults", "full_key: "))
        if not known or entered():
            raise
        raise UserError(explain(error, command, overrides)) from None


@contextlib.contextmanager
def composer() -> Iterator[None]:
    """Let ``compose`` work, within a run of Hydra's too."""
    saved = GlobalHydra.instance().hydra
    GlobalHydra.instance().clear()
    try:
        with initialize_config_dir(config_dir=str(conf_dir()), version_base="1.3"):
            yield
    finally:
        GlobalHydra.instance().hydra = saved


def default_config(command: str, chosen: Sequence[str] = ()) -> DictConfig:
    """Compose the config of ``command`` with no override but the groups ``chosen``, if they can be had."""
    with composer():
        try:
            return compose(command, overrides=list(chosen))
        except (HydraException, OmegaConfBaseException):
            return compose(command)


def default_choices(command: str) -> dict[str, str | None]:
    """Return the config groups of ``command`` with the choices that its yaml makes."""
    entries = OmegaConf.load(conf_dir() / f"{command}.yaml").defaults
    chosen = [item for entry in entries if OmegaConf.is_dict(entry) for item in entry.items()]
    return {str(group): choice for group, choice in chosen if not str(group).startswith("override ")}


def place_cells(config: DictConfig) -> None:
    """Put a recurrent unit in the place of its name, in place: ``decoder.cell=ssru`` is the unit of ``encoder=ssru``.

    Raises:
        UserError: there is no unit of that name.
    """
    known = sorted(file.stem for file in (conf_dir() / "encoder").glob("[!_]*.yaml"))
    for group in CELL_GROUPS:
        part = config.get(group)
        if not OmegaConf.is_dict(part) or "cell" not in part or OmegaConf.is_interpolation(part, "cell"):
            continue
        name = part.cell
        if isinstance(name, str) and name not in known:
            raise UserError(f"{group}.cell={name} is not known: choose from {', '.join(known)}{nearest(name, known)}")
        if isinstance(name, str):
            unit = default_config("train", [f"encoder={name}"]).encoder.cell
            OmegaConf.update(config, f"{group}.cell", unit, merge=False)


def group_names() -> list[str]:
    """Return the names of the config groups."""
    return sorted(entry.name for entry in conf_dir().iterdir() if entry.is_dir() and entry.name != "hydra")


def explain(error: Exception, command: str, overrides: Sequence[str] = ()) -> str:
    """Turn Hydra's several lines into one, with the nearest right name among what ``overrides`` choose."""
    chosen = [text for text in overrides if text.partition("=")[0] in group_names()]
    message = str(error)
    missing = re.search(r"Could not find '([^']+)/([^'/]+)'", message) or re.search(
        r"Could not find '([^']+)'", message
    )
    if missing and len(missing.groups()) == 2:
        group, value = missing.groups()
        options = [line.strip() for line in message.partition("Available options in")[2].splitlines()[1:]]
        known = sorted(option for option in options if re.fullmatch(r"[A-Za-z0-9]\w*", option))
        told = f"{group}={value} is not known: choose from {', '.join(known)}{nearest(value, known)}"
        return f"{told} ({PLUGINS[group]})" if group in PLUGINS else told
    unknown = re.search(r"(?:Could not override|Key) '([^']+)'", message)
    if unknown:
        option = unknown.group(1).partition("@")[0]
        plain = OmegaConf.to_container(default_config(command, chosen), resolve=False)
        names = [name for name, _ in leaves(plain)] + (group_names() if command != "info" else [])
        # A bare name is the run's own option, not that of the language model before it.
        own = [name for name in names if "." in option or not name.startswith("pretraining.")]
        option += nearest(option, own)
        return f"no option {option} (gru-nlp {command} --help lists them; add a new one with +)"
    hollow = re.search(r"Interpolation key '([^']+)' not found\s+full_key: (\S+)", message)
    if hollow:
        return f"{hollow.group(2)} is taken from {hollow.group(1)}, which is not there"
    message = message.partition("Config search path:")[0]
    lines = [line.strip() for line in message.splitlines() if line.strip() and not line.startswith("See https:")]
    return ": ".join(lines)
