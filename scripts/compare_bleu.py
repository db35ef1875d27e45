"""How far ``bleu_lowercase_tokenized`` is from the literature's measure, multi-bleu of Moses' tokens.

Usage: python scripts/compare_bleu.py translations=<file> references=<file> language=de

Needs sacremoses (PyPI), in an environment of its own; one sentence a line in both files. ``-a`` splits words at dashes.
"""

import sys
from collections.abc import Callable
from pathlib import Path

from sacrebleu.metrics.bleu import BLEU
from sacremoses import MosesPunctNormalizer, MosesTokenizer


def main(arguments: dict[str, str]) -> None:
    """Print BLEU of lower-cased text by each way to cut it."""
    both = [Path(arguments[name]).read_text(encoding="utf-8").splitlines() for name in ("translations", "references")]
    cut, normal = MosesTokenizer(arguments["language"]), MosesPunctNormalizer(arguments["language"])
    ways: dict[str, Callable[[str], str]] = {
        "moses": lambda text: str(cut.tokenize(text, return_str=True)),
        "normalised, moses": lambda text: str(cut.tokenize(normal.normalize(text), return_str=True)),
        "moses -a": lambda text: str(cut.tokenize(text, aggressive_dash_splits=True, return_str=True)),
    }
    own = BLEU(lowercase=True)
    print(f"13a, lower case: {own.corpus_score(both[0], [both[1]]).score:.2f} ({own.get_signature()})")
    for name, way in ways.items():
        found, wanted = ([way(line.lower()) for line in lines] for lines in both)
        print(f"{name}, lower case: {BLEU(tokenize='none', force=True).corpus_score(found, [wanted]).score:.2f}")


if __name__ == "__main__":
    main(dict(argument.split("=", 1) for argument in sys.argv[1:]))
