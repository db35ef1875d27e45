"""Count how many lines that a language model of the embedded stories writes are sentences of their grammar.

Usage: python scripts/check_grammar.py checkpoint=<run> [texts=100] [max_tokens=400] [temperature=1.0] [seed=1]

Texts are drawn from nothing; the last line of each, which may be cut off, and blank lines do not count.
"""

import sys

from gru_nlp import Drawing, Generator, Limits
from gru_nlp.samples.stories import is_sentence

SHOWN = 5


def main() -> None:
    """Draw, count and show."""
    given = dict(argument.partition("=")[::2] for argument in sys.argv[1:])
    own = {"texts": "100", "max_tokens": "400", "temperature": "1.0", "seed": "1"} | given
    if set(own) != {"texts", "max_tokens", "temperature", "seed", "checkpoint"}:
        raise SystemExit(f"usage: {(__doc__ or '').splitlines()[2].removeprefix('Usage: ')}")
    generator = Generator.from_checkpoint(own["checkpoint"])
    drawing, limits = Drawing(temperature=float(own["temperature"])), Limits(int(own["max_tokens"]))
    records = generator.records([""] * int(own["texts"]), drawing, limits, int(own["seed"]))
    lines = [line for record in records for line in record["text"].split("\n")[:-1] if line]
    wrong = [line for line in lines if not is_sentence(line)]
    for line in wrong[:SHOWN]:
        print(f"no sentence: {line}")
    print(f"{len(lines) - len(wrong)} of {len(lines)} lines are sentences ({1 - len(wrong) / max(len(lines), 1):.4f})")


if __name__ == "__main__":
    main()
