"""What answers a command: the model of a checkpoint, or graphs, for which no torch is loaded."""

from types import ModuleType

from omegaconf import DictConfig

from gru_nlp.asking import Askable
from gru_nlp.cli import exported
from gru_nlp.continuing import Continuer
from gru_nlp.export.cached import by_graphs


def predictor(config: DictConfig) -> Askable:
    """Load what labels texts; errors as the functions of the same name in ``exported`` and ``restored``."""
    return exported.runner(config) if _by_graphs(config) else _restored().predictor(config)


def translator(config: DictConfig) -> tuple[Askable, int]:
    """Load what translates, with the decoding that was asked for; return it with how many hypotheses it gives."""
    return exported.translator(config) if _by_graphs(config) else _restored().translator(config)


def generator(config: DictConfig) -> Continuer:
    """Load what continues text."""
    return exported.generator(config) if _by_graphs(config) else _restored().generator(config)


def _by_graphs(config: DictConfig) -> bool:
    return by_graphs(config["checkpoint"], config["precision"])


def _restored() -> ModuleType:
    from gru_nlp.cli import restored  # loads torch

    return restored
