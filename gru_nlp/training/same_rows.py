"""Whether a run goes on with the rows that it began with."""

from typing import Any

from lightning import Callback

from gru_nlp.console import remark
from gru_nlp.data.module import DataModule


class SameRows(Callback):
    """Keeps in the last checkpoint what tells the rows of each split from others, and says where they are others.

    A file that grew is no mistake: a run may go on with more rows, but no longer is what one without a stop would be.

    Args:
        data: encoded.
    """

    def __init__(self, data: DataModule) -> None:
        self.data = data

    def state_dict(self) -> dict[str, Any]:
        """Return a key of each split's rows."""
        return {split: str(encoded.table._fingerprint) for split, encoded in self.data.encoded.items()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Compare them with those that were kept."""
        others = [split for split, key in self.state_dict().items() if state_dict.get(split, key) != key]
        if others:
            told = f"{' and '.join(others)}: not the rows that the run had before"
            remark(f"{told}: it goes on with those that stand there now")
