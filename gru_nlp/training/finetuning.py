"""Fine-tuning: training goes on from the weights of a run of the same task, on other data.

How it works. The model's sizes, its tokenizer and its labels are that run's. So before anything is read, ``begun`` puts
the stored preprocessing and model into the composed config, in place: what the config has as a group of its own, such
as the encoder, goes there, and the parts refer to it, as they do in a composed config. A person's options are put on
top, so that ``encoder.dropout=0.3`` is in force, and what the weights hang on is refused. ``read`` then gives the
learned state and the weights, of which ``prepare`` makes the parts.
"""

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from omegaconf import DictConfig, OmegaConf

from gru_nlp import checkpoint
from gru_nlp.archive import locate
from gru_nlp.config import at_home
from gru_nlp.console import remark, say
from gru_nlp.data.encoded import EncodedSplit
from gru_nlp.errors import UserError
from gru_nlp.ranges import SHARES, leaves
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

#: Options of these parts, by the first words of their names, that change neither weights nor ids.
FREE = (
    *changes.FREE,
    *("model.embedding.trainable", "preprocessing.augmentation.", "preprocessing.shift"),
    *("preprocessing.max_length", "preprocessing.truncation", "preprocessing.max_words", "preprocessing.max_seconds"),
    *("preprocessing.recase", "preprocessing.oversample"),
)
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
        UserError: the run cannot be read, is of another kind of task, or its weights do not fit what is given.
    """
    if config.finetune is None or config.resume not in (None, resuming.AUTO):
        return
    if not isinstance(config.finetune, str) or not config.finetune:
        raise UserError(f"finetune={config.finetune} must be a run, or its checkpoint")
    for option, none in OTHERS.items():
        if OmegaConf.select(config, option, default=none) != none:
            raise UserError(f"finetune and {option} both say what the model begins from: leave one of them out")
    config.finetune = str(at_home(config.finetune).absolute())
    goes_on = config.resume and config.run_dir and (Path(config.run_dir) / checkpoint.LAST).is_file()
    stored = _resumed(config) if goes_on else _checked(config)
    composed = copy.deepcopy(config)
    taken: dict[str, Any] = {}
    for part in PARTS:
        OmegaConf.update(config, part, _linked(config, stored[part], taken), merge=False)
    _override(config, composed, taken, given)
    _check_kept(config, stored)


def _resumed(config: DictConfig) -> Mapping[str, Any]:
    stored = run_folder.stored_config(Path(config.run_dir), list(config.trust))
    return cast(dict[str, Any], OmegaConf.to_container(stored, resolve=True))


def _checked(config: DictConfig) -> Mapping[str, Any]:
    """Return the config of the run, once its parts have been built."""
    found = checkpoint.load(locate(config.finetune, option="finetune"))
    task, own = found.config["task"], config.task
    if task.get("_target_") != own.get("_target_"):
        told = f"trained by task={task.get('name')}, another kind than task={own.get('name')}"
        raise UserError(f"{found.path}: {told}: set task=..., or finetune=...")
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
        elif name == "cell" and value == taken.get("encoder", {}).get("cell"):
            linked[name] = "${encoder.cell}"
        elif name not in GROUPS or taken.get(name, value) != value:
            linked[name] = _linked(config, value, taken)
        elif OmegaConf.is_dict(config[name]) and "_target_" not in config[name]:
            own = [option for option in value if option in config[name]]
            OmegaConf.update(config, name, {option: value[option] for option in own}, merge=True)
            linked[name] = {**value, **{option: f"${{{name}.{option}}}" for option in own}}
            taken[name] = value
        else:
            OmegaConf.update(config, name, _linked(config, value, taken), merge=False)
            linked[name] = f"${{{name}}}"
            taken[name] = value
    return linked


def _override(config: DictConfig, composed: DictConfig, taken: Mapping[str, Any], given: Sequence[str]) -> None:
    """Put single options that a person gave into the groups that were taken over.

    A choice of a whole group stands only where it is that of the run.

    Args:
        config: with the groups of the run.
        composed: as it was before.
        taken: the groups that the run has.
        given: overrides that it was composed from.

    Raises:
        UserError: another group was chosen, or the run has no such option.
    """
    for override in resuming.overrides(given):
        name = override.key_or_group
        group, _, option = name.partition(".")
        if group not in (*GROUPS, *PARTS):
            continue
        if group not in (*taken, *PARTS) or name == "embedding.extra_words":
            raise UserError(f"{name} has no effect on the model of {config.finetune}: leave it out")
        if not option and _kinds(config[group]) != _kinds(composed[group]):
            raise UserError(f"{override.input_line}: finetune takes the {group} of {config.finetune}: leave it out")
        if option and ... in (OmegaConf.select(one, name, default=...) for one in (config, composed)):
            raise UserError(f"{name}: the model of {config.finetune} has no such option: leave it out")
        if option:
            value = OmegaConf.select(composed, name)
            plain = OmegaConf.to_container(value, resolve=True) if OmegaConf.is_config(value) else value
            OmegaConf.update(config, name, plain, merge=False)


def _kinds(group: DictConfig) -> dict[str, Any]:
    """Return what a group builds, by place."""
    plain = OmegaConf.to_container(group, resolve=True)
    return {name: value for name, value in leaves(plain) if name.endswith("_target_")}


def _check_kept(config: DictConfig, stored: Mapping[str, Any]) -> None:
    """Refuse options by which the run would be another model, or read other ids.

    Raises:
        UserError: naming the first.
    """
    for part in PARTS:
        now = OmegaConf.to_container(config[part], resolve=True)
        before, after = (dict(leaves(options, part)) for options in (stored[part], now))
        named = [name for name in {**before, **after} if not name.startswith(FREE)]
        differing = [name for name in named if before.get(name, ...) != after.get(name, ...)]
        for name in differing:
            if name not in before or name not in after or name.rpartition(".")[2] not in SHARES:
                told = f"finetune={config.finetune}: {name} stays as it is there"
                raise UserError(f"{told}: leave it out, or train anew")


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
    say(f"begun from {begun_from}, whose preprocessing and model hold but for single options that are given")
    columns = [encoded.lists[name] for name in TOKENS if name in encoded.lists]
    number = sum(int(column.lengths.sum()) for column in columns)
    unknown = sum(float(column.shares(UNK) @ column.lengths) for column in columns) / max(number, 1)
    if unknown >= MANY:
        told = f"{100 * unknown:.1f} % of the tokens of the training data are unknown to its tokenizer"
        remark(f"{told}, which stays as it is: does finetune={begun_from} fit this data?")
