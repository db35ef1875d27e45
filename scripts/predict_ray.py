"""Label a folder of JSON-lines or Parquet shards with Ray Data: what ``gru-nlp predict`` says of each, by many workers.

Usage: pip install 'gru_nlp[scale]'
       python scripts/predict_ray.py checkpoint=<run> input=<folder> output=<folder> [workers=4] [text=body ...]

``workers`` processes (as many as there are cores) are started on a Ray of this machine, or on the cluster that
RAY_ADDRESS names, whose machines must see both folders. All further options are those of ``gru-nlp predict``. Shards
are the files of ``input`` that end in .jsonl, .ndjson (plain or .gz) or .parquet; folders in it, and names that begin
with a dot, are passed over.

How it works. The rows of the Ray data set are the shards themselves, so that each is labelled by one worker, in order,
by the program's own road from file to file: its answers are, byte for byte, those of ``gru-nlp predict input=<shard>``
with as many threads. They are written under another name and take their place in ``output`` in one step, once whole.
Before that, a record of what they were made from (hashes of shard, checkpoint and answers, and the options) goes into
``output/.made``. So the command, given again after whatever stopped it, labels only what is missing, and shards that
have changed; with another checkpoint or other options it refuses. A worker that dies is started anew by Ray, and its
shard labelled again. A shard with a mistake in it ends alone, with a line that names it, and exit code 2.
"""

import hashlib
import json
import logging
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from gru_nlp import __version__, console
from gru_nlp.answers import flow, pipes, reading
from gru_nlp.archive import locate
from gru_nlp.cli import predict
from gru_nlp.cli.shell import composed
from gru_nlp.cli.surroundings import USER_ERROR, complain
from gru_nlp.config import resolved
from gru_nlp.data.signatures import table_of
from gru_nlp.errors import UserError
from gru_nlp.predictor import Predictor
from gru_nlp.threads import cores, set_threads
from gru_nlp.whole import write_whole

MADE = ".made"
#: How the folders begin in which answers are written before they are whole.
PART = ".part-"
#: Options that bear on no answer.
PLACES = ("checkpoint", "input", "output", "trust")


class Shard(NamedTuple):
    """A file to be labelled, as plain values, which Ray carries to a worker.

    Attributes:
        source: the file.
        target: its answers.
        record: what they were made from.
        options: of ``gru-nlp predict``.
        basis: what the record must say of program, checkpoint and options.
    """

    source: str
    target: str
    record: str
    options: dict[str, Any]
    basis: dict[str, Any]


def digest(path: str | Path) -> str:
    """Return the SHA-256 of a file.

    Raises:
        UserError: it cannot be read.
    """
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from None


def sources(folder: Path) -> list[Path]:
    """Return the shards of a folder, in the order of their names.

    Raises:
        UserError: there are none.
    """
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder (set input=<folder of shards>)")
    found = sorted(path for path in folder.iterdir() if path.is_file() and path.name[0] != "." and is_shard(path))
    if not found:
        raise UserError(f"{folder}: holds no shard that ends in .jsonl, .ndjson or .parquet (set input=<folder>)")
    return found


def plan(options: Mapping[str, Any], shards: Sequence[Path], output: Path) -> list[Shard]:
    """Return what is to be done with shards; the output folder is made.

    Args:
        options: of ``gru-nlp predict``, composed; input and output are those of each shard.
        shards: of one folder.
        output: folder of their answers.

    Raises:
        UserError: two of them would have one name, or the folder cannot be written, or is that of the shards.
    """
    if output.exists() and output.samefile(shards[0].parent):
        raise UserError(f"{output}: the answers would lie among the shards: set output=<another folder>")
    try:
        (output / MADE).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{output}: cannot be written: {error.strerror} (set output=<folder>)") from None
    chosen = {name: value for name, value in options.items() if name not in PLACES}
    basis = {"version": __version__, "checkpoint": digest(locate(options["checkpoint"])), **chosen}
    found: dict[str, Shard] = {}
    for path in shards:
        name = f"{stem(path)}.{options['format'] or 'jsonl'}"
        if name in found:
            raise UserError(f"{path}: would have the same answers, {name}, as {found[name].source}: rename one")
        own = {**options, "input": str(path), "output": str(output / name)}
        found[name] = Shard(str(path), str(output / name), str(output / MADE / f"{name}.json"), own, basis)
    return list(found.values())


def is_shard(path: Path) -> bool:
    """Return whether a file's ending says that it is a shard."""
    return table_of(path.name) in ("jsonl", "parquet")


def stem(path: Path) -> str:
    """Return a shard's name without its endings."""
    name = path.name[: -len(".gz")] if path.name.lower().endswith(".gz") else path.name
    return Path(name).stem


def is_done(shard: Shard) -> bool:
    """Return whether the answers of a shard are there, and what would be made of it now.

    Raises:
        UserError: answers are there that something else was made of, which labelling would write over.
    """
    target, record = Path(shard.target), Path(shard.record)
    if not target.exists():
        return False
    try:
        made = json.loads(record.read_bytes()) if record.exists() else {}
    except ValueError:
        made = {}
    if not isinstance(made, dict) or "basis" not in made:
        raise UserError(f"{target}: was not made by this script: set output=<another folder>, or remove it")
    for name, value in shard.basis.items():
        if made["basis"].get(name) != value:
            other = f"another {name}" if name in ("version", "checkpoint") else f"{name}={made['basis'].get(name)}"
            raise UserError(f"{target}: was made with {other}: set output=<another folder>")
    return bool(made["source"] == digest(shard.source) and made["target"] == digest(target))


class Labeller:
    """What a worker is: a model that labels shards.

    Args:
        predictor: as the first process loaded it.
        threads: of torch, as for ``gru-nlp predict``.
    """

    def __init__(self, predictor: Predictor, threads: str | int) -> None:
        console.begin("quiet")  # many workers tell of their progress by their shards alone
        os.environ["RAYON_NUM_THREADS"] = "1"  # of tokenizers: a worker has one processor
        set_threads(threads, predictor.model)
        self.predictor = predictor

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        """Label a shard; return its name and how many texts it has, or what is wrong with it."""
        shard = Shard(**json.loads(row["shard"]))
        told = {"source": shard.source, "texts": 0, "cut": 0, "mistake": ""}
        self.predictor.truncated = 0
        try:
            return {**told, "texts": label(shard, self.predictor), "cut": self.predictor.truncated}
        except UserError as error:
            return {**told, "mistake": str(error)}


def label(shard: Shard, predictor: Predictor) -> int:
    """Write the answers of a shard, the record of them first; return how many there are.

    Raises:
        UserError: a mistake in the shard, or the answers cannot be written.
    """
    target, before = Path(shard.target), digest(shard.source)
    with tempfile.TemporaryDirectory(prefix=PART, dir=target.parent, ignore_cleanup_errors=True) as folder:
        part = Path(folder) / target.name
        config = {**shard.options, "output": str(part)}
        source, pause = reading.input_of(config), pipes.Pause()
        with reading.open_input(source.path, pause) as stream:
            answer = predict.text_answer(config, predictor)
            count = flow.run(config, predictor, answer, reading.read(stream, source), pause)
        record = {"source": before, "target": digest(part), "texts": count, "basis": shard.basis}
        write_whole(Path(shard.record), json.dumps(record, indent=2) + "\n")
        os.replace(part, target)
    return count


def run(shards: Sequence[Shard], predictor: Predictor, threads: str | int, workers: int) -> Iterator[dict[str, Any]]:
    """Label shards by workers of Ray's; yield what each gave as it comes.

    Raises:
        UserError: Ray is not installed, or has fewer processors than workers are wanted.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError:
        raise UserError("Ray is not installed: pip install 'gru_nlp[scale]'") from None

    class Worker(Labeller):
        def __init__(self, predictor: ray.ObjectRef) -> None:
            super().__init__(ray.get(predictor), threads)

    logging.getLogger("ray").setLevel(logging.ERROR)
    local = {} if "RAY_ADDRESS" in os.environ else {"num_cpus": workers, "include_dashboard": False}
    ray.init(logging_level="error", **local)
    try:
        processors = int(ray.cluster_resources().get("CPU", 0))
        if processors < workers:
            raise UserError(f"workers={workers}: this Ray has {processors} processors: set workers={processors}")
        ray.data.DataContext.get_current().enable_progress_bars = False
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        rows = [{"shard": json.dumps(shard._asdict())} for shard in shards]
        # A block a shard, and one at a time for each worker, so that those that are quick take more of them.
        data = ray.data.from_items(rows, override_num_blocks=len(rows)).map(
            Worker,
            fn_constructor_args=(ray.put(predictor),),
            compute=ray.data.ActorPoolStrategy(size=min(workers, len(rows)), max_tasks_in_flight_per_actor=1),
        )
        yield from data.iter_rows()
    finally:
        ray.shutdown()


def prepared(given: Mapping[str, str]) -> tuple[list[Shard], dict[str, Any], Predictor]:
    """Return the shards, the options of ``gru-nlp predict``, and the model.

    Args:
        given: options by name.

    Raises:
        UserError: a mistake in them, or in what they name.
    """
    for name in ("checkpoint", "input", "output"):
        if not given.get(name):
            raise UserError(f"{name}=<...> is needed; see the head of {Path(__file__).name}")
    if given.get("device", "cpu") != "cpu":
        raise UserError(f"device={given['device']}: the workers compute on processors: leave it out")
    paths, output = sources(Path(given["input"]).absolute()), Path(given["output"]).absolute()
    own = {name: value for name, value in given.items() if name != "workers"}
    own |= {"input": str(paths[0]), "output": str(output / paths[0].name), "device": "cpu"}
    config = composed("predict", [f"{name}={value}" for name, value in own.items()])
    predictor, options = predict.load(config), resolved(config)
    predict.text_answer(config, predictor)
    return plan(options, paths, output), options, predictor


def main(arguments: Sequence[str]) -> int:
    """Label what is not yet labelled; return the exit code.

    Raises:
        UserError: a mistake in the options.
    """
    if odd := [argument for argument in arguments if "=" not in argument]:
        raise UserError(f"{odd[0]}: options are given as name=value; see the head of {Path(__file__).name}")
    given = dict(argument.split("=", 1) for argument in arguments)
    workers = given.get("workers", str(cores()))
    if not workers.isdecimal() or not int(workers):
        raise UserError(f"workers={workers} must be a whole number, at least 1")
    shards, options, predictor = prepared(given)
    left = [shard for shard in shards if not is_done(shard)]
    console.say(f"{len(shards)} shards, {len(shards) - len(left)} of them done before")
    codes = [0]
    for number, told in enumerate(run(left, predictor, options["threads"], int(workers)) if left else (), 1):
        if told["mistake"]:
            complain(told["mistake"])
            codes.append(USER_ERROR)
        else:
            cut = f", {told['cut']:,} of them cut" if told["cut"] else ""
            console.say(f"{number} of {len(left)}: {Path(told['source']).name}, {told['texts']:,} texts{cut}")
    for folder in Path(given["output"]).glob(f"{PART}*"):  # what killed workers left
        shutil.rmtree(folder, ignore_errors=True)
    return max(codes)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except UserError as error:
        complain(str(error))
        sys.exit(USER_ERROR)
