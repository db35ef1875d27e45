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

#: What the extra brings.
NEEDED = ("fastapi", "starlette", "pydantic", "uvicorn")


def run(config: DictConfig) -> None:
    """Load all models, then serve until SIGTERM or Ctrl-C.

    Raises:
        UserError: a bad option or checkpoint, an address that cannot be had, or the extra is not installed.
    """
    try:
        from gru_nlp.serving import app, models, server, settings
    except ModuleNotFoundError as error:
        if error.name not in NEEDED:
            raise
        raise UserError(f"serve needs the package {error.name}: pip install 'gru_nlp[serve]'") from None
    given = resolved(config)
    chosen = settings.settings_of(given)
    paths = checkpoints(given["checkpoint"])
    limit_tokenizers()
    torch.set_num_threads(given["threads"])
    load = functools.partial(models.load, device=resolve_device(given["device"]), trusted=given["trust"])
    loaded = {path: load(path) for path in paths}
    gate = app.make_app(loaded, chosen, load)
    opened = server.listening(chosen.host, chosen.port)
    if not chosen.is_loopback and chosen.api_key is None:
        say(f"whoever reaches {chosen.host} can ask, since there is no key: set {settings.KEY} in the environment")
    say(f"serving {', '.join(model.name for model in loaded.values())} at {server.address_of(opened)} (Ctrl-C ends)")
    server.run(server.Server(gate, chosen), opened)
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
