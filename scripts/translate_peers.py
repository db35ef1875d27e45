"""Train and decode a recurrent model of JoeyNMT or OpenNMT-py for a few steps, and print what that took.

Usage: python scripts/translate_peers.py joeynmt|onmt <folder>

Called by ``benchmark_translate_peers.py`` with the Python that the package is installed in, which needs no gru_nlp.
The folder holds ``plan.json``, ``vocabulary.txt``, and train, valid and test as pieces between blanks, a sentence a
line, in ``.source`` and ``.target``. Prints one line of JSON: seconds and CPU seconds of the counted training steps and
their target tokens (end marks among them), megabytes at the peak, parameters, seconds of decoding in batches and one by
one. JoeyNMT 2.3.0 and OpenNMT-py 3.5.1 were seen to work with torch 2.13.0 (see the caller for how to install them).
"""

import contextlib
import json
import resource
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

#: What a piece that stands for nothing is called in a vocabulary: their own ones come first.
SPECIAL = {"joeynmt": ["<unk>", "<pad>", "<s>", "</s>"], "onmt": []}


class Clock:
    """Notes when each training step begins and how many target tokens it has; ends training after the last one."""

    def __init__(self, plan: SimpleNamespace) -> None:
        self.first, self.last = plan.warm, plan.warm + plan.steps
        self.step, self.tokens = 0, 0

    def begin(self, tokens: int) -> bool:
        """Note a step of so many target tokens; return whether training is to end."""
        now = time.perf_counter(), time.process_time()
        if self.step == self.first:
            self.began = now
        if self.step == self.last:
            self.ended = now
        self.tokens += tokens if self.first <= self.step < self.last else 0
        self.step += 1
        return self.step > self.last

    def figures(self) -> dict[str, float]:
        """Return what training took."""
        wall, cpu = (ended - began for began, ended in zip(self.began, self.ended, strict=True))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
        return {"tokens": self.tokens, "wall": wall, "cpu": cpu, "megabytes": peak}


def decoded(name: str, run: Callable[[], Any]) -> dict[str, float]:
    """Return what decoding took."""
    wall, cpu = time.perf_counter(), time.process_time()
    run()
    return {f"{name}_wall": time.perf_counter() - wall, f"{name}_cpu": time.process_time() - cpu}


def joeynmt_config(folder: Path, plan: SimpleNamespace) -> dict[str, Any]:
    """Return JoeyNMT's configuration."""
    side = {"level": "word", "max_length": 200, "voc_file": str(folder / "joeynmt.txt")}
    embeddings = {"embedding_dim": plan.embedding}
    encoder = {"type": "recurrent", "rnn_type": "gru", "hidden_size": plan.encoder, "bidirectional": True}
    decoder = {"type": "recurrent", "rnn_type": "gru", "hidden_size": plan.decoder, "num_layers": 1}
    attention = {"general": "luong", "additive": "bahdanau"}[plan.attention]
    testing = {"beam_size": 5, "beam_alpha": 1.0, "batch_size": plan.batch, "eval_metrics": []}
    limits = {"min_output_length": plan.length, "max_output_length": plan.length}
    training = {"optimizer": "adamw", "learning_rate": 0.001, "clip_grad_norm": 1.0, "label_smoothing": 0.1}
    counts = {"batch_size": plan.train_batch, "epochs": 1000, "validation_freq": 10**9, "logging_freq": 10**9}
    return {
        "name": "peer",
        "model_dir": str(folder / "joeynmt"),
        "use_cuda": False,
        "data": {
            **{split: str(folder / name) for split, name in (("train", "train"), ("dev", "valid"), ("test", "test"))},
            "src": {"lang": "source", **side},
            "trg": {"lang": "target", **side},
        },
        "testing": testing | limits,
        "training": training | counts | {"early_stopping_metric": "loss", "scheduling": "exponential"},
        "model": {
            "tied_embeddings": True,
            "tied_softmax": False,
            "encoder": encoder | {"num_layers": 2, "dropout": 0.3, "embeddings": embeddings},
            "decoder": decoder | {"attention": attention, "input_feeding": True, "dropout": 0.3, "hidden_dropout": 0.3}
            | {"init_hidden": "bridge", "embeddings": embeddings},
        },
    }  # fmt: skip


def joeynmt(folder: Path, plan: SimpleNamespace) -> dict[str, float]:
    """Run JoeyNMT."""
    from joeynmt import prediction
    from joeynmt.config import parse_global_args
    from joeynmt.training import TrainManager

    (folder / "joeynmt").mkdir()
    pieces = (folder / "vocabulary.txt").read_text(encoding="utf-8").splitlines()
    (folder / "joeynmt.txt").write_text("\n".join([*SPECIAL["joeynmt"], *pieces]) + "\n", encoding="utf-8")
    options = parse_global_args(joeynmt_config(folder, plan), rank=0, mode="train")
    model, train, valid, test = prediction.prepare(options, rank=0, mode="train")
    clock, trainer = Clock(plan), TrainManager(
        model=model, model_dir=options.model_dir, device=options.device, n_gpu=0, rank=0, num_workers=0,
        autocast=options.autocast, seed=1, train_args=options.train, dev_args=options.test,
    )  # fmt: skip
    step = trainer._train_step

    def counted(batch: Any) -> Any:
        if clock.begin(int(batch.ntokens)):
            raise KeyboardInterrupt  # which it takes as a request to end
        return step(batch)

    trainer._train_step = counted
    trainer.train_and_validate(train_data=train, valid_data=valid)
    found = clock.figures() | {"parameters": sum(weight.numel() for weight in model.parameters())}

    # It reads the least length and passes it to nothing.
    prediction.search = partial(prediction.search, min_output_length=plan.length)

    def decode(batch: int) -> None:
        given = options.test._replace(batch_size=batch)
        said = prediction.predict(model, test, options.device, 0, args=given, autocast=options.autocast)[3]
        assert all(len(pieces) == plan.length for pieces in said)

    return found | decoded("bulk", partial(decode, plan.batch)) | decoded("single", partial(decode, 1))


def onmt_options(folder: Path, plan: SimpleNamespace) -> list[str]:
    """Return OpenNMT-py's options; its decoder must have as many layers as its encoder, and its size."""
    data = {"train": {"path_src": "train.source", "path_tgt": "train.target"}}
    data["valid"] = {"path_src": "valid.source", "path_tgt": "valid.target"}
    paths = {split: {key: str(folder / name) for key, name in files.items()} for split, files in data.items()}
    (folder / "onmt.yaml").write_text(json.dumps({"data": paths}), encoding="utf-8")
    scores = {"general": "general", "additive": "mlp"}
    given = f"""-config {folder}/onmt.yaml -src_vocab {folder}/onmt.txt -tgt_vocab {folder}/onmt.txt -share_vocab
        -save_model {folder}/onmt -encoder_type brnn -decoder_type rnn -rnn_type GRU -enc_layers 2 -dec_layers 2
        -word_vec_size {plan.embedding} -enc_hid_size {plan.decoder} -dec_hid_size {plan.decoder}
        -global_attention {scores[plan.attention]} -input_feed 1 -dropout 0.3
        -share_embeddings -batch_size {plan.train_batch} -batch_type sents -valid_batch_size 32 -normalization tokens
        -train_steps {plan.warm + plan.steps} -valid_steps 1000000000 -save_checkpoint_steps {plan.warm + plan.steps}
        -optim adam -learning_rate 0.001 -max_grad_norm 1 -label_smoothing 0.1 -seed 1 -num_workers 0
        -bucket_size 4800 -report_every 1000000"""
    return given.split()


def onmt(folder: Path, plan: SimpleNamespace) -> dict[str, float]:
    """Run OpenNMT-py."""
    import torch
    from onmt.bin import train, translate
    from onmt.inference_engine import InferenceEnginePY
    from onmt.trainer import Trainer

    pieces = (folder / "vocabulary.txt").read_text(encoding="utf-8").splitlines()
    (folder / "onmt.txt").write_text("".join(f"{piece}\t1\n" for piece in pieces), encoding="utf-8")
    clock, update, models = Clock(plan), Trainer._gradient_accumulation, []

    def counted(self: Any, batches: Any, *rest: Any) -> Any:
        models[:] = [self.model]
        clock.begin(sum(int((batch["tgt"][:, 1:, 0] != self.train_loss.padding_idx).sum()) for batch in batches))
        return update(self, batches, *rest)

    Trainer._gradient_accumulation = counted
    load = torch.load
    torch.load = lambda *given, **named: load(*given, **named | {"weights_only": False})  # its own file, just written
    train.train(train._get_parser().parse_known_args(onmt_options(folder, plan))[0])
    clock.begin(0)
    found = clock.figures() | {"parameters": sum(weight.numel() for weight in models[0].parameters())}

    def decode(batch: int) -> Callable[[], Any]:
        given = f"""-model {folder}/onmt_step_{plan.warm + plan.steps}.pt -src {folder}/test.source
            -output {folder}/onmt.out -beam_size 5 -batch_size {batch} -batch_type sents
            -min_length {plan.length} -max_length {plan.length} -seed 1"""
        options, parser = translate._get_parser().parse_args(given.split()), translate.ArgumentParser
        parser.validate_translate_opts(options)
        parser._get_all_transform_translate(options)
        parser._validate_transforms_opts(options)
        parser.validate_translate_opts_dynamic(options)
        return InferenceEnginePY(options).infer_file

    return found | decoded("bulk", decode(plan.batch)) | decoded("single", decode(1))


def main() -> None:
    """Run one of them; print its figures."""
    system, folder = sys.argv[1], Path(sys.argv[2])
    plan = SimpleNamespace(**json.loads((folder / "plan.json").read_text(encoding="utf-8")))
    with contextlib.redirect_stdout(sys.stderr):
        figures = {"joeynmt": joeynmt, "onmt": onmt}[system](folder, plan)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
