"""The tagger's training loss, with and without that of the words around each word."""

from functools import partial

import numpy as np
import pytest
import torch

from gru_nlp.batch import TaggingBatch
from gru_nlp.errors import UserError
from gru_nlp.models.tagger import SequenceTagger
from gru_nlp.nn.characters import CharacterCNN
from gru_nlp.nn.embedding import TokenEmbedding
from gru_nlp.nn.encoder import RecurrentEncoder
from gru_nlp.nn.gru import GRU
from gru_nlp.tasks import words as shared
from gru_nlp.tasks.base import Recipe
from gru_nlp.tasks.floors import parameter_groups
from gru_nlp.tasks.tagging import TaggingTask
from gru_nlp.text.special import BOS, EOS, UNK

WORDS, UNSEEN = 12, 2
LENGTHS = torch.tensor([5, 1, 3])


class Fitted:
    tags = ("O", "B-X", "I-X")

    def label_names(self):
        return ["X"]

    def sizes(self):
        return {"vocabulary_size": WORDS, "unseen_words": UNSEEN}


def model(*, layers=1, bidirectional=True, dropout=0.0):
    torch.manual_seed(3)
    embedding = partial(TokenEmbedding, size=4, trainable=True, dropout=dropout, word_dropout=dropout)
    cells = {"cell": GRU, "hidden_size": 3, "layers": layers, "bidirectional": bidirectional, "dropout": 0.0}
    return SequenceTagger(
        vocabulary_size=WORDS,
        unseen_words=UNSEEN,
        num_shapes=3,
        num_characters=6,
        allowed=np.ones((4, 4), dtype=np.bool_),
        embedding=embedding,
        characters=partial(CharacterCNN, size=2, filters=2, width=3, dropout=dropout),
        encoder=partial(RecurrentEncoder, **cells),
        shape_size=2,
        crf=True,
        dropout=dropout,
        output_dropout=dropout,
    )


def made(*weight, optimizer=torch.optim.SGD, **options):
    recipe = Recipe("ner", model(**options), "validation/f1", "max", optimizer, None, 1, 0.0)
    torch.manual_seed(4)
    return TaggingTask(recipe, Fitted(), *weight)


def batch(words=((4, 5, 6, 7, 11), (8, 0, 0, 0, 0), (9, 1, 4, 0, 0))):
    generator = torch.Generator().manual_seed(5)
    return TaggingBatch(
        inputs=torch.tensor(words),
        lengths=LENGTHS,
        shapes=torch.randint(0, 3, (3, 5), generator=generator),
        characters=torch.randint(1, 6, (4, 4), generator=generator),
        character_lengths=torch.tensor([4, 1, 3, 2]),
        places=torch.randint(0, 4, (3, 5), generator=generator),
        targets=torch.randint(0, 3, (3, 5), generator=generator),
    )


def foretold(head, state, target):
    """Return the loss of one word, by the formula."""
    hidden = torch.tanh(head.hidden.weight @ state + head.hidden.bias)
    logits = head.output.weight @ hidden + head.output.bias
    return torch.log(torch.exp(logits).sum()) - logits[target]


@pytest.mark.parametrize("weight", [(), (0.0,)])
def test_without_weight_the_loss_and_the_random_numbers_are_those_of_the_tags_alone(weight):
    task = made(*weight, dropout=0.3).train()
    assert task.neighbours is None
    loss = task.loss(batch())
    torch.manual_seed(4)  # as ``made`` does before it makes the task
    tags = task.model.tags.loss(task.model.emissions(batch()), LENGTHS, batch().targets)
    assert torch.equal(loss, tags.mean())


@pytest.mark.parametrize("bidirectional", [True, False])
def test_the_loss_is_the_tags_plus_the_weighed_words_of_each_direction(bidirectional, monkeypatch):
    monkeypatch.setattr(shared, "MOST_WORDS", 5)  # ids 4 to 8 are words of their own, 9 and 11 are not
    task = made(0.3, bidirectional=bidirectional).double()
    states = task.model.states(batch())
    tags = task.model.loss(states, batch()).mean()
    ahead = {0: [5, 6, 7, UNK, EOS], 1: [EOS], 2: [UNK, 4, EOS]}
    back = {0: [BOS, 4, 5, 6, 7], 1: [BOS], 2: [BOS, UNK, UNK]}
    words = sum(
        foretold(head, states[row, step, part], target)
        for head, part, targets in (
            (task.neighbours.ahead, slice(0, 3), ahead),
            (task.neighbours.back, slice(3, 6), back if bidirectional else {}),
        )
        for row, wanted in targets.items()
        for step, target in enumerate(wanted)
    )
    loss = task.loss(batch())
    assert loss.dtype == torch.float64
    torch.testing.assert_close(loss, tags + 0.3 * words / 3, rtol=1e-12, atol=0.0)
    trained = {id(weight) for group in parameter_groups(task) for weight in group["params"]}
    assert trained >= {id(weight) for weight in task.neighbours.parameters()}
    loss.backward()
    assert all(weight.grad is not None and weight.grad.any() for weight in task.neighbours.parameters())


def test_what_foretells_a_word_has_not_seen_it():
    task = made(0.3)
    first, other = batch(), batch(((4, 5, 8, 7, 11), (8, 0, 0, 0, 0), (9, 1, 4, 0, 0)))
    forwards, backwards = task.model.encoder.directions()
    before, after = (task.model.states(given)[0] for given in (first, other))
    same = before == after
    assert same[:, :forwards].all(dim=1).tolist() == [True, True, False, False, False]
    assert same[:, -backwards:].all(dim=1).tolist() == [False, False, False, True, True]


def test_several_layers_foretell_words_only_where_no_direction_sees_the_other():
    assert made(0.3, layers=2, bidirectional=False).model.encoder.directions() == (3, 0)
    with pytest.raises(UserError, match=r"set encoder\.layers=1, or encoder\.bidirectional=false"):
        made(0.3, layers=2)
    made(0.0, layers=2)


@pytest.mark.parametrize("weight", [-0.1, float("nan"), float("inf")])
def test_a_weight_that_is_none_is_told(weight):
    with pytest.raises(UserError, match=f"language_model_weight={weight} must be a number, at least 0$"):
        made(weight)


def test_predictions_are_those_of_the_model_alone_and_its_weights_are_all_that_is_kept():
    alone, task = made(0.0), made(0.3)
    found, expected = (one.eval().model.predict(batch()) for one in (task, alone))
    assert torch.equal(found.tags, expected.tags)
    content = {"state_dict": task.state_dict()}
    task.on_save_checkpoint(content)
    assert content["state_dict"].keys() == alone.state_dict().keys()
    whole = {"state_dict": task.state_dict(), "optimizer_states": []}
    task.on_save_checkpoint(whole)
    assert whole["state_dict"].keys() == task.state_dict().keys() > alone.state_dict().keys()
    for one, other in ((alone, whole), (task, {"state_dict": alone.state_dict()})):
        with pytest.raises(UserError, match="cannot go from 0 or to 0: train anew"):
            one.on_load_checkpoint(other)
    assert made(0.3, optimizer=None).neighbours is None  # it is to score
