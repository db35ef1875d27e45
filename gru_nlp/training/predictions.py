"""What a model said about a scored split, as records beside the true labels."""

import json
from pathlib import Path
from typing import IO

from gru_nlp.data.module import DataModule, Split
from gru_nlp.preprocessing.rows import Record
from gru_nlp.processes.sharing import gathered
from gru_nlp.tasks.base import Task
from gru_nlp.whole import text_whole

READ_BATCH = 1000


def of_split(task: Task, data: DataModule, split: Split, top_k: int = 1) -> list[Record]:
    """Return a record a scored row of ``split``, in the order of the file: input, truth and prediction.

    Called after the trainer's ``test`` or, where rows are kept, ``validate``; under several processes each adds its own
    rows, and the first gets them all.
    """
    decoded = [record for outputs in task.outputs for record in data.preprocessor.decode(outputs, top_k)]
    order = data.samplers[split].order()[: len(decoded)].tolist()  # shorter under trainer.limit_test_batches
    numbered = list(zip(order, decoded, strict=True))
    by_row = dict(pair for part in gathered(numbered) for pair in part)
    raw = data.corpus.load(split)
    assert raw is not None
    records = []
    for start in range(0, len(raw), READ_BATCH):
        for row, truth in enumerate(data.preprocessor.truth(raw[start : start + READ_BATCH]), start):
            if row in by_row:
                records.append({**truth, **by_row[row]})
    return records


def write(file: IO[str], records: list[Record]) -> None:
    """Write records as JSON lines."""
    for record in records:
        file.write(json.dumps(record, ensure_ascii=False) + "\n")


def save(path: Path, records: list[Record]) -> None:
    """Write records as a file, whole.

    Raises:
        UserError: it cannot be written.
    """
    with text_whole(path) as file:
        write(file, records)
