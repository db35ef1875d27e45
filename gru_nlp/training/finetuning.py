"""Fine-tuning: training goes on from the weights of a run of the same task, on other data.

How it works. The model's sizes, its tokenizer and its labels are that run's. So before anything is read, ``begun`` puts
the stored preprocessing and model into the composed config, in place: what the config has as a group of its own, such
as the encoder, goes there, and the parts refer to it, as they do in a composed config. A person's options are put on
top, so that ``encoder.dropout=0.3`` is in force, and what the weights hang on is refused. ``read`` then gives the
learned state and the weights, of which ``prepare`` makes the parts.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from omegaconf import DictConfig, OmegaConf

from gru_nlp import checkpoint
from gru_nlp.archive import locate
from gru_nlp.console import remark, say
from gru_nlp.data.encoded import EncodedSplit
from gru_nlp.errors import UserError
from gru_nlp.text.special import UNK
from gru_nlp.training import changes, resuming, run_folder

#: What is taken over, and the groups that these parts refer to.
PARTS = ("preprocessing", "model")
GROUPS = ("tokenizer", "embedding", "characters", "encoder", "pooling", "attention", "decoder")
#: What else says where a model begins, and how it is left out.
OTHERS: dict[str, Any] = {
    "pretrained": None,
    "pretraining.epochs": 0,
    "embedding.vectors": None,
    "gazetteers": [],
    "teacher_tokenizer": False,
}

#: Columns of ids of tokens, and the share of unknown ones from which on it is told.
TOKENS = ("ids", "target_ids")
MANY = 0.05


def begun(config: DictConfig, given: Sequence[str]) -> None:
    """Put preprocessing and model of the run of ``finetune`` into a composed config, in place, if there is one.

    A run that goes on has both in its folder.

    Args:
        config: composed and checked.
        given: overrides that it was composed from.

    Raises:
        UserError: the run cannot be read, is of another task, or its weights do not fit what is given.
    """
    if config.finetune is None or config.resume not in (None, resuming.AUTO):
        return
    if not isinstance(config.finetune, str) or not config.finetune:
        raise UserError(f"finetune={config.finetune} must be a run, or its checkpoint")
    for option, none in OTHERS.items():
        if OmegaConf.select(config, option, default=none) != none:
            raise UserError(f"finetune and {option} both say what the model begins from: leave one of them out")
    goes_on = config.resume and (Path(config.run_dir or "") / run_folder.CONFIG).is_file()
    stored = _resumed(config) if goes_on else _checked(config)
    taken: dict[str, Any] = {}
    for part in PARTS:
        OmegaConf.update(config, part, _linked(config, stored[part], taken), merge=False)
    _override(config, given)
    now = {part: OmegaConf.to_container(config[part], resolve=True) for part in PARTS}
    for option in changes.changed({part: stored[part] for part in PARTS}, now):
        told = f"finetune={config.finetune}: {option} is what its weights belong to"
        raise UserError(f"{told}, and cannot change: leave it out, or train anew")


def _resumed(config: DictConfig) -> Mapping[str, Any]:
    stored = run_folder.stored_config(Path(config.run_dir), list(config.trust))
    return cast(dict[str, Any], OmegaConf.to_container(stored, resolve=True))


def _checked(config: DictConfig) -> Mapping[str, Any]:
    """Return the config of the run, once its parts have been built."""
    found = checkpoint.load(locate(config.finetune, option="finetune"))
    name, own = (task.get("name") for task in (found.config["task"], config.task))
    if name != own:
        raise UserError(f"{found.path}: a model of task={name}, not of task={own}: set task={name}, or finetune=...")
    checkpoint.restore(found, list(config.trust))
    return found.config


def _linked(config: DictConfig, part: Mapping[str, Any], taken: dict[str, Any]) -> dict[str, Any]:
    """Return a part that refers to the groups of a config, which are set in place to what the part holds.

    Args:
        config: of the new run.
        part: resolved.
        taken: what groups were set to before, to which this adds.
    """
    linked: dict[str, Any] = {}
    for name, value in part.items():
        if name == "decoding":
            linked[name] = "${decoding}"  # which the person chooses as in a run of their own
        elif not isinstance(value, Mapping):
            linked[name] = value
        elif name not in GROUPS or taken.setdefault(name, value) != value:
            linked[name] = _linked(config, value, taken)
        elif OmegaConf.is_dict(config[name]) and "_target_" not in config[name]:
            own = [option for option in value if option in config[name]]
            OmegaConf.update(config, name, {option: value[option] for option in own}, merge=True)
            linked[name] = {**value, **{option: f"${{{name}.{option}}}" for option in own}}
        else:
            OmegaConf.update(config, name, _linked(config, value, taken), merge=False)
            linked[name] = f"${{{name}}}"
    return linked


def _override(config: DictConfig, given: Sequence[str]) -> None:
    """Put single options that a person gave into the groups that were taken over; refuse whole groups."""
    for override in resuming.overrides(given):
        name = override.key_or_group
        group, _, option = name.partition(".")
        if group not in (*GROUPS, *PARTS):
            continue
        if not option:
            raise UserError(f"{override.input_line}: finetune takes the {group} of {config.finetune}: leave it out")
        if OmegaConf.select(config, name, default=...) is ...:
            raise UserError(f"{name}: the model of {config.finetune} has no such option: leave it out")
        OmegaConf.update(config, name, override.value())


def read(config: Mapping[str, Any]) -> checkpoint.Checkpoint | None:
    """Return what ``finetune`` names, if it does.

    Raises:
        UserError: it cannot be read.
    """
    given = config["finetune"]
    return checkpoint.load(locate(given, option="finetune")) if given else None


def tell(begun_from: Path, encoded: EncodedSplit) -> None:
    """Tell what training begins from, and of how many tokens of its texts the tokenizer does not know.

    Args:
        begun_from: the checkpoint.
        encoded: the training split.
    """
    say(f"begun from {begun_from}")
    columns = [encoded.lists[name] for name in TOKENS if name in encoded.lists]
    number = sum(int(column.lengths.sum()) for column in columns)
    unknown = sum(float(column.shares(UNK) @ column.lengths) for column in columns) / max(number, 1)
    if unknown >= MANY:
        told = f"{100 * unknown:.1f} % of the tokens of the training data are unknown to its tokenizer"
        remark(f"{told}, which stays as it is: does finetune={begun_from} fit this data?")
