"""A tag for every word: named entities."""

import base64
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from gru_nlp.batch import TaggingBatch
from gru_nlp.errors import UserError
from gru_nlp.models.base import Beginning, Model
from gru_nlp.models.graphs import Answers, Graph, Sizes, drawn_ids, drawn_lengths, standing_in
from gru_nlp.nn.characters import MakeCharacters
from gru_nlp.nn.crf import ConditionalRandomField, IndependentTags
from gru_nlp.nn.embedding import MakeEmbedding
from gru_nlp.nn.encoder import MakeEncoder
from gru_nlp.nn.gazetteers import ListFeatures
from gru_nlp.nn.masking import variational_dropout
from gru_nlp.outputs import Tagging
from gru_nlp.text.gazetteers import BEGIN, CODES, SINGLE
from gru_nlp.text.special import PAD, UNK


class SequenceTagger(Model[TaggingBatch[Tensor]]):
    """Words, their characters and their shape; recurrent encoder; a CRF or independent tags (Lample et al. 2016).

    Args:
        vocabulary_size: number of word ids.
        unseen_words: how many of the last ones training never meets.
        num_shapes: number of shapes of a word (its case, and whether it has digits).
        num_characters: number of character ids.
        allowed: ``(C + 1, C + 1)`` which of C tags may follow which, the last row and column for start and end.
        embedding: makes the embedding from the vocabulary size and the ids of padding and of the unknown word.
        characters: makes the features of a word's characters from the number of character ids.
        encoder: makes the encoder from the size of a word.
        shape_size: features of a word's shape; 0: none.
        crf: True: tags are chosen together; False: each by itself.
        dropout: share of a word's features dropped, each by itself.
        output_dropout: share of the encoder's features dropped, the same ones at every word of a sentence.
        num_lists: number of word lists of a person's own.
        gazetteer_size: features of a word for each list.
        gazetteer_dropout: share of the lists' phrases that training does not see.
    """

    runner = "tags"

    def __init__(
        self,
        *,
        vocabulary_size: int,
        unseen_words: int,
        num_shapes: int,
        num_characters: int,
        allowed: npt.NDArray[np.bool_],
        embedding: MakeEmbedding,
        characters: MakeCharacters,
        encoder: MakeEncoder,
        shape_size: int,
        crf: bool,
        dropout: float,
        output_dropout: float,
        num_lists: int = 0,
        gazetteer_size: int = 8,
        gazetteer_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.num_lists = num_lists
        self.sizes = vocabulary_size, num_shapes, num_characters
        self.embedding = embedding(vocabulary_size, unseen=unseen_words, padding_id=PAD, unknown_id=UNK)
        self.characters = characters(num_characters)
        self.shapes = nn.Embedding(num_shapes, shape_size) if shape_size else None
        size = self.embedding.output_size + self.characters.output_size + shape_size
        self.lists: ListFeatures | None = None
        if num_lists:
            begins = (BEGIN, SINGLE)
            self.lists = ListFeatures(num_lists, CODES, begins, size=gazetteer_size, dropout=gazetteer_dropout)
            size += self.lists.output_size
        self.encoder = encoder(size)
        self.output = nn.Linear(self.encoder.output_size, len(allowed) - 1)
        self.tags = ConditionalRandomField(allowed) if crf else IndependentTags()
        self.dropout = nn.Dropout(dropout)
        self.output_dropout = output_dropout

    def states(self, batch: TaggingBatch[Tensor]) -> Tensor:
        """Return the encoder's states ``(B, T, H)``, in training with features dropped."""
        spelled = self.characters(batch.characters, batch.character_lengths)  # (U, F)
        parts = [self.embedding(batch.inputs), spelled[batch.places]]  # (B, T, D), (B, T, F)
        if self.shapes is not None:
            parts.append(self.shapes(batch.shapes))
        if self.lists is not None:
            if batch.lists is None:
                raise UserError("the model reads word lists, and its preprocessing has none: a broken file")
            parts.append(self.lists(batch.lists))
        states, _ = self.encoder(self.dropout(torch.cat(parts, dim=2)), batch.lengths)
        return variational_dropout(states, self.output_dropout, self.training)

    def emissions(self, batch: TaggingBatch[Tensor]) -> Tensor:
        """Return the score of each tag at each word ``(B, T, C)``."""
        return cast(Tensor, self.output(self.states(batch)))

    def loss(self, states: Tensor, batch: TaggingBatch[Tensor]) -> Tensor:
        """Return the loss of each sentence's tags ``(B,)``, summed over its words, from ``states(batch)``."""
        assert batch.targets is not None
        return self.tags.loss(self.output(states), batch.lengths, batch.targets)

    def predict(self, batch: TaggingBatch[Tensor], top_k: int = 1) -> Tagging[Tensor]:
        """Return the ``top_k`` best tag paths, with how sure each tag is."""
        return self.answer(self.states(batch), batch, top_k)

    def answer(self, states: Tensor, batch: TaggingBatch[Tensor], top_k: int = 1) -> Tagging[Tensor]:
        """Return what ``predict`` does, from ``states(batch)``."""
        return self.tags.tag(self.output(states), batch.lengths, top_k)

    def begin_from(self, start: Beginning) -> int:
        """Take over the vectors of words, and the layers; what they make of characters and shapes is new."""
        self.embedding.take_over(start.table, start.known)
        return self.encoder.begin_from(start.forward, start.backward)

    def floors(self) -> list[list[nn.Module]]:
        """Return the recurrent layers, the last one first, and the embedding of words."""
        return [*self.encoder.floors(), [self.embedding]]

    def load_vectors(self, vectors: Tensor, found: Tensor) -> None:
        """Hand them to the embedding of words."""
        self.embedding.load_vectors(vectors, found)

    def graphs(self) -> list[Graph]:
        """Return the graph of its emissions."""
        words, spelled = {0: "B", 1: "T"}, {0: "U", 1: "L"}
        read = {"inputs": words, "lengths": {0: "B"}, "shapes": words}
        read |= {"characters": spelled, "character_lengths": {0: "U"}, "places": words}
        read |= {"lists": words} if self.num_lists else {}
        return [Graph("model", _Emissions(self), read, {"emissions": words}, self.drawn)]

    def drawn(self, sizes: Sizes, random: torch.Generator) -> tuple[Tensor, ...]:
        """Return what its graph reads, by chance; the rows have twice as many different words as there are rows."""
        lengths = drawn_lengths(sizes, random)
        words, shapes, letters = self.sizes
        ids, kinds = (drawn_ids(count, lengths, random) for count in (words, shapes))
        spelled = drawn_lengths(Sizes(2 * sizes.rows, sizes.steps + 1), random)
        places = drawn_ids(len(spelled), lengths, random)
        drawn = ids, lengths, kinds, drawn_ids(letters, spelled, random), spelled, places
        if not self.num_lists:
            return drawn
        return *drawn, torch.stack([drawn_ids(CODES, lengths, random) for _ in range(self.num_lists)], dim=2)

    def by_graphs(self, answers: Answers) -> "SequenceTagger":
        """Return one whose states are the emissions of the graph."""
        names = tuple(self.graphs()[0].inputs)

        def states(batch: TaggingBatch[Tensor]) -> Tensor:
            return answers["model"](*(getattr(batch, name) for name in names))[0]

        return standing_in(self, states=states, output=nn.Identity())

    def kept(self) -> dict[str, Any]:
        """Return the log-scores of transitions, ``(C + 1, C + 1)`` as the base64 of float32, or None."""
        edges = self.tags.edges()
        if edges is None:
            return {"edges": None}
        return {"edges": base64.b64encode(edges.detach().cpu().numpy().astype("<f4").tobytes()).decode()}


class _Emissions(nn.Module):
    """The emissions of a tagger from what is in its batches, one by one."""

    def __init__(self, model: SequenceTagger) -> None:
        super().__init__()
        self.model = model

    def forward(
        self,
        inputs: Tensor,
        lengths: Tensor,
        shapes: Tensor,
        characters: Tensor,
        character_lengths: Tensor,
        places: Tensor,
        lists: Tensor | None = None,
    ) -> Tensor:
        return self.model.emissions(
            TaggingBatch(inputs, lengths, shapes, characters, character_lengths, places, targets=None, lists=lists)
        )
