"""Recordings and what is said in them: a table with a column of paths, a folder a class, or a folder of telling names.

The table of a split holds paths, not sound: a recording is read once, when it is encoded. The key under which that is
cached holds a hash of each file.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, ClassVar

import datasets

from gru_nlp.config import text_map
from gru_nlp.data.copies import File
from gru_nlp.data.corpus import Recipe
from gru_nlp.data.file_kinds import FileCorpus
from gru_nlp.data.files import content_hash
from gru_nlp.data.formats import Format, class_files, tables
from gru_nlp.data.layouts import Layout, Row
from gru_nlp.data.readers import Record, delimiter_of
from gru_nlp.data.signatures import table_of
from gru_nlp.data.values import Defect, column_names, joined, label_of, value_of, written
from gru_nlp.data.where import HeldOut
from gru_nlp.errors import UserError, choose
from gru_nlp.speech import recordings
from gru_nlp.speech.recordings import RecordingError, check_file, is_recording

#: The field of a record that has the whole path of its recording; no table has a column of that name.
WHOLE_PATH = "(whole path)"
FOLDERS, NAMES, AUTO = "folders", "names", "auto"


@dataclass(frozen=True)
class Recordings(Format):
    """How recordings are listed.

    Attributes:
        encoding: codec of a table.
        delimiter: of csv.
        kind: a format of tables, ``folders`` (a folder a class), ``names`` (``label_speaker_take.wav``) or ``auto``.
        column: of the paths, which are relative to the folder of the table.
    """

    encoding: str
    delimiter: str
    kind: str
    column: str

    def records(self, files: Sequence[File]) -> Iterator[Record]:
        """Yield the rows of a table, or label, speaker and take as far as folders and names tell them."""
        (file,) = files
        kind = self._kind(file)
        if kind in (FOLDERS, NAMES):
            told = of_folder if kind == FOLDERS else of_name
            for number, found in enumerate(self._found(file, kind), start=1):
                yield number, {self.column: found.name, **told(found), WHOLE_PATH: str(found)}
            return
        folder = Path() if file.copy else file.path.absolute().parent
        for line, row in tables(self.encoding, None, self.delimiter)[kind].records(files):
            path = self._named(row)
            yield line, type(row)({**row, WHOLE_PATH: str(folder / path)}) if path else row  # type: ignore[call-arg]

    def key(self, files: Sequence[File]) -> list[str]:
        """Return hashes of the table and of all recordings; what cannot be read has none, and is told with its line."""
        (file,) = files
        listed = "" if os.path.isdir(file.path) else file.hash()
        paths = (row.get(WHOLE_PATH) for _, row in self.records(files))
        hashes = {path: content_hash(Path(path), file.option) for path in paths if path and os.path.isfile(path)}
        return [self._kind(file), listed, *(f"{hashed} {path}" for path, hashed in hashes.items())]

    def place(self, files: Sequence[File], line: int, column: str | None) -> str:
        """Return the line of a table, or the number of a recording in a folder."""
        path = files[0].path
        return f"{path}, recording {line}" if os.path.isdir(path) else super().place(files, line, column)

    def _named(self, row: Mapping[str, Any]) -> str | None:
        """Return the path of a row; None where there is none, which the layout tells."""
        try:
            path = value_of(row, self.column, "data.recording")
        except Defect:
            return None
        return path if isinstance(path, str) and path.strip() else None

    def _kind(self, file: File) -> str:
        folder = os.path.isdir(file.path)
        if self.kind != AUTO:
            if folder != (self.kind in (FOLDERS, NAMES)):
                stands = "a folder" if folder else "no folder"
                raise UserError(f"{file.path}: {stands}, which is not data.format={self.kind} (see {file.option})")
            return self.kind
        if folder:
            named = any(not entry.is_dir() for entry in recordings.of_folder(file.path, file.option))
            return NAMES if named else FOLDERS
        kind = table_of(file.path.name)
        if kind is None:
            raise UserError(f"{file.path}: no table by its name: set data.format=csv, tsv, jsonl or parquet")
        return kind

    def _found(self, file: File, kind: str) -> list[Path]:
        """Return the recordings of a folder, in the order of their names."""
        if kind == NAMES:
            entries = recordings.of_folder(file.path, file.option)
        else:
            entries = [entry for entry in class_files(file, None) if is_recording(entry) and entry.name[0] != "."]
        found = [entry.absolute() for entry in entries]
        if not found:
            raise UserError(f"{file.path}: no recording in this folder, or in folders of it (see {file.option})")
        return found


def of_folder(path: Path) -> dict[str, str]:
    """Return what a folder a class tells of a recording."""
    label = path.parent.name
    return {"label": label, "text": label}


def of_name(path: Path) -> dict[str, str]:
    """Return what a name such as ``7_jackson_12.wav`` tells of a recording.

    Raises:
        UserError: it has fewer than three parts.
    """
    label, _, rest = path.stem.partition("_")
    speaker, _, take = rest.rpartition("_")
    if not (label and speaker and take):
        told = "no name such as label_speaker_take.wav, as all recordings of such a folder have"
        raise UserError(f"{path}: {told}: rename it, or list the recordings in a table")
    return {"label": label, "text": label, "speaker": speaker, "take": take}


def columns_with(target: str) -> datasets.Features:
    """Return the types of a table of recordings whose column ``target`` is what is said of them."""
    text = datasets.Value("string")
    named = {"name": text, target: text, "speaker": text, "line": datasets.Value("int64")}
    return datasets.Features({"recording": datasets.List(text), **named})


@dataclass(frozen=True)
class LabelledRecording(Layout):
    """A recording and its label: columns ``recording`` (paths that are read one after the other), ``name`` and so on.

    Attributes:
        column, label, text: fields of the path, of the label and of the transcript.
        speaker: field of the speaker; None: ``speaker``, if there is one.
        label_names: readable name of each label in the data, in the order of their ids; None: labels stay as they are.
    """

    noun = "recordings"
    target: ClassVar[str] = "label"
    stratify: ClassVar[str | None] = "label"
    features = columns_with("label")
    column: str
    label: str
    text: str
    speaker: str | None
    label_names: Mapping[str, str] | None

    def giving(self, columns: Sequence[str]) -> "LabelledRecording":
        """Return the layout whose table has the transcript where that is among ``columns``."""
        kind = TranscribedRecording if "text" in columns else LabelledRecording
        return kind(**{field.name: getattr(self, field.name) for field in fields(self)})

    def row(self, fields: Mapping[str, Any]) -> Row:
        """Return paths, name, label or transcript, and speaker."""
        path = fields.get(WHOLE_PATH, "")
        told = {column: value for column, value in fields.items() if column != WHOLE_PATH}
        fields = type(fields)(told)  # type: ignore[call-arg]  # of which messages may name all columns
        name = self._path(fields)
        try:
            check_file(path)
        except RecordingError as error:
            raise Defect(str(error)) from None
        wanted = "speaker" if self.speaker is None and "speaker" in fields else self.speaker
        speaker = "" if wanted is None else written(value_of(fields, wanted, "data.speaker"))
        return {"recording": [path], "name": name, self.target: self.said(fields), "speaker": speaker}

    def _path(self, fields: Mapping[str, Any]) -> str:
        path = value_of(fields, self.column, "data.recording")
        if not isinstance(path, str) or not path.strip():
            raise Defect(f"column '{self.column}' holds no path (mend it, or set data.recording=<another column>)")
        return path

    def said(self, fields: Mapping[str, Any]) -> str:
        """Return the label.

        Raises:
            Defect: there is none.
        """
        label = label_of(fields, self.label, "data.label", self.label_names or ()).strip()
        if not label:
            raise Defect("a recording without label (mend it, or set data.label=<column>)")
        return self.named(label)

    def named(self, label: str) -> str:
        """Return the name of a label."""
        return (self.label_names or {}).get(label, label)

    def label_order(self) -> Sequence[str] | None:
        """Return the names of ``label_names``."""
        return list(dict.fromkeys(self.label_names.values())) if self.label_names else None


@dataclass(frozen=True)
class TranscribedRecording(LabelledRecording):
    """A recording and what is said in it: column ``text`` in the place of ``label``."""

    target = "text"
    stratify = None
    features = columns_with("text")

    def said(self, fields: Mapping[str, Any]) -> str:
        """Return the transcript; a single label that has a name is that name."""
        text = joined(fields, (self.text,), "data.text").strip()
        if not text:
            raise Defect("a recording without transcript (mend it, or set data.text=<column>)")
        return self.named(text)


@dataclass(kw_only=True, eq=False)
class RecordingCorpus(FileCorpus):
    """Recordings with a label or a transcript each.

    Attributes:
        format: csv, tsv, jsonl, parquet, folders, names, or auto: by the file's ending, or by what the folder holds.
        delimiter: between the fields of csv.
        recording, label, text: columns of the path, the label and the transcript.
        speaker: column of the speaker; None: ``speaker``, if there is one.
        label_names: readable name of each label in the data, in the order of their ids.
        unknown_labels: as in ``LabelledRows``.
        hold_out: values of the column ``hold_out_by``, whose rows of training are the test split; None: no rows are.
    """

    delimiter: str
    recording: str
    label: str
    text: str
    speaker: str | None
    label_names: Mapping[str, str] | None
    unknown_labels: str
    hold_out: Sequence[str | int] | str | int | None
    hold_out_by: str | None

    def formats(self) -> dict[str, Format]:
        """Return tables, folders and names."""
        delimiter = delimiter_of(self.delimiter, "data.delimiter")
        (column,) = column_names([self.recording], "data.recording")
        kinds = (*tables(self.encoding), FOLDERS, NAMES, AUTO)
        return {kind: Recordings(self.encoding, delimiter, kind, column) for kind in kinds}

    def layout(self) -> LabelledRecording:
        """Return recordings with labels."""
        choose("data.unknown_labels", self.unknown_labels, ("refuse", "wrong"))
        named = {"recording": self.recording, "label": self.label, "text": self.text}
        column, label, text = (column_names([given], f"data.{name}")[0] for name, given in named.items())
        names = text_map(self.label_names, "data.label_names") if self.label_names else None
        return LabelledRecording(column, label, text, self.speaker, names)

    @property
    def takes_unknown(self) -> bool:
        """Whether rows are scored whose label training does not have."""
        return self.unknown_labels == "wrong"

    def on_hub(self, instead: str) -> None:
        """Return nothing: recordings are files."""
        return

    def recipe(self) -> Recipe:
        """Return the files, of which some rows may be held out.

        Raises:
            UserError: there is a test split of both kinds, or only half of what holds out is said.
        """
        recipe = super().recipe()
        if self.hold_out is None:
            return recipe
        if self.hold_out_by is None:
            raise UserError("data.hold_out needs the column that it is about: set data.hold_out_by=<column>")
        if self.test is not None:
            raise UserError(f"data.test={self.test} and data.hold_out both give a test split: set data.hold_out=null")
        values = column_names(self.hold_out, "data.hold_out")
        return recipe._replace(where=HeldOut(recipe.where, self.hold_out_by, values))
