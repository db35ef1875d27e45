"""How the server says no: one line of JSON that a person can act on."""

import json
import math
from collections.abc import Mapping
from typing import Any

from fastapi import Response
from starlette.exceptions import HTTPException

from gru_nlp.errors import is_broken, printable

#: Characters of a message; what a caller sent may stand in it.
LONGEST = 300
#: What is told to come again, and when.
SOON = {"Retry-After": "1"}


class Refused(HTTPException):
    """An answer that is an error: its code, its line, and headers."""

    def __init__(self, code: int, line: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(code, line, dict(headers or {}))

    def response(self) -> Response:
        """Return what is sent."""
        return refusal(self.status_code, self.detail, self.headers)


def refusal(code: int, line: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return an error as a response; its line is cut, and shows what no reader sees."""
    clean = line.encode("utf-8", "backslashreplace").decode() if is_broken(line) else line
    clean = printable(" ".join(clean.split()))
    cut = clean if len(clean) <= LONGEST else clean[:LONGEST] + "..."
    return answer({"error": cut}, code, headers)


def answer(value: Any, code: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return plain values as a response of JSON."""
    return Response(written(value), code, dict(headers or {}), media_type="application/json")


def written(value: Any) -> str:
    """Return plain values as JSON on one line; numbers that JSON has not, such as minus infinity, as null."""
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except ValueError:
        return json.dumps(_finite(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _finite(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
