"""Files that appear only once they are complete."""

from contextlib import contextmanager

import pytest
import torch

from gru_nlp import checkpoint, whole
from gru_nlp.archive import locate
from gru_nlp.errors import UserError
from gru_nlp.training.lightning_parts import WholeFiles


@pytest.fixture
def limit():
    """Limit the size of every file inside a ``with`` statement.

    The limit ends within the test: pytest reports a test before it tears its fixtures down,
    and the file that takes pytest's own output may be longer than the limit.
    """
    resource = pytest.importorskip("resource", reason="Windows has no such limit")

    @contextmanager
    def limited(size):
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    return limited


def test_an_error_leaves_the_file_as_it_was_and_nothing_beside_it(tmp_path):
    place = tmp_path / "a"
    whole.write_whole(place, "old")
    with pytest.raises(TypeError), whole.text_whole(place) as file:
        file.writelines(["new", 1])
    assert place.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["a"]


def test_a_long_name_has_a_file_beside_it(tmp_path):
    place = tmp_path / ("张" * 85)  # 255 bytes, the most that a name may have
    whole.write_whole(place, "x")
    assert place.read_text() == "x"


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "there")
    whole.write_whole(tmp_path / "link", "x")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "there").read_text() == "x"


def test_what_a_killed_process_left_is_cleared(tmp_path):
    whole.beside(tmp_path / "last.ckpt").write_text("half")
    (tmp_path / "last.ckpt").write_text("whole")
    whole.clear(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["last.ckpt"]


def test_a_full_disk_leaves_the_good_checkpoint(tmp_path, limit):
    place = tmp_path / "last.ckpt"
    WholeFiles().save_checkpoint({"weights": torch.ones(3)}, place)
    good = place.read_bytes()
    refusal = pytest.raises(UserError, match=f"^{place}: cannot be written: File too large$")
    with refusal, limit(10_000):
        WholeFiles().save_checkpoint({"weights": torch.ones(100_000)}, place)
    assert place.read_bytes() == good
    assert [file.name for file in tmp_path.iterdir()] == ["last.ckpt"]


def test_scores_that_cannot_be_added_leave_the_checkpoint(trained, tmp_path, limit):
    place = tmp_path / "best.ckpt"
    place.write_bytes(locate(trained).read_bytes())
    good = place.read_bytes()
    with pytest.raises(UserError, match="File too large"), limit(10_000):
        checkpoint.add_scores(place, {"test/accuracy": 1.0})
    assert place.read_bytes() == good
