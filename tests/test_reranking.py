"""Hypotheses in the order that translators of the other direction give them, by two that have hardly learned."""

import json
import pickle
from pathlib import Path

import pytest
import torch

import gru_nlp
from gru_nlp import checkpoint
from gru_nlp.cli.main import main
from gru_nlp.predictor import Predictor
from gru_nlp.reranking import Reranked, backward_of
from gru_nlp.samples.translation import rows
from gru_nlp.tensors import to_tensors
from gru_nlp.text.special import BOS

TINY = ["encoder.hidden_size=24", "decoder.hidden_size=24", "embedding.size=24", "batch_size=16", "schedule=constant"]
TINY += ["device=cpu", "threads=1", "logger=none", "trainer.enable_progress_bar=false", "trainer.max_epochs=8"]
TINY += ["report_format=json", "optimizer.lr=0.02"]
SAID = rows("validation")[:100]
SOURCES = [row["source"] for row in SAID[:6]]
WEIGHT, PENALTY = 3.0, 1.2


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Return a folder with a translator, and two of the other direction, each with a tokenizer of its own."""
    home = tmp_path_factory.mktemp("translators")
    for side in ("source", "target"):
        (home / side).write_text("".join(f"{row[side]}\n" for row in SAID), encoding="utf-8")
    sides = {"there": ("source", "target"), "back": ("target", "source"), "again": ("target", "source")}
    for seed, (name, (source, target)) in enumerate(sides.items(), 1):
        data = ["task=translation", "data=parallel", f"data.train_source={home / source}", "data.validation_share=0.2"]
        own = [f"data.train_target={home / target}", f"tokenizer.vocabulary_size={90 + 10 * seed}", f"seed={seed}"]
        gru_nlp.train(*data, *own, *TINY, f"run_dir={home / name}")
    return home


def likely(source, target, predictor):
    """Return the log-probability of a translation, token by token, by its length."""
    encoded = predictor.preprocessor.encode({"source": [source], "target": [target]})
    ids = encoded["target_ids"][0]
    state = predictor.model.opened(torch.tensor(encoded["ids"]), torch.tensor(encoded["tokens"]))
    total = 0.0
    for before, token in zip([BOS, *ids], ids, strict=False):
        scores, state = predictor.model.step(torch.tensor([[before]]), state)
        total += float(scores[0, 0, token])
    return total / ((5 + len(ids)) / 6) ** PENALTY


@torch.inference_mode()
def test_the_order_is_that_of_both_directions(home, capsys):
    Path("lines.txt").write_text("\n".join(["", *SOURCES]) + "\n", encoding="utf-8")
    own = [f"checkpoint={home / 'there'}", "input=lines.txt", "format=jsonl", "decoding.n_best=4"]
    others = [f"backward=[{home / 'back'},{home / 'again'}]", f"backward_weight={WEIGHT}", "min_log_probability=-1"]
    plain, found = [], []
    for kept, options in ((plain, own), (found, [*own, *others])):
        capsys.readouterr()
        assert main(["translate", "decoding.beam_size=4", *options]) == 0
        kept += map(json.loads, capsys.readouterr().out.splitlines())
    assert plain.pop(0)["translation"] == found.pop(0)["translation"] == ""
    back = [Predictor.from_checkpoint(home / name) for name in ("back", "again")]
    for before, after in zip(plain, found, strict=True):
        source, ranked = before["source"], []
        for text, score in before["n_best"]:
            ranked.append((score + WEIGHT * sum(likely(text, source, one) for one in back) / 2, text))
        ranked.sort(key=lambda one: -one[0])
        assert [text for text, _ in after["n_best"]] == [text for _, text in ranked]
        assert [score for _, score in after["n_best"]] == pytest.approx([score for score, _ in ranked], abs=1e-4)
        assert [after["translation"], after["score"]] == after["n_best"][0]
    orders = ([[text for text, _ in one["n_best"]] for one in records] for records in (plain, found))
    assert next(orders) != next(orders)


@torch.inference_mode()
def test_a_text_is_answered_the_same_alone_from_a_pickle_and_with_its_own_probability(home):
    preprocessor, model = checkpoint.restore(checkpoint.load(home / "there"))
    backward = backward_of([str(home / "back")], "cpu", [])
    predictor = Reranked(preprocessor, model, "cpu", backward, WEIGHT)
    together = predictor(SOURCES, min_log_probability=-1.0)
    for source, record in zip(SOURCES, together, strict=True):
        alone = pickle.loads(pickle.dumps(predictor))(source, min_log_probability=-1.0)
        assert alone["translation"] == record["translation"]
        assert alone["score"] == pytest.approx(record["score"], abs=1e-5)
        batch = preprocessor.collate(preprocessor.encode({"source": [source]}), training=False)
        found = model.predict(to_tensors(batch, "cpu"))
        hypotheses = zip(found.tokens[0], found.lengths[0].tolist(), found.totals[0].tolist(), strict=True)
        means = {
            preprocessor.target.decode(tokens[:length].tolist()): total / (length + 1)
            for tokens, length, total in hypotheses
        }
        assert record["log_probability"] == pytest.approx(means[record["translation"]], abs=1e-5)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["decoding=greedy"], "backward ranks the hypotheses of a beam search: set decoding=beam, or leave it out"),
        (["decoding.beam_size=1"], "backward ranks the hypotheses of a beam search: set decoding.beam_size=5"),
        (["backward_weight=0"], "backward_weight=0 must be a number above 0"),
        (["backward_weight=-1"], "backward_weight=-1 must be a number above 0"),
        (["backward_weight=inf"], "backward_weight=inf must be a number above 0"),
        (["backward_weight=1e300"], "backward_weight=1e+300 must be a number above 0, at most 100"),
        (["backward_weight=nan"], "backward_weight=nan must be a number above 0"),
        (["backward_weight=much"], "backward_weight=much must be a number"),
        (["backward=[gone]"], "gone: no such checkpoint (set backward=<file or run folder>)"),
        (["backward=[]", "backward_weight=2"], "backward_weight=2 has no effect without backward"),
        (["ensemble=[gone]"], "gone: no such checkpoint (set ensemble=<file or run folder>)"),
    ],
)
def test_what_cannot_rank_hypotheses_is_a_line(home, capsys, options, told):
    given = {"backward": f"[{home / 'back'}]", **dict(option.split("=", 1) for option in options)}
    asked = [f"{name}={value}" for name, value in given.items()]
    assert main(["translate", f"checkpoint={home / 'there'}", *asked, "--", "x"]) == 2
    assert told in capsys.readouterr().err


def test_a_classifier_ranks_no_hypotheses(home, trained, capsys):
    assert main(["translate", f"checkpoint={home / 'there'}", f"backward=[{trained}]", "--", "x"]) == 2
    assert "no translator but a sentiment model: set backward=[...]" in capsys.readouterr().err
