"""Answer requests over HTTP with one or several checkpoints, and serve a page to try them out."""

import functools
from typing import Any

import torch
from omegaconf import DictConfig

from gru_nlp.config import resolved
from gru_nlp.console import say
from gru_nlp.errors import UserError
from gru_nlp.tensors import resolve_device
from gru_nlp.threads import limit_tokenizers

#: Packages that come with an extra, and which.
EXTRAS = dict.fromkeys(("fastapi", "starlette", "pydantic", "uvicorn"), "serve") | {"onnxruntime": "runtime"}


def run(config: DictConfig) -> None:
    """Load all models, then serve until SIGTERM or Ctrl-C.

    Raises:
        UserError: a bad option or checkpoint, an address that cannot be had, or an extra is not installed.
    """
    try:
        serve(resolved(config))
    except ModuleNotFoundError as error:
        if error.name not in EXTRAS:
            raise
        raise UserError(f"this needs the package {error.name}: pip install 'gru_nlp[{EXTRAS[error.name]}]'") from None


def serve(given: dict[str, Any]) -> None:
    """The same, of plain options."""
    from gru_nlp.serving import app, models, server, settings

    chosen = settings.settings_of(given)
    paths = checkpoints(given["checkpoint"])
    limit_tokenizers()
    torch.set_num_threads(given["threads"])
    device = resolve_device(given["device"])
    if given["precision"] == "int8" and given["device"] not in ("auto", "cpu"):
        raise UserError(f"device={given['device']}: precision=int8 answers on the processor: leave device out")
    load = functools.partial(
        models.load,
        device=device,
        trusted=given["trust"],
        threads=given["threads"],
        precision=given["precision"],
        patterns=given["patterns"],
        shortlist=given["shortlist"],
    )
    loaded = {path: load(path) for path in paths}
    gate = app.make_app(loaded, chosen, load)
    opened = server.listening(chosen.host, chosen.port)
    if not chosen.is_loopback and chosen.api_key is None:
        say(f"whoever reaches {chosen.host} can ask, since there is no key: set {settings.KEY} in the environment")
    names = ", ".join(model.name for model in loaded.values())
    line = f"serving {names} at {server.address_of(opened)} (Ctrl-C ends)"
    server.run(server.Server(gate, chosen, line), opened)
    say("all that was asked is answered")


def checkpoints(given: Any) -> list[str]:
    """Return the paths of the checkpoints, each once.

    Raises:
        UserError: there is none, or one is no path.
    """
    named = given if isinstance(given, list) else [given]
    if not named or not all(isinstance(path, str) and path for path in named):
        raise UserError(f"checkpoint={given} must be a path, or a list of paths: checkpoint=[a,b]")
    return list(dict.fromkeys(named))
