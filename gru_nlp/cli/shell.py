"""The shell around every command: composes its config, runs it, and turns a user's mistake into one line."""

import importlib
import logging
import os
import sys
import traceback
from collections.abc import Sequence
from typing import Any

import hydra
from hydra import compose
from hydra.core.hydra_config import HydraConfig
from hydra.core.utils import JobReturn
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from gru_nlp.cli import launching, quoting, unused
from gru_nlp.cli.argparse_help import hydra_help_as_strings
from gru_nlp.cli.composing import (
    composer,
    default_choices,
    default_config,
    explain,
    group_names,
    place_cells,
    told_in_a_line,
)
from gru_nlp.cli.surroundings import USER_ERROR, complain, output_errors, settle
from gru_nlp.cli.voice import speaking
from gru_nlp.config import at_home, check_types, conf_dir, expand_users, text_maps
from gru_nlp.console import is_first_process, is_verbose, show, voice
from gru_nlp.errors import UserError, is_broken, refused
from gru_nlp.plain import MOST_INTEGER
from gru_nlp.processes import ending
from gru_nlp.ranges import check_ranges, leaves

BUG = 1
INTERRUPTED = 130
TAKES_TEXT = ("predict", "translate", "generate", "speak")
#: Groups that a command takes from the checkpoint unless they are given. Hydra never sees what a checkpoint holds,
#: since it obeys what it composes; the person's values are put into the stored ones after they have been checked.
STORED_GROUPS = dict.fromkeys(("evaluate", "compare"), ("data", "decoding")) | {
    "predict": ("decoding",),
    "translate": ("decoding",),
    "export": ("data",),
}
#: Options of a command that are a list of paths, and one path of all others.
PATH_LISTS = dict.fromkeys(("compare", "export", "serve"), ("checkpoint",)) | {
    "distill": ("teacher", "backward_teacher")
}
#: Commands whose config is that of a training.
TRAINING = ("train", "distill")


class Job:
    """One call of a command, as Hydra runs it: in this process, or in another one that a launcher of a sweep starts.

    Args:
        command: its name.
        text: what stood after ``--``.
        arguments: the process's own, which children of a distributed run are started from.
    """

    def __init__(self, command: str, text: str | None, arguments: list[str]) -> None:
        self.command = command
        self.text = text
        self.arguments = arguments
        self.entered = False
        self.codes: list[int] = []
        self.voice = voice()
        self.has_threads = "OMP_NUM_THREADS" in os.environ  # by the person's own word
        self.is_here = True

    def __getstate__(self) -> dict[str, Any]:
        """Return what a process elsewhere gets, from which nothing comes back but what the call returns or raises."""
        return {**vars(self), "is_here": False, "codes": []}

    def __call__(self, config: DictConfig) -> float | None:
        """Run the command; return the score that a sweeper may search by.

        A user's mistake is told here, so that Hydra adds no lines and a sweep goes on.

        Raises:
            UserError: a mistake, where this process is not the one that tells it.
        """
        self.entered = True
        sys.argv = self.arguments
        if not self.is_here:
            return self.run_elsewhere(config)
        try:
            return self.attempt(config)
        except UserError as error:
            self.codes.append(USER_ERROR)
            sweep = HydraConfig.get().mode == RunMode.MULTIRUN
            complain(f"job {HydraConfig.get().job.num}: {error}" if sweep else str(error), error)
        return None

    def run_elsewhere(self, config: DictConfig) -> float | None:
        """Run the command in a process that a launcher started, as ``main`` has it in the first one.

        Raises:
            UserError: a mistake, which the first process tells.
        """
        settle()
        if not self.has_threads:
            from gru_nlp.threads import keep_to_share  # loads torch, which the first process need not

            keep_to_share()
        with speaking(self.voice):
            try:
                return self.attempt(config)
            except Exception as error:
                # Pickled, an error loses where it was raised, but not its notes.
                error.add_note("".join(traceback.format_exception(error)).rstrip())
                raise

    def attempt(self, config: DictConfig) -> float | None:
        """Run the command; return its score, or None where its output could not be written.

        Raises:
            UserError: a mistake of the user's, or the machine refused what was asked of it.
        """
        if is_verbose():
            logging.getLogger().setLevel(logging.INFO)  # which Hydra has just set anew
        codes: list[int] = []
        try:
            with output_errors(codes):  # here too, since Hydra adds lines to what leaves a job
                score = self.run(config)
        except (MemoryError, RuntimeError) as error:
            if told := refused(error):
                raise told from error
            raise
        self.codes += codes
        return None if codes else score

    def run(self, config: DictConfig) -> float | None:
        """Check the composed config and call the command's module; return the score that a sweeper may search by."""
        check(config, self.command, HydraConfig.get().overrides.task, self.text)
        module = importlib.import_module(f"gru_nlp.cli.{self.command}")
        score: float | None = module.run(config) if self.text is None else module.run_text(config, self.text)
        return score


def check(config: DictConfig, command: str, given: Sequence[str] = (), text: str | None = None) -> None:
    """Check a composed config; take ``~`` in it for the home folder, in place.

    Args:
        config: composed from ``given``.
        command: whose config it is.
        given: overrides as Hydra takes them.
        text: what stood after ``--``.

    Raises:
        UserError: an option that is missing, of the wrong kind, out of range, or without an effect.
    """
    defaults = default_config(command)
    try:
        _check(config, command, defaults)
        check_effects(config, command, defaults, given, text)
    except OmegaConfBaseException as error:
        raise UserError(explain(error, command)) from None


def _check(config: DictConfig, command: str, defaults: DictConfig) -> None:
    for group in default_choices(command):
        if OmegaConf.is_dict(defaults.get(group)) and not OmegaConf.is_dict(config.get(group)):
            raise UserError(f"{group}: its yaml must hold options, as in 'name: value'")
    missing = sorted(OmegaConf.missing_keys(config))
    if missing:
        raise UserError(f"{command} needs {missing[0]}=<...>")
    place_cells(config)
    OmegaConf.to_container(config, resolve=True)
    expand_users(config)
    text_maps(config)
    gone = [name for name in defaults.get("trainer", ()) if name not in config.trainer]
    if gone:
        raise UserError(f"trainer.{gone[0]} is missing: begin a yaml of your own with 'defaults: [default]'")
    check_types(config, defaults)
    check_ranges(_unresolved(config))
    for option, value in leaves(_unresolved(config)):
        if type(value) is int and abs(value) > MOST_INTEGER:
            raise UserError(f"{option}={value} is too large a number")


def check_effects(
    config: DictConfig, command: str, defaults: DictConfig, given: Sequence[str], text: str | None
) -> None:
    """Refuse options that nothing uses.

    Raises:
        UserError: naming one.
    """
    plain, usual = (_unresolved(config), _unresolved(defaults))
    if command not in TRAINING:
        unused.check_known(plain, [*usual, *default_choices(command)])
    elif plain["resume"] in (None, "auto"):
        unused.check_used(plain, usual, given)
    if command in TAKES_TEXT:
        unused.check_reading(plain, given, text)


def _unresolved(config: DictConfig) -> dict[str, Any]:
    plain = OmegaConf.to_container(config, resolve=False)
    assert isinstance(plain, dict)
    return {str(name): value for name, value in plain.items()}


def arranged(command: str, overrides: Sequence[str]) -> list[str]:
    """Return a person's options as Hydra's grammar takes them.

    Raises:
        UserError: a flag that there is not.
    """
    quoting.check_flags(overrides)
    quoting.check_sweep(overrides)
    held = quoting.held(quoting.without_nulls(overrides, default_choices(command)), STORED_GROUPS.get(command, ()))
    if command == "train" and quoting.values(held).get("resume", "auto") != "auto":
        held = quoting.forced(held, group_names())
    return quoting.sweep_first(quoting.flags_first(quoting.quote_paths(held, PATH_LISTS.get(command, ()))))


def composed(command: str, overrides: Sequence[str]) -> DictConfig:
    """Compose and check the config of ``command`` outside the command line; ``--config-dir`` may be among its options.

    Raises:
        UserError: what the command line tells in a line.
    """
    overrides, folders = quoting.without_dirs(overrides)
    if gone := [folder for folder in folders if not os.path.isdir(at_home(folder))]:
        raise UserError(f"{gone[0]}: no such folder (see --config-dir)")
    own = ",".join(f"'file://{at_home(folder).absolute()}'" for folder in folders)
    searched = [f"hydra.searchpath=[{own}]"] if own else []
    with told_in_a_line(command, overrides), composer():
        config = compose(command, overrides=[*searched, *arranged(command, overrides)])
    check(config, command, overrides)
    return config


def run_command(command: str, arguments: list[str]) -> int:
    """Compose the config of ``command`` and run it; return the exit code."""
    original = list(sys.argv)
    overrides, text = quoting.split_text(arguments)
    job = Job(command, text, original)
    os.environ["HYDRA_FULL_ERROR"] = "1"  # so that Hydra raises instead of printing
    try:
        place = ending.environment_place()
        if command != "train" and place is not None and place.size > 1:
            raise UserError(f"{command} goes on in one process: start it without torchrun")
        if text is not None and command not in TAKES_TEXT:
            raise UserError(f"{command} takes no text after --")
        if text is not None and is_broken(text):
            raise UserError("the text after -- is not UTF-8: set input=<file> and encoding=<its codec>")
        sys.argv = [f"gru-nlp {command}", *arranged(command, overrides)]
        with (
            launching.collected(job.codes) as jobs,
            told_in_a_line(command, overrides, lambda: job.entered or bool(jobs)),
            hydra_help_as_strings(),
        ):
            hydra.main(config_path=str(conf_dir()), config_name=command, version_base="1.3")(job)()
        if is_first_process():
            tell_sweep([one for one in jobs if launching.is_scored(one)])
    except UserError as error:
        complain(str(error), error)
        return ending.left(USER_ERROR)
    except SystemExit as ended:  # --version and --hydra-help
        if job.entered:
            raise
        return int(ended.code or 0)
    except KeyboardInterrupt as interrupted:
        code = getattr(interrupted, "code", INTERRUPTED)
        complain(str(interrupted) or "interrupted", code=code)
        return ending.left(ending.code_of(code))
    except Exception as error:
        if ending.line_of(BUG, f"a bug: {type(error).__name__}: {error}") is None:
            return ending.left(ending.code_of(BUG))
        raise
    finally:
        sys.argv = original
    return ending.left(ending.code_of(max(job.codes, default=0)))


def tell_sweep(jobs: Sequence[JobReturn]) -> None:
    """Show the table of a sweep's jobs that ended with a score, best first."""
    if not jobs:
        return
    from gru_nlp.cli import sweep  # imports what only training needs

    done = [
        sweep.Finished(list(job.overrides or ()), launching.folder(job), job.cfg.task.monitor, job.cfg.task.mode)
        for job in jobs
        if job.cfg is not None
    ]
    for line in sweep.table(done):
        show(line)
