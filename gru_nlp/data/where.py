"""Where a corpus is: files of a person or of a preset, an embedded sample, scikit-learn's digits.

A place answers one question: what stands at this split? The answer, ``Found``, can be read as records, has a key under
which what was read of it is cached, and knows how to speak of one of its records in a message. Nothing is read, and no
file hashed, before somebody asks for it.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from gru_nlp import samples
from gru_nlp.data.copies import Copy, File, is_pipe
from gru_nlp.data.files import find, find_in
from gru_nlp.data.formats import Format
from gru_nlp.data.readers import Record, described
from gru_nlp.data.values import Defect, value_of, written
from gru_nlp.errors import UserError

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")


@dataclass(frozen=True)
class Found:
    """What stands at a split.

    Attributes:
        name: of it as a whole, for messages.
        option: that chose it, for messages.
        read: gives its records from the start.
        key: gives plain values that change whenever the records do.
        place: where a record stands, or one column of it, for messages.
        stride: lines between two items of a list in a record; 0: a record stands on one line.
    """

    name: str
    option: str
    read: Callable[[], Iterator[Record]]
    key: Callable[[], Any]
    place: Callable[[int, str | None], str]
    stride: int = 0


class Where(ABC):
    """A place that holds the splits of a data set."""

    @abstractmethod
    def find(self, split: Split) -> Found | None:
        """Return what stands at a split; None where there is no such split.

        Raises:
            UserError: it was named and is not there.
        """

    @abstractmethod
    def wanted(self, split: Split) -> str:
        """Return the option to set for a split that is not there, for messages."""


@dataclass(frozen=True)
class Files(Where):
    """Files in some format: a person's own, else a preset's in ``dir``, with or without ``.gz``.

    Attributes:
        format: how they are written.
        own: by split, the options that name its files, each with its value.
        dir: folder of the preset's files; None: there is none.
        preset: by split, the names of the preset's files.
        copies: what came through pipes, each of which can be read once only.
    """

    format: Format
    own: Mapping[Split, Mapping[str, str | None]]
    dir: str | None
    preset: Mapping[Split, Sequence[str]]
    copies: dict[Path, Copy] = field(default_factory=dict)

    @property
    def given(self) -> bool:
        """Whether a person has named any file or folder."""
        return self.dir is not None or any(any(options.values()) for options in self.own.values())

    def find(self, split: Split) -> Found | None:
        """Return the files of a split."""
        files = self._files(split)
        if not files:
            return None
        return Found(
            name=str(files[0].path),
            option=files[0].option,
            read=lambda: self.format.records(files),
            key=lambda: [described(self.format), self.format.key(files)],
            place=lambda line, column: self.format.place(files, line, column),
            stride=self.format.stride,
        )

    def wanted(self, split: Split) -> str:
        """Return the folder of a preset that has such a split, and a person's own files."""
        own = " ".join(f"{option}=<file>" for option in self.own.get(split, {}))
        folder = f"data.dir=<folder with {', '.join(self._names())}>" if self.preset.get(split) else ""
        return ", or ".join(filter(None, (folder, own))) or "data.validation_share=<a larger share>"

    def _names(self) -> list[str]:
        return [name for names in self.preset.values() for name in names]

    def _files(self, split: Split) -> list[File]:
        own = self.own.get(split, {})
        if any(own.values()):
            if missing := [option for option, value in own.items() if not value]:
                raise UserError(f"a parallel file is missing: set {missing[0]}=<file> too")
            return [self._file(find(Path(str(value)), option), option) for option, value in own.items()]
        if self.dir is None:
            return []
        return [File(find_in(self.dir, name, self._names()), "data.dir") for name in self.preset.get(split, ())]

    def _file(self, path: Path, option: str) -> File:
        if is_pipe(path) and path not in self.copies:
            self.copies[path] = Copy(path, option)
        return File(path, option, self.copies.get(path))


@dataclass(frozen=True)
class HeldOut(Where):
    """Training data of which some rows are the test split, and others may be that of validation.

    Attributes:
        whole: where all of it is.
        by: field that says which.
        values: of that field, as texts, whose rows are the test split.
        validation: those whose rows are the validation split; none: it has files of its own, or is carved out.
    """

    whole: Where
    by: str
    values: tuple[str, ...]
    validation: tuple[str, ...] = ()

    def find(self, split: Split) -> Found | None:
        """Return the rows of a split."""
        elsewhere = split == "validation" and not self.validation
        found = self.whole.find("validation" if elsewhere else "train")
        if found is None or elsewhere:
            return found
        options = {"test": "data.hold_out", "validation": "data.hold_out_validation"}
        return replace(
            found,
            option=options.get(split, found.option),
            key=lambda: [found.key(), self.by, self.values, self.validation, split],
            read=lambda: self._rows(found, split),
        )

    def wanted(self, split: Split) -> str:
        """Return what the whole wants."""
        return self.whole.wanted(split)

    def _rows(self, found: Found, split: Split) -> Iterator[Record]:
        for line, row in found.read():
            try:
                value = written(value_of(row, self.by, "data.hold_out_by"))
            except Defect as defect:
                raise UserError(f"{found.place(line, None)}: {defect}") from None
            if split == ("test" if value in self.values else "validation" if value in self.validation else "train"):
                yield line, row


@dataclass(frozen=True)
class Sample(Where):
    """A sample corpus that the program brings with it.

    Attributes:
        sample: its name.
    """

    sample: str

    def find(self, split: Split) -> Found:
        """Return a split, which is generated."""
        rows = samples.generate(self.sample, split)
        name = f"sample '{self.sample}' ({split})"
        return Found(
            name=name,
            option="data.name",
            read=lambda: enumerate(rows, start=1),
            key=lambda: [self.sample, split, rows],
            place=lambda line, _: f"{name}:{line}",
        )

    def wanted(self, split: Split) -> str:
        """A sample has all its splits."""
        return "data.name=<another sample>"


@dataclass(frozen=True)
class Digits(Where):
    """The 1,797 digits of 8 x 8 pixels that come with scikit-learn; every fifth is for tests."""

    def find(self, split: Split) -> Found | None:
        """Return the images of training or test."""
        if split == "validation":
            return None
        return Found(
            name=f"digits ({split})",
            option="data",
            read=lambda: self._records(split),
            key=lambda: f"digits {split}",
            place=lambda line, _: f"digits ({split}), image {line}",
        )

    def wanted(self, split: Split) -> str:
        """Validation is carved out of training."""
        return "data.validation_share=<a larger share>"

    def _records(self, split: Split) -> Iterator[Record]:
        try:
            from sklearn.datasets import load_digits
        except ImportError:
            raise UserError("data=digits needs scikit-learn: pip install 'gru_nlp[digits]'") from None
        digits = load_digits()
        chosen = (np.arange(len(digits.target)) % 5 == 0) == (split == "test")
        pixels = (digits.images[chosen] * (255 / 16)).astype(np.uint8)
        for line, (image, label) in enumerate(zip(pixels, digits.target[chosen], strict=True), start=1):
            yield line, {"image": image, "label": label}
