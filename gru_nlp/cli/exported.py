"""What answers a command by graphs, without torch: an exported folder, or ``precision=int8`` of a checkpoint."""

from omegaconf import DictConfig

from gru_nlp.config import resolved
from gru_nlp.errors import UserError, choose
from gru_nlp.export import cached
from gru_nlp.runtime import Generator, Runner
from gru_nlp.runtime.folder import is_exported

DEVICES = ("auto", "cpu", "cuda", "mps")


def runner(config: DictConfig) -> Runner:
    """Load what predicts.

    Raises:
        UserError: see ``cached.runner``; or an option has no effect on graphs.
    """
    check_options(config)
    decoding = resolved(config).get("decoding")
    return cached.runner(config["checkpoint"], config["precision"], config["trust"], threads_of(config), decoding)


def generator(config: DictConfig) -> Generator:
    """Load what continues text; errors as ``runner``, and of ``Generator``."""
    return Generator(runner(config))


def translator(config: DictConfig) -> tuple[Runner, int]:
    """Load what translates, with the decoding that was asked for; return it with how many hypotheses it gives.

    Raises:
        UserError: as ``runner``; or it translates nothing.
    """
    for option in ("ensemble", "backward"):
        if config[option]:
            raise UserError(f"{option} joins checkpoints, and {subject(config)} is one model's graphs: leave it out")
    loaded = runner(config)
    if not loaded.n_best:
        raise UserError(f"{config['checkpoint']}: no translator: use predict")
    if config["shortlist"]:
        loaded.preprocessor.use_shortlist()
    return loaded, loaded.n_best


def threads_of(config: DictConfig) -> int:
    """Return the threads of one call: those asked for, else one."""
    return 1 if config["threads"] == "auto" else int(config["threads"])


def subject(config: DictConfig) -> str:
    """Return what answers, for messages."""
    return "an exported folder" if is_exported(config["checkpoint"]) else f"precision={config['precision']}"


def check_options(config: DictConfig) -> None:
    """Refuse options that have no effect on graphs.

    Raises:
        UserError: naming the option.
    """
    if choose("device", config["device"], DEVICES) in ("cuda", "mps"):
        raise UserError(f"device={config['device']}: {subject(config)} answers on the processor: leave device out")
    if config["trust"] and is_exported(config["checkpoint"]):
        raise UserError("trust has no effect on an exported folder, which builds nothing of others: leave it out")
