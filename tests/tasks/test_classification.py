import numpy as np
import pytest
import torch
from torch import nn

from gru_nlp.batch import SequenceBatch
from gru_nlp.models.classifier import Classifier
from gru_nlp.tasks.base import Recipe
from gru_nlp.tasks.classification import ClassificationTask, balanced_weights
from gru_nlp.tasks.floors import parameter_groups

LOGITS = torch.tensor([[2.0, -1.0, 0.5], [0.1, 0.2, 0.3]])
BATCH = SequenceBatch(torch.zeros(2, 1, dtype=torch.int64), torch.ones(2, dtype=torch.int64), torch.tensor([0, 1]))


SCALARS = {"target": np.array([0] * 6 + [1] * 3 + [2])}


class Named:
    def label_names(self):
        return ["a", "b", "c"]


class Fixed(Classifier):
    def __init__(self):
        nn.Module.__init__(self)

    def inputs(self, batch):
        raise NotImplementedError

    def recurrent(self, batch):
        return LOGITS


def task(**changed):
    options = {"label_smoothing": 0.0, "class_weights": "none", **changed}
    recipe = Recipe(
        name="x", model=Fixed(), mode="max", monitor="validation/accuracy", optimizer=None, schedule=None, seed=1,
        average_decay=0.0,
    )  # fmt: skip
    made = ClassificationTask(recipe, Named(), **options)
    made.observe(SCALARS)
    return made


def test_the_loss_is_smoothed_cross_entropy():
    logs = LOGITS.log_softmax(dim=1)
    plain = -(logs[0, 0] + logs[1, 1]) / 2
    assert task().loss(BATCH) == pytest.approx(float(plain))
    smoothed = 0.7 * plain - 0.3 * logs.mean()
    assert task(label_smoothing=0.3).loss(BATCH) == pytest.approx(float(smoothed))


def test_balanced_weights_are_inverse_to_the_counts():
    weights = balanced_weights([6, 3, 1])
    assert weights.tolist() == pytest.approx([10 / 18, 10 / 9, 10 / 3])
    logs = LOGITS.log_softmax(dim=1)
    expected = -(weights[0] * logs[0, 0] + weights[1] * logs[1, 1]) / (weights[0] + weights[1])
    assert task(class_weights="balanced").loss(BATCH) == pytest.approx(float(expected))


def test_scores_count_and_start_anew():
    own = task()
    assert np.allclose(own.score(BATCH, "test").probabilities, LOGITS.softmax(dim=1).numpy())
    scores = own.scores("test")
    assert scores["test/accuracy"] == 0.5
    assert own.details("test")["a"]["support"] == 1
    own.score(BATCH._replace(targets=torch.tensor([0, 2])), "test")
    assert own.scores("test")["test/accuracy"] == 1.0


def test_decay_spares_embeddings_and_vectors_and_frozen_tables():
    model = nn.Sequential(nn.Embedding(5, 3), nn.Linear(3, 2))
    decayed, spared = parameter_groups(model)
    assert [p.shape for p in decayed["params"]] == [(2, 3)]
    assert len(spared["params"]) == 2
    assert spared["weight_decay"] == 0.0
    model[0].weight.requires_grad_(False)
    assert len(parameter_groups(model)[1]["params"]) == 1


def test_the_floor_of_accuracy_is_one_label_for_all():
    own = task()
    own.score(BATCH._replace(targets=torch.tensor([1, 1])), "validation")
    own.score(BATCH, "validation")
    scores = own.scores("validation")
    assert own.floor() == 0.75  # three of four are of one label
    assert own.stand_in(scores) == ("validation/loss", scores["validation/loss"])
    own.monitor = "validation/macro_f1"
    assert own.floor() == 0.0
