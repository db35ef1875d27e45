"""Whether exported folders answer as their checkpoints do: texts of known words, and of any characters.

Usage: python scripts/check_runner.py checkpoints=<run>[,<run>...] [texts=500] [seed=1] [precision=float32]

Exports each checkpoint to a folder for the while, and says of how many texts ``gru_nlp.runtime.Runner`` gives another
record than ``gru_nlp.Predictor``, how far numbers are apart at most, and the seconds of both. Words are those of the
model's own vocabulary. Exit code 1: a record differs by more than ``MOST_APART``.
"""

import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from gru_nlp.predictor import Predictor
from gru_nlp.runtime import Runner

MOST_APART = 1e-4
#: What is made of nothing but what is rare.
ODD = ("", " ", "\n\n", "\u200b", "<pad> </s>", "\0\x01", "👩‍👩‍👧", "é" * 300, "a" * 3000, "日本語" * 40, "مرحبا بك")


def texts(count: int, seed: int, words: list[str]) -> list[str]:
    """Return odd texts, texts of words, and texts of words and of any characters."""
    chance = random.Random(seed)
    letters = [chr(code) for code in range(0x30000) if not 0xD800 <= code < 0xE000]
    made = list(ODD)
    while len(made) < count:
        share = chance.choice((1.0, 0.8, 0.2))
        pools = [words if chance.random() < share else letters for _ in range(chance.randrange(1, 40))]
        made.append(chance.choice(["", " ", " "]).join(map(chance.choice, pools)))
    return made[:count]


def apart(one: Any, other: Any) -> float:
    """Return how far the numbers of two records are apart at most, as a share where they are above 1; else infinity."""
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        return max((apart(one[name], other[name]) for name in one), default=0.0)
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return max(map(apart, one, other), default=0.0)
    if isinstance(one, float) and isinstance(other, float):
        return 0.0 if one == other else abs(one - other) / max(1.0, abs(one))
    return 0.0 if one == other and type(one) is type(other) else float("inf")


def check(run: str, folder: str, count: int, seed: int) -> bool:
    """Compare a checkpoint with its folder; tell, and return whether they agree."""
    predictor, runner = Predictor.from_checkpoint(run), Runner(folder)
    words = [token.strip("▁#Ġ ") for token in predictor.preprocessor.tokens()[4:]]
    given = texts(count, seed, words)
    fine = True
    for top_k in (1, 3):
        begun = time.perf_counter()
        wanted = predictor(given, top_k=top_k)
        between = time.perf_counter()
        found = runner(given, top_k=top_k)
        ended = time.perf_counter()
        distances = list(map(apart, wanted, found))
        other = sum(distance == float("inf") for distance in distances)
        most = max((distance for distance in distances if distance < float("inf")), default=0.0)
        fine &= other == 0 and most <= MOST_APART
        times = f"torch {between - begun:.2f} s, onnxruntime {ended - between:.2f} s"
        print(
            f"{run}, top_k={top_k}: {count} texts, {other} other records, {most:.1e} apart at most; {times}", flush=True
        )
    return fine


def main() -> int:
    """Check all checkpoints; return the exit code."""
    given = dict(argument.split("=", 1) for argument in sys.argv[1:])
    fine = True
    with tempfile.TemporaryDirectory() as place:
        for number, run in enumerate(given["checkpoints"].split(",")):
            folder = Path(place, str(number))
            command = [sys.executable, "-m", "gru_nlp", "export", f"checkpoint={run}", f"output={folder}", "--quiet"]
            subprocess.run([*command, f"precision={given.get('precision', 'float32')}"], check=True)
            fine &= check(run, str(folder), int(given.get("texts", 500)), int(given.get("seed", 1)))
    return not fine


if __name__ == "__main__":
    sys.exit(main())
