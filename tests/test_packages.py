"""What ``pyproject.toml`` says of the package is what the package is."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import gru_nlp

ROOT = Path(__file__).parent.parent
PACKAGE = Path(gru_nlp.__file__).parent


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def imported():
    """Return the top names that files of the package import, and one file of each."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            else:
                names = [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
            found |= {name.partition(".")[0]: path.name for name in names}
    return {name: file for name, file in found.items() if name not in {*sys.stdlib_module_names, "gru_nlp"}}


def declared():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    return {normal(re.match(r"[\w.-]+", line)[0]) for group in groups for line in group}


def test_every_imported_package_is_declared_by_name():
    owners = packages_distributions()
    missing = {
        name: file
        for name, file in imported().items()
        if not {normal(owner) for owner in owners.get(name, [name])} & declared()
    }
    assert missing == {}


def test_the_package_says_that_it_is_typed():
    assert (PACKAGE / "py.typed").is_file()
