"""Where translating spends its time: sentences a second, and the shares of the parts, for one checkpoint and file.

Usage: python scripts/benchmark_translate.py checkpoint=<run> input=<file, one sentence a line> [batch_size=50]
       [beams=0,1,5 [batch_sizes=1,50] [references=<file>] [lines=<only so many>] [early_stop=true] [shortlist=true]
       [precision=int8]]

Times `gru-nlp translate` on the file as a whole (with start-up), then the translator alone in this process (without),
then once more with a clock around encoder, decoder step and vocabulary projection; what is left is the search's
bookkeeping and the tokenizer's. With `beams` instead a table: for each beam, 0 being greedy search, and each batch size
the sentences and the words written for each second of processor time, on one thread; and their BLEU. With
`precision=int8` graphs in 8 bits translate, as by `gru-nlp translate precision=int8`.
"""

import gzip
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sacrebleu
import torch

from gru_nlp.decoding.beam import BeamSearch
from gru_nlp.decoding.greedy import Greedy
from gru_nlp.export import cached
from gru_nlp.predictor import Predictor
from gru_nlp.runtime import beam as beams
from gru_nlp.runtime import searching


def lines(path: Path) -> list[str]:
    """Read a plain or gzip file."""
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
        return [line.rstrip("\n") for line in file]


def clocked(function: Callable[..., Any], name: str, clock: Counter[str]) -> Callable[..., Any]:
    """Return ``function`` with its seconds added to ``clock``."""

    def timed(*arguments: Any) -> Any:
        started = time.perf_counter()
        result = function(*arguments)
        clock[name] += time.perf_counter() - started
        return result

    return timed


def strategy(beam: int, early_stop: bool, graphs: bool) -> Any:
    """Return a search as the shipped configs have it, in torch, or in numpy for graphs."""
    limits: Any = {"max_ratio": 2.0, "max_extra": 10, "min_length": 0}
    if not beam:
        return (searching.Greedy if graphs else Greedy)(**limits)
    early: Any = {"early_stop": True} if early_stop else {}
    search: Any = beams.BeamSearch if graphs else BeamSearch
    return search(beam_size=beam, length_penalty=1.2, n_best=1, no_repeat_ngram=0, **limits, **early)


def table(given: dict[str, str]) -> None:
    """Print a line a beam and batch size."""
    torch.set_num_threads(1)
    count = int(given["lines"]) if "lines" in given else None
    sentences = lines(Path(given["input"]))[:count]
    references = lines(Path(given["references"]))[:count] if "references" in given else []
    predictor: Any = (
        cached.runner(given["checkpoint"], given["precision"], [], 1)
        if "precision" in given
        else Predictor.from_checkpoint(given["checkpoint"])
    )
    model: Any = predictor.model
    if given.get("shortlist") == "true":
        predictor.preprocessor.use_shortlist()
    for beam in map(int, given["beams"].split(",")):
        model.decoding = strategy(beam, given.get("early_stop") == "true", "precision" in given)
        for batch_size in map(int, given.get("batch_sizes", "1,16,50,100").split(",")):
            asked = sentences if batch_size > 1 else sentences[:: max(1, len(sentences) // 100)]
            predictor(asked[:batch_size], batch_size)  # warms up
            started = time.process_time()
            found = [record["translation"] for record in predictor(asked, batch_size)]
            seconds = time.process_time() - started
            words = sum(len(text.split()) for text in found) / seconds
            told = f"beam {beam}, batch {batch_size:>3}: {len(asked) / seconds:7.1f} sentences/s, {words:6,.0f} words/s"
            bleu = sacrebleu.corpus_bleu(found, [references]).score if references and asked is sentences else None
            print(told if bleu is None else f"{told}, BLEU {bleu:.2f}", flush=True)


def main() -> None:
    """Measure and print."""
    given = dict(argument.split("=", 1) for argument in sys.argv[1:])
    if "beams" in given:
        table(given)
        return
    batch_size = int(given.get("batch_size", "50"))
    sentences = lines(Path(given["input"]))
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "in.txt").write_text("".join(f"{line}\n" for line in sentences), encoding="utf-8")
        options = [f"checkpoint={given['checkpoint']}", f"input={folder}/in.txt", f"output={folder}/out.txt"]
        command = [sys.executable, "-m", "gru_nlp", "translate", *options, f"batch_size={batch_size}", "device=cpu"]
        started = time.perf_counter()
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
        whole = time.perf_counter() - started
    predictor = Predictor.from_checkpoint(given["checkpoint"])
    predictor(sentences[:batch_size], batch_size)  # warms up
    started = time.perf_counter()
    predictor(sentences, batch_size)
    alone = time.perf_counter() - started
    clock: Counter[str] = Counter()
    model: Any = predictor.model
    model.start = clocked(model.start, "encoder", clock)
    model.decoder.step = clocked(model.decoder.step, "decoder", clock)
    model.project = clocked(model.project, "projection", clock)
    if model.form is not None:
        model.form.step = clocked(model.form.step, "decoder", clock)
    started = time.perf_counter()
    predictor(sentences, batch_size)
    total = time.perf_counter() - started
    clock["search and tokenizer"] = total - sum(clock.values())
    print(f"{len(sentences):,} sentences, batch {batch_size}, {type(model.decoding).__name__}")
    print(f"with start-up     {len(sentences) / whole:8.1f} sentences/s ({whole:.1f} s)")
    print(f"without start-up  {len(sentences) / alone:8.1f} sentences/s ({alone:.1f} s)")
    for name, value in clock.items():
        print(f"  {name:<22} {100 * value / total:5.1f} %")
    machine = {"system": platform.platform(), "cpus": os.cpu_count(), "threads": torch.get_num_threads()}
    print(json.dumps(machine))


if __name__ == "__main__":
    main()
