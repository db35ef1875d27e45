"""Recordings with one label each, such as spoken words."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from gru_nlp.batch import AnyArray, SequenceBatch
from gru_nlp.errors import UserError, choose
from gru_nlp.outputs import Classification
from gru_nlp.preprocessing.probabilities import decode_labels
from gru_nlp.preprocessing.rows import (
    FIT_BATCH,
    UNKNOWN,
    Columns,
    Hints,
    LabelColumns,
    Record,
    Rows,
    broken_state,
    distinct,
    target_ids,
)
from gru_nlp.preprocessing.speech import SpeechPreprocessor
from gru_nlp.speech.augment import Augmentation
from gru_nlp.speech.mel import Floats, check, floored, normalised, trimmed

#: More than any recording has from its loudest to its quietest.
MOST_DECIBELS = 200


class SpokenWordPreprocessor(SpeechPreprocessor):
    """Frames of recordings and label names.

    Args:
        normalisation: of the frames of a recording, ``bands`` or ``level`` (see ``speech.mel.normalised``).
        top_db: most decibels by which a band is quieter than the loudest (``speech.mel.floored``); None: any.
        trim_db: decibels below the loudest at which both ends are cut off (``speech.mel.trimmed``); None: they stay.
        sample_rate, mels, window_ms, hop_ms, max_seconds, augmentation: as in ``SpeechPreprocessor``.
    """

    answer = "gru_nlp.answers.recordings.RecordingAnswer"
    errors = "gru_nlp.reports.worst.RecordingErrors"
    one_label = True
    data_columns = ("recording", "label")
    scalar_columns = ("tokens", "target")
    label_columns: LabelColumns = LabelColumns("label", "target")
    blank: ClassVar[Record] = {"label": None, "score": None}

    def __init__(
        self,
        *,
        sample_rate: int,
        mels: int,
        window_ms: float,
        hop_ms: float,
        max_seconds: float,
        augmentation: Augmentation,
        normalisation: str,
        top_db: float | None = None,  # as models have both that an older version trained
        trim_db: float | None = None,
    ) -> None:
        super().__init__(
            sample_rate=sample_rate,
            mels=mels,
            window_ms=window_ms,
            hop_ms=hop_ms,
            max_seconds=max_seconds,
            augmentation=augmentation,
        )
        self.normalisation = choose("preprocessing.normalisation", normalisation, ("bands", "level"))
        for name, decibels in (("top_db", top_db), ("trim_db", trim_db)):
            if decibels is not None:
                check(name, decibels, 1, MOST_DECIBELS)
        self.top_db, self.trim_db = top_db, trim_db
        self.labels: Sequence[str] = ()

    def shaped(self, frames: Floats) -> Floats:
        """Return frames as the model reads them of log-mel frames ``(T, M)``."""
        if self.trim_db is not None:
            frames = trimmed(frames, self.trim_db)
        if self.top_db is not None:
            frames = floored(frames, self.top_db)
        return normalised(frames, self.normalisation)

    def options(self) -> dict[str, Any]:
        """Return how frames are made."""
        return {
            **super().options(),
            "normalisation": self.normalisation,
            "top_db": self.top_db,
            "trim_db": self.trim_db,
        }

    def fit(self, rows: Rows, hints: Hints) -> None:
        """Learn the labels from the column ``label``."""
        found = Counter(label for batch in rows.iter(FIT_BATCH) for label in batch["label"])
        if len(found) < 2:
            raise UserError("the training recordings have one label only: give at least two (see data.label=...)")
        self.labels = [label for label in hints.label_order or sorted(found) if label in found]

    def encode(self, columns: Columns) -> dict[str, list[Any]]:
        """``recording`` -> ``frames`` and ``tokens``, ``label`` -> ``target``."""
        result = self.encode_recordings(columns)
        if "label" in columns:
            places = {label: place for place, label in enumerate(self.labels)}
            result["target"] = [places.get(label, UNKNOWN) for label in columns["label"]]
        return result

    def collate(self, columns: Columns, training: bool) -> SequenceBatch[AnyArray]:
        """Return frames ``(B, T, M)``."""
        return SequenceBatch(*self.collate_frames(columns, training), target_ids(columns))

    def decode(self, outputs: Classification[AnyArray], top_k: int = 1) -> list[Record]:
        """Probabilities ``(B, C)`` -> ``label`` and ``score``, and with ``top_k`` above 1 ``top``: the best pairs."""
        return decode_labels(outputs, list(self.labels), top_k)

    def truth(self, columns: Columns) -> list[Record]:
        """Return the recording's name and the true label."""
        pairs = zip(columns["name"], columns["label"], strict=True)
        return [{"recording": name, "target": label} for name, label in pairs]

    def describe(self, record: Record) -> str:
        """Return label, score, true label and the recording's name."""
        return f"{record['label']} {record['score']:.2f}  (is {record['target']}): {record['recording']}"

    def sizes(self) -> dict[str, Any]:
        """Return the frames' size and the labels' number."""
        return {"frame_size": self.log_mel.mels, "num_labels": len(self.labels)}

    def label_names(self) -> list[str]:
        """Return the labels in the order of their ids."""
        return list(self.labels)

    def state_dict(self) -> dict[str, Any]:
        """Return the labels."""
        return {"labels": list(self.labels)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take back what ``state_dict`` gave.

        Raises:
            UserError: it is not as ``state_dict`` gives it.
        """
        self.labels = distinct(state, "labels")
        if len(self.labels) < 2:
            raise broken_state("labels")
