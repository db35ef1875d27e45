"""How a token is drawn: temperature, and which of the likeliest tokens take part; options alone, without torch."""

from dataclasses import dataclass

from gru_nlp.errors import UserError

#: Beyond these, factors and shares are 0 or infinite in float32, and no token is left to be drawn.
LEAST, MOST = 0.0001, 10_000.0
USUAL = f"from {LEAST} to {MOST:,.0f}"


@dataclass(frozen=True)
class Drawing:
    """How the next token is drawn.

    Attributes:
        temperature: divides the log-probabilities; below 1 is bolder, 0 takes the likeliest token.
        top_k: draw among the k likeliest; None: among all.
        top_p: draw among the likeliest that hold this share of the probability (Holtzman et al. 2020); 1: among all.
        min_p: draw among those that are at least this share as likely as the likeliest (Nguyen et al. 2024); 0: all.
        repetition_penalty: the log-probability of a token that was there before is multiplied by it (after Keskar et
            al. 2019, section 4.1); 1: no penalty.

    Raises:
        UserError: a value is out of range.
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float = 1.0
    min_p: float = 0.0
    repetition_penalty: float = 1.0

    def __post_init__(self) -> None:
        for name, fits, told in (
            ("temperature", self.temperature == 0.0 or _is_usual(self.temperature), f"at least 0: 0, or {USUAL}"),
            ("top_k", self.top_k is None or self.top_k >= 1, "at least 1"),
            ("top_p", LEAST <= self.top_p <= 1.0, f"above 0 and at most 1, and no less than {LEAST}"),
            ("min_p", 0.0 <= self.min_p < 1.0, "at least 0 and below 1"),
            ("repetition_penalty", _is_usual(self.repetition_penalty), f"above 0, {USUAL}"),
        ):
            if not fits:
                raise UserError(f"{name}={getattr(self, name)} must be {told}")


def _is_usual(value: float) -> bool:
    return LEAST <= value <= MOST
