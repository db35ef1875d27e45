"""Labels of training that may be wrong: models that have not seen a row say another one.

How it works. The training split is cut into ``FOLDS`` parts. For each, a model is trained on the others as the run was,
in a folder that goes when it is done, and labels the part: so every row is judged by a model that could not learn its
label by heart (Northcutt et al. 2021, "Confident learning", section 3). Rows that get another label are the suspects;
first come those where that is likelier than the given one by the greatest factor.
"""

import copy
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import lightning

from gru_nlp import build, checkpoint
from gru_nlp.config import resolved
from gru_nlp.console import remark, say
from gru_nlp.data.corpus import Corpus
from gru_nlp.data.folds import Fold
from gru_nlp.errors import UserError
from gru_nlp.precision import choose_precision, multiplying
from gru_nlp.preprocessing.rows import Record
from gru_nlp.reports.words import lead
from gru_nlp.tensors import resolve_device
from gru_nlp.threads import limit_tokenizers, set_threads
from gru_nlp.training import lightning_parts, predictions, resuming, run_folder
from gru_nlp.training.fitting import fit
from gru_nlp.training.parts import prepare
from gru_nlp.training.run import score
from gru_nlp.training.stopping import Stopped

#: Parts into which training is cut.
FOLDS = 5
#: Options of evaluate that have no effect here, and their defaults.
WITHOUT_EFFECT = {"split": "test", "batch_size": None, "batch_tokens": None, "decoding": None}


def suspects(given: Mapping[str, Any]) -> list[Record]:
    """Return the suspects of a run's training split: ``row``, text, ``label``, ``suggested`` and ``confidence``.

    Args:
        given: the options of ``evaluate``, plain values.

    Raises:
        UserError: an option has no effect, the checkpoint is no run folder, or its data has no label a row.
        SystemExit: a signal asked to stop.
    """
    lightning_parts.quieten()
    limit_tokenizers()
    for name, usual in WITHOUT_EFFECT.items():
        if (wanted := given.get(name)) not in (usual, None):
            raise UserError(f"{name}={wanted} has no effect where suspects are sought: leave it out")
    folder, own = Path(given["checkpoint"]), given.get("data") or {}
    plain = config_of(folder, given)
    names = [f"data.{name}" for name in (plain["data"] if "_target_" in own else own)]
    stored = resuming.Sitting(folder, run_folder.stored_config(folder, given["trust"]), None, names)
    with resuming.reading(stored, plain):
        label = label_of(plain)
        corpus = cast(Corpus, build.build(plain["data"]))
        corpus.serve(build.preprocessor(plain).data_columns)
        corpus.load("train")
    found: list[tuple[float, Record]] = []
    with tempfile.TemporaryDirectory(prefix="gru_nlp-") as work:
        try:
            for held in range(FOLDS):
                say(f"part {held + 1} of {FOLDS}")
                fold = Fold(corpus=corpus, label=label, held=held, parts=FOLDS, seed=plain["seed"])
                found += doubted(copy.deepcopy(plain), fold, Path(work) / str(held))
        except Stopped as error:  # which tells of a folder that goes
            raise SystemExit(error.code) from None
    return [record for _, record in sorted(found, key=lambda pair: -pair[0])]


def config_of(folder: Path, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the config of a run as each part is trained by it: alone, with no logs, on the data that is given now."""
    config = run_folder.stored_config(folder, given["trust"])
    config["device"] = given["device"]
    plain = resolved(config)
    plain["data"] = checkpoint.changed(plain["data"], given.get("data") or {}, "data")
    plain["trainer"] |= {"devices": 1, "num_nodes": 1, "strategy": "auto"}
    plain |= {"logger": {}, "callbacks": {}, "threads": given["threads"], "trust": list(given["trust"])}
    if plain["pretraining"]["epochs"]:
        begun = sorted(map(str, folder.glob(f"{run_folder.PRETRAINING}/*/{checkpoint.BEST}")))
        if not begun:
            raise UserError(f"{folder}: the language model that it began from is gone: train anew")
        plain["pretrained"] = begun
        plain["pretraining"] |= {"epochs": 0, "text": []}
    if plain["finetune"]:
        if not Path(plain["finetune"]).exists():
            raise UserError(f"{folder}: {plain['finetune']}, which it began from, is gone: train anew")
        remark(f"each part begins from {plain['finetune']}: what that has learned by heart is no suspect")
    return plain


def label_of(config: Mapping[str, Any]) -> str:
    """Return the column of the one label a row.

    Raises:
        UserError: there is none, or there are several.
    """
    preprocessor = build.preprocessor(config)
    if preprocessor.label_columns is None or not preprocessor.one_label:
        raise UserError(f"suspects=true needs one label a row, which {config['task']['name']} has not: leave it out")
    return preprocessor.label_columns.raw


def doubted(config: dict[str, Any], fold: Fold, folder: Path) -> list[tuple[float, Record]]:
    """Train on all parts but one; return its suspects, each with the logarithm of how much likelier another label is.

    A label that no other part has cannot be judged.
    """
    lightning.seed_everything(config["seed"], verbose=False)
    parts = prepare(config, corpus=fold)
    set_threads(config["threads"], parts.model)
    data = parts.data
    parts.task.solve(data.loader("train", shuffle=True), data.loader("validation", shuffle=False))
    folder.mkdir()
    trainer = lightning_parts.trainer(folder, config)
    device = resolve_device(config["trainer"]["accelerator"])
    with multiplying(choose_precision(config["matmul_precision"], device)):
        fit(parts, folder, trainer, None)
    score(parts, folder, trainer)
    known = parts.preprocessor.label_names()
    records = predictions.of_split(parts.task, data, "test", top_k=max(2, len(known)))
    table: Any = fold.load("test")
    found = []
    for row, record in zip(table["line"], records, strict=True):
        said, label, chances = record["label"], record["target"], dict(record["top"])
        if label in known and label != said:
            told = {name: value for name, value in record.items() if name not in ("target", "label", "score", "top")}
            told |= {"label": label, "suggested": said, "confidence": record["score"]}
            found.append((-lead(chances, label), {"row": row, **told}))
    return found
