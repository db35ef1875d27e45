"""Tasks from their part of a config, as checkpoints have stored it since the first one."""

import dataclasses

import pytest

from gru_nlp.decoding.greedy import Greedy
from gru_nlp.errors import UserError
from gru_nlp.models.base import Model
from gru_nlp.tasks.base import Recipe
from gru_nlp.training.parts import make_task

SHARED = {"monitor": "validation/loss", "mode": "min", "average_decay": 0.5}
GREEDY = {"_target_": "gru_nlp.decoding.greedy.Greedy", "max_ratio": 2.0, "max_extra": 10, "min_length": 0}
STORED = {
    "sentiment": {
        "_target_": "gru_nlp.tasks.classification.ClassificationTask",
        "label_smoothing": 0.1,
        "class_weights": "balanced",
    },
    "ner": {"_target_": "gru_nlp.tasks.tagging.TaggingTask"},
    "translation": {
        "_target_": "gru_nlp.tasks.translation.TranslationTask",
        "label_smoothing": 0.1,
        "validation_decoding": GREEDY,
    },
}


class Learned:
    bleu_tokenizer = "13a"

    def label_names(self):
        return ["a", "b"]

    def state_dict(self):
        return {"labels": ["a", "b"]}


class Silent(Model):
    part_names = ("recurrent",)

    def predict(self, batch, top_k=1):
        raise NotImplementedError


def made(task):
    config = {"task": task, "optimizer": {}, "trainer": {"precision": "32-true"}, "seed": 7}
    return make_task(config, Learned(), Silent(), None)


@pytest.mark.parametrize("name", STORED)
def test_a_stored_task_is_built_for_scoring(name):
    task = made({"name": name, **SHARED, **STORED[name]})
    assert (task.name, task.monitor, task.mode, task.average_decay) == (name, "validation/loss", "min", 0.5)
    assert task.seed == 7
    assert task.configure_optimizers() is None
    assert task.record["scorer"] == task.scorer
    assert task.record["preprocessing"] == {"labels": ["a", "b"]}


def test_own_options_reach_the_task():
    assert made({"name": "x", **SHARED, **STORED["sentiment"]}).label_smoothing == 0.1
    assert isinstance(made({"name": "x", **SHARED, **STORED["translation"]}).validation_decoding, Greedy)


@pytest.mark.parametrize(
    ("option", "told"),
    [
        ({"seed": 3}, "takes no option 'seed'"),  # it is one of the run's
        ({"label_smoothing": 0.1}, "takes no option 'label_smoothing'"),
        ({"average_decay": "much"}, "average_decay=much must be a number"),
        ({"monitor": None}, "monitor=null must be a word"),
    ],
)
def test_an_option_that_would_have_no_effect_or_is_of_another_kind_is_told(option, told):
    with pytest.raises(UserError, match=told):
        made({"name": "ner", **SHARED, **STORED["ner"], **option})


def test_a_recipe_is_not_changed():
    recipe = Recipe("x", Silent(), "validation/loss", "min", None, None, 1, 0.0)
    with pytest.raises(dataclasses.FrozenInstanceError):
        recipe.seed = 2


def test_what_a_model_cannot_do_is_told():
    with pytest.raises(UserError, match="alignments need a single translator"):
        Silent().align(())
    with pytest.raises(UserError, match=r"embedding\.vectors serves models of words"):
        Silent().load_vectors(None, None)
