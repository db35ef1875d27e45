"""Where arrays become torch's tensors and tensors become arrays again; on the processor neither is a copy."""

from typing import Any

import torch
from torch import Tensor

from gru_nlp.batch import AnyArray, Batch
from gru_nlp.errors import UserError, choose


def to_tensors(batch: Batch[AnyArray], device: torch.device | str) -> Any:
    """Return a batch of arrays as one of tensors on ``device``, of the same class.

    On a processor the tensors share the arrays' memory, which must be writable.
    """
    quick = torch.device(device).type == "cuda"  # elsewhere a copy might be read before it is whole
    return batch.map(lambda array: torch.from_numpy(array).to(device, non_blocking=quick))


def to_array(tensor: Tensor) -> AnyArray:
    """Return a tensor of any device as an array; half precision, of which numpy has one kind only, in float32."""
    if tensor.is_floating_point() and tensor.itemsize < 4:
        tensor = tensor.float()
    array: AnyArray = tensor.detach().cpu().numpy()
    return array


def resolve_device(device: str) -> str:
    """Return ``cpu``, ``cuda`` or ``mps`` for one of these or ``auto``, which is never ``mps``.

    Raises:
        UserError: unknown, or no GPU is there.
    """
    choose("device", device, ("auto", "cpu", "cuda", "mps"))
    if device == "mps" and not torch.backends.mps.is_available():
        raise UserError("device=mps, but torch sees no GPU of Apple's: set device=cpu or device=auto")
    if device == "cuda" and not torch.cuda.is_available():
        raise UserError("device=cuda, but torch sees no GPU: set device=cpu or device=auto")
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    return device
