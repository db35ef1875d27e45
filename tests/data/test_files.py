import gzip
import os
import sys
import threading
from pathlib import Path

import pytest

from gru_nlp.data.files import lines


@pytest.mark.skipif(sys.platform == "win32", reason="no such pipes there")
@pytest.mark.parametrize("packed", [bytes, gzip.compress])
def test_a_named_pipe_is_opened_once_and_read_whole(packed):
    content = packed("".join(f"{number}\n" for number in range(1, 20_001)).encode())
    os.mkfifo("pipe")
    writer = threading.Thread(target=Path("pipe").write_bytes, args=(content,), daemon=True)
    writer.start()
    assert [text for _, text in lines(Path("pipe"), "utf-8", "data.train")] == [str(n) for n in range(1, 20_001)]
