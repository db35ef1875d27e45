"""The server as one application: its models, paths and errors put together."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from gru_nlp import __version__
from gru_nlp.errors import UserError
from gru_nlp.serving import reading, routes, watching
from gru_nlp.serving.gate import Gate
from gru_nlp.serving.metrics import Metrics
from gru_nlp.serving.models import Served
from gru_nlp.serving.refusals import Refused, refusal
from gru_nlp.serving.settings import Settings
from gru_nlp.serving.shelf import BUG, Shelf


def make_app(models: Mapping[str, Served], settings: Settings, load: Callable[[str], Served] | None = None) -> Gate:
    """Return the server as an ASGI application; its models answer from its startup on.

    Args:
        models: by the paths that they were loaded from.
        settings: of the server.
        load: loads a path anew where ``settings.reload`` is set.

    Raises:
        UserError: two models have the same name.
    """
    metrics = Metrics()
    shelf = Shelf(models, settings, metrics)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        for worker in shelf.workers.values():
            worker.start()
        watches = []
        if settings.reload and load is not None:
            watches = [watching.Watch(path, shelf.workers[name], load, metrics) for name, path in shelf.paths.items()]
        looking = asyncio.ensure_future(look(watches))
        yield
        looking.cancel()
        for worker in shelf.workers.values():
            await asyncio.to_thread(worker.end)

    app = FastAPI(
        title="gru_nlp",
        version=__version__,
        description="Labels, entities, translations and continuations of texts by small recurrent models.",
        lifespan=lifespan,
        docs_url=None,  # which is fetched from elsewhere
        redoc_url=None,
    )
    app.include_router(routes.asking(shelf))
    app.include_router(routes.telling(shelf, metrics, lambda: not gate.ending))
    app.include_router(routes.page())
    errors(app)
    gate = Gate(app, settings, metrics)
    return gate


async def look(watches: Sequence[watching.Watch]) -> None:
    """Look after the files of models, for ever."""
    while watches:
        await asyncio.sleep(watching.BEAT)
        for watch in watches:
            await asyncio.to_thread(watch.look)


def errors(app: FastAPI) -> None:
    """Let every error be one line of JSON."""

    @app.exception_handler(HTTPException)
    async def refused(request: Request, error: HTTPException) -> Response:
        told = {404: f"no path {request.url.path}", 405: f"{request.url.path} does not take {request.method}"}
        line = error.detail if isinstance(error, Refused) else told.get(error.status_code, str(error.detail))
        return refusal(error.status_code, line, error.headers)

    @app.exception_handler(UserError)
    async def mistaken(_: Request, error: UserError) -> Response:
        return refusal(422, str(error))

    @app.exception_handler(RequestValidationError)
    async def misread(_: Request, error: RequestValidationError) -> Response:
        return refusal(422, reading.wrong(error.errors()))

    @app.exception_handler(Exception)
    async def bug(_: Request, error: Exception) -> Response:  # which uvicorn tells
        return refusal(500, BUG)
