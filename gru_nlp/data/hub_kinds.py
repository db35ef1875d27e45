"""Kinds of corpora that are any data set of the hub, or a local folder in the hub's layout."""

from collections.abc import Mapping
from dataclasses import dataclass

from gru_nlp.data.corpus import Recipe
from gru_nlp.data.hub import Hub
from gru_nlp.data.kinds import CarvedCorpus, LabelledRows, PairRows, TaggedRows
from gru_nlp.data.where import SPLITS
from gru_nlp.errors import choose


@dataclass(kw_only=True, eq=False)
class HubCorpus(CarvedCorpus):
    """What every kind has that reads any data set of the hub.

    Attributes:
        path: its id, or a local folder in the hub's layout.
        name: of its configuration; None: the default one.
        revision: branch, tag or commit; None: the newest.
        splits: its name of each of train, validation and test; ``auto``: the same, where there is such a split; None:
            it has none.
        cache_dir: where it is kept; None: the cache of ``datasets``.
    """

    path: str
    name: str | None
    revision: str | None
    splits: Mapping[str, str | None]
    cache_dir: str | None

    def recipe(self) -> Recipe:
        """Return the data set."""
        for split in self.splits:
            choose("data.splits", split, SPLITS)
        hub = Hub(
            self.path,
            "check data.path, data.name and data.revision",
            self.cache_dir,
            "data.path",
            split_options="data.splits",
            name=self.name,
            revision=self.revision,
            splits=self.splits,
        )
        return Recipe(hub, self.layout(), self.carving, self.cache_dir)


@dataclass(kw_only=True, eq=False)
class HubLabelledCorpus(LabelledRows, HubCorpus):
    """Texts with labels; a class label gives its name."""


@dataclass(kw_only=True, eq=False)
class HubPairCorpus(PairRows, HubCorpus):
    """Sentence pairs: two columns, or a column ``translation`` that holds a sentence a language."""


@dataclass(kw_only=True, eq=False)
class HubTaggedCorpus(TaggedRows, HubCorpus):
    """Tagged sentences; a class label gives its name."""
