"""Cached tables that cannot be written, or were damaged."""

import errno
from pathlib import Path

import datasets
import pytest

from gru_nlp.data import tables
from gru_nlp.errors import UserError

FEATURES = datasets.Features({"line": datasets.Value("int64")})


def rows():
    """Yield what a reader would."""
    yield from ({"line": number} for number in range(3000))


def doubled(columns, numbers):
    """Encode a batch."""
    return {"line": [2 * number for number in numbers]}


def made(folder):
    """Return a table and what was encoded of it."""
    raw = tables.read_once(rows, FEATURES, "0" * 32, str(folder))
    return raw["line"][:], tables.encoded_once(raw, doubled, FEATURES, "1" * 32)["line"][:]


@pytest.mark.parametrize("name", ["generator-train.arrow", "cache-*.arrow", "dataset_info.json"])
@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.999])
def test_a_table_that_was_cut_off_is_made_anew(name, share, tmp_path, capsys):
    first = made(tmp_path)
    (file,) = tmp_path.rglob(name)
    content = file.read_bytes()
    file.write_bytes(content[: int(len(content) * share)])
    assert made(tmp_path) == first == (list(range(3000)), list(range(0, 6000, 2)))
    assert "a cached table was damaged: it is made anew" in capsys.readouterr().err or name == "dataset_info.json"


def test_a_home_that_cannot_be_written_has_a_temporary_folder_instead(monkeypatch, capsys):
    monkeypatch.setenv("HF_DATASETS_CACHE", "/dev/null/cache")
    tables.folder.cache_clear()
    try:
        found = tables.folder(None)
        assert Path(found).is_dir()
        assert capsys.readouterr().err == (
            f"/dev/null/cache cannot be written (Not a directory): tables go to {found} until the program ends\n"
        )
    finally:
        tables.folder.cache_clear()


def test_a_folder_of_the_persons_own_that_cannot_be_written_is_told():
    with pytest.raises(UserError, match=r"^/dev/null/x: cannot be written: Not a directory \(set data.cache_dir="):
        tables.folder("/dev/null/x")


def test_a_full_disk_is_told(tmp_path):
    def full():
        yield {"line": 1}
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(UserError, match=f"^{tmp_path}/gru_nlp: a table cannot be written: No space left on device"):
        tables.read_once(full, FEATURES, "2" * 32, str(tmp_path))


def test_a_full_disk_leaves_nothing_half_encoded(tmp_path):
    raw = tables.read_once(rows, FEATURES, "3" * 32, str(tmp_path))

    def full(columns, numbers):
        # What the library fails to remove on a full disk.
        Path(raw.cache_files[0]["filename"]).with_name("tmpleft").write_text("x")
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(UserError, match=f"^{tmp_path}/.*: a table cannot be written: No space left on device"):
        tables.encoded_once(raw, full, FEATURES, "4" * 32)
    assert not list(tmp_path.rglob("tmp*"))
