"""A trained tokenizer as the rest of the program uses it."""

import json
import unicodedata
from collections.abc import Sequence

from tokenizers import Tokenizer

from gru_nlp.text.merging import Merges
from gru_nlp.text.special import SPECIAL_TOKENS, UNK, UNK_TOKEN
from gru_nlp.text.stored import read_tokenizer
from gru_nlp.text.tokenizer import PATTERNS


class TextTokenizer:
    """Ids in, ids out, nothing added, nothing cut.

    Args:
        tokenizer: in canonical form.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self.vocabulary_size: int = tokenizer.get_vocab_size()
        self._merges: Merges | None = None
        self._known: frozenset[str] | None = None

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Turn texts into lists of ids."""
        encodings = self.tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        return [encoding.ids for encoding in encodings]

    def count(self, text: str) -> int:
        """Return how many tokens a text is read as, its characters made ``familiar``."""
        return len(self.encode(self.familiar([text]))[0])

    def offsets(self, text: str) -> list[tuple[int, int]]:
        """Return where each token of a text starts and ends in it; blanks may be part of it."""
        found: list[tuple[int, int]] = self.tokenizer.encode(text, add_special_tokens=False).offsets
        return found

    def decode(self, ids: Sequence[int]) -> str:
        """Turn ids back into text, without padding and sentence marks."""
        kept = [index for index in ids if index == UNK or index >= len(SPECIAL_TOKENS)]
        text: str = self.tokenizer.decode(kept, skip_special_tokens=False)
        return text.replace(f"{UNK_TOKEN} <>", UNK_TOKEN) if UNK in kept else text  # as unigram names it

    def familiar(self, texts: Sequence[str]) -> list[str]:
        """Return texts with the characters that no token has in their compatibility form (Unicode's NFKC).

        What was never seen is read as what it stands for: ``ﬁ`` as ``fi``, full-width letters as usual ones.
        """
        strange = self.strange("".join(texts))
        if not strange:
            return list(texts)
        plain = str.maketrans({character: unicodedata.normalize("NFKC", character) for character in strange})
        return [text.translate(plain) for text in texts]

    def strange(self, text: str) -> set[str]:
        """Return the characters of a text in NFC that no token has; none where tokens are bytes."""
        if self._known is None:
            spelled = getattr(self.tokenizer.model, "unk_token", UNK_TOKEN) is not None
            learned = "".join(self.tokens()[len(SPECIAL_TOKENS) :])
            self._known = frozenset(learned) | {" "} if spelled else frozenset()
        known, normalizer = self._known, self.tokenizer.normalizer
        if not known or known.issuperset(text):
            return set()
        normal = normalizer.normalize_str if normalizer else str
        strange = set(normal(text)) - known
        return {letter for letter in unicodedata.normalize("NFC", text) if not strange.isdisjoint(normal(letter))}

    def merges(self) -> Merges:
        """Return the merges of a byte-pair tokenizer, to skip some of them at random.

        Raises:
            UserError: the tokenizer merges nothing.
        """
        if self._merges is None:
            self._merges = Merges(self.tokenizer)
        return self._merges

    def tokens(self) -> list[str]:
        """Return the vocabulary in the order of its ids."""
        vocabulary: dict[str, int] = self.tokenizer.get_vocab()
        return [*SPECIAL_TOKENS, *sorted(vocabulary, key=vocabulary.__getitem__)[len(SPECIAL_TOKENS) :]]

    def to_json(self) -> str:
        """Return the tokenizer as text, equal for equal tokenizers."""
        return json.dumps(json.loads(self.tokenizer.to_str()), ensure_ascii=False, sort_keys=True)

    @classmethod
    def from_json(cls, text: object) -> "TextTokenizer":
        """Read what ``to_json`` wrote.

        Raises:
            UserError: it is something else.
        """
        return cls(read_tokenizer(text, PATTERNS))
