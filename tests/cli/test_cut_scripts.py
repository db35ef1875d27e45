"""Entities of languages without blanks, from training files to the offsets in raw text."""

import io
import json
import random
import re
import sys
from pathlib import Path

import pytest

from gru_nlp.cli.main import main
from gru_nlp.predictor import Predictor

CHINESE = [
    "P在L工作。",
    "P住在L。",
    "我们在L见到了P。",
    "iPhone在L发布。",
    "2024年P来到L！",
    "他不在家。",
    "P和P去了L。",
]
CHINESE_NAMES = {"P": "张伟 王芳 李娜 刘洋 陈静 杨磊 赵敏 黄强", "L": "北京 上海 广州 南京 武汉 哈尔滨 乌鲁木齐"}
THAI = ["Pทำงานที่L", "Pอยู่ที่L", "Pไปที่L", "ฝนตกที่L", "วันนี้Pกลับบ้าน"]
THAI_NAMES = {"P": "สมชาย วิชัย มานี สุดา ประยุทธ์ ปิติ", "L": "กรุงเทพ เชียงใหม่ ภูเก็ต ขอนแก่น ระยอง"}


def sentences(templates, names, count):
    """Yield texts, and the spans of their entities."""
    source = random.Random(1)
    for _ in range(count):
        text, spans = "", []
        for letter in source.choice(templates):
            name = source.choice(names[letter].split()) if letter in names else letter
            if letter in names:
                spans.append([len(text), len(text) + len(name), {"P": "PER", "L": "LOC"}[letter]])
            text += name
        yield text, spans


def jsonl(path, rows):
    Path(path).write_text("".join(json.dumps({"text": text, "spans": spans}) + "\n" for text, spans in rows))


def conll(path, rows, word):
    """Write a line a ``word``, a regular expression."""
    lines = []
    for text, spans in rows:
        for found in re.finditer(word, text):
            inside = [(start, label) for start, end, label in spans if start <= found.start() < end]
            tags = [f"{'B' if start == found.start() else 'I'}-{label}" for start, label in inside]
            lines.append(f"{found.group()} {(tags or ['O'])[0]}\n")
        lines.append("\n")
    Path(path).write_text("".join(lines))


def train(data, path, folder, *options):
    own = ["task=ner", f"data={data}", f"data.train={path}", f"run_dir={folder}", "trainer.enable_progress_bar=false"]
    assert main(["train", *own, "trainer.max_epochs=5", "optimizer.lr=0.01", "batch_size=16", *options]) == 0


def found(predictor, text):
    return [(e["label"], e["text"], e["start"], e["end"]) for e in predictor(text)["entities"]]


def test_chinese_letters_of_conll_are_found_in_raw_text(capsys, monkeypatch):
    rows = list(sentences(CHINESE, CHINESE_NAMES, 400))
    conll("a.conll", rows, "[A-Za-z]+|[0-9]+|.")
    train("conll", "a.conll", "run")
    assert "several letters" not in capsys.readouterr().err
    assert json.loads(Path("run/metrics.json").read_text())["validation/f1"] == 1.0
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("张伟在北京工作。\n".encode())))
    assert main(["predict", "checkpoint=run"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert [(e["label"], e["start"], e["end"]) for e in record["entities"]] == [("PER", 0, 2), ("LOC", 3, 5)]
    text = "iPhone在北京发布。2024年王芳来到上海！李娜住在哈尔滨。"
    names = [("LOC", "北京"), ("PER", "王芳"), ("LOC", "上海"), ("PER", "李娜"), ("LOC", "哈尔滨")]
    expected = [(label, name, text.index(name), text.index(name) + len(name)) for label, name in names]
    assert found(Predictor.from_checkpoint("run"), text) == expected


@pytest.mark.parametrize("kind", ["spans", "characters"])
def test_thai_letters_and_marks_are_found_in_raw_text(kind, capsys):
    rows = list(sentences(THAI, THAI_NAMES, 400))
    if kind == "spans":
        jsonl("a.txt", rows)
    else:
        conll("a.txt", rows, ".")
    train("tagged_jsonl" if kind == "spans" else "conll", "a.txt", "run")
    assert "cuts a word" not in capsys.readouterr().err
    expected = [("PER", "สมชาย", 0, 5), ("LOC", "กรุงเทพ", 13, 20)]
    assert found(Predictor.from_checkpoint("run"), "สมชายทำงานที่กรุงเทพ") == expected


def test_a_corpus_of_whole_words_is_told_and_words_are_answered(capsys):
    rows = list(sentences(CHINESE, CHINESE_NAMES, 200))
    conll(
        "a.conll", rows, f"{'|'.join(' '.join(CHINESE_NAMES.values()).split())}|工作|住在|我们|发布|[A-Za-z]+|[0-9]+|."
    )
    train("conll", "a.conll", "run")
    told = [line for line in capsys.readouterr().err.splitlines() if "several letters" in line]
    assert len(told) == 1
    predictor = Predictor.from_checkpoint("run")
    expected = [("PER", "张伟", 0, 2), ("LOC", "北京", 5, 7)]
    assert found(predictor, "张伟 在 北京 工作 。") == expected
    assert [e["text"] for e in predictor([["张伟", "在", "北京", "工作", "。"]])[0]["entities"]] == ["张伟", "北京"]
