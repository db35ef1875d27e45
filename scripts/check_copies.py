"""Whether a translator from English keeps the numbers of captions, with ``copy`` and without.

Usage: python scripts/check_copies.py checkpoint=<run> [sentences=500] [seed=1] [source=<file> reference=<file>]

The captions are made: of one or two numbers of 1 to 7 digits, decimals, ordinals or times. A number is right where the
translation has it, with any marks between its parts, as often as the source; a translation also may not have others.
With files of a test set, one sentence a line, BLEU of both ways on it. Seconds are CPU time.
"""

import gzip
import random
import sys
import time
from collections import Counter
from pathlib import Path

from sacrebleu.metrics.bleu import BLEU

from gru_nlp.predictor import Predictor
from gru_nlp.text.terms import NUMBER, Wishes

FRAMES = (
    "A man wearing number {n} is riding a bike.",
    "The girl in the red shirt with the number {n} plays soccer.",
    "{n} people are standing in front of a building.",
    "A dog with the number {n} runs past {m} people on the beach.",
    "Two women sit on a bench next to bus {n}.",
    "A runner with the number {n} passes a sign that says {m}.",
    "A child holds up a sign that says {n}.",
    "Player {n} tries to take the ball from player {m}.",
    "A clock shows {t} while people wait for the train.",
    "At {t}, {n} men are working on the street.",
    "A boy throws a ball {d} meters into the air.",
    "A woman runs {d} miles in {m} minutes.",
    "The {o} runner crosses the finish line.",
    "People are celebrating the {o} birthday of a man with {n} candles.",
)
ENDINGS = {1: "st", 2: "nd", 3: "rd"}


def number(chance: random.Random) -> str:
    """Return a number of 1 to 7 digits."""
    digits = chance.randint(1, 7)
    return str(chance.randint(10 ** (digits - 1), 10**digits - 1))


def ordinal(chance: random.Random) -> str:
    """Return an ordinal number."""
    value = chance.randint(1, 120)
    teen = 10 < value % 100 < 14
    return f"{value}{'th' if teen else ENDINGS.get(value % 10, 'th')}"


def captions(count: int, seed: int) -> list[str]:
    """Return captions with numbers."""
    chance = random.Random(seed)
    return [
        chance.choice(FRAMES).format(
            n=number(chance),
            m=number(chance),
            t=f"{chance.randint(1, 12)}:{chance.randint(0, 59):02d}",
            d=f"{chance.randint(0, 99)}.{chance.randint(0, 99)}",
            o=ordinal(chance),
        )
        for _ in range(count)
    ]


def numbers(text: str) -> Counter[str]:
    """Return the numbers of a text, whatever the marks between their parts."""
    return Counter("".join(c if c.isdigit() else "." for c in found) for found in NUMBER.findall(text))


def lines(path: str) -> list[str]:
    """Return the lines of a file, plain or gzip."""
    content = Path(path).read_bytes()
    return (gzip.decompress(content) if path.endswith(".gz") else content).decode().splitlines()


def translated(predictor: Predictor, texts: list[str], *, copy: bool) -> tuple[list[str], float]:
    """Return translations and the seconds they took."""
    begun = time.process_time()
    records = predictor(texts, wishes=Wishes(copy=True) if copy else None)
    return [record["translation"] for record in records], time.process_time() - begun


def main(arguments: dict[str, str]) -> None:
    """Translate both ways, and tell."""
    predictor = Predictor.from_checkpoint(arguments["checkpoint"])
    made = captions(int(arguments.get("sentences", 500)), int(arguments.get("seed", 1)))
    tests = lines(arguments["source"]) if "source" in arguments else []
    for copy in (False, True):
        found, seconds = translated(predictor, made, copy=copy)
        wanted = sum(sum(numbers(text).values()) for text in made)
        right = sum(sum((numbers(text) & numbers(said)).values()) for text, said in zip(made, found, strict=True))
        whole = sum(numbers(text) == numbers(said) for text, said in zip(made, found, strict=True))
        told = f"{right} of {wanted} numbers right ({100 * right / wanted:.1f} %)"
        print(f"copy={str(copy).lower()}: {told}, {whole} of {len(made)} sentences without others, {seconds:.1f} s")
        if tests:
            found, seconds = translated(predictor, tests, copy=copy)
            print(f"  BLEU {BLEU().corpus_score(found, [lines(arguments['reference'])]).score:.2f}, {seconds:.1f} s")
    for text, record in zip(made[:5], predictor(made[:5], wishes=Wishes(copy=True)), strict=True):
        print(f"  {text} -> {record['translation']}")


if __name__ == "__main__":
    main(dict(argument.split("=", 1) for argument in sys.argv[1:]))
