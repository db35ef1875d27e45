"""The gated recurrent unit, reset gate after the recurrent product."""

from typing import cast

from torch import Tensor, nn


def gru_unit(input_size: int, hidden_size: int) -> nn.GRU:
    """Return one direction of one layer: orthogonal recurrent gates, Xavier input gates, zero biases."""
    unit = nn.GRU(input_size, hidden_size, batch_first=True)
    for name, parameter in unit.named_parameters():
        if name.startswith("weight_hh"):
            for gate in parameter.data.chunk(3):
                nn.init.orthogonal_(gate)
        elif name.startswith("weight_ih"):
            for gate in parameter.data.chunk(3):
                nn.init.xavier_uniform_(gate)
        else:
            nn.init.zeros_(parameter)
    return unit


class GRU(nn.Module):
    """One direction of one layer, equal to ``torch.nn.GRU`` and run by it (cuDNN on a GPU).

    The unit is due to Cho et al. 2014; the reset gate stands after the recurrent product, as in
    ``torch.nn.GRU``: with r, z the sigmoid gates, ``n = tanh(W x + b + r * (U h + c))`` and
    ``h' = (1 - z) * n + z * h``. Cost: ``6 H (D + H)`` floating-point operations a step and sequence.

    Args:
        input_size: D.
        hidden_size: H.
    """

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.unit = gru_unit(input_size, hidden_size)

    def forward(self, sequence: Tensor) -> Tensor:
        """``(B, T, D)`` -> states ``(B, T, H)``, from a zero initial state."""
        return cast(Tensor, self.unit(sequence)[0])
