"""Train a model on your own text, or on the embedded sample."""

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from gru_nlp.console import is_first_process, show
from gru_nlp.training import next_step
from gru_nlp.training.run import Run, train

SHOWN_PREDICTIONS = 3
#: Least columns of a score's name and the blanks behind it.
NAME_WIDTH = 22


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
    shown = {name: value for name, value in sorted(scores.items()) if name.startswith("test/") or not tested}
    width = max(NAME_WIDTH, *(len(name) + 2 for name in shown))
    for name, value in shown.items():
        show(f"{name:<{width}}{value:.4f}")
    for record in records[:: max(1, len(records) // SHOWN_PREDICTIONS)][:SHOWN_PREDICTIONS]:
        show(f"  {parts.preprocessor.describe(record)}")
    show(f"next: {next_step.command(parts, run.folder)}")
    show(f"run folder: {run.folder}")
