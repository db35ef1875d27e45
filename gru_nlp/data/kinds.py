"""The kinds of corpora that a yaml names: flat options, and the three objects that they stand for.

A data set is one yaml with the ``_target_`` of its kind. Here are the kinds that bring their own data, and what the
others share: options of carving, and of what a row means, each stated once. ``file_kinds`` and ``hub_kinds`` join the
latter with options of where the data is, so that any rows can come from anywhere.
"""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gru_nlp.config import text_map
from gru_nlp.data.corpus import Carving, Corpus, Recipe
from gru_nlp.data.images import LabelledImage
from gru_nlp.data.labelled import LabelledText
from gru_nlp.data.layouts import AsIs, Layout, SentencePair
from gru_nlp.data.spans import OVERLAPS
from gru_nlp.data.tagged import TaggedSentence, checked_map
from gru_nlp.data.values import column_names, separator_of
from gru_nlp.data.where import Digits, Sample
from gru_nlp.errors import choose
from gru_nlp.samples import EXAMPLES
from gru_nlp.text import schemes


@dataclass(kw_only=True, eq=False)
class SampleCorpus(Corpus):
    """An embedded sample corpus.

    Attributes:
        name: of the sample.
    """

    name: str

    def recipe(self) -> Recipe:
        """Return the sample's rows as they are."""
        return Recipe(Sample(self.name), AsIs())

    @property
    def example(self) -> str | None:
        """A text of the sample's own kind."""
        return EXAMPLES.get(self.name)


@dataclass(kw_only=True, eq=False)
class CarvedCorpus(Corpus):
    """What every kind has whose validation split may be carved out of training.

    Attributes:
        validation_share: share of training that is carved out where there is no validation split.
        split_seed: of the carving.
    """

    validation_share: float
    split_seed: int

    @property
    def carving(self) -> Carving:
        """How validation is carved out."""
        return Carving(self.validation_share, self.split_seed)

    @abstractmethod
    def layout(self) -> Layout:
        """Return what a record means."""


@dataclass(kw_only=True, eq=False)
class DigitsCorpus(CarvedCorpus):
    """Scikit-learn's digits (Alpaydin and Kaynak 1998)."""

    def layout(self) -> LabelledImage:
        """Return images."""
        return LabelledImage("data")

    def recipe(self) -> Recipe:
        """Return the digits."""
        return Recipe(Digits(), self.layout(), self.carving)


@dataclass(kw_only=True, eq=False)
class LabelledRows:
    """Options of labelled text.

    Attributes:
        text: column of the text, or several, joined by a blank; a number counts columns from 0.
        label: column of the label.
        label_names: readable name of each label in the data, in the order of their ids.
        skip_empty: leave out rows without text.
        unknown_labels: what is done with a row to score whose label training does not have: ``refuse``, or ``wrong``,
            which counts whatever is said of it as wrong.
        label_separator: between the labels of a text, where it may have several; None: a text is one label, or the
            data has lists. Older checkpoints do not state it.
    """

    text: str | int | Sequence[str | int]
    label: str | int
    label_names: Mapping[str, str] | None
    skip_empty: bool
    unknown_labels: str = "refuse"
    label_separator: str | None = None

    @property
    def takes_unknown(self) -> bool:
        """Whether rows are scored whose label training does not have."""
        return self.unknown_labels == "wrong"

    @property
    def text_columns(self) -> tuple[str, ...]:
        """The columns of the text, given as one name or as several."""
        return column_names(self.text, "data.text")

    def layout(self) -> LabelledText:
        """Return texts with labels.

        Raises:
            UserError: an option names no column, or ``label_names`` is no map.
        """
        choose("data.unknown_labels", self.unknown_labels, ("refuse", "wrong"))
        (label,) = column_names([self.label], "data.label")
        names = text_map(self.label_names, "data.label_names") if self.label_names else None
        return LabelledText(
            self.text_columns,
            label,
            names,
            self.skip_empty,
            takes_unknown=self.takes_unknown,
            label_separator=separator_of(self.label_separator, "data.label_separator"),
        )


@dataclass(kw_only=True, eq=False)
class PairRows:
    """Options of sentence pairs.

    Attributes:
        source, target: languages of a preset, or the names of the two columns.
        skip_empty: leave out pairs with an empty side.
    """

    source: str
    target: str
    skip_empty: bool

    def layout(self) -> SentencePair:
        """Return pairs."""
        return SentencePair(self.source, self.target, self.skip_empty)


@dataclass(kw_only=True, eq=False)
class TaggedRows:
    """Options of tagged sentences.

    Attributes:
        word, tag: columns of the words and of their tags.
        scheme: iob1, iob2, bioes or bmes; None: found by looking at each split.
        tag_map: what tags or types of the data stand for; older checkpoints do not state it.
        overlap: what is done with spans of a text that share a word: ``refuse``, or ``longest``, which keeps the
            longest of them. Older checkpoints do not state it.
    """

    word: str
    tag: str
    scheme: str | None
    tag_map: Mapping[str, str] | None = None
    overlap: str = "refuse"

    def layout(self) -> TaggedSentence:
        """Return tagged sentences.

        Raises:
            UserError: there is no such scheme, no such map of tags, or nothing of the kind is done with overlap.
        """
        scheme = None if self.scheme is None else choose("data.scheme", self.scheme, schemes.SCHEMES)
        overlap = choose("data.overlap", self.overlap, OVERLAPS)
        return TaggedSentence(self.word, self.tag, scheme, checked_map(self.tag_map), overlap)
