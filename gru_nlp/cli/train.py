"""Train a model on your own text, or on the embedded sample."""

import shlex

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from gru_nlp.console import is_first_process, show
from gru_nlp.training.run import Run, train

SHOWN_PREDICTIONS = 3


def run(config: DictConfig) -> float:
    """Train and tell of it; return the monitored score, which a sweeper may search by."""
    done = train(config, list(HydraConfig.get().overrides.task))
    if is_first_process():
        report(done)
    return done.monitored


def report(run: Run) -> None:
    """Show scores, a few predictions, and what to type next; the last line names the run folder."""
    scores, records, parts = run.scores, run.predictions, run.parts
    tested = any(name.startswith("test/") for name in scores)
    for name, value in sorted(scores.items()):
        if name.startswith("test/") or not tested:
            show(f"{name:<22}{value:.4f}")
    for record in records[:: max(1, len(records) // SHOWN_PREDICTIONS)][:SHOWN_PREDICTIONS]:
        show(f"  {parts.preprocessor.describe(record)}")
    own = shlex.quote(f"checkpoint={run.folder}")
    show(f"next: gru-nlp {parts.task.command} {own} {parts.preprocessor.example}")
    show(f"run folder: {run.folder}")
