import os

import pytest
import torch

from gru_nlp import console
from gru_nlp.cli.main import main


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    """Every test stands in a folder of its own and caches there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.delenv("COLUMNS", raising=False)  # which processes of pytest's have
    console.begin()


@pytest.fixture(scope="session", autouse=True)
def _threads():
    torch.set_num_threads(1 if "PYTEST_XDIST_WORKER" in os.environ else 2)


@pytest.fixture(scope="session", autouse=True)
def _known_cache():
    """Make the folder of cached tables, which the first command to do so tells of."""
    from gru_nlp.data.tables import folder

    folder(None)


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """Return the run folder of ``gru-nlp train`` on the embedded sample, with nothing else said."""
    folder = tmp_path_factory.mktemp("trained") / "my run [1]=ä"
    assert main(["train", f"run_dir={folder}", "trainer.enable_progress_bar=false"]) == 0
    return folder
