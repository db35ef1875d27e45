"""What a command's ``--help`` says: every option with the comment and the default that its yaml gives.

The yaml files are read as text, since comments are what explains an option, and since composing them would load Hydra:
help is to come at once. A file's first comment explains the choice, the comment behind an option the option. A file
takes over the options of those that its defaults list names, so that a choice is shown with all that it takes. Where it
says nothing on an option, what is said where the option comes from explains it: in the file that it builds on, at the
section that the option stands in, or in the group whose option a task or an experiment sets.
"""

import re
import shutil
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from gru_nlp.config import conf_dir
from gru_nlp.errors import UserError, nearest

LINE = re.compile(
    r"""(?P<indent>\s*)(?P<name>[\w"]+):(?P<value>(?:\s+(?:"[^"]*"|[^\s#]\S*))*)(?:\s+\#\s*(?P<comment>.*))?$"""
)
INLINE = re.compile(r"(\w+): ([^,}]+)")
REFERENCE = re.compile(r"\$\{([\w.]+)\}")
ENTRY = re.compile(r"\s+-\s+(?P<name>[^:#]+?)(?::\s*(?P<choice>\[[^\]]*\]|\S+))?\s*(?:#\s*(?P<comment>.*))?$")
#: The flags that people use, each with the values it takes and what it does; Hydra's others are in --hydra-help.
FLAGS = {
    "--help": ("[group]", "this text, or the choices of a group with their options"),
    "--cfg": ("job|hydra|all", "show the config that the options make, and end"),
    "--resolve": ("", "with --cfg: values in the place of ${...}"),
    "--package": ("GROUP", "with --cfg: that part of the config alone"),
    "--info": ("defaults-tree|defaults|searchpath|plugins|all", "show which yamls make the config, and end"),
    "--config-dir": ("DIR", "a folder of your own yaml, laid out as conf/"),
    "--multirun, -m": ("", "run once for each of several values: option=a,b"),
    "--quiet": ("", "results and errors alone"),
    "--verbose": ("", "what libraries say too, and where a mistake was found"),
    "--hydra-help": ("", "Hydra's own flags, and end"),
    "--version": ("", "Hydra's version, and end"),
}


@dataclass(frozen=True)
class Option:
    """An option: its default as written, and what explains it."""

    default: str
    comment: str

    @property
    def explained(self) -> str:
        """Return the comment; where there is none, what the value is taken from."""
        taken = REFERENCE.fullmatch(self.default)
        if self.comment or not taken:
            return self.comment
        return f"that of {taken[1]}" if "." in taken[1] else f"what {taken[1]}=... chooses"


@dataclass
class Page:
    """A yaml file: the comment on top, the entries of its defaults list, and its own options by dotted name."""

    head: str = ""
    defaults: list[tuple[str, str | None, str]] = field(default_factory=list)
    options: dict[str, Option] = field(default_factory=dict)
    sections: dict[str, str] = field(default_factory=dict)  # their comments


@cache
def read(path: Path) -> Page:
    """Read a yaml file of ``conf/`` as text."""
    page = Page()
    head: list[str] = []
    parents: list[tuple[int, str]] = []
    started = listed = False
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("#") and not started:
            head += [] if "@package" in line else [line.lstrip("# ")]
            continue
        started = started or bool(line.strip())
        if line.startswith("defaults:"):
            listed = True
            continue
        entry = ENTRY.match(line) if listed else None
        if entry:
            page.defaults.append((entry["name"], entry["choice"], entry["comment"] or ""))
        found = None if entry else LINE.match(line)
        if found is None:
            continue
        listed = False
        indent = len(found["indent"])
        parents = [parent for parent in parents if parent[0] < indent]
        name = ".".join([*(parent for _, parent in parents), found["name"].strip('"')])
        parents.append((indent, found["name"].strip('"')))
        value, comment = found["value"].strip(), found["comment"] or ""
        if value.startswith("{"):
            page.options |= {f"{name}.{key}": Option(part.strip(), comment) for key, part in INLINE.findall(value)}
        elif value and not found["name"].startswith("_"):
            page.options[name] = Option(value, comment)
        elif comment:
            page.sections[name] = comment
    page.head = " ".join(head)
    return page


def groups(command: str) -> dict[str, tuple[str | None, str]]:
    """Return the config groups of a command, each with its default choice and the comment on it."""
    chosen = [
        (name, choice, comment) for name, choice, comment in read(conf_dir() / f"{command}.yaml").defaults if choice
    ]
    kept = [entry for entry in chosen if not entry[0].startswith("override ")]
    return {name: (None if choice == "null" else choice, comment) for name, choice, comment in kept}


def parts(choice: str) -> list[str]:
    """Return the choices that stand in one, which may be a list: ``[csv, tensorboard]``."""
    return [part.strip() for part in choice.strip("[]").split(",") if part.strip()]


def choices(group: str) -> list[str]:
    """Return the choices of a group."""
    return sorted(path.stem for path in (conf_dir() / group).glob("*.yaml") if not path.stem.startswith("_"))


def options(group: str, choice: str) -> dict[str, Option]:
    """Return the options of a choice by their dotted names, those of the files that it builds on among them."""
    page = read(conf_dir() / group / f"{choice}.yaml")
    result: dict[str, Option] = {}
    for name, value, _ in page.defaults:
        if value is None and name != "_self_":
            result |= options(group, name)
    said = {**{name: option.comment for name, option in result.items()}, **page.sections}
    for name, option in page.options.items():
        # A choice that sets options of other groups names its own in full, as task=... does.
        whole = name if group in ("task", "experiment") else f"{group}.{name}"
        inherited = _inherited((whole, name), said)
        # A part that stands where null stood, as data.files.train where data.files did, takes its place.
        result = {other: kept for other, kept in result.items() if not whole.startswith(f"{other}.")}
        result[whole] = Option(option.default, option.comment or inherited)
    if group not in ("task", "experiment"):
        return result
    others = {name: option for name, option in result.items() if not name.startswith(f"{group}.")}
    return result | _as_elsewhere(others, _chosen(group, choice))


def _inherited(names: Sequence[str], said: Mapping[str, str]) -> str:
    """Return the comment on an option in what its file builds on, else on a section that it stands in."""
    for place in names:
        while place:
            if found := said.get(place):
                return found
            place = place.rpartition(".")[0]
    return ""


def _chosen(group: str, choice: str) -> dict[str, str]:
    """Return what a task or an experiment chooses of other groups."""
    result: dict[str, str] = {}
    for name, value, _ in read(conf_dir() / group / f"{choice}.yaml").defaults:
        other = name.removeprefix("override /")
        if value is None and name != "_self_":
            result |= _chosen(group, name)
        elif value is not None:
            result |= {**(_chosen("task", value) if other == "task" else {}), other: value}
    return result


def _as_elsewhere(given: Mapping[str, Option], chosen: Mapping[str, str]) -> dict[str, Option]:
    """Explain the options of other groups that a task or an experiment sets as the groups' ``chosen`` choices do."""
    usual = {name: choice for name, (choice, _) in groups("train").items()}
    result = dict(given)
    for name, option in given.items():
        group = name.partition(".")[0]
        choice = chosen.get(group, usual.get(group))
        if option.comment:
            continue
        known = options(group, choice) if choice and group in usual else command_options("train")
        result[name] = Option(option.default, known[name].comment if name in known else "")
    return result


def command_options(command: str) -> dict[str, Option]:
    """Return the options of a command that lie in no group, those of the file that it builds on behind its own."""
    page = read(conf_dir() / f"{command}.yaml")
    result = dict(page.options)
    for name, value, _ in page.defaults:
        if value is None and name not in ("_self_", "shell"):
            result |= {other: option for other, option in command_options(name).items() if other not in result}
    return result


def explain(command: str, arguments: Sequence[str]) -> str:
    """Return the help of a command, or of the group that the first argument names.

    Args:
        command: its name.
        arguments: what else was typed: a group, or choices of groups whose options are then shown.

    Raises:
        UserError: there is no such group or choice.
    """
    known = groups(command)
    words = [argument for argument in arguments if not argument.startswith("-") and "=" not in argument]
    for word in words:
        if word not in known:
            listed = f"choose from {', '.join(known)}" if known else f"{command} has none"
            raise UserError(f"no group {word} to explain: {listed}{nearest(word, known)}")
    if words:
        return "\n\n".join(_group(word, known[word][0]) for word in words)
    return _command(command, known, chosen_groups(command, arguments))


def chosen_groups(command: str, arguments: Sequence[str]) -> dict[str, str | None]:
    """Return the choice of each group of a command under some options, a task's or an experiment's own among them."""
    known = groups(command)
    named = {name: value for name, _, value in (argument.partition("=") for argument in arguments) if name in known}
    given = {name: value for name, value in named.items() if set(parts(value)) <= set(choices(name))}
    chosen = {name: choice for name, (choice, _) in known.items()}
    for group in ("task", "experiment"):
        if choice := given.get(group):
            chosen |= {name: value for name, value in _chosen(group, choice).items() if name in known}
    return chosen | given


def _command(command: str, known: Mapping[str, tuple[str | None, str]], chosen: Mapping[str, str | None]) -> str:
    page = read(conf_dir() / f"{command}.yaml")
    lines = [page.head, "", f"usage: gru-nlp {command} [option=value ...]", "", "options, with their defaults:"]
    lines += _table(command_options(command))
    if known:
        lines += ["", f"groups: choose with group=choice; gru-nlp {command} --help <group> explains its choices"]
    for name, (default, comment) in known.items():
        lines += ["", *_wrapped(f"{name}: {', '.join(choices(name))}", "    ")]
        note = comment.removeprefix("null: ") if default is None else default
        lines.append(f"    default: {note or 'none'}")
        choice = chosen[name]
        if choice is not None and choice != default:
            lines.append(f"    shown: {choice}")
        for part in parts(choice or ""):
            own = options(name, part)
            lines += _table({key: value for key, value in own.items() if key.startswith(f"{name}.")})
    return "\n".join([*lines, "", "flags:", *_flags()])


def _flags() -> Iterator[str]:
    for flag, (values, what) in FLAGS.items():
        start = f"  {flag} {values}"
        yield from [f"{start:<22}{what}"] if len(start) < 21 else [start, f"{'':<22}{what}"]


def _group(group: str, default: str | None) -> str:
    lines = [f"{group}: {', '.join(choices(group))}"]
    for choice in choices(group):
        head = read(conf_dir() / group / f"{choice}.yaml").head
        lines += ["", f"{group}={choice}" + (" (default)" if choice in parts(default or "") else "")]
        lines += [*_wrapped(f"    {head}", "    ")] if head else []
        others = [entry for entry in read(conf_dir() / group / f"{choice}.yaml").defaults if entry[1]]
        lines += [f"    sets {name.removeprefix('override /')}={value}" for name, value, _ in others]
        lines += _table(options(group, choice))
    return "\n".join(lines)


def _table(shown: Mapping[str, Option]) -> Iterator[str]:
    """Yield a line an option: name, default, comment; a long comment goes on below itself."""
    pairs = {
        name: f"{name}={'<needed>' if option.default == '???' else option.default}" for name, option in shown.items()
    }
    width = min(max(map(len, pairs.values()), default=0), 44)
    for name, option in shown.items():
        start = f"  {pairs[name]:<{width}}"
        yield from _wrapped(f"{start}  {option.explained}".rstrip(), " " * (width + 4))


def _wrapped(text: str, indent: str) -> list[str]:
    columns = max(shutil.get_terminal_size((110, 24)).columns, 60)
    wrapper = textwrap.TextWrapper(columns, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
    wrapper.drop_whitespace = True
    return wrapper.wrap(text) or [text]
