"""Kinds of corpora that are files: a person's own, or those of a preset, which the hub may have too."""

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from gru_nlp.console import remark
from gru_nlp.data.columns import column_separator
from gru_nlp.data.corpus import Recipe, choose_place
from gru_nlp.data.formats import Conll, Folders, Format, Idx, LabelledLines, Parallel, tables
from gru_nlp.data.hub import Hub, HubSource
from gru_nlp.data.images import LabelledImage
from gru_nlp.data.kinds import CarvedCorpus, LabelledRows, PairRows, TaggedRows
from gru_nlp.data.labelled import LabelledText
from gru_nlp.data.layouts import Layout
from gru_nlp.data.readers import delimiter_of
from gru_nlp.data.signatures import table_of
from gru_nlp.data.values import column_names
from gru_nlp.data.where import SPLITS, Files, Split
from gru_nlp.errors import UserError, choose

#: Formats of plain lines, and the data sets of the same rows in tables.
LINES = {"labelled_lines": "{}", "parallel": "pairs_{}"}


@dataclass(kw_only=True, eq=False)
class FileCorpus(CarvedCorpus):
    """What every kind has that reads files of a person's own, or a preset's files in a folder.

    Attributes:
        format: how the files are written; the names are those of ``formats``.
        dir: folder of a preset's files.
        files: names of a preset's files by split; None: it has no such split.
        train, validation, test: files of a person's own.
        encoding: codec of the files.
        cache_dir: where tables are cached; None: the cache of ``datasets``.
    """

    format: str
    dir: str | None
    files: Mapping[str, str | None] | None
    train: str | None
    validation: str | None
    test: str | None
    encoding: str
    cache_dir: str | None

    @abstractmethod
    def formats(self) -> dict[str, Format]:
        """Return the formats of this kind by the value of ``format``."""

    def own(self) -> dict[Split, dict[str, str | None]]:
        """Return, by split, the options that name files of a person's own, and their values."""
        values = (self.train, self.validation, self.test)
        return {split: {f"data.{split}": value} for split, value in zip(SPLITS, values, strict=True)}

    def preset(self, name: str) -> list[str]:
        """Return the files that the name of a preset's split stands for."""
        return [name]

    def places(self) -> Files:
        """Return the files of all splits."""
        formats = self.formats()
        format = formats[choose("data.format", self.format, formats)]
        if self.format in LINES:
            self._doubt(self.own().values())
        named = {split: (self.files or {}).get(split) for split in SPLITS}
        return Files(format, self.own(), self.dir, {split: self.preset(name) for split, name in named.items() if name})

    def _doubt(self, given: Iterable[Mapping[str, str | None]]) -> None:
        """Tell of files that are read line by line, but whose names are those of tables."""
        for option, value in (pair for options in given for pair in options.items()):
            if value and (kind := table_of(value)):
                told = f"{option}={value}: is read as plain lines, its first one too"
                remark(f"{told}; for a table set data={LINES[self.format].format(kind)}")

    @abstractmethod
    def on_hub(self, instead: str) -> tuple[Hub, Layout] | None:
        """Return the same data set on the hub; ``instead`` says, in messages, how to do without it."""

    def same_on_hub(self, path: str | None, instead: str) -> tuple[Hub, Layout] | None:
        """Return the data set ``path`` of the hub, with columns of the same names; None where there is none."""
        return None if path is None else (Hub(path, instead, self.cache_dir, "data.hub_path"), self.layout())

    def recipe(self) -> Recipe:
        """Return the files or the hub, whichever is to be read."""
        files = self.places()
        where, layout = choose_place(files, self.layout(), self.on_hub(f"set {files.wanted('train')}"))
        return Recipe(where, layout, self.carving, self.cache_dir)


def csv_delimiter(format: str, given: str) -> str:
    """Return the character between the fields of csv.

    Raises:
        UserError: it cannot stand there, or the data is no csv.
    """
    delimiter = delimiter_of(given, "data.delimiter")
    if delimiter != "," and format != "csv":
        raise UserError(f"data.delimiter={given} has no effect on data.format={format}: leave it out, or set data=csv")
    return delimiter


@dataclass(kw_only=True, eq=False)
class LabelledCorpus(LabelledRows, FileCorpus):
    """Texts with labels, in tables, lines or folders.

    Attributes:
        columns: names of the columns of a file without a header line.
        delimiter: between the fields of csv.
        label_cut: a label ends before this string.
        hub: the same data set on the hub, whose columns have names of their own there; None: there is none.
        folders: names of the folders that are read of a folder a class; None: all.
    """

    columns: Sequence[str] | None
    delimiter: str
    label_cut: str | None
    hub: HubSource | None
    folders: Sequence[str] | None = None

    def layout(self) -> LabelledText:
        """Return texts with labels, which may be cut."""
        return replace(super().layout(), label_cut=self.label_cut)

    def formats(self) -> dict[str, Format]:
        """Return tables, lines and folders."""
        columns = column_names(self.columns, "data.columns") if self.columns else None
        names = (str(self.label), self.text_columns[0])
        folders = None if self.folders is None else column_names(self.folders, "data.folders")
        if folders is not None and self.format != "folders":
            raise UserError(f"data.folders has no effect on data.format={self.format}: set data=folders")
        if self.format == "tsv" and "\t" in (self.layout().label_separator or ""):
            raise UserError("data.label_separator: a tab ends a field of data.format=tsv: separate labels otherwise")
        return {
            **tables(self.encoding, columns, csv_delimiter(self.format, self.delimiter)),
            "labelled_lines": LabelledLines(self.encoding, *names),
            "folders": Folders(self.encoding, *names, folders),
        }

    def on_hub(self, instead: str) -> tuple[Hub, Layout] | None:
        """Return the data set with the hub's names."""
        hub = self.hub
        if hub is None:
            return None
        there = Hub(hub.path, instead, self.cache_dir, "data.hub.path", "data.hub.splits", hub.name, splits=hub.splits)
        return there, replace(super().layout(), text=(hub.text,), label=hub.label, options="data.hub")


@dataclass(kw_only=True, eq=False)
class PairCorpus(PairRows, FileCorpus):
    """Sentence pairs in parallel files (two a split), or in two columns of a table.

    Attributes:
        train_source, train_target, validation_source, validation_target, test_source, test_target: parallel files;
            the name of a preset's file has ``{language}`` for the language.
        hub_path: the same data set on the hub, with a column a language; None: there is none.
        delimiter: between the fields of csv; older checkpoints do not state it.
    """

    train_source: str | None
    train_target: str | None
    validation_source: str | None
    validation_target: str | None
    test_source: str | None
    test_target: str | None
    hub_path: str | None
    delimiter: str = ","

    def formats(self) -> dict[str, Format]:
        """Return parallel files, and tables."""
        named = tables(self.encoding, None, csv_delimiter(self.format, self.delimiter))
        return {"parallel": Parallel(self.encoding, (self.source, self.target)), **named}

    def own(self) -> dict[Split, dict[str, str | None]]:
        """Return the options of two files a split for ``parallel``, else of one.

        Raises:
            UserError: files of the other kind were given.
        """
        single = super().own()
        double: dict[Split, dict[str, str | None]] = {
            split: {f"data.{split}_{side}": getattr(self, f"{split}_{side}") for side in ("source", "target")}
            for split in SPLITS
        }
        parallel = self.format == "parallel"
        for split in SPLITS:
            if parallel and any(single[split].values()):
                raise UserError(f"data.{split} has two columns: set data.{split}_source and data.{split}_target here")
            if not parallel and any(double[split].values()):
                raise UserError(f"data.{split}_source and data.{split}_target are for data=parallel: set data.{split}")
        return double if parallel else single

    def preset(self, name: str) -> list[str]:
        """Return a file a language, where the name asks for one."""
        languages = (self.source, self.target)
        return [name.format(language=language) for language in languages] if "{language}" in name else [name]

    def on_hub(self, instead: str) -> tuple[Hub, Layout] | None:
        """Return the data set of the same columns."""
        return self.same_on_hub(self.hub_path, instead)


@dataclass(kw_only=True, eq=False)
class TaggedCorpus(TaggedRows, FileCorpus):
    """Sentences of words with tags.

    Attributes:
        columns: names of the columns; None: the first is the word and the last the tag.
        hub_path: the same data set on the hub, with a list of words and one of tags a row; None: there is none.
        separator: of the columns, ``tab`` or ``blank``; None: found by looking. Older checkpoints do not state it.
    """

    columns: Sequence[str] | None
    hub_path: str | None
    separator: str | None = None

    def formats(self) -> dict[str, Format]:
        """Return columns, and tables that hold lists."""
        columns = column_names(self.columns, "data.columns") if self.columns else None
        held = {name: format for name, format in tables(self.encoding).items() if name in ("jsonl", "parquet")}
        separator = column_separator(self.separator, "data.separator")
        if separator and self.format in held:
            told = f"data.separator={separator} has no effect on data.format={self.format}"
            raise UserError(f"{told}: leave it out, or set data=conll")
        return {"conll": Conll(self.encoding, columns, self.word, self.tag, separator), **held}

    def on_hub(self, instead: str) -> tuple[Hub, Layout] | None:
        """Return the data set of the same columns."""
        return self.same_on_hub(self.hub_path, instead)


@dataclass(kw_only=True, eq=False)
class IdxCorpus(CarvedCorpus):
    """MNIST and its relatives: four idx files in a folder, plain or gzip, or the hub.

    Attributes:
        dir: the folder; None: the hub.
        files: names of the files ``train_images``, ``train_labels``, ``test_images``, ``test_labels``.
        hub_path: the same data set on the hub, with columns ``image`` and ``label``.
        cache_dir: where the hub's tables are cached; None: the cache of ``datasets``.
    """

    dir: str | None
    files: Mapping[str, str]
    hub_path: str
    cache_dir: str | None

    def layout(self) -> LabelledImage:
        """Return images."""
        return LabelledImage("data.hub_path")

    def recipe(self) -> Recipe:
        """Return the folder or the hub, whose labels are numbers as those of idx files are."""
        preset: dict[Split, list[str]] = {
            split: [self.files[f"{split}_images"], self.files[f"{split}_labels"]] for split in ("train", "test")
        }
        files = Files(Idx(), {}, self.dir, preset)
        instead = f"set {files.wanted('train')}"
        hub = Hub(self.hub_path, instead, self.cache_dir, "data.hub_path", names=False, media=("image",))
        where, layout = choose_place(files, self.layout(), (hub, self.layout()))
        return Recipe(where, layout, self.carving, self.cache_dir)
