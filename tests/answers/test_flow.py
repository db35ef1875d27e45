"""Answers flow as input flows."""

import csv
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from gru_nlp.answers import pipes, reading
from gru_nlp.cli.main import main

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no such pipes there")
#: By when a test that hangs is ended.
PATIENCE_SECONDS = 120.0


def started(*arguments, stdin):
    """Start a command whose streams are pipes; it is ended where it hangs."""
    code = "import sys; from gru_nlp.cli.main import main; sys.exit(main(sys.argv[1:]))"
    process = subprocess.Popen(
        [sys.executable, "-c", code, *arguments], stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    timer = threading.Timer(PATIENCE_SECONDS, process.kill)
    timer.daemon = True
    timer.start()
    return process, timer


def ended(process, timer):
    timer.cancel()
    rest = process.communicate()[0]
    assert process.returncode == 0
    return rest


@pytest.mark.parametrize("named", [True, False], ids=["named pipe", "standard input"])
def test_what_came_in_is_answered_before_the_pipe_closes(trained, named):
    os.mkfifo("pipe")
    arguments = ["predict", f"checkpoint={trained}", *(["input=pipe"] if named else [])]
    process, timer = started(*arguments, stdin=subprocess.DEVNULL if named else subprocess.PIPE)
    with Path("pipe").open("wb") if named else process.stdin as pipe:
        for line in (b"it is great\n", b"it is awful\nhalf"):
            pipe.write(line)
            pipe.flush()
            assert json.loads(process.stdout.readline())["text"] == line.decode().splitlines()[0]
        pipe.write(b" a line")
        pipe.close()
        assert json.loads(process.stdout.readline())["text"] == "half a line"
    process.stdin = None
    assert ended(process, timer) == b""


def fed(content):
    """Write into the named pipe ``pipe`` from a thread."""
    os.mkfifo("pipe")
    threading.Thread(target=Path("pipe").write_bytes, args=(content,), daemon=True).start()


def test_a_record_of_several_lines_holds_back_no_other():
    pause, answered = pipes.Pause(), []
    os.mkfifo("pipe")
    ready = threading.Event()

    def write():
        with Path("pipe").open("wb") as pipe:
            pipe.write(b'text\none\n"two\n')
            pipe.flush()
            ready.wait(PATIENCE_SECONDS)
            pipe.write(b'three"\n')

    threading.Thread(target=write, daemon=True).start()
    found = []

    def waited():
        answered.append(list(found))
        if found:
            ready.set()

    pause.then = waited
    with reading.open_input("pipe", pause) as stream:
        for entry in reading.read(stream, reading.Input("pipe", "csv", "text", "utf-8", ",")):
            found.append(entry.text)  # noqa: PERF401 - looked at while it grows
    assert ["one"] in answered
    assert found == ["one", "two\nthree"]


def test_a_named_pipe_is_read_whole():
    fed("".join(f"{number}\n" for number in range(1, 20_001)).encode())
    with reading.open_input("pipe", pipes.Pause()) as stream:
        entries = reading.read(stream, reading.Input("pipe", "lines", "text", "utf-8", ","))
        assert [entry.text for entry in entries] == [str(number) for number in range(1, 20_001)]


def test_csv_keeps_columns_from_file_to_file(trained):
    Path("in.CSV").write_text('id;text\n1;"great; really"\n2;awful\n', encoding="utf-8")
    options = ["input=in.CSV", "delimiter=';'", "format=csv", "output=out.csv"]
    assert main(["predict", f"checkpoint={trained}", *options]) == 0
    with Path("out.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    assert [(row["id"], row["text"], row["label"]) for row in rows] == [
        ("1", "great; really", "positive"),
        ("2", "awful", "negative"),
    ]
