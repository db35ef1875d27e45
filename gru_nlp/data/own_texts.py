"""The texts of another corpus as running text, and further files of text after those of its training split."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gru_nlp.data.copies import File
from gru_nlp.data.corpus import Corpus, Recipe
from gru_nlp.data.files import find
from gru_nlp.data.prose import Line, Prose, short
from gru_nlp.data.readers import Record
from gru_nlp.data.where import Found, Split, Where
from gru_nlp.errors import UserError

#: The option that names further files.
OPTION = "pretraining.text"


@dataclass(frozen=True)
class TextsOf(Where):
    """The column ``text`` of a corpus's training and validation splits; a text may have several lines.

    Attributes:
        corpus: whose tables hold texts.
        files: read after the texts of training: files, or folders of them.
        encoding: of the files.
    """

    corpus: Corpus
    files: tuple[str, ...]
    encoding: str

    def find(self, split: Split) -> Found | None:
        """Return the texts of a split; nothing is tested on."""
        table = None if split == "test" else self.corpus.load(split)
        if table is None:
            return None
        if "text" not in table.column_names:
            raise UserError("pretraining reads texts, which this data has not: set pretraining.epochs=0")
        files = [File(find(Path(path), OPTION), OPTION) for path in self.files] if split == "train" else []
        prose = Prose(self.encoding)
        return Found(
            name=f"the texts of {split}",
            option="data",
            read=lambda: self._records(split, prose, files),
            key=lambda: ["own texts", table._fingerprint, self.encoding, [prose.key([file]) for file in files]],
            place=lambda line, _: self.corpus.locate(split, line),
        )

    def wanted(self, split: Split) -> str:
        """The corpus has both splits."""
        return "pretraining.epochs=0"

    def _records(self, split: Split, prose: Prose, files: list[File]) -> Iterator[Record]:
        table: Any = self.corpus.load(split)
        for batch in table.iter(1000):
            for line, text in zip(batch.get("line", [0] * len(batch["text"])), batch["text"], strict=True):
                yield from ((line, fields) for fields in lines_of(text))
        for file in files:
            empty = True
            for line, fields in prose.records([file]):
                empty = empty and not fields["text"].strip()
                yield line, fields
            if empty:
                raise UserError(f"{file.path}: holds no text (set {OPTION}=...)")


def lines_of(text: str) -> Iterator[dict[str, Any]]:
    """Yield a text line by line, long lines in parts."""
    for line in text.split("\n"):
        parts = list(short(line))
        for part in parts[:-1]:
            yield {"text": part, "ended": False, "starts": False}
        yield {"text": parts[-1], "ended": True, "starts": False}


@dataclass(kw_only=True, eq=False)
class OwnTexts(Corpus):
    """Running text for a language model that the model of another task begins from.

    Attributes:
        corpus: of that task.
        files, encoding: as in ``TextsOf``.
        cache_dir: where tables are cached; None: the cache of ``datasets``.
    """

    corpus: Corpus
    files: tuple[str, ...]
    encoding: str
    cache_dir: str | None

    def recipe(self) -> Recipe:
        """Return lines of the corpus's texts."""
        return Recipe(TextsOf(self.corpus, self.files, self.encoding), Line(), cache_dir=self.cache_dir)
