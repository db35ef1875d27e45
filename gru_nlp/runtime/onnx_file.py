"""A stranger's file of ONNX, looked at before a library that may open other files sees it.

A tensor of a graph may say that its values lie in another file, by a path, which onnxruntime would open. So the file,
which is in the form of protocol buffers, is gone through here: a message is a run of fields, each a number, a kind and
a value; of the messages that onnx.proto names, those that may hold a tensor are gone into, and all else is passed over.
"""

from collections.abc import Iterator
from typing import NamedTuple

#: Messages that may hold tensors, by the numbers of fields in the message that holds them.
MESSAGES: dict[str, dict[int, str]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node", 11: "attribute"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {},
}
#: Fields of a tensor: the entries that name another file, and where its values are; 0: here.
EXTERNAL, LOCATION = 13, 14
#: Kinds of values: a number, 8 bytes, bytes of a length that stands before them, 4 bytes.
NUMBER, EIGHT, LENGTH, FOUR = 0, 1, 2, 5
MOST_DEPTH = 24
#: Most fields of a file, hundreds of times those of a model of ours; all of them are gone through in a second.
MOST_FIELDS = 300_000
#: How a file of onnxruntime's own form, which is another one, says so at its fifth byte.
OTHER = b"ORTM"


class Field(NamedTuple):
    """A field of a message: its number, its value where that is a number, else where its bytes begin and end."""

    number: int
    value: int | None
    start: int
    end: int


def is_alone(content: bytes) -> bool:
    """Return whether a file is a message of ONNX that names no other file."""
    if not content or content[4:8] == OTHER:
        return False
    stack = [("model", 0, len(content), 0)]
    left = MOST_FIELDS
    try:
        while stack:
            kind, start, end, depth = stack.pop()
            inner = MESSAGES[kind]
            if depth > MOST_DEPTH:
                return False
            for field in _fields(content, start, end):
                left -= 1
                if left < 0:
                    return False
                if kind == "tensor" and (field.number == EXTERNAL or (field.number == LOCATION and field.value != 0)):
                    return False
                if field.number in inner and field.value is None:
                    stack.append((inner[field.number], field.start, field.end, depth + 1))
    except (ValueError, IndexError):
        return False
    return True


def _fields(content: bytes, place: int, end: int) -> Iterator[Field]:
    """Yield the fields of a message.

    Raises:
        ValueError: it is none.
        IndexError: it is cut off.
    """
    while place < end:
        tag, place = _number(content, place)
        kind, number, value, start = tag & 7, tag >> 3, None, place
        if kind == NUMBER:
            value, place = _number(content, place)
        elif kind == LENGTH:
            size, start = _number(content, place)
            place = start + size
        elif kind in (EIGHT, FOUR):
            place += 8 if kind == EIGHT else 4
        else:
            raise ValueError("a kind of value that ONNX does not have")
        if place > end or not number or tag >= 2**32:  # of which a reader might see the lower half
            raise ValueError("a value beyond the end of its message, or a field that cannot be")
        yield Field(number, value, start, place)


def _number(content: bytes, place: int) -> tuple[int, int]:
    """Return the number that stands at a place, 7 bits a byte, and the place after it."""
    value = 0
    for shift in range(0, 70, 7):
        byte = content[place]
        place += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value & (2**64 - 1), place
    raise ValueError("a number of more than ten bytes")
