"""Options that nothing reads are refused, never ignored.

A config is a graph: some groups are built (``BUILT``), and these refer to others by interpolation, ``${encoder}`` as a
whole or ``${embedding.size}`` by leaf. What is reached from them is used, and so is what the program reads by name: the
options of the command's own yaml. Whatever else stands in a config, or is given for it, has no effect. Options inside a
part that is built are not looked at here: the part's own class refuses those that it does not take.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from gru_nlp.errors import UserError, nearest
from gru_nlp.ranges import leaves

#: The groups that are built as they stand.
BUILT = ("data", "preprocessing", "model", "task", "optimizer", "schedule", "trainer", "logger", "callbacks")
#: What the program reads by name out of a group that is not built.
READ = ("embedding.vectors", "embedding.extra_words", "pretraining")
#: What the program sets in a part, and where a person chooses it.
SET = {
    "trainer.callbacks": "callbacks=<group>",
    "trainer.logger": "logger=<group>",
    "trainer.default_root_dir": "run_dir=<folder>",
    "trainer.enable_checkpointing": "nothing, since a run is its checkpoints",
}
#: Options of how input is read, which a text after ``--`` leaves without a meaning.
READING = ("input", "input_format", "separator", "text", "encoding")
#: An interpolation, with or without a resolver, and the option that it names.
REFERENCE = re.compile(r"\$\{(?:[\w.]+:)?(\.*[\w.]+)")

Plain = Mapping[str, Any]


def named(given: Sequence[str]) -> dict[str, str]:
    """Return the options that overrides set, by name, with their values as text; flags and ``hydra.`` left out."""
    pairs = (text.lstrip("+~").partition("=") for text in given if not text.startswith("-"))
    options = {name.partition("@")[0]: value for name, _, value in pairs}
    return {name: value.strip("'") for name, value in options.items() if name.split(".")[0].split("/")[0] != "hydra"}


def check_used(config: Plain, defaults: Plain, given: Sequence[str]) -> None:
    """Refuse what a config of ``train`` holds, or what was given for it, that nothing uses.

    Args:
        config: plain values, interpolations as they are written.
        defaults: the same with no option given.
        given: overrides as on the command line.

    Raises:
        UserError: naming the option.
    """
    used = reached(config)
    check_known(config, list(defaults), used)
    own = {name for name, _ in leaves(defaults)}
    for name, _ in leaves(config):
        group = name.split(".")[0]
        built = group in BUILT or not isinstance(config[group], Mapping) or "_target_" in config[group]
        if not (built or name in own or _touches(name, used)):
            raise UserError(f"no option {name}: nothing uses it{nearest(name, own)}")
    for name in named(given):
        if name in SET:
            raise UserError(f"{name} is set by the program: choose {SET[name]}")
        group = name.split(".")[0]
        if isinstance(config.get(group), Mapping) and not _touches(name, used):
            task = config["task"]["name"]
            raise UserError(f"{name} has no effect: nothing that task={task} trains uses {group}: leave it out")


def check_known(config: Plain, known: Collection[str], used: Sequence[str] = ()) -> None:
    """Refuse names that neither the command's yaml holds nor an interpolation refers to.

    Raises:
        UserError: naming the first.
    """
    for name in config:
        if name not in known and not _touches(name, used):
            raise UserError(f"no option {name}: nothing uses it{nearest(name, known)}")


def check_reading(config: Plain, given: Sequence[str], text: str | None) -> None:
    """Refuse options of ``predict`` and ``translate`` that say how something is read or written which is not.

    Args:
        config: of the command.
        given: overrides as on the command line.
        text: what stands after ``--``.

    Raises:
        UserError: naming the option, and what it is for.
    """
    from gru_nlp.answers.reading import TABLES, input_format  # numpy, which no other command needs here

    options = named(given)
    read = input_format(config.get("input_format"), config["input"])
    for name in READING:
        if text is not None and name in options:
            raise UserError(f"{name}={options[name]} has no effect on the text after --: leave one of them out")
    if "text" in options and read not in TABLES:
        raise UserError(f"text={options['text']} names a column, which lines have not: set input_format=csv or jsonl")
    if "delimiter" in options and "csv" not in (read, config["format"]):
        raise UserError(f"delimiter={options['delimiter']} is for csv: set input_format=csv or format=csv")
    if "separator" in options and read != "conll":
        raise UserError(f"separator={options['separator']} is for columns of words: set input_format=conll")
    if "scheme" in options and config["format"] != "conll":
        raise UserError(f"scheme={options['scheme']} is for the tags of format=conll: set that too")
    if text is not None and "select" in options:
        raise UserError(f"select={options['select']} has no effect on the text after --: leave one of them out")
    if "select_most" in options and not config.get("select"):
        raise UserError(f"select_most={options['select_most']} has no effect without select: set select=uncertain")
    if "backward_weight" in options and not config.get("backward"):
        told = f"backward_weight={options['backward_weight']} has no effect without backward"
        raise UserError(f"{told}: set backward=[<run of the other direction>]")
    if config.get("alignments") and "format" in options and config["format"] != "jsonl":
        raise UserError(f"alignments=true is written as jsonl, not as {config['format']}: set format=jsonl")


def reached(config: Plain) -> list[str]:
    """Return the options that the built groups are made of, themselves among them, by dotted name."""
    found = [*(name for name in BUILT if name in config), *READ]
    for name in found:  # which grows as it is gone through
        found += [option for option in references(_select(config, name), name) if option not in found]
    return found


def references(part: Any, place: str) -> Iterator[str]:
    """Yield the options that the strings inside a part refer to; ``place`` is its dotted name."""
    if isinstance(part, Mapping):
        for name, value in part.items():
            yield from references(value, f"{place}.{name}")
    elif isinstance(part, list):
        for value in part:
            yield from references(value, f"{place}.")
    elif isinstance(part, str):
        for option in REFERENCE.findall(part):
            up = len(option) - len(option.lstrip("."))
            above = place.split(".")[:-up] if up else []
            yield ".".join([*above, option.lstrip(".")])


def _select(config: Plain, name: str) -> Any:
    part: Any = config
    for word in name.split("."):
        part = part.get(word) if isinstance(part, Mapping) else None
    return part


def _touches(name: str, used: Sequence[str]) -> bool:
    """Return whether an option lies in one that is used, or holds one."""
    return any(f"{name}.".startswith(f"{option}.") or option.startswith(f"{name}.") for option in used)
