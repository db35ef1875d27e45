"""What processes of one run share, and how all of them end; real ones, without Lightning."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

from gru_nlp.processes import ending, sharing
from gru_nlp.processes.company import OURS, Failure, Place

#: Begins as the first of some, starts the others, and does what it is told to; how long it waits is cut.
SCRIPT = """
import json, os, signal, sys, time
from pathlib import Path
from gru_nlp.errors import UserError
from gru_nlp.processes import ending, meeting, sharing
from gru_nlp.processes.company import Place, rank, size

ending.GRACE = ending.BEAT = 0.2
number, port = map(int, sys.argv[1:])
place = ending.environment_place() or Place(0, number, 0, number, "127.0.0.1", port, False)
if "MASTER_ADDR" not in os.environ:
    meeting.start([sys.executable, *sys.argv], place)
try:
    with meeting.together():
        meeting.meet(place)
        if number == 2 and rank() == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        made = sharing.shared_values(lambda: {"rank": rank(), "share": 0.1, "list": [1, None]})
        dealt = sharing.in_turn(list(range(rank(), 7, size())))
        home = Path(f"machine-{rank() % 2}")
        copy = sharing.local_files(home, "a", "b")
        seen = [made, dealt, sharing.shared(lambda: b"").hex(), (copy / "b").read_text(), copy == home]
        for found in sharing.gathered(seen):
            rank() == 0 and print(json.dumps(found), flush=True)
        if rank() == 1:
            time.sleep(60)
        if rank() == 2:
            raise UserError("b.csv: no such file")
except UserError as error:
    line = ending.line_of(2, str(error))
    if line:
        print(line, file=sys.stderr, flush=True)
    sys.exit(ending.left(ending.code_of(2)))
"""


def several(number):
    """Run the script in some processes; return the first one's code, what all said, and what they complained of."""
    Path("script.py").write_text(SCRIPT)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    found = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "script.py", str(number), str(port)]
    done = subprocess.run(command, capture_output=True, text=True, env=found, timeout=100)
    return done.returncode, done.stdout.splitlines(), done.stderr


def test_all_have_what_the_first_one_made_and_end_with_one_that_fails():
    """Both one that waits for it where all meet, and one that is busy elsewhere."""
    for number, text in enumerate(("new", "old")):
        home = Path(f"machine-{number}")
        home.mkdir()
        (home / "a").write_text("same")
        (home / "b").write_text(text)
    code, lines, complaints = several(3)
    assert (code, complaints) == (2, "b.csv: no such file\n")
    found = [json.loads(line) for line in lines]
    made = {"rank": 0, "share": 0.1, "list": [1, None]}
    assert [each[:4] for each in found] == [[made, list(range(7)), "", "new"]] * 3
    assert [each[4] for each in found] == [True, False, True]


def test_what_ended_a_process_is_told():
    assert several(2) == (2, [], "process 1 of 2 was ended by SIGKILL\n")


def test_what_is_dealt_is_gathered_in_order():
    assert sharing.undealt([[0, 3, 6], [1, 4], [2, 5]]) == list(range(7))
    assert sharing.undealt([[None], []]) == [None]
    assert sharing.in_turn([3, 1]) == [3, 1]


def test_alone_nothing_is_sent(tmp_path):
    assert sharing.shared_values(lambda: (1, 2)) == (1, 2)
    assert sharing.local_files(tmp_path, "a") == tmp_path
    assert ending.line_of(2, "told") == "told"
    assert ending.code_of(2) == 2
    assert ending.lost(RuntimeError("gloo/transport: Connection closed by peer")) is None


def test_another_machine_tells_of_it_too(monkeypatch):
    monkeypatch.setattr(OURS, "failure", Failure(1, "no such file", 0))
    for rank, told in ((2, "on machine 0 of this run: no such file"), (3, None), (1, None)):
        monkeypatch.setattr(OURS, "place", Place(rank, 4, rank % 2, 2, "10.0.0.1", 1, False))
        assert ending.foreign_line() == told


def test_of_those_that_have_not_met_the_first_of_a_machine_tells(monkeypatch):
    for number, told in (("0", "told"), ("1", None)):
        monkeypatch.setenv("SLURM_LOCALID", number)
        assert ending.line_of(2, "told") == told
