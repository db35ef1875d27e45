"""From what a person types to what Hydra's grammar takes."""

import re
from collections.abc import Sequence

from gru_nlp.config import PATH_OPTIONS
from gru_nlp.errors import UserError, nearest

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
            raise UserError(f"unknown flag '{flag}'{nearest(flag, HYDRA_FLAGS)} (options are given as name=value)")


def is_sweep(arguments: Sequence[str]) -> bool:
    """Return whether Hydra is to run several jobs."""
    return any(argument in ("--multirun", "-m") for argument in arguments)


def sweep_first(arguments: Sequence[str]) -> list[str]:
    """Put the flag of a sweep before the options, where Hydra wants it."""
    return sorted(arguments, key=lambda argument: argument not in ("--multirun", "-m"))


def quote_paths(arguments: Sequence[str]) -> list[str]:
    """Quote the values of path options, so that blanks, brackets, ``=`` and any letter are taken as they are.

    In a sweep a comma separates values, so nothing is quoted there.
    """
    if is_sweep(arguments):
        return list(arguments)
    return [_quoted(argument) for argument in arguments]


def _quoted(argument: str) -> str:
    name, sign, value = argument.partition("=")
    if not sign or name.lstrip("+") not in PATH_OPTIONS or value in ("", "null", "???"):
        return argument
    if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
        return argument
    # Inside quotes only a quote, and backslashes right before one, have a meaning.
    escaped = re.sub(r"(\\*)'", lambda found: found.group(1) * 2 + "\\'", value)
    escaped = re.sub(r"(\\+)$", lambda found: found.group(1) * 2, escaped)
    return f"{name}='{escaped}'"


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
