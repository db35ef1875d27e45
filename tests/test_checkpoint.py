import pytest
import torch

from gru_nlp import checkpoint, targets
from gru_nlp.errors import UserError

KEPT = {"_target_": "gru_nlp.nn.pooling.MaxPooling", "_partial_": True}


def test_the_file_alone_rebuilds_the_model(trained, tmp_path):
    stored = checkpoint.load(trained)
    _, model = checkpoint.restore(stored)
    assert not model.training
    assert all(torch.equal(stored.weights[name], value) for name, value in model.state_dict().items())
    assert stored.scores["test/accuracy"] >= 0.97
    assert stored.config["seed"] == 1


def test_best_holds_weights_alone_and_last_the_training_state_too(trained):
    best, last = (torch.load(trained / name, weights_only=True) for name in (checkpoint.BEST, checkpoint.LAST))
    assert "optimizer_states" not in best
    assert "optimizer_states" in last
    assert (trained / checkpoint.BEST).stat().st_size < (trained / checkpoint.LAST).stat().st_size


def test_weights_that_do_not_fit_are_refused(trained):
    content = torch.load(trained / checkpoint.BEST, weights_only=True)
    content[checkpoint.KEY]["config"]["encoder"]["hidden_size"] = 5
    content[checkpoint.KEY]["config"]["model"]["encoder"]["hidden_size"] = 5
    torch.save(content, "odd.ckpt")
    with pytest.raises(UserError, match="odd.ckpt: the weights do not fit the model"):
        checkpoint.restore(checkpoint.load("odd.ckpt"))


@pytest.mark.parametrize(
    "target",
    [
        "builtins.eval",
        "gru_nlp_evil.thing",
        "gru_nlp.nn.pooling.nn.Linear",
        "gru_nlp.training.run_folder.os.system",
        "gru_nlp.training.run_folder.remove",
        "gru_nlp.cli.main.main",
        "gru_nlp.build.build",
        "gru_nlp.checkpoint.load",
        "gru_nlp.text.vectors.WordVectors.read",
        "gru_nlp.data.layouts.read_once",
    ],
)
def test_only_targets_inside_the_package_are_built(target, trained):
    model = checkpoint.load(trained).config["model"]
    targets.check_stored("model", model)
    with pytest.raises(UserError, match="outside gru_nlp's models and data"):
        targets.check_stored("model", {**model, "pooling": {**KEPT, "_target_": target}})
    with pytest.raises(UserError, match="outside gru_nlp's models and data"):
        targets.check_stored("model", {**model, "_target_": target})


def test_a_trusted_package_is_allowed_by_name_and_an_interpolation_never(trained):
    model = checkpoint.load(trained).config["model"]
    own = {**KEPT, "_target_": "torch.nn.Flatten"}
    targets.check_stored("model", {**model, "pooling": own}, ["torch"])
    with pytest.raises(UserError, match="and torch"):
        targets.check_stored("model", {**model, "pooling": {**own, "_target_": "os.system"}}, ["torch"])
    with pytest.raises(UserError, match="interpolation"):
        targets.check_stored("model", {**model, "dropout": "${oc.env:HOME}"})
