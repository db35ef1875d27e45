"""A batch that does not fit: the gradient of its halves is that of the whole, whatever the kind of task."""

import json
from pathlib import Path

import pytest
import torch

from gru_nlp.cli.shell import composed
from gru_nlp.config import resolved
from gru_nlp.tensors import to_tensors
from gru_nlp.training.lightning_parts import scoring_trainer
from gru_nlp.training.parts import prepare

ROWS = 7  # an odd number, so that the halves weigh differently
WORDS = "one two three four five six seven eight nine ten eleven twelve".split()
TEXTS = [" ".join(WORDS[place % 5 : place % 5 + 1 + 3 * place % 7]) for place in range(42)]
LABELS = ["ab"[place % 3 == 0] for place in range(42)]
SMALL = (
    "encoder.hidden_size=4",
    "embedding.size=4",
    "embedding.dropout=0",
    "embedding.word_dropout=0",
    "encoder.dropout=0",
    f"batch_size={ROWS}",
)
KINDS = {
    "classification": ("data=jsonl", "task.class_weights=balanced", "task.label_smoothing=0.1", "model.dropout=0"),
    "multilabel": ("data=jsonl", "model.dropout=0"),
    "rating": ("data=jsonl", "data.label=number", "model.dropout=0"),
    "ner": ("data=tagged_jsonl", "task.language_model_weight=0.3", "characters.dropout=0", "model.dropout=0",
            "model.output_dropout=0"),
    "translation": ("data=pairs_jsonl", "tokenizer=word", "task.label_smoothing=0.1", "model.dropout=0",
                    "decoder.dropout=0"),
    "language_model": ("data=text", "preprocessing.sequence_length=5", "model.output_dropout=0"),
}  # fmt: skip
RAN_OUT = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")


def write(kind):
    """Write data of a task kind; return the option that names it."""
    if kind == "language_model":
        Path("a.txt").write_text("\n".join(TEXTS * 3))
        return "data.train=a.txt"
    rows = []
    for place, (text, label) in enumerate(zip(TEXTS, LABELS, strict=True)):
        words = text.split()
        tags = ["B-PER" if word in ("one", "five") else "O" for word in words]
        label = [label, "c"] if kind == "multilabel" else label
        rows.append({"ner": {"tokens": words, "tags": tags}, "translation": {"source": text, "target": text[::-1]}}.get(
            kind, {"text": text, "label": label, "number": str(place % 4)}
        ))  # fmt: skip
    Path("a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return "data.train=a.jsonl"


class Step:
    """A task, two batches of its training, and the gradients of one step."""

    def __init__(self, kind):
        config = resolved(composed("train", [f"task={kind}", write(kind), *KINDS[kind], *SMALL]))
        parts = prepare(config)
        self.task = parts.task.double().train()
        self.task.trainer = scoring_trainer("cpu", "64-true")
        self.task.trainer.accumulate_grad_batches = 2
        whole = [batch for batch in parts.data.train_dataloader() if len(batch.lengths) == ROWS]
        self.first, self.batch = (to_tensors(batch, "cpu") for batch in whole[:2])
        self.whole = self.task.loss

    def gradients(self, loss=None):
        """Return the gradients after both batches; ``loss`` takes the place of the task's for the second."""
        self.task.zero_grad()
        if kept := getattr(self.task, "carried", None):
            kept.clear()
        values = []
        for batch, used in ((self.first, self.whole), (self.batch, loss or self.whole)):
            self.task.loss = used
            value = self.task.held_loss(batch)
            self.task.backward(value / 2)
            values.append(value.item())
        return {name: one.grad.clone() for name, one in self.task.named_parameters() if one.grad is not None}, values[1]


@pytest.fixture(scope="module")
def steps(tmp_path_factory):
    """Return a step a kind, made when it is asked for."""
    made = {}

    def of(kind):
        if kind not in made:
            made[kind] = Step(kind)
        return made[kind]

    return of


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_the_gradient_of_the_halves_is_that_of_the_whole(kind, direction, steps, capsys):
    step = steps(kind)
    step.task.told_of_halving = False
    wanted, value = step.gradients()
    capsys.readouterr()
    after = dict(getattr(step.task, "carried", {}))
    assert any(float(one.abs().max()) > 1e-4 for one in wanted.values())
    seen = []

    def fails(batch):
        seen.append(len(batch.lengths))
        if seen[-1] < ROWS:
            return step.whole(batch)
        if direction == "forward":
            step.whole(batch)
            raise RAN_OUT
        # The last gradient to be computed, so that others have been added to what was there.
        embedding = next(one for name, one in step.task.named_parameters() if name.endswith("table.weight"))
        hook = embedding.register_hook(lambda _: (hook.remove(), raising())[1])
        return step.whole(batch)

    def raising():
        raise RAN_OUT

    found, halved = step.gradients(fails)
    assert seen in ([ROWS, 3, 4], [ROWS, 3, 4, 3, 4])
    assert found.keys() == wanted.keys()
    for name, one in wanted.items():
        assert torch.allclose(found[name], one, rtol=1e-6, atol=1e-9), name
    assert halved == pytest.approx(value, rel=1e-6)
    for name, one in after.items():
        assert torch.allclose(step.task.carried[name], one)
    assert capsys.readouterr().err == (
        f"out of memory on a batch of {ROWS} rows of {step.batch.inputs.shape[1]} steps: it is halved, as others that "
        "do not fit: a smaller batch_size, or batch_tokens, saves time\n"
    )


def test_what_cannot_be_halved_or_is_another_error_ends_the_step(steps):
    step = steps("classification")

    def none(batch):
        raise RAN_OUT

    with pytest.raises(torch.OutOfMemoryError):
        step.gradients(none)  # the halves neither
    step.task.loss = none
    with pytest.raises(torch.OutOfMemoryError):
        step.task.held_loss(step.batch.rows(0, 1))

    def broken(batch):
        raise RuntimeError("shapes cannot be multiplied")

    with pytest.raises(RuntimeError, match="shapes"):
        step.gradients(broken)
