"""What is offered to be typed once a model is trained."""

import shlex
import subprocess
from pathlib import Path
from types import SimpleNamespace

import datasets
import pytest

from gru_nlp.cli.train import report
from gru_nlp.data.kinds import SampleCorpus
from gru_nlp.preprocessing.classification import ClassificationPreprocessor
from gru_nlp.preprocessing.frames import FramePreprocessor
from gru_nlp.preprocessing.tagging import TaggingPreprocessor
from gru_nlp.text.cuts import DEFAULT
from gru_nlp.training.next_step import command


def parts(rows, kind=ClassificationPreprocessor, split="test", example=None):
    preprocessor = kind.__new__(kind)
    table = datasets.Dataset.from_dict({kind.input_column: rows})
    corpus = SimpleNamespace(example=example, load={split: table}.get)
    data = SimpleNamespace(corpus=corpus, encoded={split: rows})
    return SimpleNamespace(task=SimpleNamespace(command="predict"), preprocessor=preprocessor, data=data)


def offered(*given, **named):
    return command(parts(*given, **named), Path("run"))


@pytest.mark.parametrize(
    ("rows", "end"),
    [
        (["La cuisine était délicieuse"], "-- 'La cuisine était délicieuse'"),
        (["x" * 90, "kurz"], "-- kurz"),
        (["wort " * 40], "-- 'wort wort wort wort wort wort wort wort wort wort wort ...'"),
        (["这部电影很好看" * 9], "-- '" + "这部电影很好看" * 4 + "...'"),
        (
            ["zwei\nZeilen", "\x1b[31mrot", "a\u202eb", "C:\\x", "wow!", " ", "...", "it's $HOME"],
            """-- 'it'"'"'s $HOME'""",
        ),
        (["zwei\nZeilen", "\u200b", ""], "input=<file>"),
    ],
)
def test_it_quotes_a_short_text_of_the_data(rows, end):
    line = offered(rows)
    assert line == f"gru-nlp predict checkpoint=run {end}"
    assert line.isprintable()


def test_a_shell_takes_the_text_as_it_is():
    text = """$(echo no) `id` "two" it's ~ * ; & | # {a,b} <x>"""
    printed = subprocess.run(["bash", "-c", f"printf %s {shlex.quote(text)}"], capture_output=True, check=True)
    assert printed.stdout.decode() == text
    assert shlex.split(offered([text]))[-1] == text


def test_a_sample_has_an_example_of_its_own_and_validation_stands_in_for_a_missing_test_split():
    example = SampleCorpus(name="sentiment").example
    assert offered(["other"], example=example).endswith("checkpoint=run -- a great cast, but far too slow")
    assert offered(["other"], split="validation").endswith("-- other")


def test_images_are_given_as_files():
    assert offered([[0, 255]], kind=FramePreprocessor).endswith(" input=<image or folder of images>")


def test_words_are_joined_as_raw_text_is_cut():
    made = parts([["张", "伟", "在"]], kind=TaggingPreprocessor)
    made.preprocessor._cut(DEFAULT)
    assert command(made, Path("run")).endswith("-- '张伟在'")
    made = parts([["Osham", "lost", "jobs", "."]], kind=TaggingPreprocessor)
    made.preprocessor._cut({})
    assert command(made, Path("run")).endswith("-- 'Osham lost jobs .'")


def test_a_blank_stands_between_the_longest_name_and_its_score(capsys):
    scores = {"test/exact_match_of_all": 0.0, "test/f1": 1.0, "validation/of_a_name_that_is_not_shown": 0.5}
    report(SimpleNamespace(scores=scores, predictions=[], parts=parts(["ja"]), folder=Path("run")))
    assert capsys.readouterr().out.splitlines()[:2] == [
        "test/exact_match_of_all  0.0000",
        "test/f1                  1.0000",
    ]
