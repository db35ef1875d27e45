"""Gated recurrent units that no library runs: the reset gate before the product, and normalised gates."""

import torch
from torch import Tensor, nn

from gru_nlp.nn.cell import Cell, recurrent_mask


class GRUResetBefore(Cell):
    """The unit as it was introduced, the reset gate before the recurrent product (Cho et al. 2014, section 2.3).

    Introduced by Cho, van Merriënboer, Gulcehre, Bahdanau, Bougares, Schwenk and Bengio (2014). With the *update gate*
    z and the *reset gate* r, which are the names that the literature uses::

        r_t = sigmoid(W_r x_t + U_r h_{t-1} + b_r)
        z_t = sigmoid(W_z x_t + U_z h_{t-1} + b_z)
        h_t = (1 - z_t) h_{t-1} + z_t tanh(W x_t + U (r_t * h_{t-1}) + b)

    (the first paper writes z for 1 - z). Popular write-ups rename them: z an "input gate" i, r a "forget gate" f, and
    add an "output gate" ``o_t``, which influences nothing in those equations, and a "memory", which ``memory`` gives.
    Cost: ``6 H (D + H)`` floating-point operations a step and sequence, in two products that wait for each other.

    Args:
        input_size: D.
        hidden_size: H.
        recurrent_dropout: share of the state's features that the gates and the product do not see, the same ones at
            every step (Gal and Ghahramani 2016).
    """

    def __init__(self, input_size: int, hidden_size: int, *, recurrent_dropout: float) -> None:
        super().__init__()
        self.hidden_size = hidden_size
        self.recurrent_dropout = recurrent_dropout
        self.inputs = nn.Linear(input_size, 3 * hidden_size)  # r, z, candidate
        self.gates = nn.Linear(hidden_size, 2 * hidden_size, bias=False)
        self.candidate = nn.Linear(hidden_size, hidden_size, bias=False)
        for layer in (self.inputs, self.gates, self.candidate):
            for part in layer.weight.data.chunk(len(layer.weight) // hidden_size):
                (nn.init.xavier_uniform_ if layer is self.inputs else nn.init.orthogonal_)(part)
        nn.init.zeros_(self.inputs.bias)

    def _step(self, projected: Tensor, hidden: Tensor, seen: Tensor) -> tuple[Tensor, Tensor]:
        """Return the states after a step, and its reset gates; ``seen`` are the states that the products see."""
        for_gates, for_candidate = projected.tensor_split([2 * self.hidden_size], dim=-1)
        reset, update = torch.sigmoid(for_gates + self.gates(seen)).chunk(2, dim=-1)
        candidate = torch.tanh(for_candidate + self.candidate(reset * seen))
        return hidden + update * (candidate - hidden), reset

    def _run(self, sequence: Tensor, initial: Tensor | None) -> tuple[Tensor, Tensor]:
        hidden = sequence.new_zeros(len(sequence), self.hidden_size) if initial is None else initial
        mask = recurrent_mask(hidden, self.recurrent_dropout, self.training)
        states, resets = [], []
        for projected in self.inputs(sequence).unbind(dim=1):
            hidden, reset = self._step(projected, hidden, hidden if mask is None else hidden * mask)
            states.append(hidden)
            resets.append(reset)
        return torch.stack(states, dim=1), torch.stack(resets, dim=1)

    def forward(self, sequence: Tensor, initial: Tensor | None = None) -> Tensor:
        """``(B, T, D)`` -> states ``(B, T, H)``."""
        return self._run(sequence, initial)[0]

    def step(self, inputs: Tensor, hidden: Tensor) -> Tensor:
        """``(..., D)``, ``(..., H)`` -> ``(..., H)``."""
        return self._step(self.inputs(inputs), hidden, hidden)[0]

    def memory(self, sequence: Tensor, initial: Tensor | None = None) -> Tensor:
        """Return the "memory" of the write-ups, ``(B, T, H)``, which the states do not depend on.

        ``c_t = (1 - f_t) c_{t-1} + f_t tanh(W x_t + U (h_{t-1} * f_t) + b)`` with f the reset gate, c_0 = h_0: what the
        state would be if the reset gate also did the update gate's work.
        """
        states, resets = self._run(sequence, initial)
        first = states.new_zeros(len(states), 1, self.hidden_size) if initial is None else initial[:, None]
        before = torch.cat([first, states[:, :-1]], dim=1)
        for_candidate = self.inputs(sequence)[:, :, 2 * self.hidden_size :]
        candidates = torch.tanh(for_candidate + self.candidate(resets * before))
        memory, memories = first[:, 0], []
        for candidate, forget in zip(candidates.unbind(dim=1), resets.unbind(dim=1), strict=True):
            memory = memory + forget * (candidate - memory)
            memories.append(memory)
        return torch.stack(memories, dim=1)


class GRULayerNorm(Cell):
    """The unit of ``torch.nn.GRU`` with every product normalised over its features (Ba et al. 2016, section 3.1).

    ``r = sigmoid(N(W_r x) + N(U_r h))``, z likewise, ``n = tanh(N(W x) + r * N(U h))``, ``h' = (1 - z) n + z h``,
    where N is a layer normalisation with gain and bias of its own. Cost: the ``6 H (D + H)`` of the plain unit, and
    about ``30 H`` for the normalisations.

    Args:
        input_size: D.
        hidden_size: H.
        recurrent_dropout: share of the state's features that the products do not see, the same ones at every step
            (Gal and Ghahramani 2016).
    """

    def __init__(self, input_size: int, hidden_size: int, *, recurrent_dropout: float) -> None:
        super().__init__()
        self.hidden_size = hidden_size
        self.recurrent_dropout = recurrent_dropout
        self.inputs = nn.Linear(input_size, 3 * hidden_size, bias=False)  # r, z, candidate
        self.recurrent = nn.Linear(hidden_size, 3 * hidden_size, bias=False)
        for layer in (self.inputs, self.recurrent):
            for part in layer.weight.data.chunk(len(layer.weight) // hidden_size):
                (nn.init.xavier_uniform_ if layer is self.inputs else nn.init.orthogonal_)(part)
        self.input_gain, self.recurrent_gain = (nn.Parameter(torch.ones(3, hidden_size)) for _ in range(2))
        self.input_bias, self.recurrent_bias = (nn.Parameter(torch.zeros(3, hidden_size)) for _ in range(2))

    def _normalised(self, products: Tensor, gain: Tensor, bias: Tensor) -> Tensor:
        """Normalise each of the three products ``(..., 3 H)`` over its H features -> ``(..., 3, H)``."""
        split = products.view(*products.shape[:-1], 3, self.hidden_size)
        return nn.functional.layer_norm(split, (self.hidden_size,)) * gain + bias

    def _step(self, projected: Tensor, hidden: Tensor, seen: Tensor) -> Tensor:
        recurrent = self._normalised(self.recurrent(seen), self.recurrent_gain, self.recurrent_bias)
        reset, update = torch.sigmoid(projected[..., :2, :] + recurrent[..., :2, :]).unbind(dim=-2)
        candidate = torch.tanh(projected[..., 2, :] + reset * recurrent[..., 2, :])
        return candidate + update * (hidden - candidate)

    def forward(self, sequence: Tensor, initial: Tensor | None = None) -> Tensor:
        """``(B, T, D)`` -> states ``(B, T, H)``."""
        hidden = sequence.new_zeros(len(sequence), self.hidden_size) if initial is None else initial
        mask = recurrent_mask(hidden, self.recurrent_dropout, self.training)
        projected = self._normalised(self.inputs(sequence), self.input_gain, self.input_bias)  # (B, T, 3, H)
        states = []
        for own in projected.unbind(dim=1):
            hidden = self._step(own, hidden, hidden if mask is None else hidden * mask)
            states.append(hidden)
        return torch.stack(states, dim=1)

    def step(self, inputs: Tensor, hidden: Tensor) -> Tensor:
        """``(..., D)``, ``(..., H)`` -> ``(..., H)``."""
        return self._step(self._normalised(self.inputs(inputs), self.input_gain, self.input_bias), hidden, hidden)
