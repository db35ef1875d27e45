"""A page is whole, small and harmless, whatever stands in its report."""

import re
import shutil
import subprocess
from html import escape
from html.parser import HTMLParser
from pathlib import Path

import pytest

from gru_nlp.reports.blocks import Chart, Listing, Page, Section
from gru_nlp.reports.charts import svg, ticks
from gru_nlp.reports.contents import page
from gru_nlp.reports.html import html
from gru_nlp.reports.markdown import markdown

LABELS = ["card arrival", "</td><script>alert(1)</script>", "a|b*c", "Überweisung \u202e"]
HUGE, TINY = [(-1e308, -1e308), (1e308, 1e308)], [(0.0, 0.0), (5e-324, 5e-324)]
VOID = {"meta", "link", "br", "!doctype"}


def interval(value):
    return {"value": value, "low": value - 0.01, "high": value + 0.01}


def report(labels=LABELS):
    bins = [{"low": 0.8, "high": 0.9, "count": 9, "confidence": 0.85, "accuracy": 0.8}]
    kept = [{"abstain_below": 0.1 * place, "coverage": 1 - 0.1 * place, "accuracy": 0.9} for place in range(9)]
    return {
        "split": "test",
        "rows": 4321,
        "scorer": "accuracy",
        "intervals": {"method": "percentile bootstrap, 1000 resamples", "drawn": "rows"},
        "scores": {"test/accuracy": interval(0.9251), "test/loss": {"value": 0.25, "low": None, "high": None}},
        "curves": {
            "train/mean_loss": [(1, 0.9), (2, float("nan")), (3, 0.4)],
            "validation/accuracy": [(1, 0.5), (3, 0.8)],
        },
        "classes": {"classes": {label: {"precision": 0.9, "f1": 0.8, "support": 31} for label in labels}},
        "confusion": {"labels": labels, "counts": [[77 if one == other else 3 for one in labels] for other in labels]},
        "calibration": {"ece": 0.01, "ece_before": 0.05, "temperature": 1.4, "curve": bins, "curve_before": bins}
        | {"coverage": kept},
        "slices": {
            "length": {part: {"rows": 9, "scores": {"test/accuracy": interval(0.7)}} for part in ("1 to 9", "10")}
        },
        "entities": {"right": 5, "boundary_and_type": 2, "confused": [{"true": "PER", "said": "LOC", "count": 2}]},
        "translations": {
            "by_length": [{"from": 41, "to": None, "sentences": 3, "bleu": 40.2, "chrf": 61.0, "length_ratio": 0.98}],
            "faults": {"loops": {"count": 2, "rows": [4, 8]}},
        },
        "surprising": [{"line": 6, "text": "qzx <b>", "tokens": 5, "bits_per_token": 11.5}],
        "worst": [
            {"text": "not great</p>", "label": "bad", "target": "good", "score": 0.991}
            | {"words": [{"start": 0, "end": 3, "weight": 2.0}, {"start": 4, "end": 9, "weight": -1.0}]},
            {"tokens": ["Amara", "Brook", "left"], "entities": [{"start": 0, "end": 2, "label": "PER", "score": 0.93}]}
            | {"true": [{"start": 2, "end": 3, "label": "LOC"}]},
            {"source": "ein Mann", "reference": "a man", "translation": "a a"}
            | {"attention": {"source": ["ein", "Mann"], "target": ["a", "a"], "weights": [[0.1, 0.9], [0.8, 0.2]]}},
        ],
        "run": {
            "title": "sentiment",
            "told": "Seed 1.",
            "command": "gru-nlp train seed=1",
            "versions": {"torch": "2.13"},
        }
        | {"config": {"optimizer": {"lr": 0.002}}},
    }


class Tags(HTMLParser):
    """Holds the tags that are open."""

    def __init__(self, text):
        super().__init__()
        self.open, self.seen = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_a_page_is_whole_and_no_text_of_the_data_is_taken_for_its_own():
    text = html(page(report()))
    tags = Tags(text)
    assert tags.open == []
    assert "script" not in tags.seen
    assert not re.search(r"(src|href)=\"(?!#|data:)", text)
    assert "\u202e" not in text
    for told in (
        "0.9251",
        "0.9151",
        "4,321 rows of the test split",
        "boundary and type",
        "41 and more",
        "qzx &lt;b&gt;",
    ):
        assert told in text
    assert re.search(r"<mark[^>]*>Amara Brook<sub>PER 0.93</sub></mark>", text)
    assert re.search(r'<mark style="--s:55%" title="\+2.000">not</mark> <mark class=against', text)
    assert "gru-nlp train seed=1" in text


def test_sections_without_figures_are_left_out():
    few = {"split": "validation", "rows": 2, "scores": {"validation/loss": interval(1.0)}}
    text = html(page(few))
    assert "since there is no test split" in text
    assert re.findall(r"<h2>(.*?)</h2>", text) == ["Scores"]
    assert markdown(page(few)).count("## ") == 1


@pytest.mark.parametrize("length", [20, 10_000])
def test_a_page_of_a_hundred_labels_stays_small(length):
    labels = [f"label number {number:03}".ljust(length, "x") for number in range(101)]
    endless = report(labels)
    endless["worst"] = [{"source": "a" * 1_000_000, "reference": "b" * 1_000_000, "translation": "c"}] * 20
    assert len(html(page(endless)).encode()) < 2_000_000


def test_markdown_says_the_same_and_keeps_its_signs():
    text = markdown(page(report()))
    assert "| accuracy | 0.9251 | 0.9151 | 0.9351 |" in text
    assert r"| a\|b\*c |" in text
    assert r"\<script\>" in text
    assert "**not** **great**\\</p\\>" in text
    fenced = markdown(Page("a", "b", [Section("c", [Listing("d", "x\n```\ny")])]))
    assert "\n````\nx\n```\ny\n````" in fenced


def test_a_chart_has_round_ticks_and_survives_what_it_cannot_draw():
    assert ticks(0.0, 1.0) == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1.0])
    assert ticks(97.0, 4003.0)[0] == 1000
    for points in ([], [(1, float("inf"))], [(3, 0.0)], [(1, 5.0), (2, 5.0)], [(1, 1e-30), (2, 1e30)], HUGE, TINY):
        drawn = svg(Chart("t", "x", "y", {"a": points}))
        assert "nan" not in drawn
        assert "inf" not in drawn


@pytest.mark.skipif(shutil.which("chromium") is None, reason="no chromium here")
@pytest.mark.parametrize("width", [390, 1400])
def test_a_browser_shows_it_without_complaint_and_without_scrolling_aside(width):
    frame = (
        f'<iframe style="width: {width}px; height: 1500px; border: 0" srcdoc="{escape(html(page(report())))}"></iframe>'
    )
    measure = """<script>onload = () => console.log('as wide as '
        + document.querySelector('iframe').contentDocument.documentElement.scrollWidth)</script>"""
    Path("page.html").write_text(f"<!doctype html>{frame}{measure}", encoding="utf-8")
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--hide-scrollbars"]
    options += ["--window-size=1500,1600", "--screenshot=page.png", "--user-data-dir=profile"]
    run = subprocess.run(
        ["chromium", *options, Path("page.html").absolute().as_uri()], capture_output=True, text=True, timeout=120
    )
    said = re.findall(r"CONSOLE.*?\"(.*?)\"", run.stderr)
    assert said == [f"as wide as {width}"]
    assert Path("page.png").read_bytes().startswith(b"\x89PNG")
