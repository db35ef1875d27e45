"""The models that answer, by name, and how a request waits for one of them."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import Request

from gru_nlp.errors import UserError, nearest
from gru_nlp.preprocessing.rows import Record
from gru_nlp.serving.batching import Full, Question, Worker
from gru_nlp.serving.metrics import Metrics
from gru_nlp.serving.models import Served
from gru_nlp.serving.refusals import SOON, Refused
from gru_nlp.serving.settings import Settings

#: What is told of a mistake of ours.
BUG = "a bug of this program, which its log tells of"
#: The code of an answer that nobody waits for any more, as nginx counts it.
GONE = 499


class Shelf:
    """The models that answer, by name.

    Args:
        models: by the paths that they were loaded from.
        settings: of the server.
        metrics: count batches.
    """

    def __init__(self, models: Mapping[str, Served], settings: Settings, metrics: Metrics) -> None:
        self.settings = settings
        self.workers: dict[str, Worker] = {}
        self.paths: dict[str, str] = {}
        for path, model in models.items():
            if model.name in self.workers:
                both = f"{self.paths[model.name]} and {path}"
                raise UserError(f"{both} would both be served as '{model.name}': rename one of the folders")
            self.paths[model.name] = path
            self.workers[model.name] = Worker(
                model,
                gather_seconds=settings.gather_ms / 1000,
                batch_size=settings.batch_size,
                most_waiting=settings.max_waiting,
                count=metrics.batch,
            )

    def choose(self, name: str | None, task: str) -> Worker:
        """Return the worker of the model of that name; without one, of the only model that does the task.

        Raises:
            Refused: there is none, or more than one.
        """
        if name is not None and name not in self.workers:
            known = ", ".join(f"'{one}'" for one in self.workers)
            raise Refused(404, f"no model '{name}': choose from {known}{nearest(name[:100], self.workers)}")
        able = [worker for worker in self.workers.values() if task in worker.model.tasks]
        if name is not None:
            able = [self.workers[name]]
        if len(able) > 1:
            names = ", ".join(f"'{worker.model.name}'" for worker in able)
            raise Refused(422, f"model: several would do: choose from {names}")
        chosen = able[0] if able else next(iter(self.workers.values()))
        try:
            chosen.model.check(task)
        except UserError as error:
            raise Refused(422, str(error)) from None
        return chosen

    async def ask(self, request: Request, worker: Worker, question: Question, texts: Sequence[str]) -> list[Record]:
        """Return a record a text.

        Raises:
            Refused: too much is asked, or it takes too long.
        """
        check_texts(texts, self.settings)
        if not texts:
            return []
        try:
            answer = worker.submit(question, texts)
        except Full:
            raise full(worker) from None
        try:
            records: list[Record] = await self.within(request, asyncio.wrap_future(answer))
        finally:
            answer.unwanted = True
        return records

    async def within(self, request: Request, answered: "asyncio.Future[Any]") -> Any:
        """Wait for an answer, for as long as the caller does, and no longer than may be.

        Raises:
            Refused: it did not come.
        """
        gone = asyncio.ensure_future(has_gone(request))
        try:
            await asyncio.wait((answered, gone), timeout=self.settings.max_seconds, return_when="FIRST_COMPLETED")
            if answered.done():
                return answered.result()
        except UserError as error:
            raise Refused(422, str(error)) from None
        except Exception:  # which the worker has told
            raise Refused(500, BUG) from None
        finally:
            answered.cancel()
            gone.cancel()
        if gone.done() and not gone.cancelled():
            raise Refused(GONE, "the caller has gone")
        raise Refused(503, f"no answer within {self.settings.max_seconds:g} s: come again, or send fewer texts", SOON)


async def has_gone(request: Request) -> None:
    """Wait until the caller has closed the connection."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def full(worker: Worker) -> Refused:
    """Return the answer to one request too many."""
    return Refused(503, f"{worker.most_waiting} requests wait for the model '{worker.model.name}': come again", SOON)


def check_texts(texts: Sequence[str], settings: Settings) -> None:
    """Refuse more texts, or longer ones, than a request may have.

    Raises:
        Refused: naming the text.
    """
    if len(texts) > settings.max_texts:
        raise Refused(413, f"texts: {len(texts):,} are more than {settings.max_texts:,}: send them in several requests")
    for place, text in enumerate(texts):
        if len(text) > settings.max_characters:
            told = f"texts[{place}]: {len(text):,} characters are more than {settings.max_characters:,}: cut the text"
            raise Refused(413, told)
