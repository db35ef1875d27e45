"""What a shell may complete: commands, flags, options, choices, files, run folders.

A shell's script (``completion_scripts.py``) asks ``gru-nlp completion`` at every press of the key, so this reads the
tables of the help alone and loads neither Hydra nor torch. Words come in as a person means them, quotes and backslashes
taken off, and go out the same way; the shells quote again. Bash is the exception: it cuts words at ``=`` and ``:``, so
it hands over the line, and takes back what follows its last cut.
"""

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from gru_nlp.cli import help as helping
from gru_nlp.config import PATH_OPTIONS, at_home, conf_dir
from gru_nlp.errors import UserError, nearest

SHELLS = ("bash", "zsh", "fish")
#: Options that name a checkpoint: a file, or a run folder; and the file that makes a folder one.
CHECKPOINTS = dict.fromkeys(("checkpoint", "teacher", "backward_teacher", "finetune"), "best.ckpt")
CHECKPOINTS |= {"resume": "last.ckpt"}
#: Where new runs lie, which are offered before a person has typed the folder's name.
RUNS = "runs"
ENDING = ".ckpt"
#: The values that a comment lists first, such as ``auto, cpu or cuda``.
LISTED = re.compile(r"^(\w+(?:, \w+)*),? or (\w+)(?=$|[;:,(]| \()")
#: Stands for the cursor while a line is cut into words.
CURSOR = "\0"


class Candidate(NamedTuple):
    """A whole word to complete to, and what it means; ``open``: more follows, so that no blank is set after it."""

    word: str
    meaning: str = ""
    open: bool = False


def complete(words: Sequence[str], commands: Mapping[str, str], tools: Mapping[str, Sequence[str]]) -> list[Candidate]:
    """Return what the last of ``words`` may become.

    Args:
        words: those after the program's name up to the cursor; the last is the one that is being typed.
        commands: what each command does.
        tools: the arguments of each command that takes no options.
    """
    *before, current = words
    if not before:
        found = [Candidate(name, what) for name, what in commands.items()]
        found += [Candidate("--help", "the commands"), Candidate("--version", "of the program")]
    elif before[0] in tools:
        found = [Candidate(argument) for argument in tools[before[0]]] if len(before) == 1 else []
    elif before[0] not in commands or "--" in before:
        found = []  # not a command, or a text
    elif _takes_value(before[-1]):
        found = list(_flag_values(before[-1], current))
    elif "--help" in before or "-h" in before:
        found = [Candidate(name, note) for name, (_, note) in helping.groups(before[0]).items()]
    elif current.startswith("-"):
        found = [Candidate(name.split(",")[0], what) for name, (_, what) in helping.FLAGS.items()]
    elif "=" in current:
        found = list(_values(before[0], before[1:], current))
    else:
        found = list(_names(before[0], before[1:]))
    return [candidate for candidate in found if candidate.word.startswith(current)]


def _takes_value(flag: str) -> bool:
    values = {name.split(",")[0]: values for name, (values, _) in helping.FLAGS.items()}
    return bool(values.get(flag)) and flag != "--help"


def _flag_values(flag: str, typed: str) -> Iterator[Candidate]:
    if flag == "--config-dir":
        yield from (found for found in _paths(typed) if found.open)
    elif "|" in helping.FLAGS[flag][0]:
        yield from map(Candidate, helping.FLAGS[flag][0].split("|"))


def _names(command: str, arguments: Sequence[str]) -> Iterator[Candidate]:
    """Yield groups and options that were not given yet."""
    given = {argument.partition("=")[0] for argument in arguments}
    groups = {name: Candidate(f"{name}=", f"default: {choice or 'none'}", True) for name, choice in _groups(command)}
    options = {
        name: Candidate(f"{name}=", option.explained, True) for name, option in _options(command, arguments).items()
    }
    yield from (found for name, found in {**groups, **options}.items() if name not in given)


def _groups(command: str) -> list[tuple[str, str | None]]:
    return [(name, choice) for name, (choice, _) in helping.groups(command).items()]


def _options(command: str, arguments: Sequence[str]) -> dict[str, helping.Option]:
    """Return the options of a command under its arguments; of a group without a choice, those of all choices."""
    found = dict(helping.command_options(command))
    for group, choice in helping.chosen_groups(command, arguments).items():
        every = helping.choices(group) if choice is None and group != "experiment" else helping.parts(choice or "")
        for known in every:
            found |= {n: o for n, o in helping.options(group, known).items() if n.startswith(f"{group}.")}
    return found


def _values(command: str, arguments: Sequence[str], current: str) -> Iterator[Candidate]:
    """Yield words ``name=value`` for the name that was typed."""
    name, _, typed = current.partition("=")
    options = _options(command, arguments)
    if name in CHECKPOINTS:
        yield from _named(name, _runs(typed, CHECKPOINTS[name]))
    elif name in PATH_OPTIONS:
        yield from _named(name, _paths(typed))
    elif name in dict(_groups(command)):
        yield from _choices(name, typed, arguments)
    elif name in options:
        option = options[name]
        listed = LISTED.match(option.comment)
        values = [*listed[1].split(", "), listed[2]] if listed else []
        values += ["true", "false"] if option.default in ("true", "false") else []
        yield from (Candidate(f"{name}={value}") for value in values)


def _named(name: str, found: Iterator[Candidate]) -> Iterator[Candidate]:
    return (candidate._replace(word=f"{name}={candidate.word}") for candidate in found)


def _choices(group: str, typed: str, arguments: Sequence[str]) -> Iterator[Candidate]:
    """Yield a group's choices, those of a person's own folders among them; also inside a list or a sweep."""
    start = typed[: max(typed.rfind(","), typed.rfind("[")) + 1]
    folders = [second for first, second in pairwise(arguments) if first == "--config-dir"]
    folders += [argument.partition("=")[2] for argument in arguments if argument.startswith("--config-dir=")]
    own = [path.stem for folder in folders for path in sorted(at_home(folder).glob(f"{group}/*.yaml"))]
    for choice in helping.choices(group):
        meaning = helping.read(conf_dir() / group / f"{choice}.yaml").head
        yield Candidate(f"{group}={start}{choice}", meaning, bool("[" in start))
    yield from (Candidate(f"{group}={start}{choice}", "your own", bool("[" in start)) for choice in own)


def _paths(typed: str) -> Iterator[Candidate]:
    """Yield files and folders that begin with what was typed; a folder with a slash behind it."""
    head = typed[: typed.rfind("/") + 1]
    try:
        entries = sorted(at_home(head or ".").iterdir())
    except (OSError, ValueError):
        return
    for entry in entries:
        if entry.name.startswith(".") and not typed[len(head) :].startswith("."):
            continue
        folder = entry.is_dir()
        yield Candidate(f"{head}{entry.name}{'/' if folder else ''}", open=folder)


def _runs(typed: str, holds: str) -> Iterator[Candidate]:
    """Yield run folders and checkpoint files, and folders on the way to them; those below ``runs/`` at once."""
    below = _paths(f"{RUNS}/") if "/" not in typed else iter(())
    for found in [*_paths(typed), *below]:
        if found.open and (at_home(found.word) / holds).is_file():
            yield Candidate(found.word.rstrip("/"), "a run")
        elif (found.open and not found.word.startswith(f"{RUNS}/")) or found.word.endswith(ENDING):
            yield found


def cut(line: str) -> list[str]:
    """Cut a line up to the cursor into words as a shell does, the last one perhaps unfinished or empty."""
    for ending in ("", '"', "'"):
        try:
            words = shlex.split(line + CURSOR + ending)
        except ValueError:  # a quote that is still open
            continue
        return [*words[:-1], words[-1].replace(CURSOR, "")] if words else [""]
    return [""]


def after_cut(candidates: Sequence[Candidate], line: str, current: str) -> list[Candidate]:
    """Return the candidates without what bash has cut off before the part that it calls the ``current`` word."""
    kept = len(cut(line.removesuffix(current))[-1])
    return [candidate._replace(word=candidate.word[kept:]) for candidate in candidates]


def answer(
    arguments: Sequence[str], commands: Mapping[str, str], tools: Mapping[str, Sequence[str]]
) -> tuple[str, list[str]]:
    """Return what ``gru-nlp completion`` prints: the name of a shell's script, or candidates a line.

    ``--words WORD...`` gives ``candidate<tab>meaning<tab>open or closed``; ``--line LINE CURRENT``, for bash, the
    candidates alone, after a line that says how bash is to treat them.

    Args:
        arguments: after ``completion``.
        commands: what each command does.
        tools: the arguments of each command that takes no options.

    Raises:
        UserError: no such shell.
    """
    if arguments[:1] == ["--words"] and len(arguments) > 1:
        found = [candidate for candidate in complete(arguments[1:], commands, tools) if _plain(candidate.word)]
        return "", [f"{f.word}\t{f.meaning}\t{'open' if f.open else 'closed'}" for f in found]
    if arguments[:1] == ["--line"] and len(arguments) == 3:
        line, current = arguments[1:]
        words = cut(line)[1:] or [""]
        found = [candidate for candidate in complete(words, commands, tools) if _plain(candidate.word)]
        treated = "nospace" if any(candidate.open for candidate in found) else "space"
        is_path = words[-1].partition("=")[0] in PATH_OPTIONS or words[-2:-1] == ["--config-dir"]
        return "", [f"{treated} {'files' if is_path else 'words'}", *(f.word for f in after_cut(found, line, current))]
    if len(arguments) == 1 and arguments[0] in SHELLS:
        return arguments[0], []
    given = arguments[0] if arguments else ""
    raise UserError(f"completion {given}: choose from {', '.join(SHELLS)}{nearest(given, SHELLS)}")


def _plain(word: str) -> bool:
    return word.isprintable()  # a line end in a file's name would make two of it
