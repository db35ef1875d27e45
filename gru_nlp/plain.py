"""Plain values from a file, checked before anything walks them: kinds, depth and number.

Values of a file may share parts, so that forty lists, each holding the next one twice, are as long as 2**40 once
they are walked. The walk here counts what a walk costs, shared parts as often as they are met, and stops at a budget.
"""

import json
import math
import os
import re
from pathlib import Path
from typing import Any

from gru_nlp.errors import UserError

MOST_NODES = 4_000_000
MOST_CONTAINERS = 1_000_000
MOST_DEPTH = 32
#: Whole numbers beyond it are no sizes, counts or seeds.
MOST_INTEGER = 2**63
REFERENCE = re.compile(r"\$\{[A-Za-z_]\w*(\.\w+)*\}")


def check_plain(value: Any, where: str, nodes: int = MOST_NODES, leaves: tuple[type, ...] = ()) -> None:
    """Refuse anything but dicts, lists and tuples of text, numbers, switches and nothing.

    Args:
        value: from a file.
        where: names it in the message.
        nodes: most values in it, shared ones counted as often as they occur.
        leaves: further types whose values are not looked into.

    Raises:
        UserError: another type, a key that is neither text nor a whole number, too deep, or too many.
    """
    kinds: tuple[type, ...] = (str, bool, float, type(None), *leaves)
    left = nodes
    stack: list[tuple[Any, int]] = [(value, 0)]
    while stack:
        item, depth = stack.pop()
        left -= 1
        if left < 0 or depth > MOST_DEPTH:
            raise UserError(f"{where}: holds more, or deeper nested, values than this program writes")
        if isinstance(item, dict):
            if not all(isinstance(key, str) or type(key) is int for key in item):
                raise UserError(f"{where}: a name that is neither text nor a whole number")
            parts = list(item.values())
        elif isinstance(item, list | tuple):
            parts = list(item)
        elif type(item) is int:
            if abs(item) > MOST_INTEGER:
                raise UserError(f"{where}: a whole number too large for this program")
            continue
        elif isinstance(item, kinds):
            continue
        else:
            raise UserError(f"{where}: a value of type {type(item).__name__}, where plain ones are written")
        if len(parts) > left:
            raise UserError(f"{where}: holds more values than this program writes")
        if all(type(part) is str for part in parts):  # a vocabulary, most often
            left -= len(parts)
        else:
            stack.extend((part, depth + 1) for part in parts)


def expand(config: dict[str, Any], where: str, nodes: int) -> dict[str, Any]:
    """Return a config with its references, ``${encoder.cell}``, replaced by what they name.

    Only whole values that name another option are references here; whatever else OmegaConf would do at ``${`` (read the
    environment, put texts together) is refused.

    Args:
        config: plain values, references among them.
        where: names the config in messages.
        nodes: most values in the result.

    Raises:
        UserError: a reference to nothing, to itself, of another kind, or too many values.
    """
    left = [nodes]

    def walked(value: Any, depth: int) -> Any:
        left[0] -= 1
        if left[0] < 0 or depth > MOST_DEPTH:
            raise UserError(f"{where}: holds more, or deeper nested, values than this program writes")
        if isinstance(value, dict):
            return {name: walked(part, depth + 1) for name, part in value.items()}
        if isinstance(value, list):
            return [walked(part, depth + 1) for part in value]
        if not isinstance(value, str) or "${" not in value:
            return value
        found: Any = config
        for name in value[2:-1].split(".") if REFERENCE.fullmatch(value) else [None]:
            if not isinstance(found, dict) or name not in found:
                raise UserError(f"{where}: '{value}' is no reference to another option")
            found = found[name]
        return walked(found, depth + 1)

    expanded: dict[str, Any] = walked(config, 0)
    return expanded


def entries_of(folder: Path, option: str) -> list[Path]:
    """Return what lies in a folder, in the order of the names.

    Raises:
        UserError: it cannot be read; the message names the option.
    """
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise UserError(f"{folder}: cannot be read: {error.strerror} (set {option}=...)") from None


def read_bytes(path: Path, most: int) -> bytes:
    """Return what a file holds.

    Args:
        path: of a regular file.
        most: bytes that it may have.

    Raises:
        UserError: it is missing, cannot be read, or is larger.
    """
    if not os.path.isfile(path):  # which, unlike pathlib's, raises nothing
        raise UserError(f"{path}: no such file")
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            content = file.read(most + 1) if size <= most else b""
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from None
    if max(size, len(content)) > most:
        raise UserError(f"{path}: more than {most:,} bytes, which no such file of ours has")
    return content


def read_text(path: Path, most: int) -> str:
    """Return the text of a JSON file that is not too much to be taken apart.

    Args:
        path: of a regular file.
        most: bytes that it may have.

    Raises:
        UserError: it is missing, cannot be read, is no UTF-8, or holds more values than this program writes.
    """
    content = read_bytes(path, most)
    if sum(map(content.count, (b"[", b"{"))) > MOST_CONTAINERS or content.count(b",") > MOST_NODES:
        raise UserError(f"{path}: holds more values than this program writes")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise UserError(f"{path}: no UTF-8, as JSON is") from None


def read_json(path: Path, most: int) -> dict[str, Any]:
    """Return the plain values of a JSON file, which must be an object; arguments and errors as ``read_text``."""
    text = read_text(path, most)
    try:
        content = json.loads(text, parse_float=_finite, parse_constant=_finite)
        if r"\ud" in text.lower():  # half of a character may stand alone, which no output takes
            json.dumps(content, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError):
        raise UserError(f"{path}: no JSON, or a file that was cut off") from None
    if not isinstance(content, dict):
        raise UserError(f"{path}: JSON, but no object with names")
    check_plain(content, str(path))
    return content


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("no number")
    return value
