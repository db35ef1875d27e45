"""What one process has made, in all of them."""

import contextlib
import hashlib
import json
import tempfile
from collections.abc import Callable, Iterable, Sequence
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any, TypeVar

from gru_nlp.processes.company import OURS, rank, size

Item = TypeVar("Item")
_NOTHING: Any = object()


def shared(make: Callable[[], bytes]) -> bytes:
    """Return what ``make`` gives in the first process, in every one."""
    if size() == 1:
        return make()
    import torch

    content = make() if rank() == 0 else b""
    length = torch.tensor([len(content)])
    torch.distributed.broadcast(length, 0)
    if not int(length):
        return b""
    buffer = torch.frombuffer(bytearray(content or bytes(int(length))), dtype=torch.uint8)
    torch.distributed.broadcast(buffer, 0)
    return buffer.numpy().tobytes()


def shared_values(make: Callable[[], Any]) -> Any:
    """Return the plain values that ``make`` gives in the first process, in every one; tuples become lists there."""
    made: list[Any] = []

    def written() -> bytes:
        made.append(make())
        return json.dumps(made[0]).encode() if size() > 1 else b""

    content = shared(written)
    return made[0] if made else json.loads(content)


def share_tensors(tensors: Iterable[Any]) -> None:
    """Give tensors of the processor the first process's values, in place, in every one."""
    if size() == 1:
        return
    from torch import distributed

    for tensor in tensors:
        content = tensor.detach().contiguous()
        distributed.broadcast(content, 0)
        tensor.detach().copy_(content)


def local_files(folder: Path, *names: str) -> Path:
    """Return where this process finds the files ``names`` that the first one has in ``folder``.

    That is the folder itself, where it holds the same; else one of the process's own, with copies of them.
    """
    if size() == 1:
        return folder
    lacks = _digests(folder, names) != shared(lambda: _digests(folder, names))
    if not any(gathered(lacks)):
        return folder
    if lacks and OURS.copies is None:
        OURS.copies = tempfile.TemporaryDirectory(prefix="gru-nlp-")
    for name in names:
        content = shared((folder / name).read_bytes)
        if lacks:
            (Path(OURS.copies.name) / name).write_bytes(content)
    return Path(OURS.copies.name) if lacks else folder


def _digests(folder: Path, names: Sequence[str]) -> bytes:
    """Return hashes of files, none of one that is not there."""
    found = b""
    for name in names:
        with contextlib.suppress(OSError):
            found += hashlib.sha256((folder / name).read_bytes()).digest()
    return found


def gathered(item: Item) -> list[Item]:
    """Return what every process gives, in the order of the processes."""
    if size() == 1:
        return [item]
    from torch import distributed

    found: list[Any] = [None] * size()
    distributed.all_gather_object(found, item)
    return found


def in_turn(items: list[Item]) -> list[Item]:
    """Return the items of all processes, dealt like cards: the first of each, then the second of each, and so on.

    The batches of a scored split are dealt so; they come back in the order in which one process has them.
    """
    return undealt(gathered(items))


def undealt(hands: list[list[Item]]) -> list[Item]:
    """Return the first item of each hand, then the second of each, and so on."""
    return [item for item in chain.from_iterable(zip_longest(*hands, fillvalue=_NOTHING)) if item is not _NOTHING]
