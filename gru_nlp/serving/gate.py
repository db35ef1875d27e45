"""What every request passes before it is read, and every answer on its way out.

It is plain ASGI around the application, so that what is refused here costs next to nothing: no body is read, or no
further than the limit, and nothing is parsed.
"""

import asyncio
import hmac
import re
import time
from collections.abc import Mapping

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gru_nlp.serving.metrics import Metrics
from gru_nlp.serving.refusals import Refused
from gru_nlp.serving.settings import Settings

#: Paths whose requests have a body.
ASKING = ("/predict", "/translate", "/generate")
#: Paths that need no key: the page, which lets a person type it; what probes ask; and what the paths mean.
OPEN = ("/", "/style.css", "/script.js", "/health", "/openapi.json")
#: Paths that are counted under their own names.
COUNTED = (*ASKING, *OPEN, "/models", "/metrics")
#: Nothing is fetched from elsewhere, nothing runs but the page's own script, and no page may frame this one.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
SECURE = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
#: The name in a ``Host`` header, with or without the port; that of an IPv6 address in brackets.
HOST = re.compile(r"\[(?P<v6>[0-9a-fA-F:.]+)\](:\d+)?|(?P<name>[^:]*)(:\d+)?")


class Gate:
    """An ASGI application around another.

    Args:
        app: that answers what passes.
        settings: limits, names and the key.
        metrics: count what is answered.
    """

    def __init__(self, app: ASGIApp, settings: Settings, metrics: Metrics) -> None:
        self.app = app
        self.settings = settings
        self.metrics = metrics
        self.hosts = settings.known_hosts()
        self.ending = False  # each answer says that its connection ends with it

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, code = time.perf_counter(), 500

        async def sent(message: Message) -> None:
            nonlocal code
            if message["type"] == "http.response.start":
                code = message["status"]
                headers = MutableHeaders(scope=message)
                headers.update(SECURE if not self.ending else {**SECURE, "connection": "close"})
            await send(message)

        try:
            try:
                whole = await self._passed(scope, receive)
            except Refused as refused:
                await refused.response()(scope, receive, sent)
            else:
                await self.app(scope, whole, sent)
        finally:
            path = scope["path"] if scope["path"] in COUNTED else "other"
            self.metrics.request(path, code, time.perf_counter() - started)

    async def _passed(self, scope: Scope, receive: Receive) -> Receive:
        """Check a request; return what it is received by from here on.

        Raises:
            Refused: it does not pass.
        """
        headers = Headers(scope=scope)
        if scope["path"] != "/health":  # which probes ask by a number
            check_host(headers.get("host", ""), self.hosts)
        if self.settings.api_key is not None and scope["path"] not in OPEN:
            check_key(headers, self.settings.api_key)
        if scope["method"] != "POST" or scope["path"] not in ASKING:
            return receive
        kind, _, rest = headers.get("content-type", "").partition(";")
        if kind.strip().lower() != "application/json" or "charset" in rest.lower().replace("charset=utf-8", ""):
            raise Refused(415, "the body must be JSON in UTF-8: send Content-Type: application/json")
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length[:20]) > self.settings.max_body:
            raise self._too_large()
        try:
            async with asyncio.timeout(self.settings.max_seconds):
                body = await self._body(receive)
        except TimeoutError:
            raise Refused(408, f"no whole body came within {self.settings.max_seconds:g} s", CLOSE) from None
        return replayed(body, receive)

    async def _body(self, receive: Receive) -> bytes:
        """Read a body up to the limit."""
        parts, size, more = [], 0, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Refused(499, "the caller has gone")
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            more = message.get("more_body", False)
            if size > self.settings.max_body:
                raise self._too_large()
        return b"".join(parts)

    def _too_large(self) -> Refused:
        return Refused(413, f"the body has more than {self.settings.max_body:,} bytes: send fewer texts at a time")


CLOSE: Mapping[str, str] = {"connection": "close"}


def check_host(given: str, known: frozenset[str] | None) -> None:
    """Refuse a request that was sent to another name than this server's.

    Raises:
        Refused: naming it.
    """
    found = HOST.fullmatch(given)
    name = (found["v6"] or found["name"]).lower() if found else None
    if known is not None and name not in known:
        raise Refused(403, f"this server is not '{given}': ask by its own name, or start it with hosts=[<name>]")


def check_key(headers: Headers, key: str) -> None:
    """Refuse a request without the key; to compare takes as long whatever was sent.

    Raises:
        Refused: saying how the key is sent.
    """
    scheme, _, token = headers.get("authorization", "").partition(" ")
    given = token.strip() if scheme.lower() == "bearer" else headers.get("x-api-key", "")
    if not hmac.compare_digest(given.encode("latin-1", "replace"), key.encode()):
        told = "the API key is missing or wrong: send Authorization: Bearer <key>, or X-API-Key: <key>"
        raise Refused(401, told, {"WWW-Authenticate": "Bearer"})


def replayed(body: bytes, receive: Receive) -> Receive:
    """Return what gives a body that was read already, then what else comes."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return waiting.pop() if waiting else await receive()

    return again
