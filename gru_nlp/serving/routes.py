"""The paths of the server: what each takes, asks of a model, and answers.

Text that is streamed comes as lines of JSON (NDJSON), not as server-sent events: a browser reads those by itself from a
GET alone, while lines of JSON are read by ``curl``, ``jq`` and three lines of any language, and an error on the way is
one more line.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from importlib.resources import files
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from gru_nlp.errors import UserError
from gru_nlp.preprocessing.rows import Record
from gru_nlp.serving.asked import GenerateRequest, Predicting, PredictRequest, TranslateRequest
from gru_nlp.serving.batching import Full, Step, Stream
from gru_nlp.serving.metrics import Metrics
from gru_nlp.serving.reading import StrictRoute
from gru_nlp.serving.refusals import Refused, answer, written
from gru_nlp.serving.shelf import BUG, Shelf, full

#: Files of the page, and what they are.
PAGE = {
    "/": ("index.html", "text/html"),
    "/style.css": ("style.css", "text/css"),
    "/script.js": ("script.js", "text/javascript"),
}
LINES = "application/x-ndjson"
#: What each code of an error means, whatever the path.
MEANINGS = {
    400: "The body is not JSON.",
    401: "The API key is missing or wrong.",
    403: "The request was sent to another name than the server's.",
    404: "There is no such model.",
    408: "The body did not come in time.",
    413: "The body, the texts or one of them is too large.",
    415: "The body is not sent as JSON.",
    422: "A field is wrong, or the model does not do this.",
    503: "Too many requests wait, or this one waited too long: come again after Retry-After seconds.",
}


def responses(example: Any, *codes: int) -> dict[int | str, dict[str, Any]]:
    """Return what OpenAPI tells of the answers of a path."""
    error = {"application/json": {"example": {"error": "in one line, what to change"}}}
    told: dict[int | str, dict[str, Any]] = {code: {"description": MEANINGS[code], "content": error} for code in codes}
    return {200: {"content": {"application/json": {"example": example}}}, **told}


def asking(shelf: Shelf) -> APIRouter:
    """Return the paths that ask something of a model."""
    router = APIRouter(route_class=StrictRoute)
    label = {"predictions": [{"label": "negative", "score": 0.99}]}
    translation = {"translations": [{"translation": "Trägt die Maus jetzt die Schlüssel?", "score": -0.03}]}
    text = {"prompt": "One morning", "text": " Jonas lost a red basket.", "log_probability": -4.2, "seed": 7} | {
        "tokens": [[" Jonas", -1.5]]
    }

    @router.post("/predict", summary="Label texts", responses=responses(label, *MEANINGS))
    async def predict(asked: PredictRequest, request: Request) -> Response:
        worker = shelf.choose(asked.model, "predict")
        question = Predicting(asked.top_k, asked.abstain_below)
        return answer({"predictions": await shelf.ask(request, worker, question, asked.texts)})

    @router.post("/translate", summary="Translate texts", responses=responses(translation, *MEANINGS))
    async def translate(asked: TranslateRequest, request: Request) -> Response:
        worker = shelf.choose(asked.model, "translate")
        return answer({"translations": await shelf.ask(request, worker, asked.asked(), asked.texts)})

    told = responses(text, *MEANINGS)
    told[200]["content"][LINES] = {"example": '{"text": " Jonas"}\n{"log_probability": -1.5, "seed": 7}\n'}

    @router.post("/generate", summary="Continue a text", responses=told)
    async def generate(asked: GenerateRequest, request: Request) -> Response:
        return await continued(shelf, asked, request)

    return router


async def continued(shelf: Shelf, asked: GenerateRequest, request: Request) -> Response:
    """Continue a text, and answer it whole or as it is drawn.

    Raises:
        Refused: it cannot be continued.
    """
    settings, worker = shelf.settings, shelf.choose(asked.model, "generate")
    limits = asked.limits(settings.max_tokens)
    if limits.max_tokens > settings.max_tokens:
        raise Refused(422, f"max_tokens: {limits.max_tokens:,} are more than {settings.max_tokens:,}")
    if len(asked.prompt) > settings.max_characters:
        raise Refused(
            413, f"prompt: {len(asked.prompt):,} characters are too many, {settings.max_characters:,} may come"
        )
    seed = secrets.randbelow(2**32) if asked.seed is None else asked.seed
    stream = Stream(asked.prompt, asked.drawing(), limits, seed, asyncio.get_running_loop())
    try:
        worker.stream(stream)
    except Full:
        raise full(worker) from None
    streamed = False
    try:
        if not asked.stream:
            steps = await shelf.within(request, asyncio.ensure_future(all_of(stream)))
            return answer(record(asked.prompt, steps, seed))
        # The first piece tells whether the text can be continued at all, as long as an error still has a code.
        first = await shelf.within(request, asyncio.ensure_future(next_of(stream)))
        streamed = True
        return StreamingResponse(lines(stream, first, seed), media_type=LINES)
    finally:
        stream.gone = not streamed


async def next_of(stream: Stream) -> Step | None:
    """Return what is drawn next; None at the end.

    Raises:
        Exception: what ended it.
    """
    item = await stream.out.get()
    if isinstance(item, Exception):
        raise item
    return item


async def all_of(stream: Stream) -> list[Step]:
    """Return all that is drawn."""
    steps = []
    while (step := await next_of(stream)) is not None:
        steps.append(step)
    return steps


async def lines(stream: Stream, first: Step | None, seed: int) -> AsyncIterator[str]:
    """Yield a line for each piece of text, and a last one with the sum of log-probabilities and the seed."""
    total = 0.0
    try:
        step = first
        while step is not None:
            total += step.log_probability
            if step.piece:
                yield written({"text": step.piece}) + "\n"
            step = await next_of(stream)
        yield written({"log_probability": total, "seed": seed}) + "\n"
    except UserError as error:
        yield written({"error": str(error)}) + "\n"
    except Exception:  # which the worker has told
        yield written({"error": BUG}) + "\n"
    finally:
        stream.gone = True


def record(prompt: str, drawn: Sequence[Step], seed: int) -> Record:
    """Return the record of ``Generator``, and the seed."""
    return {
        "prompt": prompt,
        "text": "".join(step.piece for step in drawn),
        "log_probability": sum(step.log_probability for step in drawn),
        "tokens": [[step.token, step.log_probability] for step in drawn],
        "seed": seed,
    }


def telling(shelf: Shelf, metrics: Metrics, takes: Callable[[], bool]) -> APIRouter:
    """Return the paths that tell of the server; ``takes`` says whether it takes more requests."""
    router = APIRouter()

    @router.get("/models", summary="The models", responses=responses({"models": [{"name": "sentiment"}]}, 401, 403))
    async def models() -> Response:
        return answer({"models": [worker.model.told() for worker in shelf.workers.values()]})

    @router.get("/health", summary="Whether it lives, and takes requests", responses=responses(
        {"live": True, "ready": True}, 403, 503))  # fmt: skip
    async def health() -> Response:
        live = all(worker.lives for worker in shelf.workers.values())
        ready = live and takes()
        return answer({"live": live, "ready": ready, "key": shelf.settings.api_key is not None}, 200 if ready else 503)

    @router.get("/metrics", summary="Counts for Prometheus", responses={200: {"content": {"text/plain": {}}}})
    async def counts() -> Response:
        waiting = {name: worker.waiting for name, worker in shelf.workers.items()}
        return Response(metrics.text(waiting), media_type="text/plain; version=0.0.4; charset=utf-8")

    return router


def page() -> APIRouter:
    """Return the paths of the page."""
    router = APIRouter(include_in_schema=False)
    folder = files("gru_nlp.serving").joinpath("page")

    def add(path: str, content: bytes, kind: str) -> None:
        @router.get(path)
        async def file() -> Response:
            return Response(content, media_type=kind)

    for path, (name, kind) in PAGE.items():
        add(path, folder.joinpath(name).read_bytes(), kind)
    return router
