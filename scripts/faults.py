"""What happens when things go wrong: stages each situation, and prints the tables of FAULTS.md.

The last table is of what a run meets on its way, which a line of bash cannot bring about: tests do, and compare what
they see with the table.

Usage: python scripts/faults.py > scripts/FAULTS.md

A situation is a line of bash in a folder of its own, where ``run``, ``ner``, ``translation`` and ``voice`` are small
models that were trained on the samples, and ``a.csv`` is a table of forty rows; ``PREAMBLE`` has the words that the
lines use. The table shows the last line of standard error (of standard output where that is empty) and the exit code.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

MOST_SECONDS = 120
MOST_SHOWN = 230
SMALL = "trainer.max_epochs=1 encoder.hidden_size=8 embedding.size=8 logger=none"
PREAMBLE = f"""
gru-nlp() {{ {sys.executable} -m gru_nlp "$@"; }}
label() {{ gru-nlp predict checkpoint=run "$@"; }}
train() {{ gru-nlp train "$@"; }}
learn() {{ gru-nlp train data=csv "data.train=$@"; }}
small() {{ gru-nlp train data=csv data.train=a.csv {SMALL} run_dir=new "$@"; }}
lines() {{ gru-nlp train data=labelled_lines "data.train=$1" {SMALL}; }}
SPOKEN="task=spoken_words data=recordings data.validation=r.csv"
hear() {{ printf 'path,label\n%s,yes\n%s,no\n' "$1" "$1" > r.csv; learn r.csv $SPOKEN; }}
list() {{ gru-nlp train task=multilabel data=jsonl "data.train=$1"; }}
SEVERAL="task=multilabel data.label_separator=;"
tag() {{ gru-nlp predict checkpoint=ner "input=$1" output=o; wc -l < o; }}
tags() {{ gru-nlp train task=ner data=conll "data.train=$1"; }}
pairs() {{ gru-nlp train task=translation data=parallel "data.train_source=$1" "data.train_target=$2"; }}
speak() {{ gru-nlp speak checkpoint=voice output=b.wav "$@"; }}
distill() {{ gru-nlp distill {SMALL} run_dir=new "$@"; }}
maybe() {{ (head -3 a.csv; echo x,maybe) > b.csv; small data.test=b.csv "$@"; }}
halve() {{ find cache -name '*.arrow' -exec truncate -s 100 {{}} +; }}
several() {{ RANK=0 WORLD_SIZE=2 LOCAL_RANK=0 LOCAL_WORLD_SIZE=2 MASTER_ADDR=localhost MASTER_PORT=1 "$@"; }}
robbed() {{
    small device=cpu trainer.devices=2 trainer.max_epochs=9999 patience=9999 &
    until [ -f new/last.ckpt ]; do sleep 0.1; done
    kill -9 $(pgrep -P $(pgrep -P $!))
    wait $!
}}
interrupted() {{
    export -f gru-nlp small
    timeout --preserve-status -s INT 15 bash -c 'small trainer.max_epochs=9999 patience=9999'
}}
set -o pipefail
"""
SETUP = f"""
for task in sentiment ner translation; do
    gru-nlp train task=$task {SMALL} run_dir=$task
done
mv sentiment run
gru-nlp train task=speech_synthesis {SMALL} decoder.hidden_size=8 run_dir=voice
(echo text,label; for i in $(seq 20); do echo "good $i,yes"; echo "bad $i,no"; done) > a.csv
"""
HEAD = """# What happens when things go wrong

Each row was staged by `python scripts/faults.py`, which printed this file: what happens, the last line that the person
sees, and the exit code. The exit code is 0 where all is done, whatever was remarked on the way; 1 where the reader of a
pipe has gone, or for a bug, which keeps its traceback; 2 for a mistake, a fault of the machine (disk, memory, process,
file) or a training that diverged: one line on standard error says which; 130 after an interrupt."""

MET = """## While a run goes on

Each row is a test of `tests/training/test_faults.py`, which compares what it sees with the row. Where the line is
`nothing`, there is nothing to see.

| what happens | what the person sees | exit code | what is left on disk | test |
|---|---|---|---|---|"""


class Met(NamedTuple):
    """What a run meets: in words, the line that the person sees, exit code, what is left on disk, and the test."""

    happens: str
    said: str
    code: int
    left: str
    test: str


class Fault(NamedTuple):
    """A situation in words, and the line of bash that brings it about."""

    happens: str
    line: str


def faults(lines: str) -> list[Fault]:
    """Read situations that are written as ``what happens | line of bash``."""
    return [Fault(*(part.strip() for part in line.split(" | ", 1))) for line in lines.strip().splitlines()]


FAULTS = {
    "Options": faults(
        r"""
        an option that is misspelt | train optimizr.lr=1
        an option that has no effect | train data=jsonl data.train=a.csv data.delimiter=';'
        a word where a number stands | train batch_size=many
        a number of threads that cannot be | train threads=0
        two flags that exclude each other | train --quiet --verbose
        several answers in a format that shows one | label top_k=2 format=lines -- good
        several translations as plain lines | gru-nlp translate checkpoint=translation decoding.n_best=3 -- hello
        a file of terms without tabs | echo a b > t.tsv; gru-nlp translate checkpoint=translation terms=t.tsv -- a
        training that would never validate | small trainer.max_steps=0
        a rate at which the loss is no number | train optimizer.lr=1e30 encoder.hidden_size=8
        an encoding that is none of files | label encoding=rot13 input=a.csv
        a device that is not there | train device=mps
        processes that give nothing back | small device=cpu trainer.devices=2 trainer.strategy=ddp_spawn
        """
    ),
    "Files": faults(
        r"""
        no such file | learn b.csv
        a name that is too long | label input=$(printf 'b%.0s' $(seq 300))
        a home folder that is not there | label input='~nobody/x'
        a device without end | label input=/dev/zero
        the whole file system as a folder of texts | train data=folders data.train=/
        a folder of a class that is not there | train data=folders data.train=. 'data.folders=[neg]'
        a recording that is not there | hear gone.wav
        a picture that is called a recording | printf '\xff\xd8\xff\xe0JFIF' > x.wav; hear x.wav
        a pipe among recordings | mkfifo x.wav; hear x.wav
        a column that is not there | learn a.csv data.text=body
        a csv with semicolons | sed 's/,/;/' a.csv > b.csv; learn b.csv
        a column that stands twice | (echo text,text,label; echo a,b,c) > b.csv; learn b.csv
        UTF-16 | iconv -t utf-16 a.csv > b.csv; learn b.csv
        latin-1 | printf 'text,label\ncaf\351,a\n' > b.csv; learn b.csv
        a spreadsheet | printf 'PK\003\004xxxx' > b.xlsx; label input=b.xlsx
        a gzip file that was cut off | gzip -c a.csv | head -c 40 > b.csv.gz; label input=b.csv.gz
        a line of more than 8 MiB | head -c 9000000 /dev/zero | tr '\0' a > b.txt; label input=b.txt
        a word of 5 MB | head -c 5000000 /dev/zero | tr '\0' a > b; tag b
        one label only | (head -1 a.csv; grep yes a.csv) > b.csv; learn b.csv
        a label that training does not have | maybe
        the same as wrong | maybe data.unknown_labels=wrong 2>&1 | grep wrong
        a table that is read as lines | tr , "\t" < a.csv > b.tsv; lines b.tsv 2>&1 | grep plain
        a list where a text has one label | echo '{"text": "a", "label": ["b"]}' > b; train data=jsonl data.train=b
        an empty label among several | printf 'text,label\na,b;;c\n' > b.csv; learn b.csv $SEVERAL
        a label that stands there twice | echo '{"text": "a", "label": ["b", "b"]}' > b; list b
        a rating that is no number | printf 'text,label\na,1\nb,good\n' > b.csv; learn b.csv task=rating
        vectors of another language | echo maison 1 2 > v; train embedding.vectors=v
        JSON that is broken | echo '{"text": "a"' > b.jsonl; train data=jsonl data.train=b.jsonl
        a tag that is none | printf 'a B-PER\nb PER\n' > b; tags b
        blanks and tabs between columns | printf 'a NN\tB-PER\nb NN\tO\n' > b; tags b
        parallel files of unlike length | seq 3 > b; seq 2 > c; pairs b c
        a file that is read as output | cp a.csv b.csv; label input=b.csv output=b.csv
        """
    ),
    "Checkpoints and run folders": faults(
        r"""
        no such checkpoint | gru-nlp predict checkpoint=gone -- good
        a checkpoint that was cut off | head -c 5000 run/best.ckpt > b.ckpt; gru-nlp predict checkpoint=b.ckpt -- good
        a pickle of other things | printf 'cos\nsystem\n.' > b.ckpt; gru-nlp info checkpoint=b.ckpt
        a translator for predict | gru-nlp predict checkpoint=translation -- good
        data of another task | gru-nlp evaluate checkpoint=run data=sample_entities
        a run folder that holds something | train run_dir=run
        resume of what is no run | mkdir b; train resume=b
        resume with a damaged config | cp -r run b; echo 'x: [' > b/config.yaml; train resume=b
        resume with the checkpoint of another run | cp -r run b; cp ner/last.ckpt b; train resume=b
        resume with weights alone | cp -r run b; cp b/best.ckpt b/last.ckpt; train resume=b trainer.max_epochs=2
        a copy of a checkpoint over itself | gru-nlp info checkpoint=run/best.ckpt output=run/best.ckpt
        """
    ),
    "Speech and teachers": faults(
        r"""
        a classifier that is to speak | speak checkpoint=run -- one
        a speaker who is not there | speak speaker=zoe -- one
        nothing to say | speak -- ''
        letters of which training has none | speak -- 42
        a picture that is no SVG | speak picture=b.png -- one
        sound that is there already | touch b.wav; speak -- one
        a folder that is not there for sound | speak output=gone/b.wav -- one
        a synthesiser that is exported | gru-nlp export checkpoint=voice output=b
        a synthesiser that is to write | gru-nlp predict checkpoint=voice -- one
        a teacher that is none | distill teacher=run
        a teacher that is not there | distill teacher=gone
        a voice among the teachers | distill teacher=[translation,voice]
        a teacher of other data | distill teacher=translation data=sample_topics
        """
    ),
    "The machine": faults(
        r"""
        standard output closed | label -- good >&-
        standard error closed | label -- good 2>&-
        the reader of a pipe has gone | yes good | head -99999 > b; label input=b | head -1 > o; (exit ${PIPESTATUS[0]})
        a full disk for answers | label input=a.csv > /dev/full
        a full disk for a checkpoint | ulimit -f 20; small
        a run folder that cannot be written | train run_dir=/proc/x
        a cache that cannot be written | HF_DATASETS_CACHE=/proc/x small 2>&1 | grep cannot
        a cached table that was cut in half | small 2> /dev/null; halve; small run_dir=next 2>&1 | grep damaged
        no memory for the model | ulimit -v 8000000; train encoder.hidden_size=30000
        a launcher's number that was left behind | RANK=x label -- good
        a launcher's number that is none | MASTER_ADDR=localhost RANK=x label -- good
        several processes for what one does | several label -- good
        a process of two that is killed | robbed
        a bound of the cache that is none | GRU_NLP_CACHE_GB=x small
        an interrupt | interrupted
        """
    ),
}

#: How a line ends where a run can go on.
KEEPS = "run keeps best.ckpt and last.ckpt: go on by resume=run"
WHILE_RUNNING = [
    Met(happens, said.replace("KEEPS", KEEPS), int(code), left, test)
    for happens, said, code, left, test in (
        [part.strip() for part in line.split(" | ")]
        for line in r"""
        a full disk for the next checkpoint | gru-nlp: ./run/best.ckpt: cannot be written: File too large; KEEPS | 2 | both checkpoints of the epoch before, whole | test_a_full_disk_for_the_next_checkpoint
        a full disk for logs | gru-nlp: run: cannot be written: File too large; KEEPS | 2 | both checkpoints of the epoch before; logs up to there | test_a_full_disk_for_logs
        a full disk for predictions | gru-nlp: run/predictions.jsonl: cannot be written: File too large; run keeps best.ckpt and last.ckpt: score it by gru-nlp evaluate checkpoint=run | 2 | both checkpoints of the end; no predictions.jsonl, no metrics.json | test_a_full_disk_for_predictions
        a full disk for a cached table | gru-nlp: ./cache/gru_nlp: a table cannot be written: File too large (set data.cache_dir=<folder>) | 2 | no table, no run folder | test_a_full_disk_for_a_cached_table
        a cache folder that cannot be written | /dev/null/cache cannot be written (Not a directory): tables go to <temporary folder> until the program ends | 0 | the run; no cache | test_a_cache_that_cannot_be_written
        a cached table of somebody else | cache cannot be written (Permission denied): tables go to <temporary folder> until the program ends | 0 | the run; the other's table as it was | test_a_cached_table_of_somebody_else
        a run folder that vanishes | gru-nlp: run: the run folder has gone, with all that was saved there: train anew | 2 | nothing | test_a_run_folder_that_vanishes
        a data file that changes between two runs | nothing | 0 | the second run, of what stands there then | test_a_data_file_that_changes_between_two_runs
        a data file that changes before a run goes on | train and validation: not the rows that the run had before: it goes on with those that stand there now | 0 | the run, trained on both | test_a_data_file_that_changes_before_a_run_goes_on
        a data file that changes while it is read | gru-nlp: ./a.csv: has changed while it was read: start again once nothing writes to it | 2 | no table, no run folder | test_a_data_file_that_changes_while_it_is_read
        a data file that changes during a run | nothing | 0 | the run, of what was read when it began | test_a_data_file_that_changes_during_a_run
        a loss that is no number | gru-nlp: a training loss is no finite number (epoch 2, step 7, batch 2): training has diverged: lower optimizer.lr, or trainer.gradient_clip_val; KEEPS | 2 | both checkpoints of the epoch before | test_a_loss_that_is_no_number
        a batch that does not fit into memory | out of memory on a batch of 8 rows of 3 steps: it is halved, as others that do not fit: a smaller batch_size, or batch_tokens, saves time | 0 | the run | test_a_batch_that_does_not_fit
        a batch whose halves do not fit either | gru-nlp: out of memory, which wants 2.00 GiB more: set a smaller batch_size, a smaller model or shorter texts; KEEPS | 2 | both checkpoints of the epoch before | test_a_batch_whose_halves_do_not_fit
        a process that loads batches dies | gru-nlp: a process that loads batches died (exited unexpectedly with exit code 3): set num_workers=0, or fewer where memory is short; KEEPS | 2 | both checkpoints of the epoch before | test_a_loader_process_that_dies
        a clock that jumps back by years | nothing | 0 | the run, in a folder of its own, its seconds right | test_a_clock_that_jumps_back
        """.strip().splitlines()  # noqa: E501
    )
]


def stage(fault: Fault, models: Path) -> tuple[str, int]:
    """Bring a situation about in a copy of ``models``; return what is shown last and the exit code."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "here")
        shutil.copytree(models, folder)
        done = bash(fault.line, folder)
    said = (done.stderr.strip() or done.stdout.strip() or "nothing").splitlines()[-1]
    shown = re.sub(r"b{50,}", "bbb...", said.replace(str(folder), "."))
    shown = re.sub(rf"{tempfile.gettempdir()}/\S+", "<temporary folder>", shown)
    return (shown if len(shown) <= MOST_SHOWN else shown[:MOST_SHOWN] + "..."), done.returncode


def bash(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a line of bash in a folder."""
    own = {**os.environ, "HF_DATASETS_CACHE": str(folder / "cache"), "OMP_NUM_THREADS": "1"}
    command = ["bash", "-c", PREAMBLE + line]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, env=own, check=False, timeout=MOST_SECONDS
    )


def cell(text: str) -> str:
    """Return a text as a cell of a table."""
    return "`" + text.replace("|", "\\|").replace("`", "'") + "`"


def main() -> None:
    """Print the table."""
    print(HEAD)
    with tempfile.TemporaryDirectory() as name:
        models = Path(name)
        bash(SETUP, models).check_returncode()
        for section, situations in FAULTS.items():
            print(f"\n## {section}\n\n| what happens | what the person sees | exit code |\n|---|---|---|")
            for fault in situations:
                said, code = stage(fault, models)
                print(f"| {fault.happens} | {cell(said)} | {code} |", flush=True)
    print(f"\n{met_table()}")


def met_table() -> str:
    """Return the table of what tests stage."""
    rows = (f"| {one.happens} | {cell(one.said)} | {one.code} | {one.left} | `{one.test}` |" for one in WHILE_RUNNING)
    return "\n".join([MET, *rows])


if __name__ == "__main__":
    main()
