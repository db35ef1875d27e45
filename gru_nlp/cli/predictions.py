"""What a model said about a scored split, as records beside the true labels."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gru_nlp.data.module import DataModule, Split
from gru_nlp.tasks.base import Task

READ_BATCH = 1000


def of_split(task: Task, data: DataModule, split: Split) -> list[dict[str, Any]]:
    """Return a record a row of ``split``, in the order of the file: text, target, label, score.

    Called after ``trainer.test``; under several processes each adds its own rows, and the first gets them all.
    """
    order, outputs = data.samplers[split].order(), torch.cat(task.outputs)  # (N,), (N, C)
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        gathered: list[Any] = [None] * torch.distributed.get_world_size()
        torch.distributed.all_gather_object(gathered, (order, outputs))
        order = np.concatenate([rows for rows, _ in gathered])
        outputs = torch.cat([values for _, values in gathered])
    in_order = outputs[torch.from_numpy(np.argsort(order))]
    raw = data.corpus.load(split)
    assert raw is not None
    records = []
    for start in range(0, len(raw), READ_BATCH):
        columns = raw[start : start + READ_BATCH]
        decoded = data.preprocessor.decode(in_order[start : start + READ_BATCH])
        for text, target, record in zip(columns["text"], columns["label"], decoded, strict=True):
            records.append({"text": text, "target": target, **record})
    return records


def write(path: Path, records: list[dict[str, Any]]) -> None:
    """Write records as JSON lines, in one rename."""
    temporary = path.with_name(path.name + ".part")
    with temporary.open("w", encoding="utf-8") as file:
        for record in records:
            file.write(json.dumps(record, ensure_ascii=False) + "\n")
    os.replace(temporary, path)
