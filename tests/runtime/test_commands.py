"""Commands that are given an exported folder in the place of a checkpoint."""

import json
import subprocess
import sys

import pytest

from gru_nlp.cli.main import main
from gru_nlp.runtime import Runner

#: A command where there is no torch.
PROGRAM = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "lightning", "datasets", "pandas"):
            raise ImportError(f"{name} is not here")

sys.meta_path.insert(0, Absent())
from gru_nlp.cli.main import main

sys.exit(main(sys.argv[1:]))
"""


def test_predict_labels_by_a_folder_without_torch(exported):
    command = [sys.executable, "-c", PROGRAM, "predict", f"checkpoint={exported.path}", "format=jsonl"]
    done = subprocess.run([*command, "--", "a fine day"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {**Runner(exported.path)("a fine day"), "text": "a fine day"}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["predict", "device=cuda"], "device=cuda: an exported folder answers on the processor"),
        (["predict", "trust=[torch]"], "trust has no effect on an exported folder"),
        (["translate"], "no translator: use predict"),
        (["translate", "decoding=beam"], "its model decodes nothing: leave decoding=... out"),
        (["translate", "ensemble=[a.ckpt]"], "ensemble joins checkpoints"),
        (["translate", "backward=[a.ckpt]"], "backward joins checkpoints"),
        (["generate"], "no language model"),
    ],
)
def test_what_a_folder_does_not_do_is_told(exported, capsys, arguments, told):
    command, *options = arguments
    assert main([command, f"checkpoint={exported.path}", *options, "--", "a fine day"]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1
