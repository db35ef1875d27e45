"""Sentence pairs of translation: one joint tokenizer, or one a side."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from tokenizers import Tokenizer

from gru_nlp.batch import AnyArray, SequencePairBatch
from gru_nlp.console import remark
from gru_nlp.decoding.grid import Demand
from gru_nlp.errors import UserError
from gru_nlp.metrics import bleu_tokenizers
from gru_nlp.outputs import Hypotheses
from gru_nlp.preprocessing import hypotheses
from gru_nlp.preprocessing.base import Preprocessor
from gru_nlp.preprocessing.cutting import Cut, cut, together
from gru_nlp.preprocessing.demands import Speller, wanted
from gru_nlp.preprocessing.rows import Columns, Hints, Pair, Record, Rows, Text, Texts, broken_state, pad, sizes_of
from gru_nlp.text import lexicon
from gru_nlp.text.draws import mixed
from gru_nlp.text.round_trip import lost
from gru_nlp.text.sentences import are_single
from gru_nlp.text.shortening import shorten
from gru_nlp.text.special import EOS
from gru_nlp.text.terms import Wishes
from gru_nlp.text.text_tokenizer import TextTokenizer

#: Most target tokens that are learned for a source token.
MOST_SHORTLISTED = 1000


class TranslationPreprocessor(Preprocessor):
    """From ``source`` and ``target`` sentences to ids with an end mark, and from hypotheses to sentences.

    A tokenizer with ``normalization: nfc`` gives targets back with the characters that they have; source characters
    that it has never seen are read in their compatibility form (NFKC).

    Attributes:
        bleu_tokenizer: what cuts targets into the tokens of BLEU, by sacreBLEU's name: as their writing needs, unless
            a task has another.
        single: whether the sources of training are single sentences, so that texts of several are cut into these.

    Args:
        tokenizer: trains a tokenizer from texts.
        joint: one tokenizer learned from both sides, instead of one a side.
        max_length: tokens kept of a sentence, the end mark not counted.
        bpe_dropout: share of merges skipped at random in training (Provilkov et al. 2020, section 3), so that the same
            sentence is seen in other pieces every epoch; needs a bpe tokenizer.
        shortlist: target tokens that are learned for each source token, for ``use_shortlist``; 0: none.
    """

    answer = "gru_nlp.answers.translations.TranslationAnswer"
    errors = "gru_nlp.reports.worst.TranslationErrors"
    batching = "gru_nlp.data.drawn.drawn"
    tokenizers = ("source", "target")
    data_columns = ("source", "target")
    list_columns = ("ids", "target_ids")
    scalar_columns = ("tokens", "target_tokens")
    cut_columns: ClassVar[Mapping[str, str]] = {"tokens": "ids", "target_tokens": "target_ids"}
    raw_columns = ("source", "target")
    input_column = "source"
    blank: ClassVar[Record] = {"translation": "", "score": None}

    def __init__(
        self,
        *,
        tokenizer: Callable[..., Tokenizer],
        joint: bool,
        max_length: int,
        bpe_dropout: float,
        shortlist: int = 0,
    ) -> None:
        self.train_tokenizer = tokenizer
        self.joint = joint
        self.max_length = max_length
        self.bpe_dropout = bpe_dropout
        self.source: TextTokenizer
        self.target: TextTokenizer
        self.bleu_tokenizer = bleu_tokenizers.USUAL
        self._speller: Speller | None = None
        if type(shortlist) is not int or not 0 <= shortlist <= MOST_SHORTLISTED:
            raise UserError(f"preprocessing.shortlist={shortlist} must lie between 0 and {MOST_SHORTLISTED:,}")
        self.shortlist = shortlist
        self.lexicon: lexicon.Lexicon | None = None
        self.single = False

    def fit(self, rows: Rows, hints: Hints) -> None:
        """Train the tokenizer on both columns, or one on each; that of the source may be a language model's."""
        if hints.extra_words:
            raise UserError("embedding.extra_words is for whole words of one language: set embedding.extra_words=0")
        if self.joint:
            self.source = self.target = TextTokenizer(self.train_tokenizer(Texts(rows, "source", "target")))
        else:
            self.source, self.target = (
                TextTokenizer(self.train_tokenizer(Texts(rows, side))) for side in ("source", "target")
            )
            if hints.tokenizer is not None:
                self.source = TextTokenizer.from_json(hints.tokenizer)
        if self.bpe_dropout:
            for side in (self.source, self.target):
                side.merges()  # refuses a tokenizer that merges nothing
        self.bleu_tokenizer = bleu_tokenizers.by_writing(Texts(rows, "target"))
        found = lost(self.target, Texts(rows, "target"))
        if found.texts:
            remark(found.told("training targets"))
        self.single = are_single(Texts(rows, "source"))
        if self.shortlist:
            sources = self.source.encode(self.source.familiar(list(Texts(rows, "source"))))
            targets = self.target.encode(list(Texts(rows, "target")))
            self.lexicon = lexicon.learn(sources, targets, self._vocabularies(), self.shortlist)

    def _vocabularies(self) -> tuple[int, int]:
        return self.source.vocabulary_size, self.target.vocabulary_size

    def use_shortlist(self) -> None:
        """Give every batch its candidates."""
        if self.lexicon is None:
            super().use_shortlist()
        self.shortened = True

    def cut(self, texts: Sequence[Text]) -> tuple[Columns, list[Cut]]:
        """Take the blanks off texts, and cut those into sentences that are longer than what training saw.

        These have several sentences, where training saw single ones, or more than ``max_length`` tokens.
        """
        return self.sentences(texts, each=self.single)

    def sentences(self, texts: Sequence[Text], *, each: bool) -> tuple[Columns, list[Cut]]:
        """Do the same; with ``each`` all sentences are cut apart, else those of too long texts alone."""
        return self._cut(texts, 0 if each else self.max_length)

    def _cut(self, texts: Sequence[Text], whole: int) -> tuple[Columns, list[Cut]]:
        wholes = [cut(str(text), self.source, self.max_length, whole) for text in texts]
        return {self.input_column: [piece.text for whole in wholes for piece in whole.pieces]}, wholes

    def lacking(
        self, rows: Columns, owners: Sequence[Cut], records: Sequence[Record], wishes: Wishes
    ) -> dict[int, Demand]:
        """Return of each row whose translation lacks what is wished for what to search with anew."""
        first = set(np.cumsum([0, *(len(whole.pieces) for whole in owners)]).tolist())
        found: dict[int, Demand] = {}
        for row, (source, record) in enumerate(zip(rows[self.input_column], records, strict=True)):
            one = wanted(source, wishes, self.source, begins=row in first)
            if one.missing(record["translation"]):
                found[row] = self.speller().demand(one)
        return found

    def speller(self) -> Speller:
        """Return what writes words in tokens of the target."""
        if self._speller is None:
            spaced = self.bleu_tokenizer not in bleu_tokenizers.WITHOUT_BLANKS
            self._speller = Speller(self.source, self.target, self.max_length, spaced=spaced)
        return self._speller

    def join(self, texts: Sequence[Text], owners: Sequence[Any], records: Sequence[Record]) -> list[Record]:
        """Put the translations of pieces together, as ``cutting.together`` says, and the blanks around them."""
        rows = iter(records)
        return [together(whole, [next(rows) for _ in whole.pieces]) for whole in owners]

    def encode(self, columns: Columns) -> dict[str, list[Any]]:
        """``source`` -> ``ids`` and ``tokens`` (their number before cutting); the same of ``target``."""
        source = self.source.encode(self.source.familiar(columns["source"]))
        result: dict[str, list[Any]] = {
            "ids": [self._ended(ids) for ids in source],
            "tokens": [len(ids) + 1 for ids in source],
        }
        if "target" in columns:
            target = self.target.encode(columns["target"])
            result["target_ids"] = [self._ended(ids) for ids in target]
            result["target_tokens"] = [len(ids) + 1 for ids in target]
        return result

    def _ended(self, ids: list[int]) -> list[int]:
        return [*ids[: self.max_length], EOS]

    def collate(self, columns: Columns, training: bool) -> SequencePairBatch[AnyArray]:
        """Pad both sides; in training the pieces are drawn by ``draws`` where ``bpe_dropout`` is set."""
        if training and self.draws:
            columns = {**columns, **self._drawn(columns)}
        lengths = sizes_of(columns["ids"])
        inputs = pad(columns["ids"], lengths)
        if "target_ids" not in columns:
            return SequencePairBatch(inputs, lengths, None, None, None, self._candidates(columns["ids"]))
        target_lengths = sizes_of(columns["target_ids"])
        targets = pad(columns["target_ids"], target_lengths)
        references = None if training else list(columns["target"])
        return SequencePairBatch(inputs, lengths, targets, target_lengths, references)

    def _candidates(self, rows: Sequence[Any]) -> AnyArray | None:
        if self.lexicon is None or not self.shortened:
            return None
        found = lexicon.candidates(self.lexicon, rows, joint=self.joint)
        return pad(found, sizes_of(found))

    @property
    def draws(self) -> float:
        """``bpe_dropout``."""
        return self.bpe_dropout

    def drawn_sizes(self, columns: Columns) -> AnyArray:
        """Return the length of the longer side."""
        drawn = self._drawn(columns)
        return np.maximum(sizes_of(drawn["ids"]), sizes_of(drawn["target_ids"]))

    def _drawn(self, columns: Columns) -> dict[str, list[Any]]:
        """Encode both sides with merges skipped at random, each side of a pair by a key of its own."""
        draws = np.asarray(columns["draws"], dtype=np.uint64) * np.uint64(2)
        sources, targets = self.source.familiar(columns["source"]), list(columns["target"])
        drawn = {
            "ids": self.source.merges().encode(sources, self.bpe_dropout, mixed(draws)),
            "target_ids": self.target.merges().encode(targets, self.bpe_dropout, mixed(draws + np.uint64(1))),
        }
        return {ids: [self._ended(row) for row in rows] for ids, rows in drawn.items()}

    def decode(self, outputs: Hypotheses[AnyArray], top_k: int = 1) -> list[Record]:
        """Turn hypotheses into ``translation`` and ``score``; with ``top_k`` above 1 ``n_best``: pairs, best first."""
        return hypotheses.records(outputs, self.target, top_k)

    def marked(self, record: Record, least: float | None) -> Record:
        """Return a record without the sums it was made by; with ``least`` also how likely a token is."""
        return hypotheses.marked(record, least)

    def pair(self, source: str, translation: str) -> Pair:
        """Return a source and its translation, end marks among their tokens."""
        columns = {"source": [source.strip()], "target": [translation.strip()]}
        encoded = self.encode(columns)
        source_names, target_names = self.source.tokens(), self.target.tokens()
        return Pair(
            self.collate({**encoded, **columns}, training=False),
            [source_names[index] for index in encoded["ids"][0]],
            [target_names[index] for index in encoded["target_ids"][0]],
        )

    def truth(self, columns: Columns) -> list[Record]:
        """Return ``source`` and ``reference``."""
        pairs = zip(columns["source"], columns["target"], strict=True)
        return [{"source": source, "reference": target} for source, target in pairs]

    def describe(self, record: Record) -> str:
        """Return source, translation and reference."""
        source, found, true = (shorten(record[name], 60) for name in ("source", "translation", "reference"))
        return f"{source} -> {found}  (is {true})"

    def sizes(self) -> dict[str, int]:
        """Return the numbers of source and of target ids, and whether sources have candidates."""
        return {
            "source_vocabulary_size": self.source.vocabulary_size,
            "target_vocabulary_size": self.target.vocabulary_size,
            "has_candidates": self.lexicon is not None,
        }

    def tokens(self) -> list[str]:
        """Return the source vocabulary in the order of its ids."""
        return self.source.tokens()

    def label_names(self) -> list[str]:
        """Translation has no labels."""
        return []

    def state_dict(self) -> dict[str, Any]:
        """Return the tokenizers as JSON, None for the target's where the source's serves both; that of BLEU by name."""
        state: dict[str, Any] = {
            "source": self.source.to_json(),
            "target": None if self.joint else self.target.to_json(),
        }
        if self.lexicon is not None:
            state["shortlist"] = {name: list(part) for name, part in self.lexicon._asdict().items()}
        if self.single:
            state["single"] = True
        usual = self.bleu_tokenizer == bleu_tokenizers.USUAL
        return state if usual else state | {"bleu_tokenizer": self.bleu_tokenizer}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take back the tokenizers.

        Raises:
            UserError: one is not as ``state_dict`` gives it.
        """
        self.source = TextTokenizer.from_json(state.get("source"))
        joint = state.get("target", "") is None
        self.target = self.source if joint else TextTokenizer.from_json(state.get("target"))
        self.bleu_tokenizer = state.get("bleu_tokenizer", bleu_tokenizers.USUAL)
        if self.bleu_tokenizer not in bleu_tokenizers.TOKENIZERS:
            raise broken_state("bleu_tokenizer")
        self.single = state.get("single", False)  # of an older checkpoint that is not known
        if type(self.single) is not bool:
            raise broken_state("single")
        if "shortlist" in state:
            self.lexicon = lexicon.read(state["shortlist"], self._vocabularies())
            if self.lexicon is None:
                raise broken_state("shortlist")

    def options(self) -> dict[str, Any]:
        """Return what bears on ``encode`` beside the learned state."""
        return {"max_length": self.max_length}
