"""Several processes that train one model: who started them, which options that decides, and how they meet."""

import os
import sys
from collections.abc import Mapping
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from lightning import Trainer
from lightning.fabric.plugins.environments.lightning import LightningEnvironment
from lightning.fabric.plugins.environments.slurm import SLURMEnvironment

from gru_nlp.errors import UserError
from gru_nlp.processes import meeting
from gru_nlp.processes.company import OURS, Place
from gru_nlp.processes.ending import environment_place

#: What Lightning takes to mean that it is to choose.
AUTO = ("auto", None)


def launched() -> Place | None:
    """Return this process's place among those that torchrun, SLURM or this program started; None: it is alone so far.

    Raises:
        UserError: SLURM's numbers are not those of a job that several processes train in.
    """
    if OURS.place is not None:
        return OURS.place
    try:
        if not SLURMEnvironment.detect():
            return environment_place()
        slurm = SLURMEnvironment()
    except (RuntimeError, ValueError) as error:
        raise UserError(" ".join(str(error).split())) from None
    local = os.environ.get("SLURM_NTASKS_PER_NODE", "1").partition("(")[0]  # as in 2(x3)
    numbers = (slurm.global_rank(), slurm.world_size(), slurm.local_rank(), int(local))
    return Place(*numbers, slurm.main_address, slurm.main_port, hosted=False)


def options(given: Mapping[str, Any], place: Place | None) -> dict[str, Any]:
    """Return the options of a trainer that has as many devices, machines and processes as were started.

    Args:
        given: options of a trainer.
        place: of this process among those that were started; None: nobody has started any.

    Raises:
        UserError: another number was asked for.
    """
    if place is None or place.size == 1:
        return dict(given)
    machines = place.size // place.local_size
    for option, number, free in (("devices", place.local_size, AUTO), ("num_nodes", machines, (1,))):
        if given[option] not in free and str(given[option]) != str(number):
            told = f"trainer.{option}={given[option]}, but there are {number}, as the launcher says"
            raise UserError(f"{told}: leave it out, or start as many processes")
    strategy = "ddp" if given["strategy"] in AUTO else given["strategy"]
    return {**given, "devices": place.local_size, "num_nodes": machines, "strategy": strategy}


def join() -> None:
    """Meet the other processes, if a launcher has started this one."""
    place = launched()
    if place is not None:
        meeting.meet(place)


def begin(trainer: Trainer) -> None:
    """Start the other processes of a trainer and meet them, where none has done so yet.

    Raises:
        UserError: there is no script to start, or the others cannot be reached.
    """
    if trainer.world_size == 1 or OURS.joined:
        return
    environment = trainer.strategy.cluster_environment  # type: ignore[attr-defined]
    if not isinstance(environment, LightningEnvironment):
        told = f"trainer.devices={trainer.num_devices}, but the launcher has started one process on this machine"
        raise UserError(f"{told}: start as many (torchrun --nproc-per-node, srun --ntasks-per-node), or leave it out")
    rank, local_size = environment.node_rank() * trainer.num_devices, trainer.num_devices
    address, port = environment.main_address, environment.main_port
    place = Place(rank, trainer.world_size, 0, local_size, address, port, hosted=False)
    meeting.start(own_command(), place)
    meeting.meet(place)


def own_command() -> list[str]:
    """Return the command that started this process; of a sweep, into the folder of this one.

    Raises:
        UserError: there is none, as in a notebook.
    """
    module = getattr(sys.modules["__main__"], "__spec__", None)
    script = os.path.abspath(sys.argv[0])
    if module is None and not os.path.isfile(script):
        raise UserError("several processes begin with the same script, and here is none: set trainer.devices=1")
    command = [sys.executable, *(["-m", module.name] if module else [script]), *sys.argv[1:]]
    if HydraConfig.initialized() and HydraConfig.get().mode == RunMode.MULTIRUN:
        command.append(f"hydra.sweep.dir='{HydraConfig.get().sweep.dir}'")
    return command
