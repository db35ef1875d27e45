"""From what a person types to what Hydra's grammar takes."""

from collections.abc import Mapping, Sequence

from gru_nlp.cli import verbatim
from gru_nlp.cli.voice import FLAGS
from gru_nlp.errors import UserError, nearest

#: Those that take a value, which may be the next argument.
VALUED_FLAGS = (
    *("--cfg", "-c", "--package", "-p", "--config-path", "-cp", "--config-name", "-cn", "--config-dir", "-cd"),
    *("--experimental-rerun", "--info", "-i"),
)
#: Those of which Hydra takes one.
MODES = ("--run", "-r", "--multirun", "-m", "--cfg", "-c", "--info", "-i", "--shell-completion", "-sc")
#: Those that show a config instead of running a command.
LOOKS = ("--cfg", "-c", "--info", "-i", "--hydra-help", "--shell-completion", "-sc")
#: How options of Hydra's begin that say how a sweep goes.
OF_SWEEPS = tuple(f"hydra{mark}{name}" for mark in "./" for name in ("launcher", "sweeper", "sweep."))
HYDRA_FLAGS = (
    *("--help", "-h", "--hydra-help", "--version", "--cfg", "-c", "--resolve", "--package", "-p", "--run", "-r"),
    *("--multirun", "-m", "--shell-completion", "-sc", "--config-path", "-cp", "--config-name", "-cn"),
    *("--config-dir", "-cd", "--experimental-rerun", "--info", "-i"),
)


def split_text(arguments: Sequence[str]) -> tuple[list[str], str | None]:
    """Cut the arguments at ``--``: everything after it is one text, which never reaches Hydra."""
    if "--" not in arguments:
        return list(arguments), None
    place = list(arguments).index("--")
    return list(arguments[:place]), " ".join(arguments[place + 1 :])


def check_flags(arguments: Sequence[str]) -> None:
    """Refuse a flag that Hydra does not have.

    Raises:
        UserError: naming the nearest one.
    """
    for argument in arguments:
        flag = argument.partition("=")[0]
        if argument.startswith("-") and flag not in HYDRA_FLAGS:
            raise UserError(
                f"unknown flag '{flag}'{nearest(flag, (*HYDRA_FLAGS, *FLAGS))} (options are given as name=value)"
            )
    modes = [argument for argument in arguments if argument.partition("=")[0] in MODES]
    if len(modes) > 1:
        raise UserError(f"only one of {' and '.join(modes)} can be given")


def check_sweep(arguments: Sequence[str]) -> None:
    """Refuse what only a sweep heeds where there is none.

    Raises:
        UserError: naming it.
    """
    names = [argument.partition("=")[0].lstrip("+~") for argument in arguments]
    if is_sweep(arguments) or not {*LOOKS, "hydra.mode"}.isdisjoint(names):
        return
    for argument, name in zip(arguments, names, strict=True):
        if name.startswith(OF_SWEEPS):
            raise UserError(f"{argument} has no effect without -m, which begins a sweep")


def without_dirs(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Take ``--config-dir`` and its value out of options that are given from Python, which takes no other flag.

    Raises:
        UserError: a flag of the command line.
    """
    options, folders = [], []
    waiting = False
    for argument in arguments:
        flag, sign, value = argument.partition("=")
        if waiting or (flag in ("--config-dir", "-cd") and sign):
            folders.append(argument if waiting else value)
            waiting = False
        elif flag in ("--config-dir", "-cd"):
            waiting = True
        elif argument.startswith("-"):
            raise UserError(f"{flag} is a flag of the command line alone{nearest(flag, ['--config-dir'])}")
        else:
            options.append(argument)
    return options, folders


def is_sweep(arguments: Sequence[str]) -> bool:
    """Return whether Hydra is to run several jobs."""
    return any(argument in ("--multirun", "-m") for argument in arguments)


def sweep_first(arguments: Sequence[str]) -> list[str]:
    """Put the flag of a sweep before the options, where Hydra wants it."""
    return sorted(arguments, key=lambda argument: argument not in ("--multirun", "-m"))


def flags_first(arguments: Sequence[str]) -> list[str]:
    """Put the flags, each with its value, before the options: Hydra's parser wants all options side by side."""
    flags: list[str] = []
    options: list[str] = []
    for place, argument in enumerate(arguments):
        valued = place > 0 and arguments[place - 1] in VALUED_FLAGS
        (flags if argument.startswith("-") or valued else options).append(argument)
    return flags + options


def without_nulls(arguments: Sequence[str], groups: Mapping[str, str | None]) -> list[str]:
    """Refuse ``group=null`` and ``~name`` of what a command needs; leave out those that change nothing.

    Args:
        arguments: as typed.
        groups: the config groups that the command takes, with their default choices; None: it needs none.

    Raises:
        UserError: a group or an option that the command cannot do without.
    """
    kept = []
    for argument in arguments:
        name, sign, value = argument.partition("=")
        bare = name.lstrip("~+")
        gone = argument.startswith("~") or (sign and value.strip("'\"") in ("null", ""))
        if bare in groups and gone:
            if groups[bare] is not None:
                raise UserError(f"{argument}: {bare} is needed; choose one, as in {bare}={groups[bare]}")
        elif argument.startswith("~") and ("." not in bare or bare.startswith("task.") or "._" in bare):
            raise UserError(f"{argument}: this option cannot be taken away; give it a value")
        else:
            kept.append(argument)
    return kept


def quote_paths(arguments: Sequence[str], lists: Sequence[str] = ()) -> list[str]:
    """Quote the values of paths and of a person's own names, so that whatever they hold is taken as it is typed.

    Args:
        arguments: as Hydra takes them otherwise.
        lists: options that are lists of paths for this command alone.
    """
    sweep, known = is_sweep(arguments), (*verbatim.LISTS, *lists)
    return [
        argument if argument.startswith("-") else verbatim.written(argument, sweep, known) for argument in arguments
    ]


def values(arguments: Sequence[str]) -> dict[str, str]:
    """Return the ``name=value`` arguments as they were typed, quotes around a whole value taken off."""
    pairs = (argument.partition("=") for argument in arguments if not argument.startswith("-"))
    return {name.lstrip("+"): value.strip("'\"") for name, sign, value in pairs if sign}


def forced(arguments: Sequence[str], groups: Sequence[str]) -> list[str]:
    """Let Hydra take any value beside ``resume``: it is the stored config, not the default one, that they change."""
    left = ("-", "+", "~", "resume=", *(f"{group}=" for group in groups))
    return [a if a.startswith(left) or "=" not in a else f"++{a}" for a in arguments]


def held(arguments: Sequence[str], groups: Sequence[str]) -> list[str]:
    """Let Hydra take values of ``groups`` that come from a checkpoint; a group that is chosen anew it knows itself."""
    chosen = {argument.partition("=")[0] for argument in arguments}
    own = tuple(f"{group}." for group in groups if group not in chosen)
    return [
        f"++{argument}" if own and argument.startswith(own) and "=" in argument else argument for argument in arguments
    ]
