"""What a command's ``--help`` says: every option with the comment and the default that its yaml gives.

The yaml files are read as text, since comments are what explains an option, and since composing them would load Hydra:
help is to come at once. A file's first comment explains the choice, the comment behind an option the option. A file
takes over the options of those that its defaults list names, so that a choice is shown with all that it takes.
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
ENTRY = re.compile(r"\s+-\s+(?P<name>[^:#]+?)(?::\s*(?P<choice>\S+))?\s*(?:#\s*(?P<comment>.*))?$")
FLAGS = """flags:
  --help [group]      this text, or the choices of a group with their options
  --cfg job           show the config that the options make, and end
  --config-dir DIR    a folder of your own yaml, laid out as conf/
  --multirun, -m      run once for each of several values: option=a,b"""


@dataclass(frozen=True)
class Option:
    """An option: its default as written, and what explains it."""

    default: str
    comment: str


@dataclass
class Page:
    """A yaml file: the comment on top, the entries of its defaults list, and its own options by dotted name."""

    head: str = ""
    defaults: list[tuple[str, str | None, str]] = field(default_factory=list)
    options: dict[str, Option] = field(default_factory=dict)


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
    page.head = " ".join(head)
    return page


def groups(command: str) -> dict[str, tuple[str | None, str]]:
    """Return the config groups of a command, each with its default choice and the comment on it."""
    chosen = [
        (name, choice, comment) for name, choice, comment in read(conf_dir() / f"{command}.yaml").defaults if choice
    ]
    kept = [entry for entry in chosen if not entry[0].startswith("override ")]
    return {name: (None if choice == "null" else choice, comment) for name, choice, comment in kept}


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
    for name, option in page.options.items():
        # A choice that sets options of other groups names its own in full, as task=... does.
        whole = name if group in ("task", "experiment") else f"{group}.{name}"
        inherited = result[whole].comment if whole in result else ""
        # A part that stands where null stood, as data.files.train where data.files did, takes its place.
        result = {other: kept for other, kept in result.items() if not whole.startswith(f"{other}.")}
        result[whole] = Option(option.default, option.comment or inherited)
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
    chosen = {name: choice for name, (choice, _) in known.items()}
    for argument in arguments:
        name, _, value = argument.partition("=")
        if name in known and value in choices(name):
            chosen[name] = value
    return _command(command, known, chosen)


def _command(command: str, known: Mapping[str, tuple[str | None, str]], chosen: Mapping[str, str | None]) -> str:
    page = read(conf_dir() / f"{command}.yaml")
    lines = [page.head, "", f"usage: gru-nlp {command} [option=value ...]", "", "options, with their defaults:"]
    lines += _table(page.options)
    if known:
        lines += ["", f"groups: choose with group=choice; gru-nlp {command} --help <group> explains its choices"]
    for name, (default, comment) in known.items():
        lines += ["", *_wrapped(f"{name}: {', '.join(choices(name))}", "    ")]
        note = comment.removeprefix("null: ") if default is None else default
        lines.append(f"    default: {note or 'none'}")
        choice = chosen[name]
        if choice is not None and choice != default:
            lines.append(f"    shown: {choice}")
        if choice is not None:
            own = options(name, choice)
            lines += _table({key: value for key, value in own.items() if key.startswith(f"{name}.")})
    return "\n".join([*lines, "", FLAGS])


def _group(group: str, default: str | None) -> str:
    lines = [f"{group}: {', '.join(choices(group))}"]
    for choice in choices(group):
        head = read(conf_dir() / group / f"{choice}.yaml").head
        lines += ["", f"{group}={choice}" + (" (default)" if choice == default else "")]
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
        yield from _wrapped(f"{start}  {option.comment}".rstrip(), " " * (width + 4))


def _wrapped(text: str, indent: str) -> list[str]:
    columns = max(shutil.get_terminal_size((110, 24)).columns, 60)
    wrapper = textwrap.TextWrapper(columns, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
    wrapper.drop_whitespace = True
    return wrapper.wrap(text) or [text]
