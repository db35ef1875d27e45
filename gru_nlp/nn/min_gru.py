"""Units whose gates see the input alone, so that a sequence is one linear recurrence (Feng et al. 2024).

How they work. Gates and candidates of all steps are plain linear layers over ``(B, T, D)``; what is left is
``h_t = a_t h_{t-1} + b_t``, elementwise. On a CPU a loop runs it, one fused call a step that writes into the states'
own memory. Elsewhere ``log2 T`` rounds over all steps do, each joining a step with the one a power of two before it:
more work in all, far fewer calls. The gradient is the same recurrence from the last step to the first, so that both
forms serve it too; kept are decays, states and the first state. The recurrence is in float32 at least, whatever
autocast makes of the linear layers, since its errors add up over steps.
"""

from abc import abstractmethod
from typing import Any, cast

import torch
from torch import Tensor, nn

from gru_nlp.nn.cell import Cell
from gru_nlp.nn.cell_forms import LinearForm
from gru_nlp.nn.first_order import apply_function, first_order


def scan_loop(decays: Tensor, inputs: Tensor, initial: Tensor) -> Tensor:
    """Run ``h_t = a_t h_{t-1} + b_t`` step by step: ``(T, B, H)`` twice and ``(B, H)`` -> ``(T, B, H)``."""
    states = torch.empty_like(inputs)
    for decay, own, state in zip(decays.unbind(), inputs.unbind(), states.unbind(), strict=True):
        initial = torch.addcmul(own, decay, initial, out=state)
    return states


def scan_loop_back(decays: Tensor, gradient: Tensor) -> Tensor:
    """Run ``g_t + a_{t+1} s_{t+1}`` from the last step to the first: ``(T, B, H)`` twice -> s ``(T, B, H)``."""
    carried = torch.empty_like(decays)
    carried[-1] = gradient[-1]
    for step in range(len(decays) - 2, -1, -1):
        torch.addcmul(gradient[step], decays[step + 1], carried[step + 1], out=carried[step])
    return carried


def scan_parallel(decays: Tensor, inputs: Tensor, initial: Tensor) -> Tensor:
    """Compute the same in ``log2 T`` rounds over all steps (Hillis and Steele 1986).

    A round joins each step with the one a power of two before it. Nothing is divided, and no logarithm taken, so that
    products of thousands of decays may vanish without harm.
    """
    states = torch.cat([torch.addcmul(inputs[:1], decays[:1], initial), inputs[1:]])
    decays, reach = decays.clone(), 1
    while reach < len(states):
        joined = torch.addcmul(states[reach:], decays[reach:], states[:-reach])
        decays = torch.cat([decays[:reach], decays[reach:] * decays[:-reach]])
        states = torch.cat([states[:reach], joined])
        reach *= 2
    return states


def scan_parallel_back(decays: Tensor, gradient: Tensor) -> Tensor:
    """Compute what ``scan_loop_back`` does: the same recurrence over the mirrored steps."""
    later = torch.cat([decays[1:], torch.zeros_like(decays[:1])]).flip(0)
    return scan_parallel(later, gradient.flip(0), torch.zeros_like(decays[0])).flip(0)


def loops(tensor: Tensor) -> bool:
    """Return whether a loop is the faster form: on a CPU."""
    return tensor.device.type == "cpu"


class LinearRecurrence(torch.autograd.Function):
    """``h_t = a_t h_{t-1} + b_t``; its gradient is the same recurrence from the end (Martin and Cundy 2018)."""

    @staticmethod
    def forward(ctx: Any, decays: Tensor, inputs: Tensor, initial: Tensor) -> Tensor:
        """``(T, B, H)``, ``(T, B, H)``, ``(B, H)`` -> states ``(T, B, H)``."""
        states = (scan_loop if loops(inputs) else scan_parallel)(decays, inputs, initial)
        ctx.save_for_backward(decays, states, initial)
        return states

    @staticmethod
    @first_order
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the gradients of ``forward``'s arguments."""
        decays, states, initial = ctx.saved_tensors
        carried = (scan_loop_back if loops(gradient) else scan_parallel_back)(decays, gradient)
        before = torch.cat([initial[None], states[:-1]])
        return carried * before, carried, carried[0] * decays[0]


def recur(decays: Tensor, inputs: Tensor, initial: Tensor | None) -> Tensor:
    """Run the recurrence over ``(B, T, H)`` from states ``(B, H)``, zero by default."""
    kept = torch.float64 if inputs.dtype == torch.float64 else torch.float32  # half precision would add its errors up
    first = inputs.new_zeros(len(inputs), inputs.shape[2], dtype=kept) if initial is None else initial.to(kept)
    turned = (part.to(kept).transpose(0, 1).contiguous() for part in (decays, inputs))
    return apply_function(LinearRecurrence, *turned, first).transpose(0, 1)


def move(hidden: Tensor, candidate: Tensor, share: Tensor) -> Tensor:
    """Return ``hidden`` moved towards ``candidate`` by a share, in the wider of their number formats."""
    return hidden + share * (candidate - hidden)


def share_of(admit: Tensor, forget: Tensor) -> Tensor:
    """Return ``i / (i + f)`` of two gates before their sigmoids."""
    return torch.sigmoid(nn.functional.logsigmoid(admit) - nn.functional.logsigmoid(forget))


def joined(*layers: nn.Linear) -> tuple[Tensor, Tensor]:
    """Return weight and bias of layers over one input as those of a single layer."""
    return torch.cat([layer.weight for layer in layers]), torch.cat([layer.bias for layer in layers])


class LinearCell(Cell):
    """A unit whose states are ``h_t = a_t h_{t-1} + b_t``, a and b of the input alone."""

    @abstractmethod
    def terms(self, sequence: Tensor) -> tuple[Tensor, Tensor]:
        """Return a and b, ``(B, T, H)`` each, of inputs ``(B, T, D)``."""

    def forward(self, sequence: Tensor, initial: Tensor | None = None) -> Tensor:
        """``(B, T, D)`` -> states ``(B, T, H)``."""
        return recur(*self.terms(sequence), initial).to(next(self.parameters()).dtype)

    def graph_form(self) -> Cell:
        """Return the recurrence as a scan."""
        return LinearForm(self, self.terms)


class MinGRU(LinearCell):
    """A gated unit whose gate and candidate see the input alone (Feng et al. 2024, section 3.1)::

        z_t = sigmoid(W_z x_t + b_z)
        h_t = (1 - z_t) h_{t-1} + z_t (W x_t + b)

    The products run over the whole sequence at once; what is left is an elementwise recurrence. Cost: ``4 H D``
    operations a step and sequence, and ``2 H`` in the recurrence. No state exceeds the largest candidate or first
    state, whatever the length.

    Args:
        input_size: D.
        hidden_size: H.
    """

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.hidden_size = hidden_size
        self.update = nn.Linear(input_size, hidden_size)
        self.candidate = nn.Linear(input_size, hidden_size)
        for layer in (self.update, self.candidate):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def terms(self, sequence: Tensor) -> tuple[Tensor, Tensor]:
        """``(B, T, D)`` -> a and b, ``(B, T, H)`` each."""
        update = torch.sigmoid(self.update(sequence))
        return 1.0 - update, update * self.candidate(sequence)

    def step(self, inputs: Tensor, hidden: Tensor) -> Tensor:
        """``(..., D)``, ``(..., H)`` -> ``(..., H)``."""
        return move(hidden, cast(Tensor, self.candidate(inputs)), torch.sigmoid(self.update(inputs)))

    def input_map(self) -> tuple[Tensor, Tensor]:
        """Return the map to candidate and update gate."""
        return joined(self.candidate, self.update)

    def step_on(self, products: Tensor, hidden: Tensor) -> Tensor:
        """``(..., 2 H)``, ``(..., H)`` -> ``(..., H)``."""
        candidate, update = products.chunk(2, dim=-1)
        return move(hidden, candidate, torch.sigmoid(update))


class MinLSTM(LinearCell):
    """The same with two gates, which are scaled to a sum of one (Feng et al. 2024, section 3.2)::

        f_t = sigmoid(W_f x_t + b_f)
        i_t = sigmoid(W_i x_t + b_i)
        h_t = (f_t h_{t-1} + i_t (W x_t + b)) / (f_t + i_t)

    Cost: ``6 H D`` operations a step and sequence, and ``2 H`` in the recurrence.

    Args:
        input_size: D.
        hidden_size: H.
    """

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.hidden_size = hidden_size
        self.forget = nn.Linear(input_size, hidden_size)
        self.admit = nn.Linear(input_size, hidden_size)
        self.candidate = nn.Linear(input_size, hidden_size)
        for layer in (self.forget, self.admit, self.candidate):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def _share(self, inputs: Tensor) -> Tensor:
        """Return ``i / (i + f)``, from logarithms, so that two closed gates do no harm."""
        return share_of(self.admit(inputs), self.forget(inputs))

    def terms(self, sequence: Tensor) -> tuple[Tensor, Tensor]:
        """``(B, T, D)`` -> a and b, ``(B, T, H)`` each."""
        share = self._share(sequence)
        return 1.0 - share, share * self.candidate(sequence)

    def step(self, inputs: Tensor, hidden: Tensor) -> Tensor:
        """``(..., D)``, ``(..., H)`` -> ``(..., H)``."""
        return move(hidden, cast(Tensor, self.candidate(inputs)), self._share(inputs))

    def input_map(self) -> tuple[Tensor, Tensor]:
        """Return the map to candidate and both gates."""
        return joined(self.candidate, self.admit, self.forget)

    def step_on(self, products: Tensor, hidden: Tensor) -> Tensor:
        """``(..., 3 H)``, ``(..., H)`` -> ``(..., H)``."""
        candidate, admit, forget = products.chunk(3, dim=-1)
        return move(hidden, candidate, share_of(admit, forget))


class SSRU(LinearCell):
    """The simpler simple recurrent unit, for decoders that are to be quick (Kim et al. 2019, section 3.1)::

        f_t = sigmoid(W_f x_t + b_f)
        c_t = f_t c_{t-1} + (1 - f_t) W x_t
        h_t = relu(c_t)

    From "From Research to Production and Back: Ludicrously Fast Neural Machine Translation". The state is c, and h is
    what the unit shows of it. Cost: one product of ``4 H D`` operations a step and sequence, which no state enters, so
    that there is nothing for recurrent dropout to hide; and ``2 H`` in the recurrence.

    Args:
        input_size: D.
        hidden_size: H.
    """

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.hidden_size = hidden_size
        self.inputs = nn.Linear(input_size, 2 * hidden_size, bias=False)  # forget gate, candidate
        self.forget_bias = nn.Parameter(torch.zeros(hidden_size))
        for part in self.inputs.weight.data.chunk(2):
            nn.init.xavier_uniform_(part)

    def _parts(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Return forget gate and candidate ``(..., H)`` of inputs ``(..., D)``."""
        forget, candidate = self.inputs(inputs).chunk(2, dim=-1)
        return torch.sigmoid(forget + self.forget_bias), candidate

    def terms(self, sequence: Tensor) -> tuple[Tensor, Tensor]:
        """``(B, T, D)`` -> a and b, ``(B, T, H)`` each."""
        forget, candidate = self._parts(sequence)
        return forget, (1.0 - forget) * candidate

    def step(self, inputs: Tensor, hidden: Tensor) -> Tensor:
        """``(..., D)``, ``(..., H)`` -> ``(..., H)``."""
        forget, candidate = self._parts(inputs)
        return move(candidate, hidden, forget)

    def input_map(self) -> tuple[Tensor, Tensor]:
        """Return the map to forget gate and candidate."""
        return self.inputs.weight, torch.cat([self.forget_bias, torch.zeros_like(self.forget_bias)])

    def step_on(self, products: Tensor, hidden: Tensor) -> Tensor:
        """``(..., 2 H)``, ``(..., H)`` -> ``(..., H)``."""
        forget, candidate = products.chunk(2, dim=-1)
        return torch.lerp(candidate, hidden, torch.sigmoid(forget))

    def show(self, states: Tensor) -> Tensor:
        """Return h of c, ``(..., H)``."""
        return torch.relu(states)
