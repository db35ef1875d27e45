"""From entries to written answers, window by window; memory stays flat, and a pipe that pauses has its answers."""

import heapq
import time
from collections.abc import Callable, Iterable, Mapping
from typing import IO, Any

from gru_nlp.answers.base import Answer
from gru_nlp.answers.pipes import Pause
from gru_nlp.answers.prompt import is_wanted
from gru_nlp.answers.reading import Entry
from gru_nlp.answers.writing import check_apart, open_output
from gru_nlp.asking import Askable, TextError
from gru_nlp.console import say
from gru_nlp.errors import UserError
from gru_nlp.preprocessing.rows import Record

#: Batches that are sorted by length together; what is held in memory at a time.
WINDOW = 32
#: Between two remarks on progress.
PROGRESS_SECONDS = 15.0

Refine = Callable[[Record, Entry], Record]


def placed(place: str, told: str) -> str:
    """Return what is told of an entry with its place, where that says more."""
    return told if place == "--" or told.startswith(place) else f"{place}: {told}"


class Flow:
    """Entries that wait for their answers.

    Args:
        predictor: a trained model.
        answer: how its records are written.
        output: where to.
        batch_size: of the model.
        window: most entries that wait.
        refine: adds to a record before it is written.
    """

    def __init__(
        self, predictor: Askable, answer: Answer, output: IO[str], batch_size: int, window: int, refine: Refine | None
    ) -> None:
        self.predictor = predictor
        self.answer = answer
        self.output = output
        self.batch_size = batch_size
        self.window = window
        self.refine = refine
        self.waiting: list[Entry] = []
        self.count = 0
        self.started = self.told = time.perf_counter()

    def add(self, entry: Entry) -> None:
        """Take an entry; a full window is answered."""
        self.waiting.append(entry)
        if len(self.waiting) >= self.window:
            self.answer_all()

    def answer_all(self) -> None:
        """Answer the entries that wait."""
        if not self.waiting:
            return
        entries, self.waiting = self.waiting, []
        texts = [self.answer.given(entry.text) for entry in entries]
        style = self.answer.style
        try:
            records = self.predictor(
                texts,
                self.batch_size,
                self.top_k,
                abstain_below=style.abstain_below,
                min_log_probability=style.min_log_probability,
                wishes=style.wishes,
            )
        except TextError as error:
            raise UserError(placed(entries[error.number].place, str(error))) from None
        for record, entry in zip(records, entries, strict=True):
            self.put(self.refine(record, entry) if self.refine else record, entry)
        self.output.flush()
        self.count += len(entries)
        if time.perf_counter() - self.told > PROGRESS_SECONDS:
            self.told = time.perf_counter()
            say(f"{self.count:,} {self.predictor.preprocessor.noun} so far")

    @property
    def top_k(self) -> int:
        """How many predictions a record needs."""
        return self.answer.style.top_k

    def put(self, record: Record, entry: Entry) -> None:
        """Write an answer."""
        self.output.write(self.answer.render(record, entry) + "\n")

    def end(self) -> None:
        """Answer what still waits."""
        self.answer_all()

    def tell(self, *, timed: bool) -> None:
        """Say how fast it went, if ``timed``, and what was cut."""
        seconds = time.perf_counter() - self.started
        noun = self.predictor.preprocessor.noun
        if timed and self.count > 1:
            say(f"{self.count:,} {noun} in {seconds:.1f} s ({self.count / max(seconds, 1e-9):,.0f} {noun}/s)")
        if self.predictor.abstained:
            why = f"their scores are below abstain_below={self.answer.style.abstain_below}"
            say(f"{self.predictor.abstained:,} {noun} have no label, since {why}")
        if self.predictor.doubtful:
            told = f"{self.predictor.doubtful:,} translations are doubtful: their tokens have a mean log-probability"
            say(f"{told} below min_log_probability={self.answer.style.min_log_probability}")
        if self.predictor.lacking:
            told = f"{self.predictor.lacking:,} sentences lack a term, a number or a beginning that was wished for"
            say(f"{told}: they are too many for a sentence, or the model's tokens write them otherwise")
        if self.predictor.divided:
            wishes = self.answer.style.wishes
            why = (
                "" if wishes and wishes.sentences else ", as the model learned, or since they are longer than it reads"
            )
            say(f"{self.predictor.divided:,} {noun} were translated in pieces, sentence by sentence{why}")
        if self.predictor.truncated:
            longest = getattr(self.predictor.preprocessor, "max_length", None)
            say(f"{self.predictor.truncated:,} over-long texts were cut to {longest} tokens")


class Chosen(Flow):
    """Entries of which only those are written whose answers are the least sure, the least sure first.

    Args:
        flow: as in ``Flow``.
        most: how many are written, and held in memory.

    Raises:
        UserError: such answers are not more or less sure.
    """

    def __init__(self, *flow: Any, most: int) -> None:
        super().__init__(*flow)
        if not self.answer.compared:
            raise UserError(
                f"select=uncertain is for labels, tags and entities, which {self.answer.writer} does not give"
            )
        self.most = most
        self.kept: list[tuple[float, int, Record, Entry]] = []
        self.seen = 0

    @property
    def top_k(self) -> int:
        """As many as it takes to see how sure an answer is."""
        return max(self.answer.compared, self.answer.style.top_k)

    def put(self, record: Record, entry: Entry) -> None:
        """Keep an answer if it is among the least sure; of equals the first."""
        unsure = self.answer.uncertainty(record)
        if unsure is None:
            return
        self.seen += 1
        push = heapq.heappush if len(self.kept) < self.most else heapq.heappushpop
        push(self.kept, (unsure, -self.seen, record, entry))

    def end(self) -> None:
        """Write what was kept."""
        super().end()
        for _, _, record, entry in sorted(self.kept, key=lambda one: one[:2], reverse=True):
            super().put(self.answer.cut_down(record), entry)


def run(
    config: Mapping[str, Any],
    predictor: Askable,
    answer: Answer,
    entries: Iterable[Entry],
    pause: Pause | None = None,
    refine: Refine | None = None,
) -> int:
    """Answer every entry, in order: where ``pause`` is called, those that came so far; return how many there were.

    Raises:
        UserError: the output cannot be written, or is what is read.
    """
    read = {name: config.get(name) for name in ("input", "checkpoint", "terms")}
    read |= {f"patterns.{number}": str(path) for number, path in enumerate(config.get("patterns") or ())}
    check_apart(config["output"], read)
    typed = is_wanted(config)  # and a person waits for each answer
    window = 1 if typed else config["batch_size"] * WINDOW
    with open_output(config["output"]) as output:
        parts = (predictor, answer, output, config["batch_size"], window, refine)
        flow = Chosen(*parts, most=config["select_most"]) if config.get("select") else Flow(*parts)
        if pause:
            pause.then = flow.answer_all
        for entry in entries:
            flow.add(entry)
        flow.end()
    flow.tell(timed=not typed)
    return flow.count
