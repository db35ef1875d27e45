"""Simulate how often intervals hold the true score, and how often tests tell equal models apart.

Usage: python scripts/simulate_intervals.py [runs=1000] [rows=300]

Two models that are wrong equally often answer the same rows: labels, entities and sentences. Intervals should hold the
true score, that of very many rows, 95 times of 100, and tests at 5 % find a difference 5 times of 100. Last stands the
paired bootstrap of sacreBLEU (``--paired-bs``) on the same sentences.
"""

import sys
from collections import defaultdict
from collections.abc import Callable

import numpy as np
import torch
from sacrebleu.significance import PairedTest

from gru_nlp.batch import AnyArray
from gru_nlp.metrics import classification, entities
from gru_nlp.metrics.tally import Tally
from gru_nlp.metrics.translation import TranslationMetric
from gru_nlp.reports.paired import differences, mcnemar, row_scores
from gru_nlp.reports.resampling import intervals, units_of

#: Of randomisation, fewer than ``compare`` has.
TRIALS = 1000
#: Rows of which the true scores are.
MANY = 200_000
LABELS = 5
SHARES = (0.4, 0.3, 0.15, 0.1, 0.05)
TYPES = ("LOC", "PER")
WORDS = np.array([f"{first}{second}" for first in "abcdefgh" for second in "aeiou"])

#: From random numbers and a number of rows to what each of two models adds to the scores.
Draw = Callable[[np.random.Generator, int], tuple[Tally, ...]]


def labels(random: np.random.Generator, rows: int) -> tuple[Tally, ...]:
    """Draw one of five labels a row, which each model has right four times of five."""
    true = random.choice(LABELS, size=rows, p=SHARES)

    def model() -> Tally:
        said = np.where(random.random(rows) < 0.8, true, random.integers(LABELS, size=rows))
        logits = torch.nn.functional.one_hot(torch.from_numpy(said), LABELS).float()
        return classification.tally(logits, torch.from_numpy(true))

    return model(), model()


def tags(random: np.random.Generator, rows: int) -> tuple[Tally, ...]:
    """Draw sentences of four words, any of which may be an entity; each model takes a word anew one time of five."""
    names = np.array(["O", "O", "B-LOC", "B-PER"])
    true = random.integers(4, size=(rows, 4))

    def model() -> Tally:
        said = np.where(random.random(true.shape) < 0.8, true, random.integers(4, size=true.shape))
        return entities.tally(names[said].tolist(), names[true].tolist(), TYPES)

    return model(), model()


def sentences(random: np.random.Generator, rows: int) -> tuple[list[str], list[str], list[str]]:
    """Draw references of 6 to 14 words and the translations of two models, a fifth of whose words are others."""
    true = [random.choice(WORDS, size=random.integers(6, 15)) for _ in range(rows)]

    def model() -> list[str]:
        said = [np.where(random.random(len(one)) < 0.8, one, random.choice(WORDS, size=len(one))) for one in true]
        return [" ".join(one) for one in said]

    return [" ".join(one) for one in true], model(), model()


def translations(random: np.random.Generator, rows: int) -> tuple[Tally, ...]:
    """Count the n-grams of ``sentences``."""
    metric = TranslationMetric()
    references, *models = sentences(random, rows)
    return tuple(metric.tally(one, references) for one in models)


def true_scores(draw: Draw) -> dict[str, float]:
    """Return the scores of very many rows."""
    tally, _ = draw(np.random.default_rng(0), MANY // (10 if draw is translations else 1))
    return {name: float(values[0]) for name, values in tally.score(tally.total()).items()}


def simulate(draw: Draw, runs: int, rows: int, tests: Callable[[int], dict[str, float]] = lambda seed: {}) -> None:
    """Print how often intervals hold, and how often tests reject.

    Args:
        draw: two models of one kind.
        runs: samples that are drawn.
        rows: of a sample.
        tests: further p values of the sample of a seed.
    """
    truth, held, rejected = true_scores(draw), defaultdict(list), defaultdict(list)
    units = units_of(np.ones(rows, dtype=np.bool_), None, 1)
    for seed in range(1, runs + 1):
        first, second = draw(np.random.default_rng(seed), rows)
        for name, one in intervals(first, units).items():
            if one.low is not None and one.high is not None:
                held[name].append(one.low <= truth[name] <= one.high)
        sums: list[AnyArray] = [tally.sums(units.of_row, rows) for tally in (first, second)]
        p_values = dict(tests(seed))
        for name, apart in differences(*sums, first.score, TRIALS).items():
            p_values |= {f"{name} randomisation": apart.randomisation, f"{name} bootstrap": apart.bootstrap}
        if draw is labels:
            p_values["accuracy mcnemar"] = mcnemar(*(row_scores(tally)["accuracy"] for tally in (first, second)))
        for name, p_value in p_values.items():
            rejected[name].append(p_value <= 0.05)
    for what, found in (("held", held), ("rejected", rejected)):
        for name, times in found.items():
            if 0 < np.mean(times) < 1:
                print(f"{draw.__name__}: {name}: {what} {100 * np.mean(times):.1f} of 100", flush=True)


def main(given: list[str]) -> None:
    """Simulate all three kinds."""
    options = {"runs": "1000", "rows": "300"} | dict(argument.split("=") for argument in given)
    runs, rows = int(options["runs"]), int(options["rows"])

    def theirs(seed: int) -> dict[str, float]:
        references, *models = sentences(np.random.default_rng(seed), rows)
        named = list(zip("ab", models, strict=True))
        _, found = PairedTest(named, {"BLEU": TranslationMetric().bleu}, [references], test_type="bs")()
        return {"bleu, bootstrap of sacreBLEU": found["BLEU"][1].p_value}

    simulate(labels, runs, rows)
    simulate(tags, runs, rows)
    simulate(translations, runs // 4, rows, theirs)


if __name__ == "__main__":
    main(sys.argv[1:])
