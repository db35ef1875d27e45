"""What a student learns from: teachers' translations of a corpus's training sentences, and the references."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from gru_nlp.data.corpus import Corpus, Recipe
from gru_nlp.data.layouts import SentencePair
from gru_nlp.data.readers import Record
from gru_nlp.data.where import Found, Split, Where
from gru_nlp.errors import UserError, is_broken
from gru_nlp.whole import text_whole

#: Lines of a corpus are counted in 64 bits.
MOST_LINES = 1 << 62
#: Most characters of a line in a file of pairs, which may be a stranger's.
MOST_LINE = 1 << 24


class Pair(NamedTuple):
    """A source and a target of which a teacher translated one, and the line of the corpus that the other stands on."""

    source: str
    target: str
    line: int


@dataclass(frozen=True, eq=False)
class Taught(Where):
    """The splits of a corpus, a teacher's translations added to its training split or in place of it.

    Attributes:
        corpus: whose tables hold ``source`` and ``target``.
        pairs: of its training sentences and a teacher's translations, from whichever side.
        references: whether the training split's own pairs are learned from too.
    """

    corpus: Corpus
    pairs: Sequence[Pair]
    references: bool

    def find(self, split: Split) -> Found | None:
        """Return a split; validation and test are the corpus's own."""
        table = self.corpus.load(split)
        if table is None:
            return None
        taught = split == "train"
        return Found(
            name=f"the pairs of {split}",
            option="data",
            read=lambda: self._records(split),
            key=lambda: ["distilled", table._fingerprint, *([self.references, self._digest()] if taught else [])],
            place=lambda line, _: self.corpus.locate(split, line),
        )

    def wanted(self, split: Split) -> str:
        """Return the option of a split that is not there."""
        return f"data.{split}=<file>"

    def _digest(self) -> str:
        return hashlib.sha256(json.dumps(self.pairs).encode()).hexdigest()

    def _records(self, split: Split) -> Iterator[Record]:
        table: Any = self.corpus.load(split)
        if split != "train" or self.references:
            for batch in table.iter(1000):
                lines = batch.get("line", [0] * len(batch["source"]))
                for line, source, target in zip(lines, batch["source"], batch["target"], strict=True):
                    yield line, {"source": source, "target": target}
        if split == "train":
            yield from ((line, {"source": source, "target": target}) for source, target, line in self.pairs)


@dataclass(kw_only=True, eq=False)
class DistilledCorpus(Corpus):
    """Sentence pairs of sequence-level knowledge distillation (Kim and Rush 2016, section 3.2).

    Attributes:
        corpus, pairs, references: as in ``Taught``.
        cache_dir: where tables are cached; None: the cache of ``datasets``.
    """

    corpus: Corpus
    pairs: Sequence[Pair]
    references: bool
    cache_dir: str | None

    def recipe(self) -> Recipe:
        """Return the pairs."""
        layout = SentencePair("source", "target", skip_empty=True)
        return Recipe(Taught(self.corpus, self.pairs, self.references), layout, cache_dir=self.cache_dir)

    @property
    def example(self) -> str | None:
        """A text of the corpus's own kind."""
        return self.corpus.example


def write_pairs(path: Path, pairs: Sequence[Pair]) -> None:
    """Write pairs as JSON lines, which ``data=pairs_jsonl`` reads too.

    Raises:
        Fault: the file cannot be written.
    """
    with text_whole(path, "run_dir") as file:
        file.writelines(json.dumps(pair._asdict(), ensure_ascii=False) + "\n" for pair in pairs)


def read_pairs(path: Path) -> list[Pair]:
    """Read what ``write_pairs`` wrote.

    Raises:
        UserError: naming the line that is none of ours.
    """
    found = []
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(iter(lambda: file.readline(MOST_LINE), ""), 1):
                pair = _pair(line)
                if pair is None:
                    raise UserError(f"{path}:{number}: not a pair that distill wrote: train anew")
                found.append(pair)
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read ({type(error).__name__}): train anew") from None
    return found


def _pair(line: str) -> Pair | None:
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError):
        return None
    kinds = {"source": str, "target": str, "line": int}
    if not isinstance(fields, dict) or any(type(fields.get(name)) is not kind for name, kind in kinds.items()):
        return None
    if not 0 <= fields["line"] < MOST_LINES or is_broken(fields["source"] + fields["target"]):
        return None
    return Pair(**{name: fields[name] for name in kinds})
