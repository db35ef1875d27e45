"""By what the best epoch is chosen, above all where the monitored score cannot tell epochs apart."""

import csv
import math
from itertools import product
from pathlib import Path

import pytest

import gru_nlp
from gru_nlp.checkpoint import load
from gru_nlp.cli.main import main
from gru_nlp.errors import UserError
from gru_nlp.tasks.choosing import Choice, StandIn, choose_by

LOSS = StandIn("validation/loss", 2.5)


@pytest.mark.parametrize(
    ("score", "mode", "floor", "stand_in", "wanted"),
    [
        (0.3, "max", 0.0, LOSS, Choice(0.3, "s")),
        (0.0, "max", 0.0, LOSS, Choice(-2.5, "validation/loss")),
        (-0.1, "max", 0.0, LOSS, Choice(-2.5, "validation/loss")),
        (0.5, "max", 0.5, LOSS, Choice(-2.5, "validation/loss")),
        (9.0, "max", math.inf, LOSS, Choice(-2.5, "validation/loss")),
        (0.0, "max", 0.0, None, Choice(0.0, "s")),
        (0.0, "min", 0.0, LOSS, Choice(0.0, "s")),
        (0.9, "min", 1.0, LOSS, Choice(0.9, "s")),
        (1.0, "min", 1.0, LOSS, Choice(3.5, "validation/loss")),
        (1.2, "min", 1.0, LOSS, Choice(3.5, "validation/loss")),
        (1.2, "min", 1.0, None, Choice(1.2, "s")),
    ],
)
def test_a_score_on_its_floor_gives_way(score, mode, floor, stand_in, wanted):
    assert choose_by({"s": score, "t": 1.0}, "s", mode, floor, stand_in) == wanted


def test_a_score_that_there_is_not_is_told_with_the_nearest():
    with pytest.raises(UserError, match="task.monitor=validation/blue is not known: choose from validation/bleu"):
        choose_by({"validation/bleu": 1.0}, "validation/blue", "max")


ADJECTIVES, NOUNS = "ABCDEFGH", "stuvwxyz"
TWO_WORDS = (("rote", "alte", "große", "neue", "nasse", "liebe", "heiße", "scheue"),
             ("Hunde", "Katzen", "Kühe", "Eulen", "Füchse", "Hühner", "Ferkel", "Mäuse"), "{} {}", "{} {}")  # fmt: skip
CHINESE = ("红旧大新湿悲热羞", "狗猫牛鸮狐鸡猪蝠", "有{}色{}在", "{}{}")
SMALL = ("task=translation", "decoder=parallel", "data=parallel", "preprocessing.joint=false", "batch_size=8",
         "encoder.hidden_size=24", "decoder.hidden_size=24", "embedding.size=16", "model.dropout=0",
         "schedule=constant", "optimizer.lr=0.01", "device=cpu", "threads=1", "logger=csv", "patience=99")  # fmt: skip


@pytest.mark.parametrize(
    ("writing", "monitored", "options"),
    [
        (TWO_WORDS, "validation/chrf", ("tokenizer=word",)),
        (CHINESE, "validation/bleu", ("tokenizer=character", "seed=2")),
    ],
    ids=["two words", "Chinese"],
)
def test_the_epoch_with_most_exact_matches_is_kept(writing, monitored, options, capsys):
    adjectives, nouns, pattern, source = writing
    pairs = [(source.format(a, n), pattern.format(adjectives[i], nouns[j]))
             for (i, a), (j, n) in product(enumerate(ADJECTIVES), enumerate(NOUNS))]  # fmt: skip
    held = pairs[::5]
    for split, rows in (("train", [pair for pair in pairs if pair not in held] * 3), ("validation", held)):
        for side, place in (("source", 0), ("target", 1)):
            Path(f"{split}.{side}").write_text("".join(f"{row[place]}\n" for row in rows), encoding="utf-8")
    files = (
        f"data.{split}_{side}={split}.{side}" for split in ("train", "validation") for side in ("source", "target")
    )
    assert main(["train", *SMALL, *options, *files, "trainer.max_epochs=8", "run_dir=run"]) == 0
    told = capsys.readouterr().err
    assert ("validation/bleu cannot tell epochs apart so far: validation/chrf stands in" in told) == (
        monitored != "validation/bleu"
    )
    (log,) = Path("run/logs").glob("*/metrics.csv")
    with log.open() as file:
        rows = [row for row in csv.DictReader(file) if row["validation/bleu"]]
    matches = [float(row["validation/exact_match"]) for row in rows]
    kept = load("run").scores
    assert kept["validation/exact_match"] == pytest.approx(max(matches))
    assert max(matches) > max(0.2, matches[0])
    assert {float(row["validation/bleu"]) for row in rows} == {0.0} or monitored == "validation/bleu"
    assert f"tok:{'13a' if monitored == 'validation/chrf' else 'zh'}|" in load("run").scorer
    assert gru_nlp.evaluate("run")["validation/bleu"] >= 0.0
