"""From entries to written answers, window by window; memory stays flat, and a pipe that pauses has its answers."""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import IO, Any

from gru_nlp.answers.base import Answer
from gru_nlp.answers.pipes import Pause
from gru_nlp.answers.prompt import is_wanted
from gru_nlp.answers.reading import Entry
from gru_nlp.answers.writing import check_apart, open_output
from gru_nlp.console import say
from gru_nlp.predictor import Predictor
from gru_nlp.preprocessing.base import Record

#: Batches that are sorted by length together; what is held in memory at a time.
WINDOW = 32
#: Between two remarks on progress.
PROGRESS_SECONDS = 15.0

Refine = Callable[[Record, Entry], Record]


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
        self, predictor: Predictor, answer: Answer, output: IO[str], batch_size: int, window: int, refine: Refine | None
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
        records = self.predictor(texts, self.batch_size, style.top_k, abstain_below=style.abstain_below)
        for record, entry in zip(records, entries, strict=True):
            full = self.refine(record, entry) if self.refine else record
            self.output.write(self.answer.render(full, entry) + "\n")
        self.output.flush()
        self.count += len(entries)
        if time.perf_counter() - self.told > PROGRESS_SECONDS:
            self.told = time.perf_counter()
            say(f"{self.count:,} {self.predictor.preprocessor.noun} so far")

    def tell(self, *, timed: bool) -> None:
        """Say how fast it went, if ``timed``, and what was cut."""
        seconds = time.perf_counter() - self.started
        noun = self.predictor.preprocessor.noun
        if timed and self.count > 1:
            say(f"{self.count:,} {noun} in {seconds:.1f} s ({self.count / max(seconds, 1e-9):,.0f} {noun}/s)")
        if self.predictor.abstained:
            why = f"their scores are below abstain_below={self.answer.style.abstain_below}"
            say(f"{self.predictor.abstained:,} {noun} have no label, since {why}")
        if self.predictor.truncated:
            longest = getattr(self.predictor.preprocessor, "max_length", None)
            say(f"{self.predictor.truncated:,} over-long texts were cut to {longest} tokens")


def run(
    config: Mapping[str, Any],
    predictor: Predictor,
    answer: Answer,
    entries: Iterable[Entry],
    pause: Pause | None = None,
    refine: Refine | None = None,
) -> int:
    """Answer every entry, in order: where ``pause`` is called, those that came so far; return how many there were.

    Raises:
        UserError: the output cannot be written, or is what is read.
    """
    check_apart(config["output"], {"input": config["input"], "checkpoint": config["checkpoint"]})
    typed = is_wanted(config)  # and a person waits for each answer
    window = 1 if typed else config["batch_size"] * WINDOW
    with open_output(config["output"]) as output:
        flow = Flow(predictor, answer, output, config["batch_size"], window, refine)
        if pause:
            pause.then = flow.answer_all
        for entry in entries:
            flow.add(entry)
        flow.answer_all()
    flow.tell(timed=not typed)
    return flow.count
