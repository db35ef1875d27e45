"""Whether a tokenizer gives back the texts that it was learned from: text -> ids -> text."""

import unicodedata
from collections import Counter
from collections.abc import Iterable
from itertools import islice
from typing import NamedTuple

from gru_nlp.text.text_tokenizer import TextTokenizer

#: Texts that are looked at, and characters that are named.
MOST_TEXTS, MOST_NAMED = 20_000, 5
BATCH = 1000


class Lost(NamedTuple):
    """What does not come back.

    Attributes:
        seen: texts that were looked at.
        texts: those of them that come back as others, after NFC and without blanks at their ends.
        characters: of these the ones that come back less often than they stood there, the commonest first.
    """

    seen: int
    texts: int
    characters: list[str]

    def told(self, whose: str) -> str:
        """Return a line that tells of it; ``whose`` are the texts."""
        named = " ".join(c if c.isprintable() and c != " " else f"U+{ord(c):04X}" for c in self.characters[:MOST_NAMED])
        more = " ..." if len(self.characters) > MOST_NAMED else ""
        why = f"it changes {named}{more}" if named else "it sets their blanks or marks otherwise"
        seen = f"first {self.seen:,}" if self.seen == MOST_TEXTS else f"{self.seen:,}"
        return f"the tokenizer cannot give back {self.texts:,} of the {seen} {whose} as they are: {why}"


def lost(tokenizer: TextTokenizer, texts: Iterable[str]) -> Lost:
    """Return what of the first ``MOST_TEXTS`` texts a tokenizer does not give back."""
    seen = changed = 0
    missing: Counter[str] = Counter()
    stream = islice(texts, MOST_TEXTS)
    while some := list(islice(stream, BATCH)):
        given = [unicodedata.normalize("NFC", text).strip() for text in some]
        for text, ids in zip(given, tokenizer.encode(given), strict=True):
            back = tokenizer.decode(ids).strip()
            if back != text and unicodedata.normalize("NFC", back) != text:
                changed += 1
                missing.update(Counter(text) - Counter(back))
        seen += len(given)
    return Lost(
        seen, changed, [character for character, _ in sorted(missing.items(), key=lambda one: (-one[1], one[0]))]
    )
