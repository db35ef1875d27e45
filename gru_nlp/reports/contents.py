"""What a report says, in the order in which a person asks: how good, how sure, where it fails, and how to repeat it."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from gru_nlp.reports.blocks import (
    MOST_CHARACTERS,
    Block,
    Chart,
    Listing,
    Mark,
    Matrix,
    Page,
    Paragraph,
    Passage,
    Section,
    Table,
    shown,
)
from gru_nlp.text.shortening import shorten

Report = Mapping[str, Any]
#: Errors that are shown.
MOST_SHOWN = 20
#: Columns of a terminal that a label beside a matrix may take; it stands in each of its cells.
WIDEST = 40
#: Scores that stand in a table of parts.
MOST_SCORES = 4
#: Curves of scores that are drawn beside those of losses.
MOST_CURVES = 5


def page(report: Report) -> Page:
    """Return the page of a report; a section whose figures are not there is left out."""
    run = report.get("run", {})
    split = report["split"]
    told = "" if split == "test" else ", since there is no test split"
    subtitle = f"{report['rows']:,} rows of the {split} split{told}. {run.get('told', '')}".strip()
    return Page(
        str(run.get("title", "Report")),
        subtitle,
        [
            Section("Scores", _scores(report)),
            Section("Training", _training(report)),
            Section("Classes", _classes(report)),
            Section("Confusion", _confusion(report)),
            Section("How sure it is", _calibration(report.get("calibration"))),
            Section("Parts of the data", _slices(report)),
            Section("Entities", _entities(report.get("entities"))),
            Section("Translations", _translations(report.get("translations"))),
            Section("Most surprising lines", _surprising(report.get("surprising", ()))),
            Section("Worst errors", _worst(report.get("worst", ()))),
            Section("Again", _again(run)),
        ],
    )


def _name(score: str) -> str:
    """Return a score's name without its split, its words apart."""
    return score.partition("/")[2].replace("_", " ") or score


def _scores(report: Report) -> list[Block]:
    how, scores = report.get("intervals", {}), report["scores"]
    rows = [(_name(name), one["value"], one["low"], one["high"]) for name, one in scores.items()]
    blocks: list[Block] = [Table(("score", "value", "from", "to"), rows)]
    if how:
        blocks.append(Paragraph(f"From and to: 95 % of samples like this one, by {how['method']} of {how['drawn']}."))
    return [*blocks, Paragraph(f"Scored by: {report['scorer']}.")] if report.get("scorer") else blocks


def _training(report: Report) -> list[Block]:
    curves: Mapping[str, Sequence[tuple[float, float]]] = report.get("curves", {})
    losses = {name: points for name, points in curves.items() if name.endswith("loss")}
    charts = [Chart("Loss by epoch", "epoch", "loss", losses)] if any(map(len, losses.values())) else []
    others = [(name, points) for name, points in curves.items() if name not in losses and len(points)][:MOST_CURVES]
    return [*charts, *(Chart(f"{name} by epoch", "epoch", _name(name), {name: points}) for name, points in others)]


def _classes(report: Report) -> list[Block]:
    blocks: list[Block] = []
    for kind, classes in report.get("classes", {}).items():
        if not isinstance(classes, Mapping) or not all(isinstance(one, Mapping) for one in classes.values()):
            continue
        columns = list(dict.fromkeys(name for one in classes.values() for name in one))
        rows = [(label, *(one.get(name) for name in columns)) for label, one in classes.items()]
        if rows:
            place = 1 + columns.index("f1") if "f1" in columns else None
            blocks.append(Table((kind, *columns), rows, place))
    return blocks


def _confusion(report: Report) -> list[Block]:
    confusion = report.get("confusion")
    return [Matrix([shorten(label, WIDEST) for label in confusion["labels"]], confusion["counts"])] if confusion else []


def _calibration(found: Mapping[str, Any] | None) -> list[Block]:
    if not found:
        return []
    rows = [("before", found["ece_before"]), ("after", found["ece"])]
    rows = rows if found["temperature"] != 1.0 else rows[1:]
    told = f"Confidences are divided by a temperature of {shown(found['temperature'])}, fitted on validation."
    plain = "Confidences are as the model gives them: calibrate=true fits a temperature on validation."
    lines = {
        name: [(one["confidence"], one["accuracy"]) for one in found[key]]
        for name, key in (("said", "curve"), ("without temperature", "curve_before"))
        if key == "curve" or len(rows) > 1
    }
    kept = [(one["coverage"], one["accuracy"]) for one in found.get("coverage", ())]
    return [
        Table(("calibration", "expected calibration error"), rows),
        Paragraph(told if len(rows) > 1 else plain),
        Chart("Right as often as it says?", "confidence", "share that is right", lines, square=True),
        Chart("Right among the surest answers", "share that is answered", "accuracy", {"accuracy": kept}),
        Table(
            ("abstain below", "answered", "accuracy"),
            [(one["abstain_below"], one["coverage"], one["accuracy"]) for one in found.get("coverage", ())][::2],
        ),
    ]


def _slices(report: Report) -> list[Block]:
    blocks: list[Block] = []
    for name, parts in report.get("slices", {}).items():
        told = dict.fromkeys(score for part in parts.values() for score in part["scores"])
        scores = [score for score in told if name != "label" or "macro" not in score][:MOST_SCORES]
        if not scores or len(parts) < 2:
            continue
        rows = [
            (part, one["rows"], *_with_bounds(one["scores"].get(scores[0])), *_values(one["scores"], scores[1:]))
            for part, one in parts.items()
        ]
        head = (name.replace("_", " "), "rows", _name(scores[0]), "from", "to", *map(_name, scores[1:]))
        bounded = all(isinstance(row[2], float) and 0.0 <= row[2] <= 1.0 for row in rows)
        blocks.append(Table(head, rows, 2 if bounded else None))
    return blocks


def _with_bounds(score: Mapping[str, Any] | None) -> tuple[float | None, ...]:
    return (None, None, None) if score is None else (score["value"], score["low"], score["high"])


def _values(scores: Mapping[str, Mapping[str, Any]], names: Sequence[str]) -> list[float | None]:
    return [scores[name]["value"] if name in scores else None for name in names]


def _entities(found: Mapping[str, Any] | None) -> list[Block]:
    if not found:
        return []
    kinds = [(kind.replace("_", " "), count) for kind, count in found.items() if isinstance(count, int)]
    blocks: list[Block] = [Table(("entities that are", "count"), kinds)]
    pairs = [(pair["true"], pair["said"], pair["count"]) for pair in found["confused"]]
    return [*blocks, Table(("truly", "said", "count"), pairs)] if pairs else blocks


def _translations(found: Mapping[str, Any] | None) -> list[Block]:
    if not found:
        return []
    blocks: list[Block] = []
    if classes := found.get("by_length"):
        names = ("sentences", "bleu", "chrf", "length_ratio")
        rows = [
            (
                f"{one['from']} to {one['to']}" if one["to"] else f"{one['from']} and more",
                *(one[name] for name in names),
            )
            for one in classes
        ]
        blocks.append(Table(("tokens of the source", "sentences", "BLEU", "chrF", "length ratio"), rows))
    rows = [(name, one["count"], ", ".join(map(str, one["rows"]))) for name, one in found.get("faults", {}).items()]
    return [*blocks, Table(("translations that are", "count", "rows, from 0"), rows)] if rows else blocks


def _surprising(lines: Sequence[Mapping[str, Any]]) -> list[Block]:
    rows = [(one["line"] + 1, one["bits_per_token"], one["tokens"], one["text"]) for one in lines]
    return [Table(("line", "bits a token", "tokens", "text"), rows)] if rows else []


def _worst(records: Sequence[Mapping[str, Any]]) -> list[Block]:
    return [block for record in records[:MOST_SHOWN] for block in _error(record)]


def _error(record: Mapping[str, Any]) -> list[Block]:
    """Return what a record says, by the fields that it has; marks beyond what is shown are left out."""
    if "translation" in record:
        told = Table(
            ("", "text"), [(name, record[name]) for name in ("source", "reference", "translation") if name in record]
        )
        return [told, _attention(record["attention"])] if "attention" in record else [told]
    if "entities" in record:
        found = [
            Mark(one["from"], one["to"], None, f"{one['label']} {one['score']:.2f}")
            for one in _placed(record["entities"], record["tokens"])
        ]
        true = [Mark(one["from"], one["to"], None, one["label"]) for one in _placed(record["true"], record["tokens"])]
        text = " ".join(record["tokens"])
        return [_passage("said", text, found), _passage("true", text, true)]
    said = record.get("label", record.get("labels"))
    score = f" ({record['score']:.3f})" if isinstance(record.get("score"), float) else ""
    return [_passage(f"said {_told(said)}{score}, truly {_told(record['target'])}", record["text"], _words(record))]


def _told(label: Any) -> str:
    return ", ".join(map(str, label)) or "none" if isinstance(label, list) else str(label)


def _passage(caption: str, text: str, marks: Sequence[Mark]) -> Passage:
    kept = [mark for mark in marks if mark.end <= MOST_CHARACTERS]
    return Passage(caption, text[:MOST_CHARACTERS] + ("..." if len(text) > MOST_CHARACTERS else ""), kept)


def _words(record: Mapping[str, Any]) -> list[Mark]:
    words = record.get("words", [])
    most = max((abs(word["weight"]) for word in words), default=0.0) or 1.0
    return [Mark(one["start"], one["end"], one["weight"] / most, f"{one['weight']:+.3f}") for one in words]


def _placed(entities: Sequence[Mapping[str, Any]], tokens: Sequence[str]) -> list[dict[str, Any]]:
    """Return entities with their characters in the tokens' line, in order and apart."""
    starts = [0]
    for token in tokens:
        starts.append(starts[-1] + len(token) + 1)
    placed = [{**one, "from": starts[one["start"]], "to": starts[one["end"]] - 1} for one in entities]
    return sorted(placed, key=lambda one: one["from"])


def _attention(found: Mapping[str, Any]) -> Block:
    head = ("", *found["source"])
    rows = [(token, *weights) for token, weights in zip(found["target"], found["weights"], strict=True)]
    return Table(head, rows)


def _again(run: Mapping[str, Any]) -> list[Block]:
    blocks: list[Block] = [Listing("The command that repeats it:", run["command"])] if run.get("command") else []
    if run.get("versions"):
        blocks.append(Table(("", "version"), [(name, str(value)) for name, value in run["versions"].items()]))
    if run.get("config"):
        blocks.append(Listing("Config", json.dumps(run["config"], indent=2, ensure_ascii=False, default=str)))
    return blocks
