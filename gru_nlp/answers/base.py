"""The contract of an answer: how what a task kind predicts looks in each format."""

import html
import importlib
import json
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from gru_nlp.answers import tables
from gru_nlp.answers.reading import Entry
from gru_nlp.data.readers import delimiter_of
from gru_nlp.errors import UserError, choose, printable
from gru_nlp.preprocessing.base import Preprocessor
from gru_nlp.preprocessing.rows import Record, Text
from gru_nlp.text.terms import Wishes

FORMATS = ("jsonl", "csv", "tsv", "table", "conll", "lines", "html")


class Style(NamedTuple):
    """How a person wants answers.

    Attributes:
        kind: one of ``FORMATS``; None: a table on a terminal, and JSON lines elsewhere.
        to_file: whether they are written to a file.
        delimiter: of csv.
        scheme: of the tags of conll.
        top_k: how many predictions a record names.
        abstain_below: how sure the model must be for a record to have a label; None: it need not be.
        min_log_probability: mean log-probability a token below which a translation is doubtful; None: none is.
        wishes: what translations must hold; None: nothing.
    """

    kind: str | None
    to_file: bool = False
    delimiter: str = ","
    scheme: str = "iob2"
    top_k: int = 1
    abstain_below: float | None = None
    min_log_probability: float | None = None
    wishes: Wishes | None = None


def style_of(config: Mapping[str, Any], **given: Any) -> Style:
    """Return the style that a command's config asks for; ``given`` comes before it.

    Raises:
        UserError: an option that is not known.
    """
    style = Style(
        kind=config["format"],
        to_file=config["output"] is not None,
        delimiter=delimiter_of(config["delimiter"], "delimiter"),
    )
    return style._replace(**given)


def whole(text: Text) -> str:
    """Return a text; one that came as words joined by blanks."""
    return text if isinstance(text, str) else " ".join(map(str, text))


def flat(text: str) -> str:
    """Return a text on one line."""
    return " ".join(text.split())


def escaped(text: str) -> str:
    """Return a text as it stands on a page: nothing in it is markup, or ends the line."""
    return html.escape(printable(text.replace("\n", " ")), quote=True)


class Answer(ABC):
    """How the records of one task kind are written; a preprocessor names the class of its answers as ``answer``.

    Args:
        preprocessor: fitted.
        style: what the person wants.

    Raises:
        UserError: these answers are not written so.
    """

    #: The command that gives such answers.
    command: ClassVar[str] = "predict"
    #: Whether a person gives files of the task kind's own, such as images; and whether lists of what it reads.
    own_files: ClassVar[bool] = False
    reads_lists: ClassVar[bool] = True
    #: Whether a text may come as a list of words.
    takes_words: ClassVar[bool] = False
    #: Formats in which such answers are written.
    formats: ClassVar[tuple[str, ...]]
    #: Those that show further predictions than the best.
    ranked: ClassVar[tuple[str, ...]] = ("jsonl",)
    #: Names of what a record has more of the more predictions are asked for.
    further: ClassVar[str] = "top"
    #: Predictions that it takes to see how sure an answer is; 0: none is surer than another.
    compared: ClassVar[int] = 0
    #: What writes them, in messages.
    writer: ClassVar[str]
    #: The name of the text where the input has no columns.
    text_name: ClassVar[str] = "text"

    def __init__(self, preprocessor: Preprocessor, style: Style) -> None:
        self.preprocessor = preprocessor
        self.style = style
        if style.abstain_below is not None and not preprocessor.one_label:
            told = f"abstain_below={style.abstain_below} is for models that say one label of a text"
            raise UserError(f"{told}, and {self.writer} does not: leave it out")
        self.kind = self._kind()
        renders = {"jsonl": self.json, "table": self.table, "conll": self.conll, "lines": self.line, "html": self.html}
        self._render = renders.get(self.kind, self.bare)
        self._table: tables.Table | None = None
        self._begun = False

    def _kind(self) -> str:
        if self.style.kind is None:
            shown = self.style.top_k == 1 or "table" in self.ranked
            return "table" if shown and not self.style.to_file and sys.stdout.isatty() else "jsonl"
        if choose("format", self.style.kind, FORMATS) not in self.formats:
            formats = f"{', '.join(self.formats[:-1])} or {self.formats[-1]}"
            tags = " is for words with tags" if self.style.kind == "conll" else ""
            raise UserError(
                f"format={self.style.kind}{tags or ' is not for this model'}: {self.writer} writes {formats}"
            )
        if self.style.top_k > 1:
            self.check_ranked("top_k", self.style.top_k, self.style.kind)
        return self.style.kind

    @classmethod
    def check_ranked(cls, option: str, count: int, kind: str) -> None:
        """Refuse to ask for several predictions in a format that shows one.

        Args:
            option: that asks for them.
            count: how many.
            kind: the format.

        Raises:
            UserError: naming the formats that show them.
        """
        if kind not in cls.ranked:
            raise UserError(
                f"{option}={count} has no effect on format={kind}: set format={' or '.join(cls.ranked)}, "
                f"or leave {option} out"
            )

    def given(self, text: Text) -> Text:
        """Return a text as the model takes it."""
        return text if self.takes_words or not self.reads_lists else whole(text)

    def entries(self, path: Path) -> Iterator[Entry]:
        """Yield what a person gives in a file, or a folder, of the task kind's own, where it has ``own_files``."""
        raise NotImplementedError

    def listed(self, entries: Iterable[Entry], path: str | None) -> Iterable[Entry]:
        """Return the entries of a list, as the model takes them; ``path`` is the list's, None for standard input."""
        return entries

    def uncertainty(self, record: Record) -> float | None:
        """Return how unsure a record of ``compared`` predictions is, from 0 to 1; None where nothing was said."""
        raise NotImplementedError

    def cut_down(self, record: Record) -> Record:
        """Return a record of more predictions than were asked for as if it had just these."""
        rest = {name: value for name, value in record.items() if name != self.further}
        more = self.style.top_k > 1 and self.further in record
        return {**rest, self.further: record[self.further][: self.style.top_k]} if more else rest

    def render(self, record: Record, entry: Entry) -> str:
        """Return a record as it is written, with what stands before the first one."""
        if not self._begun:
            self._begun = True
            if self.kind == "csv" or (self.kind == "tsv" and entry.columns is not None):
                kept = (self.text_name,) if entry.columns is None else tuple(entry.columns)
                self._table = tables.Table(kept, self.columns(), "\t" if self.kind == "tsv" else self.style.delimiter)
                return self._table.head() + "\n" + self._row(self._table, record, entry)
        if self._table:
            return self._row(self._table, record, entry)
        return self._render(record, entry.shown)

    def _row(self, table: tables.Table, record: Record, entry: Entry) -> str:
        kept = {self.text_name: whole(entry.shown)} if entry.columns is None else entry.columns
        return table.row(kept, self.cells(record), entry.place)

    @property
    def headed(self) -> bool:
        """Return whether the answers are rows under a head, so that all have as many cells."""
        return self._table is not None

    def json(self, record: Record, text: Text) -> str:
        """Return a record as a JSON object on one line."""
        return json.dumps({**record, self.text_name: whole(text)}, ensure_ascii=False)

    @abstractmethod
    def columns(self) -> Sequence[str]:
        """Return the names of the columns that join those of the input."""

    @abstractmethod
    def cells(self, record: Record) -> Sequence[str]:
        """Return the values of these columns."""

    @abstractmethod
    def line(self, record: Record, text: Text) -> str:
        """Return the prediction alone, on one line."""

    def bare(self, record: Record, text: Text) -> str:
        """Return tab-separated fields without a head, the text last."""
        return printable("\t".join([*map(flat, self.cells(record)), flat(whole(text))]))

    def table(self, record: Record, text: Text) -> str:
        """Return a record as it is read best on a terminal."""
        return self.line(record, text)

    def conll(self, record: Record, text: Text) -> str:
        """Return a line a word, with its tag."""
        raise NotImplementedError

    def html(self, record: Record, text: Text) -> str:
        """Return a paragraph of a page."""
        return f'<p dir="auto">{escaped(self.line(record, text))}</p>'


def answer_class(preprocessor: Preprocessor) -> type[Answer]:
    """Return the class that the preprocessor's ``answer`` names; that comes from its code, never from a checkpoint."""
    module, _, name = preprocessor.answer.rpartition(".")
    found: type[Answer] = getattr(importlib.import_module(module), name)
    return found
