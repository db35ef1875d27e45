"""Products of matrices in training, whose factors are rounded to bfloat16 where that was chosen and pays.

How it works. ``torch.set_float32_matmul_precision("medium")`` allows factors of a product to be rounded to bfloat16. On
a processor with matrix units (AMX) torch does so by itself; with AVX-512's instructions for bfloat16 alone it does not,
although a product of bfloat16 then takes half the time of one of float32. So layers that know what a training step
multiplies round here: ``product_format`` says of a weight whether its products gain by it, each factor is converted
once, and ``multiply`` and ``add_product`` give float32. A product adds up in float32, and what comes out of it is
rounded too, as under autocast; sums over products, states of a recurrence and all that is no product keep float32.
"""

from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from gru_nlp.nn.first_order import apply_function, first_order

#: Fewest numbers of a weight whose products gain: of a unit of 192 features; one of 128 gains nothing.
LARGE = 3 * 192 * 192
#: The inputs of each use of a layer, and the gradients of what it gave, by the use's place.
Noted = dict[int, tuple[Tensor, Tensor]]


@cache
def _pays() -> bool:
    """Return whether the processor multiplies bfloat16 by AVX-512 alone."""
    return torch.cpu._is_avx512_bf16_supported() and not torch.cpu._is_amx_tile_supported()


def product_format(weight: Tensor) -> torch.dtype:
    """Return the format in which ``weight`` and what it is multiplied with in training are multiplied."""
    large = weight.dtype == torch.float32 and weight.device.type == "cpu" and weight.numel() >= LARGE
    medium = torch.get_float32_matmul_precision() == "medium"
    return torch.bfloat16 if large and medium and _pays() else weight.dtype


def multiply(left: Tensor, right: Tensor, out: Tensor, bias: Tensor | None = None) -> Tensor:
    """Write ``left @ right + bias`` into ``out`` and return it.

    Args:
        left, right: ``(M, K)`` and ``(K, N)``, of one format.
        out: ``(M, N)``.
        bias: ``(N,)``.
    """
    if left.dtype == out.dtype:
        return torch.mm(left, right, out=out) if bias is None else torch.addmm(bias, left, right, out=out)
    out.copy_(torch.mm(left, right))
    return out if bias is None else out.add_(bias)


def add_product(total: Tensor, left: Tensor, right: Tensor) -> Tensor:
    """Add ``left @ right`` to ``total`` ``(M, N)`` in place and return it; arguments as of ``multiply``."""
    return total.addmm_(left, right) if left.dtype == total.dtype else total.add_(torch.mm(left, right))


class Linear(nn.Linear):
    """``torch.nn.Linear``, whose three products of a training step may be rounded."""

    def forward(self, input: Tensor) -> Tensor:
        """``(..., D)`` -> ``(..., H)``."""
        if not torch.is_grad_enabled() or product_format(self.weight) == self.weight.dtype:
            return super().forward(input)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return linear(input, self.weight, self.bias).to(input.dtype)


class Repeated:
    """A linear layer in a loop: one whose weight is rounded once, and whose gradients all uses form together.

    Its parameters' part of the graph is a number that stands for them. Each use gives that number a gradient of one,
    and notes its own factors in its place; the number's backward pass, which comes after those of all uses, multiplies
    them at once. Where a graph is kept, a pass that does not reach the parameters leaves notes, which the next one
    writes anew; so many as the gradient says must be there.

    Args:
        weight, bias: ``(H, D)`` and ``(H,)``.
    """

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        self.noted: Noted = {}
        self.uses = 0
        self.weight, self.bias = weight.detach().to(product_format(weight)), bias.detach()
        self.token = apply_function(_LateGradients, weight, bias, self.noted)

    def __call__(self, inputs: Tensor) -> Tensor:
        """``(N, D)`` -> ``(N, H)``."""
        self.uses += 1
        return apply_function(_NotedProduct, inputs, self.token, self.weight, self.bias, self.noted, self.uses)


class _LateGradients(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, weight: Tensor, bias: Tensor, noted: Noted) -> Tensor:
        ctx.noted = noted
        return weight.new_zeros(())

    @staticmethod
    @first_order
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        notes = list(ctx.noted.values())
        ctx.noted.clear()
        if len(notes) != int(gradient):
            raise RuntimeError("an earlier backward pass went through steps that this one leaves out: make a new graph")
        inputs, gradients = (torch.cat(part) for part in zip(*notes, strict=True))
        product = torch.mm(gradients.to(inputs.dtype).t(), inputs)
        return product.to(gradients.dtype), gradients.sum(0), None


class _NotedProduct(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, inputs: Tensor, token: Tensor, weight: Tensor, bias: Tensor, noted: Noted, place: int
    ) -> Tensor:
        factors = inputs.to(weight.dtype)
        ctx.save_for_backward(factors, weight)
        ctx.noted, ctx.place = noted, place
        return multiply(factors, weight.t(), inputs.new_empty(len(inputs), len(weight)), bias)

    @staticmethod
    @first_order
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        factors, weight = ctx.saved_tensors
        of_token = None
        if ctx.needs_input_grad[1]:
            ctx.noted[ctx.place] = factors.detach(), gradient
            of_token = gradient.new_ones(())
        of_inputs = torch.mm(gradient.to(weight.dtype), weight).to(gradient.dtype)
        return of_inputs, of_token, None, None, None, None
