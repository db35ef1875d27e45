import gzip

import numpy as np
import pytest

from gru_nlp.errors import UserError
from gru_nlp.text.vectors import WordVectors

GLOVE = "the 1 2 3\n. . . 4 5 6\nfilm -1 0.5 1e-3\nthe 9 9 9\n"


@pytest.mark.parametrize("header", ["", "4 3\n", "\ufeff", "\ufeff4 3\n"])
@pytest.mark.parametrize("zipped", [False, True])
def test_glove_and_word2vec_are_read_plain_and_gzip(tmp_path, header, zipped):
    content = (header + GLOVE).encode()
    (tmp_path / "v").write_bytes(gzip.compress(content, mtime=0) if zipped else content)
    vectors = WordVectors.read(tmp_path / "v")
    assert vectors.words == ["the", ". . .", "film"]  # a word may hold blanks; the first of a pair counts
    assert vectors.size == 3
    np.testing.assert_allclose(vectors.matrix[0], [1, 2, 3])


def test_rows_follow_the_vocabulary_and_fall_back_to_lower_case(tmp_path):
    (tmp_path / "v").write_text(GLOVE)
    rows, found = WordVectors.read(tmp_path / "v").rows(["<pad>", "Film", "the", "unseen"])
    assert found.tolist() == [False, True, True, False]
    np.testing.assert_allclose(rows[1], [-1, 0.5, 1e-3])
    assert not rows[[0, 3]].any()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "holds no vectors"),
        ("a 1 2\nb 1\n", ":2: 1 numbers where 2 are expected"),
        ("a 1 2\nb 1 x\n", ":2: a vector holds something that is not a number"),
        ("a 1 2\nb 1 nan\n", "not a finite number"),
        ("a\n", ":1: 0 numbers where 1 are expected"),
        (gzip.compress(GLOVE.encode(), mtime=0)[:25], "cut off or broken"),
    ],
)
def test_a_broken_file_is_named_with_its_line(tmp_path, content, told):
    (tmp_path / "v").write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(UserError) as caught:
        WordVectors.read(tmp_path / "v")
    assert told in str(caught.value)
    assert str(caught.value).startswith(str(tmp_path / "v"))
