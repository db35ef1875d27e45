"""The contract of a preprocessor: one road in (encode, collate), one road out (decode)."""

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from tokenizers import Tokenizer

from gru_nlp.batch import AnyArray, Batch
from gru_nlp.decoding.grid import Demand
from gru_nlp.errors import UserError, nearest
from gru_nlp.preprocessing.rows import Columns, Hints, LabelColumns, Pair, Record, Rows, Text
from gru_nlp.text.gazetteers import WordList
from gru_nlp.text.patterns import Patterns
from gru_nlp.text.terms import Wishes

#: What is told where other tasks are asked for what translators do.
FOR_TRANSLATORS = "terms, prefix, copy and sentences are for translators: leave them out"

Flat = Callable[[str], tuple[AnyArray, AnyArray]]


class Preprocessor(ABC):
    """From rows of strings to batches of ids and back.

    ``fit`` learns vocabulary and labels from the training split; everything learned is in ``state_dict`` as plain
    values, so that a checkpoint carries it.
    """

    #: Columns of the data that ``fit`` learns from.
    data_columns: tuple[str, ...]
    #: Encoded columns that hold a list of numbers a row, and their type.
    list_columns: tuple[str, ...]
    list_type: ClassVar[str] = "int32"
    #: Those whose length is that of the sequence; None: all of them.
    length_columns: tuple[str, ...] | None = None
    #: How many numbers of such a list are one step.
    step_size: int = 1
    #: Columns of the label, or of the lists of labels, where a row has some that may be unknown.
    label_columns: LabelColumns | None = None
    #: Encoded columns that hold one int32 a row.
    scalar_columns: tuple[str, ...]
    #: Encoded columns of one number a row, the tokens of a text before cutting, and the lists that were cut.
    cut_columns: ClassVar[Mapping[str, str]] = {}
    #: Columns of strings that ``collate`` wants beside the encoded ones.
    raw_columns: tuple[str, ...] = ()
    #: The column that ``cut`` makes of a person's new text; it is encoded to ``ids`` and ``tokens``.
    input_column: str
    #: The entries of ``state_dict`` that are a tokenizer's JSON, or None.
    tokenizers: ClassVar[tuple[str, ...]] = ()
    #: From which end a language model reads.
    direction: str = "forward"
    #: What it is given, in messages.
    noun: ClassVar[str] = "texts"
    #: The class, by module and name, that writes what ``decode`` gives; a name, since it stands floors above.
    answer: ClassVar[str] = "gru_nlp.answers.labels.LabelAnswer"
    #: The class, by module and name, that tells how bad an error is, and what explains it; a name for the same reason.
    errors: ClassVar[str] = "gru_nlp.reports.worst.Errors"
    #: What reads its texts in a browser, by module and name in ``gru_nlp/export/web``; None: nothing does.
    page: ClassVar[tuple[str, str] | None] = None
    #: What makes batches of encoded rows, by module and name; a name, since it stands floors above.
    batching: ClassVar[str] = "gru_nlp.data.bucketing.bucketed"
    #: The arguments of a command that tries a trained model out where no text of the data can be typed.
    example: ClassVar[str] = "input=<file>"
    #: Packages, as pip names them, that read what it is given, beside those that every model needs.
    packages: ClassVar[tuple[str, ...]] = ()
    #: Whether ``decode`` gives just one ``label`` a row, with its ``score``.
    one_label: ClassVar[bool] = False
    #: Whether a person's patterns say what is in its texts, see ``ruled``.
    takes_patterns: ClassVar[bool] = False
    #: Whether ``use_shortlist`` was called.
    shortened: bool = False
    #: What a text that is blank gets instead of a prediction.
    blank: ClassVar[Record]

    @abstractmethod
    def fit(self, rows: Rows, hints: Hints) -> None:
        """Learn vocabulary and labels from the training split.

        Raises:
            UserError: the split cannot be learned from.
        """

    @abstractmethod
    def encode(self, columns: Columns) -> dict[str, list[Any]]:
        """Turn columns of strings into columns of ids; the target is left out where its column is.

        Raises:
            RowError: a row has a target that ``fit`` did not see.
        """

    def is_blank(self, text: Text) -> bool:
        """Return whether a text has nothing to predict from."""
        return not (text.strip() if isinstance(text, str) else len(text))

    def asked(self) -> str:
        """Return something to predict from as it is written in Python."""
        return '"a text"'

    def typed(self, text: Text) -> str | None:
        """Return a value of the data's ``input_column`` as a person would type it; None: it is no text."""
        return text if isinstance(text, str) else None

    def cut(self, texts: Sequence[Text]) -> tuple[Columns, list[Any]]:
        """Turn new texts into rows for ``encode``, by default one a text, and what ``join`` has to know."""
        return {self.input_column: texts}, []

    def sentences(self, texts: Sequence[Text], *, each: bool) -> tuple[Columns, list[Any]]:
        """Do as ``cut``, ``each`` sentence of a text by itself or all of them together.

        Raises:
            UserError: the task is no translation.
        """
        raise UserError(FOR_TRANSLATORS)

    def join(self, texts: Sequence[Text], owners: Sequence[Any], records: Sequence[Record]) -> list[Record]:
        """Make one record a text of the records of its rows; ``owners`` is what ``cut`` gave beside the rows."""
        return list(records)

    def ruled(self, text: Text, record: Record, patterns: Patterns) -> Record:
        """Return the record of a text, as ``join`` gives it, with what a person's patterns say; the same by default."""
        return record

    def marked(self, record: Record, least: float | None) -> Record:
        """Return the record of a text as a person is given it.

        Args:
            record: as ``join`` gives it.
            least: mean log-probability a token below which a translation is doubtful; None: none is.

        Raises:
            UserError: ``least`` is given, but the task is no translation.
        """
        if least is not None:
            raise UserError("min_log_probability is for translators: leave it out")
        return record

    def lacking(
        self, rows: Columns, owners: Sequence[Any], records: Sequence[Record], wishes: Wishes
    ) -> dict[int, Demand]:
        """Return of each row whose record lacks what a person wishes for what to search with anew.

        Raises:
            UserError: the task is no translation.
        """
        raise UserError(FOR_TRANSLATORS)

    def use_shortlist(self) -> None:
        """Let each translation hold those tokens alone that the words of its source were seen to become.

        Raises:
            UserError: they were not learned.
        """
        raise UserError(
            "shortlist=true: no short-list was learned: train with preprocessing.shortlist=50, or leave it out"
        )

    def use_gazetteers(self, lists: Sequence[WordList]) -> None:
        """Take word lists of a person's own, whose phrases are marked in what the model reads, once ``fit`` is done.

        Raises:
            UserError: the task is not to find entities.
        """
        raise UserError("gazetteers are for taggers, which find entities: leave them out")

    def told(self) -> dict[str, str]:
        """Return what else ``gru-nlp info`` tells of what was learned, by name."""
        return {}

    def searches(self) -> list[Tokenizer]:
        """Return the tokenizers that cut its texts, to be told to who does so without the library."""
        return []

    @abstractmethod
    def collate(self, columns: Columns, training: bool) -> Batch[AnyArray]:
        """Pad encoded columns into one batch of fresh arrays; only in ``training`` may chance have a part."""

    @property
    def draws(self) -> float:
        """How much ``collate`` draws, in training, of what becomes of a row, by its number in ``draws``; 0: nothing."""
        return 0.0

    def drawn_sizes(self, columns: Columns) -> AnyArray:
        """Return the lengths of rows as ``collate`` draws them, ``(N,)``, of raw columns and ``draws``."""
        raise NotImplementedError

    def repeats(self, flat: Flat, rows: int) -> AnyArray | None:
        """Return how often on average training reads each row of an epoch, ``(N,)`` from 1 on; None: once.

        Args:
            flat: an encoded column of lists, by name -> the row and the value of each element, ``(M,)`` both.
            rows: N.
        """
        return None

    @abstractmethod
    def decode(self, outputs: Any, top_k: int = 1) -> list[Record]:
        """Turn what a model's ``predict`` gave, as arrays, into one record a row."""

    def pair(self, source: str, translation: str) -> Pair:
        """Return a source and its translation, to see which tokens of the one belong to which of the other.

        Raises:
            UserError: the task is no translation.
        """
        raise UserError("alignments need a single translator, neither a classifier nor an ensemble")

    def prompt(self, text: str) -> list[int]:
        """Return the ids of the beginning of a text that is to be continued.

        Raises:
            UserError: the task does not continue text, or never saw a part of it.
        """
        raise UserError("no language model, which alone continues text: use predict or translate")

    def text_of(self, ids: Sequence[int]) -> str:
        """Return the text of ids that a language model has drawn.

        Raises:
            UserError: the task does not continue text.
        """
        raise UserError("no language model, which alone continues text: use predict or translate")

    def utterances(self, texts: Sequence[str], speaker: str | None) -> Columns:
        """Return encoded columns of texts that a speaker is to speak; None: the first one.

        Raises:
            UserError: the task speaks nothing, or there is no such speaker.
            RowError: a text cannot be spoken.
        """
        raise UserError("no synthesiser, which alone speaks text: use predict or translate")

    @abstractmethod
    def truth(self, columns: Columns) -> list[Record]:
        """Return input and true target of each row, to stand beside its prediction."""

    def documents(self, columns: Mapping[str, AnyArray]) -> AnyArray | None:
        """Return the number ``(N,)`` of what each row is part of, by the encoded columns of one number a row.

        By default rows are parts of nothing.
        """
        return None

    @abstractmethod
    def describe(self, record: Record) -> str:
        """Return a prediction beside its truth as one readable line."""

    @abstractmethod
    def sizes(self) -> dict[str, Any]:
        """Return the sizes that a model's constructor takes from the data."""

    @abstractmethod
    def tokens(self) -> list[str]:
        """Return the vocabulary in the order of its ids."""

    def unknown_label(self, label: str) -> str:
        """Return what is told of a label that training does not have."""
        names = self.label_names()
        known = ", ".join(names[:10]) + (", ..." if len(names) > 10 else "")
        return f"the label '{label}' does not occur in training (labels: {known}){nearest(label, names)}"

    @abstractmethod
    def label_names(self) -> list[str]:
        """Return the labels in the order of their ids; empty for a task without labels."""

    @abstractmethod
    def state_dict(self) -> dict[str, Any]:
        """Return all that ``fit`` learned, as plain values."""

    @abstractmethod
    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take back what ``state_dict`` gave."""

    @abstractmethod
    def options(self) -> dict[str, Any]:
        """Return the constructor's options that change what ``encode`` gives."""

    def fingerprint(self) -> str:
        """Return a hash of everything that ``encode`` depends on."""
        columns = [*self.list_columns, *self.scalar_columns]
        content = json.dumps([type(self).__name__, columns, self.options(), self.state_dict()], sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()[:16]
