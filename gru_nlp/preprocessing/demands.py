"""What a person wants of translations, as tokens that a search must say: terms, copies, a beginning."""

import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from tokenizers import decoders

from gru_nlp.decoding.grid import Demand, Grammar, Phrase
from gru_nlp.preprocessing.rows import Record
from gru_nlp.text.special import SPECIAL_TOKENS, UNK, UNK_TOKEN
from gru_nlp.text.terms import Copied, Item, Wishes, copied, holds
from gru_nlp.text.text_tokenizer import TextTokenizer

#: Most tokens of phrases that a sentence is searched with; a telephone book has more.
MOST_FORCED = 60


class Wanted(NamedTuple):
    """What the translation of one source must hold.

    Attributes:
        source: as its tokens read it.
        prefix: that it begins with.
        terms: phrases of the target; once is enough where the source has one several times, until it is searched for.
        copied: of the source.
    """

    source: str
    prefix: str
    terms: list[Item]
    copied: Copied

    def missing(self, translation: str) -> bool:
        """Return whether a translation lacks any of it."""
        rest = translation.removeprefix(self.prefix)
        if self.prefix and (rest == translation or (self.prefix[-1].isalnum() and rest[:1].isalnum())):
            return True
        return not all(holds(translation, term.said) for term in self.terms) or self.copied.missing(translation)


def wanted(source: str, wishes: Wishes, tokenizer: TextTokenizer, *, begins: bool) -> Wanted:
    """Return what the translation of a source must hold; ``begins``: it is the first piece of its text."""
    source = tokenizer.familiar([unicodedata.normalize("NFC", source)])[0]
    terms = wishes.terms.found(source) if wishes.terms else []
    copies = copied(source, tokenizer.strange(source), terms) if wishes.copy else Copied([], [])
    return Wanted(source, wishes.prefix if begins else "", terms, copies)


class Speller:
    """How tokens write what is wanted.

    Args:
        source, target: the tokenizers.
        most: tokens that are read of a source.
        spaced: whether blanks stand between the words of the target.
    """

    def __init__(self, source: TextTokenizer, target: TextTokenizer, most: int, *, spaced: bool) -> None:
        self.source, self.target, self.most, self.spaced = source, target, most, spaced
        names = target.tokens()
        glued = np.array([spaced and continues(target, name) for name in names])
        digits = np.array([any(map(str.isdigit, name)) for name in names])
        self.blank = blank(target) if spaced else []
        self.grammar = Grammar(glued, digits, self.blank[0] if self.blank else None)

    def demand(self, one: Wanted) -> Demand:
        """Return what to search with; what is too much of it is left out."""
        room, offsets = MOST_FORCED, self.source.offsets(one.source)[: self.most]
        phrases: list[Phrase] = []
        prefix, slots = self._prefix(one.prefix.split())
        for item in sorted([*one.terms, *one.copied.words, *one.copied.numbers]):
            whole = item not in one.copied.numbers or not one.source[item.end : item.end + 1].isalpha()  # as in 3rd
            phrase = self._phrase(item, offsets, whole=whole)
            size = max(len(phrase.first), len(phrase.inside))
            if phrase.first and phrase.inside and size <= room:
                room -= size
                phrases.append(phrase)
                slots += [item.said] if UNK in phrase.inside else []
        closed = bool(one.copied.numbers or one.copied.words)
        return Demand(self.grammar, prefix, tuple(phrases), not closed, tuple(slots))

    def _prefix(self, words: Sequence[str]) -> tuple[tuple[int, ...], list[str]]:
        """Return the tokens of words that a sentence begins with, and those of them that no tokens write."""
        ids: list[int] = []
        slots: list[str] = []
        for word in words:
            written = inside(self.target, word) if ids else self.target.encode([word])[0]
            if UNK in written:
                slots.append(word)
                written = [*self.blank, UNK]
            ids += written
        return tuple(ids), slots

    def _phrase(self, item: Item, offsets: Sequence[tuple[int, int]], *, whole: bool) -> Phrase:
        first = self.target.encode([item.said])[0]
        later = inside(self.target, item.said) if self.spaced else bare(self.target, item.said)
        if UNK in first or UNK in later:
            first = later = [*self.blank, UNK]
        places = [place for place, (start, end) in enumerate(offsets) if start < item.end and item.start < end]
        return Phrase(tuple(first), tuple(later), whole and self.spaced, tuple(places))


def inside(tokenizer: TextTokenizer, text: str) -> list[int]:
    """Return the tokens that a text has behind another word."""
    return tokenizer.encode([f"x {text}"])[0][tokenizer.count("x") :]


def bare(tokenizer: TextTokenizer, text: str) -> list[int]:
    """Return the tokens that a text has where no blank stands before it."""
    inner = tokenizer.tokenizer
    normal = inner.normalizer.normalize_str(text) if inner.normalizer else text
    ids = [token.id for token in inner.model.tokenize(normal)]
    return tokenizer.encode([text])[0] if UNK in ids else ids  # whole words, and characters, know of no blank


def blank(tokenizer: TextTokenizer) -> list[int]:
    """Return the token of a blank before a word, if there is one."""
    return [index for index in map(tokenizer.tokenizer.token_to_id, ("▁", "Ġ", " ")) if index][:1]


def continues(tokenizer: TextTokenizer, token: str) -> bool:
    """Return whether a token, by its name, goes on the word before it, by a letter or a digit."""
    decoder = tokenizer.tokenizer.decoder
    if token in SPECIAL_TOKENS or decoder is None:
        return False
    return token.startswith("##") if isinstance(decoder, decoders.WordPiece) else token[:1].isalnum()


def filled(record: Record, slots: Sequence[str]) -> Record:
    """Return a record with words in the places of ``<unk>``, in their order."""
    record = {**record, "translation": _filled(record["translation"], slots)}
    if "n_best" in record:
        record["n_best"] = [[_filled(text, slots), score] for text, score in record["n_best"]]
    return record


def _filled(text: str, slots: Sequence[str]) -> str:
    parts = text.split(UNK_TOKEN)
    if len(parts) != len(slots) + 1:
        return text
    return "".join(part + slot for part, slot in zip(parts, [*slots, ""], strict=True))
