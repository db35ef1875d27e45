"""What answers a command by a folder that ``gru-nlp export`` wrote; torch has no part in it."""

from omegaconf import DictConfig

from gru_nlp.config import resolved
from gru_nlp.errors import UserError, choose
from gru_nlp.runtime import Generator, Runner

DEVICES = ("auto", "cpu", "cuda", "mps")


def runner(config: DictConfig) -> Runner:
    """Load what predicts.

    Raises:
        UserError: see ``Runner``; or an option has no effect on an exported folder.
    """
    check_options(config)
    return Runner(config["checkpoint"], threads_of(config))


def generator(config: DictConfig) -> Generator:
    """Load what continues text; errors as ``runner``, and of ``Generator``."""
    return Generator(runner(config))


def translator(config: DictConfig) -> tuple[Runner, int]:
    """Load what translates, with the decoding that was asked for; return it with how many hypotheses it gives.

    Raises:
        UserError: as ``runner``; or it translates nothing.
    """
    check_options(config)
    if config["ensemble"]:
        raise UserError(f"ensemble joins checkpoints, and {config['checkpoint']} is an exported folder: leave it out")
    loaded = Runner(config["checkpoint"], threads_of(config), decoding=resolved(config).get("decoding"))
    if not loaded.n_best:
        raise UserError(f"{config['checkpoint']}: no translator: use predict")
    return loaded, loaded.n_best


def threads_of(config: DictConfig) -> int:
    """Return the threads of one call: those asked for, else one."""
    return 1 if config["threads"] == "auto" else int(config["threads"])


def check_options(config: DictConfig) -> None:
    """Refuse options that have no effect on an exported folder.

    Raises:
        UserError: naming the option.
    """
    if choose("device", config["device"], DEVICES) in ("cuda", "mps"):
        raise UserError(f"device={config['device']}: an exported folder answers on the processor: leave device out")
    if config["trust"]:
        raise UserError("trust has no effect on an exported folder, which builds nothing of others: leave it out")
