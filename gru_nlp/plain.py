"""Plain values from a file, checked before anything walks them: kinds, depth and number.

Values of a file may share parts, so that forty lists, each holding the next one twice, are as long as 2**40 once
they are walked. The walk here counts what a walk costs, shared parts as often as they are met, and stops at a budget.
"""

import re
from typing import Any

from gru_nlp.errors import UserError

MOST_NODES = 4_000_000
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
