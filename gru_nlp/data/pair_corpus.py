"""Corpora of sentence pairs: parallel files, files with two columns, or the hub."""

from collections.abc import Mapping
from pathlib import Path

import datasets

from gru_nlp.data.corpus import Corpus, Split, carve, fingerprint, read_once
from gru_nlp.data.files import content_hash, find, find_in
from gru_nlp.data.hub import load_table
from gru_nlp.data.pairs import FORMATS, PairOptions, read_columns, read_parallel
from gru_nlp.errors import UserError, choose

PAIRS = datasets.Features(
    {
        "source": datasets.Value("large_string"),
        "target": datasets.Value("large_string"),
        "line": datasets.Value("int64"),
    }
)


class PairCorpus(Corpus):
    """A person's own pairs, a preset's files in ``dir``, or the same data set from the hub.

    Args:
        format: parallel (two files a split), csv, tsv or jsonl (two columns).
        source, target: languages of a preset, or the names of the two columns.
        dir: folder of a preset's files.
        files: names of a preset's files by split, ``{language}`` standing for the language.
        train, validation, test: files with two columns.
        train_source, train_target, validation_source, validation_target, test_source, test_target: parallel files.
        encoding: codec of the files.
        skip_empty: leave out pairs with an empty side.
        validation_share: share of training that is carved out where there is no validation split.
        split_seed: of the carving.
        hub_path: the same data set on the hub, with a column a language; None: there is none.
        cache_dir: where tables are cached; None: the cache of ``datasets``.
    """

    def __init__(
        self,
        *,
        format: str,
        source: str,
        target: str,
        dir: str | None,
        files: Mapping[str, str] | None,
        train: str | None,
        validation: str | None,
        test: str | None,
        train_source: str | None,
        train_target: str | None,
        validation_source: str | None,
        validation_target: str | None,
        test_source: str | None,
        test_target: str | None,
        encoding: str,
        skip_empty: bool,
        validation_share: float,
        split_seed: int,
        hub_path: str | None,
        cache_dir: str | None,
    ) -> None:
        self.format = choose("data.format", format, FORMATS)
        self.source, self.target = source, target
        self.dir = dir
        self.files = dict(files or {})
        self.own: dict[str, str | None] = {"train": train, "validation": validation, "test": test}
        self.sides: dict[str, tuple[str | None, str | None]] = {
            "train": (train_source, train_target),
            "validation": (validation_source, validation_target),
            "test": (test_source, test_target),
        }
        parallel = self.format == "parallel"
        for split, pair in self.sides.items():
            if parallel and self.own[split]:
                raise UserError(f"data.{split} has two columns: set data.{split}_source and data.{split}_target here")
            if not parallel and any(pair):
                raise UserError(f"data.{split}_source and data.{split}_target are for data=parallel: set data.{split}")
        self.encoding = encoding
        self.skip_empty = skip_empty
        self.validation_share = validation_share
        self.split_seed = split_seed
        self.hub_path = hub_path
        self.cache_dir = cache_dir

    def load(self, split: Split) -> datasets.Dataset | None:
        """Read a split, or find it in the cache; carve where there is no validation split."""
        if split == "test":
            return self._source("test")
        validation = self._source("validation")
        if split == "validation" and validation is not None:
            return validation
        train = self._source("train")
        if train is None:
            own = "data.train_source=<file> data.train_target=<file>"
            wanted = "data.train=<file>" if self.format != "parallel" else own
            raise UserError(f"no training data: set {'data.dir=<folder>' if self.files else wanted}")
        return train if validation is not None else carve(train, split, self.validation_share, self.split_seed, None)

    def locate(self, split: Split, line: int) -> str:
        """Return ``path:line``, of the source file where there are two."""
        found = self._paths(split) or self._paths("train")
        return f"{found[0] if found else self.hub_path}:{line}"

    def label_order(self) -> None:
        """Pairs have no labels."""
        return

    def _paths(self, split: Split) -> tuple[Path, ...] | None:
        """Return the file, or the two files, of a split; None where it has none."""
        if self.format != "parallel":
            own = self.own[split]
            return None if own is None else (find(Path(own), f"data.{split}"),)
        if any(self.sides[split]):
            names = [f"data.{split}_{side}" for side in ("source", "target")]
            for name, given in zip(names, self.sides[split], strict=True):
                if given is None:
                    raise UserError(f"a parallel file is missing: set {name}=<file> too")
            return tuple(find(Path(str(p)), n) for p, n in zip(self.sides[split], names, strict=True))
        if self.dir is None or split not in self.files:
            return None
        return tuple(find_in(self.dir, name, self._names()) for name in self._names(split))

    def _names(self, *splits: str) -> list[str]:
        patterns = [self.files[split] for split in splits or self.files]
        return [name.format(language=code) for name in patterns for code in (self.source, self.target)]

    def _source(self, split: Split) -> datasets.Dataset | None:
        found = self._paths(split)
        given = self.dir or any(self.own.values()) or any(any(pair) for pair in self.sides.values())
        if found is None:
            return None if given or self.hub_path is None else self._hub(split)
        option = "data.dir" if self.dir and not any(self.sides[split]) else f"data.{split}"
        parallel = len(found) == 2
        own = option if option == "data.dir" or not parallel else f"{option}_source"
        other = option if option == "data.dir" or not parallel else f"{option}_target"
        options = PairOptions(self.encoding, self.skip_empty, own, other)
        key = fingerprint("pairs", [content_hash(p) for p in found], self.format, self.encoding, self.skip_empty)
        if parallel:
            return read_once(lambda: read_parallel(found[0], found[1], options), PAIRS, key, self.cache_dir)
        key = fingerprint(key, self.source, self.target)
        columns = (self.format, self.source, self.target)
        return read_once(lambda: read_columns(found[0], *columns, options), PAIRS, key, self.cache_dir)

    def _hub(self, split: Split) -> datasets.Dataset:
        assert self.hub_path is not None
        table = load_table(self.hub_path, None, split, self._names(), self.cache_dir)
        for column in (self.source, self.target):
            if column not in table.column_names:
                raise UserError(f"{self.hub_path}: no language '{column}' (it has {', '.join(table.column_names)})")
        kept = table.select_columns([self.source, self.target]).rename_columns(
            {self.source: "source", self.target: "target"}
        )
        return kept.add_column("line", range(1, len(kept) + 1)).cast(PAIRS)
