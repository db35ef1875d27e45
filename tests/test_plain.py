from pathlib import Path

import pytest

from gru_nlp.answers import images
from gru_nlp.cli import compare
from gru_nlp.data.copies import File
from gru_nlp.data.formats import class_files
from gru_nlp.errors import UserError
from gru_nlp.speech import recordings


@pytest.mark.parametrize(
    ("listed", "option"),
    [
        (lambda folder: list(images.read_images(folder, 8, 8)), "input"),
        (lambda folder: compare.runs_below(str(folder)), "checkpoint"),
        (lambda folder: class_files(File(folder, "data.train"), None), "data.train"),
        (lambda folder: recordings.of_folder(folder, "input"), "input"),
    ],
    ids=["images", "runs", "classes", "recordings"],
)
def test_a_folder_that_cannot_be_read_is_told_in_one_line(listed, option, tmp_path, monkeypatch):
    def refuse(folder):
        raise PermissionError(13, "Permission denied", str(folder))

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(UserError, match=f"cannot be read: Permission denied .set {option}="):
        listed(tmp_path)
