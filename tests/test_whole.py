"""Files that appear only once they are complete."""

import pytest
import torch

from gru_nlp import checkpoint, whole
from gru_nlp.errors import UserError
from gru_nlp.training.lightning_parts import WholeFiles


@pytest.fixture
def limit():
    """Set the greatest size of a file, and take the limit away at the end."""
    resource = pytest.importorskip("resource", reason="Windows has no such limit")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


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
    limit(10_000)
    with pytest.raises(UserError, match=f"^{place}: cannot be written: File too large$"):
        WholeFiles().save_checkpoint({"weights": torch.ones(100_000)}, place)
    assert place.read_bytes() == good
    assert [file.name for file in tmp_path.iterdir()] == ["last.ckpt"]


def test_scores_that_cannot_be_added_leave_the_checkpoint(trained, tmp_path, limit):
    place = tmp_path / "best.ckpt"
    place.write_bytes(checkpoint.locate(trained).read_bytes())
    good = place.read_bytes()
    limit(10_000)
    with pytest.raises(UserError, match="File too large"):
        checkpoint.add_scores(place, {"test/accuracy": 1.0})
    assert place.read_bytes() == good
