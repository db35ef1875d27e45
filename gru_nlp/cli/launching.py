"""What the jobs of a sweep give back, wherever a launcher of Hydra's runs them.

The basic launcher runs jobs here, one after the other; joblib's in processes beside this one, submitit's and Ray's on
other machines too. What comes back of each is Hydra's ``JobReturn``, which its sweepers keep to themselves.
"""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from gru_nlp.cli.surroundings import USER_ERROR, complain
from gru_nlp.errors import UserError


class Collecting(Launcher):
    """A launcher that keeps what its jobs give back, and tells of mistakes that they met elsewhere.

    Args:
        launcher: that runs them.
        returned: takes them.
        codes: takes an exit code for each mistake.
    """

    def __init__(self, launcher: Launcher, returned: list[JobReturn], codes: list[int]) -> None:
        self.launcher = launcher
        self.returned = returned
        self.codes = codes

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Make the launcher ready."""
        self.launcher.setup(hydra_context=hydra_context, task_function=task_function, config=config)

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Run the jobs; one that ended with a user's mistake counts as one without a score, so that others run on."""
        returned = self.launcher.launch(job_overrides, initial_job_idx)
        for number, job in enumerate(returned, initial_job_idx):
            error = job._return_value
            if job.status is JobStatus.FAILED and isinstance(error, UserError):
                complain(f"job {number}: {error}", error)
                self.codes.append(USER_ERROR)
                job.status, job.return_value = JobStatus.COMPLETED, None
        self.returned.extend(returned)
        return returned


@contextlib.contextmanager
def collected(codes: list[int]) -> Iterator[list[JobReturn]]:
    """Give the list that takes what the jobs give back which Hydra launches in the block.

    Args:
        codes: takes an exit code for each job that met a user's mistake elsewhere.
    """
    returned: list[JobReturn] = []
    plain = Plugins.instantiate_launcher

    def instantiate(plugins: Plugins, *given: Any, **named: Any) -> Launcher:
        return Collecting(plain(plugins, *given, **named), returned, codes)

    Plugins.instantiate_launcher = instantiate  # type: ignore[method-assign, assignment]
    try:
        yield returned
    except ValueError:
        # So Optuna's sweeper ends where it has no score to choose by. Why there is none has been told, job by job.
        if not codes or any(is_scored(job) for job in returned):
            raise
    finally:
        Plugins.instantiate_launcher = plain  # type: ignore[method-assign]


def is_scored(job: JobReturn) -> bool:
    """Return whether a job ended with a score."""
    return job.status is JobStatus.COMPLETED and job._return_value is not None


def folder(job: JobReturn) -> Path:
    """Return the run folder of a job of ``train``."""
    assert job.cfg is not None
    assert job.hydra_cfg is not None
    return Path(job.cfg.run_dir or job.hydra_cfg.hydra.runtime.output_dir)
