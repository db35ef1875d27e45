"""The table of faults beside the script that prints it."""

import importlib.util
import re
import sys
from pathlib import Path

SCRIPTS = Path(__file__).parents[2] / "scripts"


def test_the_table_has_each_situation_of_the_script_and_of_the_tests_and_no_bug(monkeypatch):
    spec = importlib.util.spec_from_file_location("faults", SCRIPTS / "faults.py")
    faults = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "faults", faults)
    spec.loader.exec_module(faults)
    table = (SCRIPTS / "FAULTS.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (?!what happens)(.*?) \| `(.*)` \| (\d+) \|$", table, re.MULTILINE)
    assert [happens for happens, _, _ in rows] == [fault.happens for many in faults.FAULTS.values() for fault in many]
    assert table.startswith(faults.HEAD)
    assert table.endswith(faults.met_table() + "\n")
    tests = (SCRIPTS.parent / "tests" / "training" / "test_faults.py").read_text(encoding="utf-8")
    assert re.findall(r"^def (test_\w+)", tests, re.MULTILINE) == [one.test for one in faults.WHILE_RUNNING]
    assert {code for _, _, code in rows} == {"0", "1", "2", "130"}
    assert not [said for _, said, _ in rows if "Traceback" in said or "Error:" in said]
