"""Train a small translator on what others, larger or several, translate."""

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from gru_nlp.cli.train import report
from gru_nlp.console import is_first_process
from gru_nlp.training.run import distill


def run(config: DictConfig) -> float:
    """Translate, train and tell of it; return the monitored score, which a sweeper may search by."""
    done = distill(config, list(HydraConfig.get().overrides.task))
    if is_first_process():
        report(done)
    return done.monitored
