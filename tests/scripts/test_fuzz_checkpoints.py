import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"


forked = pytest.mark.skipif(sys.platform != "linux", reason="cases are forked, and their peak is read in kilobytes")


@forked
def test_twenty_altered_checkpoints_are_answered_or_refused(trained):
    command = [sys.executable, SCRIPTS / "fuzz_checkpoints.py", f"checkpoints={trained}", "cases=20", "seed=7"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "failed" not in done.stdout
    assert "refused in one line" in done.stdout


def test_what_a_case_may_not_do_is_seen():
    code = (
        f"import sys; sys.path.insert(0, {str(SCRIPTS)!r}); from fuzzing import Outcome, judge\n"
        "fine = Outcome(2, 1.0, 400_000, '', 'gru-nlp: x: broken\\n', '')\n"
        "assert judge(fine) == ''\n"
        "bad = [dict(code=1), dict(code=None), dict(err='Traceback'), dict(err='gru-nlp: a\\ngru-nlp: b\\n'),\n"
        "       dict(out='\\x1b[0m'), dict(out='root:x:0'), dict(out='{\"score\": NaN}'), dict(kilobytes=2 * 10**6),\n"
        "       dict(forbidden='import fuzz_canary')]\n"
        "assert all(judge(fine._replace(**one)) for one in bad)\n"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@forked
@pytest.mark.parametrize(
    ("code", "seen"),
    [
        ("os.system('true')", "did os.system"),
        ("os.execv('/bin/true', ['true'])", "did os.exec"),
        ("__import__('subprocess').run(['true'])", "did subprocess.Popen"),
        ("__import__('socket').socket().connect(('127.0.0.1', 9))", "did socket.connect"),
        ("__import__('fuzz_canary')", "did import"),
        ("__import__('importlib').import_module('fuzz_canary_module.Thing')", "did import"),
        ("open('fuzz_canary.pkl')", "did open"),
        ("os.mkdir('fuzz_canary')", "did os.mkdir"),
        ("[os.fork() or os._exit(0) for _ in range(20)]", "did os.fork"),
        ("print('\\x1b[2J')", "an escape sequence"),
        ("1 / 0", "a traceback"),
        ("os.abort()", "exit code -6"),
    ],
)
def test_a_command_that_does_what_it_may_not_is_stopped_and_told(code, seen):
    script = (
        f"import os, sys; sys.path.insert(0, {str(SCRIPTS)!r}); import gru_nlp.cli.main as shell\n"
        "from fuzzing import judge, run_case\n"
        "shell.main = lambda arguments: exec(arguments[0]) or 0\n"
        "assert judge(run_case(lambda: (['0'], ''))[2]) == ''\n"
        f"print(judge(run_case(lambda: ([{code!r}], ''))[2]))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert seen in done.stdout, done.stdout + done.stderr
