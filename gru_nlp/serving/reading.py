"""Bodies of requests, read as strictly as JSON allows, and what is wrong with one in a line."""

import json
import re
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from gru_nlp.errors import UserError, nearest
from gru_nlp.plain import check_plain
from gru_nlp.serving.asked import FIELDS
from gru_nlp.serving.refusals import Refused

#: Most values in a body, and most names in its object: each costs time, in which nobody else is heard.
MOST_VALUES, MOST_NAMES = 100_000, 100
#: How a surrogate is written.
SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


def read_json(body: bytes) -> Any:
    """Return what a body says.

    JSON's own grammar (RFC 8259): no NaN, no name twice in an object, since of two values each reader takes another.

    Raises:
        Refused: it is no such JSON, or nested too deep.
    """
    try:
        value = json.loads(body.decode(), parse_constant=_no_number, object_pairs_hook=_distinct)
        check_plain(value, "the body", MOST_VALUES)
        if isinstance(value, dict) and len(value) > MOST_NAMES:
            raise ValueError(f"more than {MOST_NAMES} names stand in it")
        if SURROGATE.search(body):  # half of a pair, where it has no other half, is a text to Python alone
            json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise Refused(400, "the body holds a lone surrogate, such as \\ud800, which is no character") from None
    except UnicodeDecodeError as error:
        raise Refused(400, f"the body is not UTF-8 (byte {error.start})") from None
    except json.JSONDecodeError as error:
        raise Refused(400, f"the body is not JSON: {error.msg} (line {error.lineno}, column {error.colno})") from None
    except RecursionError:
        raise Refused(400, "the body is nested too deep") from None
    except ValueError as error:
        raise Refused(400, f"the body is not taken: {error}") from None
    except UserError as error:
        raise Refused(400, str(error)) from None
    return value


def _no_number(word: str) -> Any:
    raise ValueError(f"{word} is no number in JSON")


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"'{max(names, key=names.count)}' stands twice in one object")
    return found


class StrictRequest(Request):
    """A request whose body is read by ``read_json``."""

    async def json(self) -> Any:
        """Return what the body says."""
        return read_json(await self.body())


class StrictRoute(APIRoute):
    """A path whose requests are ``StrictRequest``."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return what answers a request."""
        handler = super().get_route_handler()

        async def strictly(request: Request) -> Response:
            return await handler(StrictRequest(request.scope, request.receive))

        return strictly


def wrong(errors: Sequence[Mapping[str, Any]]) -> str:
    """Return the first of pydantic's errors as a line."""
    error = errors[0]
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error["loc"][1:]).lstrip(".")
    if error["type"] == "extra_forbidden":
        return f"no field '{place}'{nearest(place, FIELDS) if len(place) < 50 else ''}"
    told = str(error["msg"])
    return f"{place or 'the body'}: {told[:1].lower()}{told[1:]}"
