"""How much of what a synthesiser speaks a recogniser understands, which never heard synthetic speech.

Usage: python scripts/judge_speech.py voice=<run> recogniser=<run> [strings=200] [least=3] [most=6] [seed=1]

Strings of ``least`` to ``most`` digits, drawn at random, are spoken by all speakers of ``voice`` in turn, and given to
``recogniser`` (task=speech_recognition; or task=spoken_words with least=1 most=1). Told are the share of digits that it
understands, which is 1 less the word error rate, for all and for each speaker; strings that are understood whole;
speech that did not end by itself; and what the run of ``voice`` has as its distance to recordings.
"""

import random
import sys
from collections.abc import Sequence

import numpy as np

from gru_nlp import checkpoint
from gru_nlp.narrator import Narrator
from gru_nlp.predictor import Predictor

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def arguments(given: Sequence[str]) -> dict[str, str]:
    """Return the ``name=value`` arguments."""
    own = {"voice": "", "recogniser": "", "strings": "200", "least": "3", "most": "6", "seed": "1"}
    for argument in given:
        name, sign, value = argument.partition("=")
        if not sign or name not in own:
            raise SystemExit(f"no option {argument}: {', '.join(own)}")
        own[name] = value
    if not own["voice"] or not own["recogniser"]:
        raise SystemExit(f"usage: {__doc__.splitlines()[2].removeprefix('Usage: ')}")
    return own


def errors(heard: Sequence[str], said: Sequence[str]) -> int:
    """Return the least insertions, deletions and substitutions that make one of the other."""
    before = np.arange(len(said) + 1)
    for row, word in enumerate(heard, start=1):
        now = [row]
        for place, other in enumerate(said, start=1):
            now.append(min(before[place] + 1, now[-1] + 1, before[place - 1] + (word != other)))
        before = np.array(now)
    return int(before[-1])


def drawn(count: int, least: int, most: int, seed: int) -> list[list[str]]:
    """Return strings of digits."""
    chance = random.Random(seed)
    return [chance.choices(DIGITS, k=chance.randint(least, most)) for _ in range(count)]


def main() -> None:
    """Speak, listen, tell."""
    own = arguments(sys.argv[1:])
    strings = drawn(*(int(own[name]) for name in ("strings", "least", "most", "seed")))
    narrator, recogniser = Narrator.from_checkpoint(own["voice"]), Predictor.from_checkpoint(own["recogniser"])
    wrong, digits, whole, cut = 0, 0, 0, 0
    for place, speaker in enumerate(narrator.speakers):
        mine = strings[place :: len(narrator.speakers)]
        spoken = list(narrator([" ".join(string) for string in mine], speaker))
        records = recogniser([one.waveform for one in spoken])
        heard = [str(record.get("transcript", record.get("label"))).split() for record in records]
        missed = [errors(one, string) for one, string in zip(heard, mine, strict=True)]
        count = sum(map(len, mine))
        print(f"{speaker or 'speaker'}: {1 - sum(missed) / count:.4f} of {count} digits understood")
        wrong, digits, whole = wrong + sum(missed), digits + count, whole + missed.count(0)
        cut += sum(not one.ended for one in spoken)
    print(f"all: {1 - wrong / digits:.4f} of {digits} digits understood, {whole} of {len(strings)} strings whole")
    print(f"{cut} did not end by themselves")
    scores = checkpoint.load(own["voice"]).scores
    print(", ".join(f"{name} {value:.4f}" for name, value in sorted(scores.items()) if name.startswith("test/")))


if __name__ == "__main__":
    main()
