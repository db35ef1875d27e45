"""Data sets from the Hugging Face hub, or from a local folder in the same layout."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import datasets
from datasets.exceptions import DatasetNotFoundError

from gru_nlp.errors import UserError, nearest

# Its retries without a network would fill the console before our one line.
logging.getLogger("huggingface_hub").setLevel(logging.ERROR)


@dataclass(frozen=True)
class HubSource:
    """A data set on the hub.

    Attributes:
        path: its id, or a local folder in the hub's layout.
        name: of its configuration; None: the default one.
        text: column of the text.
        label: column of the label; a class label gives its name.
        splits: its name of each of train, validation and test; None: it has no such split.
    """

    path: str
    name: str | None
    text: str
    label: str
    splits: Mapping[str, str | None]


def load_table(
    path: str, name: str | None, split: str, files: Sequence[str], cache_dir: str | None
) -> datasets.Dataset:
    """Load a split as it is on the hub.

    Raises:
        UserError: it cannot be reached; names the option to use local ``files``.
    """
    try:
        return datasets.load_dataset(path, name, split=split, cache_dir=cache_dir)
    except (OSError, DatasetNotFoundError, ValueError, RuntimeError) as error:
        # The hub's client has a dozen errors for a missing network; all of them mean the same to the user.
        instead = f"set data.dir=<folder with {', '.join(files)}>" if files else "set data.train=<file>"
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise UserError(f"the data set '{path}' cannot be loaded from the hub ({reason}): {instead}") from None


def load_hub(
    source: HubSource,
    split: str,
    features: datasets.Features,
    label_names: Mapping[str, str] | None,
    files: Sequence[str],
    cache_dir: str | None,
) -> datasets.Dataset | None:
    """Load a split with the columns ``text``, ``label`` and ``line``; None where the data set has none.

    Raises:
        UserError: the hub cannot be reached, or a column is missing; names the option to use local files.
    """
    name = source.splits.get(split)
    if name is None:
        return None
    table = load_table(source.path, source.name, name, files, cache_dir)
    for column, option in ((source.text, "data.hub.text"), (source.label, "data.hub.label")):
        if column not in table.column_names:
            hint = nearest(column, table.column_names)
            known = ", ".join(table.column_names)
            raise UserError(f"{source.path}: no column '{column}'; the columns are: {known} (set {option}=...){hint}")
    kind = table.features[source.label]
    names = kind.names if isinstance(kind, datasets.ClassLabel) else None

    def convert(columns: Mapping[str, list[Any]], rows: list[int]) -> dict[str, list[Any]]:
        labels = [names[value] if names else str(value) for value in columns[source.label]]
        if label_names:
            labels = [label_names.get(label, label) for label in labels]
        texts = [str(value) for value in columns[source.text]]
        return {"text": texts, "label": labels, "line": [row + 1 for row in rows]}

    return table.map(convert, batched=True, with_indices=True, remove_columns=table.column_names, features=features)
