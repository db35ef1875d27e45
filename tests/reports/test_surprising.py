import numpy as np
import pytest

from gru_nlp.reports.surprising import surprising


def test_lines_are_ranked_by_their_tokens():
    texts = ["usual", "odd", "short", "x" * 999]
    rows = surprising(texts, np.array([4.0, 9.0, 90.0, 8.0]) * np.log(2.0), np.array([4, 4, 3, 8]))
    assert [row["line"] for row in rows] == [1, 0, 3]
    assert [row["bits_per_token"] for row in rows] == pytest.approx([2.25, 1.0, 1.0])
    assert len(rows[2]["text"]) <= 300
    assert len(surprising(["a"] * 50, np.ones(50), np.full(50, 9))) == 20
    assert surprising([], np.zeros(0), np.zeros(0)) == []
