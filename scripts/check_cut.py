"""How many sentences of a tagged file come back from raw text as their words, by rules learned from another file.

Usage: python scripts/check_cut.py <training file> <other file>

Both have a word a line, in its first column. The raw text of a sentence is its words with blanks between them; then
also without the blanks that English writes none for. Told are the sentences whose words come back, by the rules that
stood for all training before and by those that were learned.
"""

import re
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from gru_nlp.text import cuts
from gru_nlp.text.word_habits import learn_rules
from gru_nlp.text.words import make_splitter, split_words


def sentences(path: str) -> list[list[str]]:
    """Return the words of each sentence of a file."""
    blocks = Path(path).read_text(encoding="utf-8").split("\n\n")
    rows = ([line.split()[0] for line in block.splitlines() if line.strip()] for block in blocks)
    return [row for row in rows if row and row != ["-DOCSTART-"]]


def close(words: Sequence[str]) -> str:
    """Return a sentence as English writes it, but for its quotes."""
    opened = re.sub(r"([$(]) ", r"\1", " ".join(words))
    return re.sub(r" (n't|'\w{1,2}|[.,;:!?%)])(?= |$)", r"\1", opened)


def main() -> None:
    """Print the counts."""
    train, other = map(sentences, sys.argv[1:])
    words = Counter(word for row in train for word in row)
    cut = cuts.learn(words).cut
    for name, rules in (("before", None), ("learned", learn_rules(words, cut))):
        splitter = make_splitter(cut, rules)
        for written, join in (("with blanks", " ".join), ("as written", close)):
            found = split_words(splitter, [join(row) for row in other])
            same = sum([word.text for word in one] == row for one, row in zip(found, other, strict=True))
            print(f"{name}, {written}: {same:,} of {len(other):,}, {same / len(other):.1%}")


if __name__ == "__main__":
    main()
