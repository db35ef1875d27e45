"""Teachers translate the training sources of a student, in chunks that are kept.

How it works. A chunk is so many sources in the order of the data; in it the sentences are sorted by length into
batches. Its file, JSON lines of a source and its translations, appears whole once the chunk is done, in a folder whose
name is a hash of all that the translations depend on. So a command that was stopped, or killed, goes on after the last
whole chunk, and another student of the same teachers finds them all. A file is believed only where its sources are the
chunk's, line by line; else the chunk is translated again.
"""

import hashlib
import json
import stat
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from gru_nlp import checkpoint
from gru_nlp.archive import digest, locate
from gru_nlp.console import remark, say
from gru_nlp.data import cache, tables
from gru_nlp.data.in_use import Use
from gru_nlp.decoding.beam import BeamSearch
from gru_nlp.errors import Fault, UserError, is_broken
from gru_nlp.models.seq2seq import Seq2Seq
from gru_nlp.predictor import Predictor, joined
from gru_nlp.tensors import resolve_device
from gru_nlp.threads import set_threads
from gru_nlp.whole import clear, text_whole

#: Sources of a chunk, and sentences of a batch.
CHUNK, BATCH = 1024, 128
#: Most bytes of a chunk's file that are read.
MOST_BYTES = 1 << 28
#: Limits of the teachers' search, as conf/decoding has them.
LIMITS = {"max_ratio": 2.0, "max_extra": 10, "min_length": 0, "length_penalty": 1.2, "no_repeat_ngram": 0}


@dataclass(frozen=True)
class Teacher:
    """One translator, or several whose probabilities are averaged, by beam search.

    Attributes:
        predictor: that translates.
        hypotheses: N, the best translations of each source that it gives.
        key: plain values that its translations depend on.
    """

    predictor: Predictor
    hypotheses: int
    key: tuple[Any, ...]

    def translate(self, sources: Sequence[str]) -> list[list[str]]:
        """Return up to N different translations of each source, best first; none of a blank one."""
        records = self.predictor(sources, batch_size=BATCH, top_k=self.hypotheses)
        ranked = ([text for text, _ in record.get("n_best", ())] or [record["translation"]] for record in records)
        return [list(dict.fromkeys(text for text in texts if text.strip())) for texts in ranked]


def stored(path: str, option: str = "teacher") -> checkpoint.Checkpoint:
    """Read the checkpoint of a teacher, which ``option`` names.

    Raises:
        UserError: it cannot be read, or is no translator.
    """
    found = checkpoint.load(locate(path, option=option))
    if not {"decoder", "decoding"} <= set(found.config["model"]):
        kind = found.config["task"].get("name")
        raise UserError(f"{found.path}: no translator but a {kind} model: set {option}=...")
    return found


def teacher_of(config: Mapping[str, Any], paths: Sequence[str]) -> Teacher:
    """Load the teachers of a student's resolved config.

    Raises:
        UserError: one cannot be read, is no translator, or has another tokenizer than the first.
    """
    first, *others = (stored(path) for path in paths)
    trusted = list(config["trust"])
    preprocessor, model = checkpoint.restore(first, trusted)
    if others:
        model = joined(first, model, others, trusted)
    beam, best = config["beam_size"], config["hypotheses"]
    cast(Seq2Seq, model).decoding = BeamSearch(**LIMITS, beam_size=beam, n_best=best)  # type: ignore[arg-type]
    set_threads(config["threads"], model)
    predictor = Predictor(preprocessor, model, resolve_device(config["trainer"]["accelerator"]))
    files = [digest(one.path) for one in (first, *others)]
    return Teacher(predictor, best, (files, beam, best, LIMITS))


def translated(teacher: Teacher, sources: Sequence[str], cache_dir: str | None) -> Iterator[list[str]]:
    """Yield the translations of each source, chunk by chunk; what is kept of an earlier call is not translated again.

    Raises:
        Fault: a chunk cannot be written.
        KeyboardInterrupt: Ctrl-C; the message says how far it was.
    """
    key = hashlib.sha256(json.dumps([teacher.key, CHUNK, *sources]).encode()).hexdigest()[:32]
    home = Path(tables.folder(cache_dir))
    folder = cache.place(home, key)
    _make(folder)
    use = Use(cache.lock_of(folder))
    say(f"the teachers' translations are kept in {folder}")
    began, new = time.monotonic(), 0
    for start in range(0, len(sources), CHUNK):
        chunk = sources[start : start + CHUNK]
        file = folder / f"translations-{start:08}.jsonl"
        kept = read_chunk(file, chunk, teacher.hypotheses)
        if kept is None:
            try:
                kept = teacher.translate(chunk)
            except KeyboardInterrupt:
                told = f"stopped: {start:,} of {len(sources):,} training sentences are translated and kept"
                raise KeyboardInterrupt(f"{told}: the same command goes on") from None
            write_chunk(file, chunk, kept)
            new += len(chunk)
            _tell(start + len(chunk), len(sources), new / (time.monotonic() - began))
        yield from kept
    if not new:
        say(f"all {len(sources):,} training sentences were translated before")
    del use
    cache.keep_bound(home)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Fault(f"{folder}: cannot be written: {error.strerror} (set data.cache_dir=<folder>)") from None
    clear(folder)


def _tell(done: int, total: int, speed: float) -> None:
    left = f"; about {(total - done) / speed / 60:.0f} minutes to go" if done < total else ""
    say(f"translated {done:,} of {total:,} training sentences, {speed:.0f} a second{left}")


def write_chunk(file: Path, sources: Sequence[str], found: Sequence[Sequence[str]]) -> None:
    """Write a chunk whole.

    Raises:
        Fault: it cannot be written.
    """
    with text_whole(file, "data.cache_dir") as stream:
        for source, texts in zip(sources, found, strict=True):
            line = {"source": source, "translations": list(texts)}
            stream.write(json.dumps(line, ensure_ascii=False) + "\n")


def read_chunk(file: Path, sources: Sequence[str], most: int) -> list[list[str]] | None:
    """Return the translations of a chunk, at most so many a source; None where there is no file, or no whole one."""
    try:
        if not stat.S_ISREG(file.stat().st_mode) or file.stat().st_size > MOST_BYTES:
            raise ValueError  # a pipe would never end
        lines = file.read_text(encoding="utf-8").split("\n")[:-1]
        found = [_texts(json.loads(line), source, most) for line, source in zip(lines, sources, strict=True)]
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError):
        remark(f"{file}: not as it was written: these sentences are translated again")
        return None
    return found


def _texts(line: Any, source: str, most: int) -> list[str]:
    texts = line.get("translations") if isinstance(line, dict) and line.get("source") == source else None
    if not isinstance(texts, list) or len(texts) > most or not all(isinstance(text, str) for text in texts):
        raise ValueError
    if is_broken("".join(texts)):
        raise ValueError
    return texts
