import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"


@pytest.mark.skipif(sys.platform == "win32", reason="its cases are forked")
def test_forty_altered_checkpoints_are_answered_or_refused(trained):
    command = [sys.executable, SCRIPTS / "fuzz_checkpoints.py", f"checkpoints={trained}", "cases=40", "seed=7"]
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
