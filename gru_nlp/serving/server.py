"""The process: a socket, an event loop, and an end that loses nothing.

How it ends. At SIGTERM or Ctrl-C the server closes its listening socket and says in each answer from then on that the
connection ends with it, so that callers who keep theirs open stop using it at a moment when nothing is under way. After
half a second it closes those that are still idle, waits for the answers that are not out, up to ``grace_seconds``, and
leaves with code 0. A second Ctrl-C leaves at once.
"""

import asyncio
import signal
import socket
import time

import uvicorn

from gru_nlp.console import say
from gru_nlp.errors import UserError
from gru_nlp.serving.gate import Gate
from gru_nlp.serving.settings import Settings

#: Seconds that open connections have to hear that they end.
LINGER = 0.5
BACKLOG = 1024


class Server(uvicorn.Server):
    """A server that tells open connections of its end before it closes them.

    Args:
        gate: the application.
        settings: of the server.
        line: is told once it answers, and a signal ends it well.
    """

    def __init__(self, gate: Gate, settings: Settings, line: str) -> None:
        config = uvicorn.Config(
            gate,
            log_config=None,
            access_log=False,
            lifespan="on",
            ws="none",
            proxy_headers=False,
            server_header=False,
            backlog=BACKLOG,
            timeout_graceful_shutdown=max(1, round(settings.grace_seconds)),
        )
        super().__init__(config)
        self.gate = gate
        self.line = line

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer."""
        await super().startup(sockets)
        say(self.line)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Refuse new connections, let open ones end, and close what is left."""
        self.gate.ending = True
        for server in self.servers:
            server.close()
        last = time.monotonic() + LINGER
        while self.server_state.connections and time.monotonic() < last and not self.force_exit:
            await asyncio.sleep(0.01)
        await super().shutdown(sockets)


def listening(host: str, port: int) -> socket.socket:
    """Return a socket that listens.

    Raises:
        UserError: the address cannot be had.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family, backlog=BACKLOG)
    except OSError as error:
        reason = error.strerror.partition(" (")[0] if error.strerror else error
        raise UserError(f"host={host} port={port}: no server can listen there: {reason} (set port=...)") from None


def address_of(opened: socket.socket) -> str:
    """Return the address of a server as a person types it."""
    host, port = opened.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def run(server: Server, opened: socket.socket) -> None:
    """Serve until a signal ends it."""
    # Of its own handlers, uvicorn raises each signal again once it has ended: these take it, before and after.
    before = {number: signal.signal(number, server.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        server.run(sockets=[opened])
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
