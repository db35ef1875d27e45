"""One thread a model, which answers what has come within a few milliseconds as one batch.

How it works. Requests wait in one line. The thread takes the oldest once it has waited for ``gather_ms``, or as many
texts have come as a batch holds, and with it all that ask for the same thing, in their order. Under load a request has
waited long enough while the batch before it was computed, so the few milliseconds are paid by a lone caller only. A
request whose caller has gone, or has waited too long, was cancelled and is left out; a batch that is being answered is
given up once that holds of all of it. Where a batch fails, each request of it is tried alone, so that nobody pays for a
neighbour.

Texts that are continued are not joined, since each is drawn by a seed of its own: of those that run, each gets one step
in turn, between two batches, so that a long one holds up nobody.
"""

import contextlib
import threading
import time
import traceback
from asyncio import AbstractEventLoop, Queue
from collections import deque
from collections.abc import Callable, Hashable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from gru_nlp.abandoning import Abandoned, unless
from gru_nlp.continuing import Limits
from gru_nlp.decoding.drawing import Drawing
from gru_nlp.errors import UserError
from gru_nlp.preprocessing.rows import Record
from gru_nlp.serving.models import Served

#: Texts that are continued side by side.
MOST_STREAMS = 16


class Full(Exception):
    """More requests wait than may."""


class Question(Hashable, Protocol):
    """What is asked of texts, and with which options; equal ones are answered together."""

    @property
    def task(self) -> str:
        """What a model must do."""

    def answer(self, model: Served, texts: Sequence[str], batch_size: int) -> list[Record]:
        """Return a record a text."""


class Answer(Future[list[Record]]):
    """The records of a request, once they are there.

    Attributes:
        unwanted: nobody waits for them any more.
    """

    unwanted = False


@dataclass(eq=False)
class Job:
    """Texts that wait for their records."""

    question: Question
    texts: Sequence[str]
    arrived: float = field(default_factory=time.monotonic)
    future: Answer = field(default_factory=Answer)


class Step(NamedTuple):
    """What was drawn: the new piece of the text, and the token with its log-probability."""

    piece: str
    token: str
    log_probability: float


@dataclass(eq=False)
class Stream:
    """A text that waits to be continued, or is.

    Attributes:
        prompt, drawing, limits, seed: as ``Generator.stream`` takes them.
        loop: in which ``out`` is read.
        out: takes what is drawn, then None; or the error that ended it.
        gone: nobody reads any more.
    """

    prompt: str
    drawing: Drawing
    limits: Limits
    seed: int
    loop: AbstractEventLoop
    out: "Queue[Step | Exception | None]" = field(default_factory=Queue)
    gone: bool = False
    steps: Iterator[Step] | None = None

    def put(self, item: Step | Exception | None) -> None:
        """Hand over an item, from another thread than the loop's."""
        with contextlib.suppress(RuntimeError):  # the loop has ended, and its reader with it
            self.loop.call_soon_threadsafe(self.out.put_nowait, item)


class Worker:
    """A model and the thread in which it computes.

    Args:
        model: that answers; ``exchange`` puts another in its place.
        gather_seconds: that a text waits for others.
        batch_size: texts that are answered together.
        most_waiting: requests that may wait.
        count: is told the texts of each batch.
    """

    def __init__(
        self,
        model: Served,
        *,
        gather_seconds: float = 0.003,
        batch_size: int = 64,
        most_waiting: int = 256,
        count: Callable[[str, int], None] = lambda name, texts: None,
    ) -> None:
        self.model = model
        self.gather_seconds = gather_seconds
        self.batch_size = batch_size
        self.most_waiting = most_waiting
        self.count = count
        self._jobs: deque[Job] = deque()
        self._begun: deque[Stream] = deque()
        self._streams: deque[Stream] = deque()
        self._changed = threading.Condition()
        self._ending = False
        self._thread = threading.Thread(target=self._run, name=f"model {model.name}", daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def end(self) -> None:
        """Answer what waits, and end the thread."""
        with self._changed:
            self._ending = True
            self._changed.notify()
        if self._thread.ident is not None:
            self._thread.join()

    @property
    def lives(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    @property
    def waiting(self) -> int:
        """Requests that wait."""
        return len(self._jobs) + len(self._streams)

    def exchange(self, model: Served) -> None:
        """Let another model answer from the next batch on; texts that are being continued stay with theirs."""
        with self._changed:
            self.model = model

    def submit(self, question: Question, texts: Sequence[str]) -> Answer:
        """Line texts up; the answer can be cancelled until they are taken, and be unwanted until it is there.

        Raises:
            Full: too many wait.
        """
        job = Job(question, texts)
        with self._changed:
            self._check_room()
            self._jobs.append(job)
            self._changed.notify()
        return job.future

    def stream(self, stream: Stream) -> None:
        """Line a text up that is to be continued.

        Raises:
            Full: too many wait.
        """
        with self._changed:
            self._check_room()
            self._streams.append(stream)
            self._changed.notify()

    def _check_room(self) -> None:
        if self.waiting >= self.most_waiting:  # cancelled ones take no room
            self._jobs = deque(job for job in self._jobs if not job.future.cancelled())
            self._streams = deque(stream for stream in self._streams if not stream.gone)
            if self.waiting >= self.most_waiting:
                raise Full

    def _run(self) -> None:
        while (jobs := self._next()) is not None:
            if jobs:
                self._answer(jobs)
            for _ in range(len(self._begun)):
                self._advance(self._begun.popleft())

    def _next(self) -> list[Job] | None:
        """Wait for the next batch; return it, nothing where only streams go on, None at the end."""
        with self._changed:
            while True:
                while self._streams and len(self._begun) < MOST_STREAMS:
                    self._begun.append(self._streams.popleft())
                rest = self._rest()
                if rest is not None and rest <= 0.0:
                    return self._taken()
                if self._begun:
                    return []
                if self._ending and rest is None:
                    return None
                self._changed.wait(rest)

    def _rest(self) -> float | None:
        """Return for how long the oldest request still waits for others; None: there is none."""
        while self._jobs and self._jobs[0].future.cancelled():
            self._jobs.popleft()
        if not self._jobs:
            return None
        question = self._jobs[0].question
        texts = sum(len(job.texts) for job in self._jobs if job.question == question)
        if texts >= self.batch_size or self._ending:
            return 0.0
        return self._jobs[0].arrived + self.gather_seconds - time.monotonic()

    def _taken(self) -> list[Job]:
        """Take the oldest request and those that ask for the same, up to a batch."""
        question, texts = self._jobs[0].question, 0
        taken: list[Job] = []
        kept: deque[Job] = deque()
        for job in self._jobs:
            fits = not taken or (texts + len(job.texts) <= self.batch_size and not self.model.drawn)
            if job.question == question and fits:
                if job.future.set_running_or_notify_cancel():
                    taken.append(job)
                    texts += len(job.texts)
            else:
                kept.append(job)
        self._jobs = kept
        return taken

    def _answer(self, jobs: list[Job]) -> None:
        texts = [text for job in jobs for text in job.texts]
        try:
            with unless(lambda: all(job.future.unwanted for job in jobs)):
                records = iter(self._records(jobs[0].question, texts))
        except Abandoned:
            for job in jobs:
                job.future.set_exception(Abandoned())  # another one, since that holds all of what was computed
            return
        except Exception as error:
            if len(jobs) == 1:
                _tell(error)
                jobs[0].future.set_exception(error)
            else:
                for job in jobs:
                    self._answer([job])
            return
        self.count(self.model.name, len(texts))
        for job in jobs:
            job.future.set_result([next(records) for _ in job.texts])

    def _records(self, question: Question, texts: Sequence[str]) -> list[Record]:
        model = self.model
        model.check(question.task)  # which may have been exchanged since it was asked
        return question.answer(model, texts, self.batch_size)

    def _advance(self, stream: Stream) -> None:
        """Draw one token more of a text."""
        if stream.gone:
            return
        try:
            if stream.steps is None:
                stream.steps = self._steps(stream)
            step = next(stream.steps, None)
        except Exception as error:
            _tell(error)
            stream.put(error)
            return
        stream.put(step)
        if step is not None:
            self._begun.append(stream)

    def _steps(self, stream: Stream) -> Iterator[Step]:
        """Yield what the model of this moment draws."""
        model = self.model
        model.check("generate")
        assert model.generator is not None
        names = model.generator.names
        for drawn in model.generator.stream([stream.prompt], stream.drawing, stream.limits, stream.seed):
            yield Step(drawn.piece, names[drawn.token], drawn.log_probability)


def _tell(error: Exception) -> None:
    """Print where a bug lies; a caller's mistake is told to the caller alone."""
    if not isinstance(error, UserError):
        traceback.print_exception(error)
