"""What answers a command by the model of a checkpoint; it loads torch, which an exported folder does without."""

from typing import cast

from omegaconf import DictConfig

from gru_nlp import checkpoint
from gru_nlp.archive import locate
from gru_nlp.config import resolved
from gru_nlp.decoding.base import DecodingStrategy
from gru_nlp.errors import UserError
from gru_nlp.generator import Generator
from gru_nlp.predictor import Predictor, joined
from gru_nlp.reranking import Reranked, backward_of
from gru_nlp.tensors import resolve_device
from gru_nlp.threads import set_threads
from gru_nlp.weighing import weigh_in


def predictor(config: DictConfig) -> Predictor:
    """Load what predicts onto the chosen device, with the decoding that was asked for.

    Raises:
        UserError: see ``Predictor.from_checkpoint``; its model decodes nothing, or ``weigh_in``; or there is no GPU.
    """
    stored, trusted = checkpoint.load(config["checkpoint"]), list(config["trust"])
    given = resolved(config).get("decoding") or {}
    preprocessor, model = checkpoint.restore(checkpoint.with_decoding(stored, given), trusted)
    weigh_in(preprocessor, model, given.get("language_model"), trusted)
    set_threads(config["threads"], model)
    return Predictor(preprocessor, model, resolve_device(config["device"]))


def generator(config: DictConfig) -> Generator:
    """Load what continues text; errors as ``Generator.from_checkpoint``."""
    loaded = Generator.from_checkpoint(config["checkpoint"], resolve_device(config["device"]), config["trust"])
    set_threads(config["threads"], loaded.model)
    return loaded


def translator(config: DictConfig) -> tuple[Predictor, int]:
    """Load what translates, with the decoding that was asked for; return it with how many hypotheses it gives.

    Raises:
        UserError: the checkpoint cannot be read, or is no translator.
    """
    stored = checkpoint.load(config["checkpoint"])
    if not {"decoder", "decoding"} <= set(stored.config["model"]):
        raise UserError(f"{stored.path}: no translator but a {stored.config['task']['name']} model: use predict")
    given = resolved(config).get("decoding") or {}
    preprocessor, model = checkpoint.restore(checkpoint.with_decoding(stored, given), list(config["trust"]))
    if config["shortlist"]:
        preprocessor.use_shortlist()
    if config["ensemble"]:
        if config["shortlist"]:
            raise UserError("shortlist=true is for one model, and ensemble joins several: leave one of them out")
        others = [checkpoint.load(locate(path, option="ensemble")) for path in config["ensemble"]]
        model = joined(stored, model, others, list(config["trust"]))
    set_threads(config["threads"], model)
    device, best = resolve_device(config["device"]), cast(DecodingStrategy, model.decoding).n_best
    if not config["backward"]:
        return Predictor(preprocessor, model, device), best
    backward = backward_of(config["backward"], device, list(config["trust"]))
    return Reranked(preprocessor, model, device, backward, config["backward_weight"]), best
