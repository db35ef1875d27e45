"""What a person sets of a server: where it listens, who may ask, and how much."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from gru_nlp.errors import UserError

#: Where the key may stand, so that no list of processes shows it.
KEY = "GRU_NLP_API_KEY"
#: Names of a machine for itself.
LOOPBACK = ("localhost", "127.0.0.1", "::1")
#: Most that a limit may be: of texts, so that one body does not hold up all others; whatever it counts.
MOST_TEXTS, MOST = 50_000, 10**9


@dataclass(frozen=True)
class Settings:
    """The options of ``conf/serve.yaml`` of the same names, which explains them.

    Raises:
        UserError: a value is out of range.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    api_key: str | None = None
    hosts: tuple[str, ...] = ()
    gather_ms: float = 3.0
    batch_size: int = 64
    max_body: int = 1_000_000
    max_texts: int = 256
    max_characters: int = 20_000
    max_tokens: int = 1000
    max_waiting: int = 256
    max_seconds: float = 30.0
    grace_seconds: float = 20.0
    reload: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.port < 2**16:
            raise UserError(f"port={self.port} must be from 0 to {2**16 - 1}")
        for name in ("batch_size", "max_body", "max_texts", "max_characters", "max_tokens", "max_waiting"):
            count = MOST_TEXTS if name == "max_texts" else MOST
            if not 1 <= getattr(self, name) <= count:
                raise UserError(f"{name}={getattr(self, name)} must be from 1 to {count:,}")
        for name, most in (("gather_ms", 1000.0), ("max_seconds", 86_400.0), ("grace_seconds", 86_400.0)):
            if not 0.0 <= getattr(self, name) <= most:
                raise UserError(f"{name}={getattr(self, name)} must be from 0 to {most:,.0f}")
        if self.api_key is not None and not (self.api_key and self.api_key.isascii() and self.api_key.isprintable()):
            raise UserError(f"api_key, or {KEY} in the environment, must be printable ASCII, and not nothing")
        if not all(isinstance(name, str) and name for name in self.hosts):
            raise UserError(f"hosts={list(self.hosts)} must be a list of names: hosts=[models.example]")

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine reaches the server."""
        return self.host in LOOPBACK or self.host.startswith("127.")

    def known_hosts(self) -> frozenset[str] | None:
        """Return the names by which callers may know this server, in lower case; None: any.

        A page of another site whose name was made to lead here (DNS rebinding) sends that name.
        """
        if not (self.is_loopback or self.hosts):
            return None
        return frozenset(name.lower() for name in (*LOOPBACK, self.host, *self.hosts))


def settings_of(config: Mapping[str, Any]) -> Settings:
    """Return the settings of a command's config; without ``api_key`` that of the environment.

    Raises:
        UserError: a value is out of range.
    """
    given = {field.name: config[field.name] for field in fields(Settings)}
    key = os.environ.get(KEY) if given["api_key"] is None else str(given["api_key"])
    return Settings(**{**given, "host": str(given["host"]), "hosts": tuple(given["hosts"]), "api_key": key})
