"""Sentences of words with a tag each, such as its part of speech; raw text in, tagged words with offsets out.

Words are read as ``words`` says. A tag is a name as the data writes it, and any may follow any.
"""

from collections.abc import Sequence
from itertools import chain
from typing import Any, ClassVar

import numpy as np

from gru_nlp.batch import AnyArray, TaggingBatch
from gru_nlp.errors import UserError, nearest
from gru_nlp.outputs import Tagging
from gru_nlp.preprocessing.rows import FIT_BATCH, Record, RowError, Rows, Text
from gru_nlp.preprocessing.windows import best_together, owned
from gru_nlp.preprocessing.words import WordsPreprocessor
from gru_nlp.text.shortening import shorten
from gru_nlp.text.special import UNK

#: Tags that are told of where one is not known.
MOST_TOLD = 10


class WordTagPreprocessor(WordsPreprocessor):
    """Vocabularies of words and characters, and the names of tags.

    Args:
        lowercase, fold_digits, min_frequency, max_word_length, max_words, recase, any_case, oversample: see
            ``WordsPreprocessor``.
    """

    answer = "gru_nlp.answers.word_tags.WordTagAnswer"
    errors = "gru_nlp.reports.worst.WordTagErrors"
    page = ("word_tags.js", "WordTagReader")
    data_columns = ("words", "word_tags")
    takes_patterns = False
    blank: ClassVar[Record] = {"tagged": []}

    def _learn_labels(self, rows: Rows) -> None:
        """Learn the names of ``word_tags``.

        Raises:
            UserError: all words have the same.
        """
        found = {tag for batch in rows.iter(FIT_BATCH) for tags in batch["word_tags"] for tag in tags}
        if len(found) < 2:
            told = f"all words of the training data have the tag '{shorten(next(iter(found), ''), 40)}'"
            raise UserError(f"{told}: see data.columns and data.tag")
        self._labels(sorted(found))

    def _labels(self, labels: list[str]) -> None:
        self.labels = labels
        self.tags = list(labels)

    def _targets(self, rows: Sequence[Sequence[str]]) -> list[list[int]]:
        ids = {tag: index for index, tag in enumerate(self.tags)}
        strange = [(row, tag) for row, tags in enumerate(rows) for tag in tags if tag not in ids]
        if strange:
            row, tag = strange[0]
            known = ", ".join(self.tags[:MOST_TOLD]) + (", ..." if len(ids) > MOST_TOLD else "")
            names = [shorten(name, 40) for name in dict.fromkeys(name for _, name in strange)][:MOST_TOLD]
            remedy = f"data.tag_map={{{', '.join(f'{name}: <one of them>' for name in names)}}} makes it another"
            told = f"the tag '{shorten(tag, 40)}' does not occur in training (tags: {known}); {remedy}"
            raise RowError(row, told + nearest(tag, self.tags))
        return [[ids[tag] for tag in tags] for tags in rows]

    def label_of(self, tag: str) -> int:
        """Return the number of the tag itself."""
        return self.labels.index(tag)

    def unmet(self, batch: TaggingBatch[AnyArray]) -> AnyArray:
        """Return ``(B, T)`` bool which words, as they are looked up, training does not have."""
        met = len(self.vocabulary.words) - self.vocabulary.unseen
        unmet: AnyArray = (batch.inputs == UNK) | (batch.inputs >= met)
        return unmet

    def decode(self, outputs: Tagging[AnyArray], top_k: int = 1) -> list[Record]:
        """Paths -> ``tags`` and ``scores`` of the words; with several, ``paths`` with the probability of each."""
        records: list[Record] = []
        scores, sure = (np.exp(part.astype(np.float64)).tolist() for part in (outputs.scores, outputs.nodes[:, 0]))
        for row, length in enumerate(outputs.lengths.tolist()):
            paths = [
                {"score": score, "tags": [self.tags[tag] for tag in path[:length]]}
                for path, score in zip(outputs.tags[row].tolist(), scores[row], strict=True)
            ]
            record = {"tags": paths[0]["tags"], "scores": [min(1.0, score) for score in sure[row][:length]]}
            possible = [path for rank, path in enumerate(paths) if path["score"] > 0.0 or rank == 0]
            records.append(record | ({"paths": possible, "asked": top_k} if top_k > 1 else {}))
        return records

    def join(self, texts: Sequence[Text], owners: Sequence[Any], records: Sequence[Record]) -> list[Record]:
        """Put the words of sentences and windows together; offsets index the text, or the words joined by blanks."""
        joined: list[Record] = [{"tagged": []} for _ in texts]
        spots = [self.spots(text) for text in texts]
        given = [text if isinstance(text, str) else " ".join(text) for text in texts]
        paths: list[list[list[Record]]] = [[] for _ in texts]
        for (number, first, chosen), record in zip(owned(owners, records), records, strict=True):
            for place in chosen:
                _, start, end = spots[number][place]
                said = {"tag": record["tags"][place - first], "score": record["scores"][place - first]}
                joined[number]["tagged"].append({"start": start, "end": end, "text": given[number][start:end], **said})
            if "paths" in record:
                own = slice(chosen.start - first, chosen.stop - first)
                paths[number].append([{**path, "tags": path["tags"][own]} for path in record["paths"]])
        for record, found in zip(joined, paths, strict=True):
            if found:
                best = best_together(found, "tags", records[0]["asked"])
                record["paths"] = [{"score": score, "tags": list(chain.from_iterable(tags))} for score, tags in best]
        return joined

    def describe(self, record: Record) -> str:
        """Return the words with their tags, and how many of them are right."""
        pairs = list(zip(record["tags"], record["target"], strict=True))
        right = sum(said == true for said, true in pairs)
        words = (f"{word}/{tag}" for word, tag in zip(record["words"], record["tags"], strict=True))
        return f"{right} of {len(pairs)}: {shorten(' '.join(words), 100)}"

    def sizes(self) -> dict[str, Any]:
        """Return the sizes of the vocabularies, and that any tag may follow any."""
        count = len(self.tags) + 1
        return {**super().sizes(), "allowed": np.ones((count, count), dtype=np.bool_)}
