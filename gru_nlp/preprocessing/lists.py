"""Word lists of a person's own, from their phrases to the codes of a batch's words; none is the usual case."""

from collections.abc import Mapping, Sequence
from typing import Any

from tokenizers import Tokenizer

from gru_nlp.batch import AnyArray, IntArray
from gru_nlp.preprocessing.rows import Columns, broken_state, pad
from gru_nlp.text.gazetteers import Gazetteer, WordList, flat_codes, stored
from gru_nlp.text.words import split_words

#: The encoded column, and the entry of the learned state.
COLUMN, STATE = "lists", "gazetteers"


class Lists:
    """Lists whose phrases are marked in sentences.

    Args:
        lists: their phrases as words with single blanks between them.
        caseless: whether words are compared without their case.
    """

    def __init__(self, lists: Sequence[WordList], *, caseless: bool) -> None:
        normal = str.lower if caseless else str
        self.lists = [Gazetteer(name, phrases, normal) for name, phrases in lists]

    def __len__(self) -> int:
        return len(self.lists)

    def columns(self) -> tuple[str, ...]:
        """Return the name of the encoded column; none where there are no lists."""
        return (COLUMN,) if self.lists else ()

    def encode(self, rows: Sequence[Sequence[str]]) -> dict[str, list[Any]]:
        """Return the column of the words' codes, flat for each sentence."""
        return {COLUMN: [flat_codes(self.lists, row) for row in rows]} if self.lists else {}

    def padded(self, columns: Columns, lengths: IntArray) -> AnyArray | None:
        """Return the codes of a batch ``(B, T, L)`` int64; None where there are no lists."""
        if not self.lists:
            return None
        return pad(columns[COLUMN], len(self) * lengths).reshape(len(lengths), -1, len(self))

    def told(self) -> dict[str, str]:
        """Return the lists with their sizes, for people."""
        names = ", ".join(f"{one.name} ({len(one.phrases):,} phrases)" for one in self.lists)
        return {STATE: names} if names else {}

    def sizes(self) -> dict[str, int]:
        """Return what a model's constructor takes."""
        return {"num_lists": len(self)} if self.lists else {}

    def state(self) -> dict[str, Any]:
        """Return the lists as plain values."""
        return {STATE: [one.state() for one in self.lists]} if self.lists else {}


def cut_lists(lists: Sequence[WordList], splitter: Tokenizer) -> list[WordList]:
    """Return lists with their phrases cut into words as raw text is, and also by their own blanks, as data may be."""
    found = []
    for name, phrases in lists:
        plain = [" ".join(phrase.split()) for phrase in phrases]  # some of Python's blanks are letters to the splitter
        cut = (" ".join(word.text for word in words) for words in split_words(splitter, plain))
        found.append(WordList(name, [*cut, *plain]))
    return found


def stored_lists(state: Mapping[str, Any]) -> list[WordList]:
    """Return the lists of a checkpoint, of which most have none.

    Raises:
        UserError: they are not as ``state`` gives them.
    """
    if STATE not in state:
        return []
    lists = stored(state[STATE])
    if lists is None:
        raise broken_state(STATE)
    return lists
