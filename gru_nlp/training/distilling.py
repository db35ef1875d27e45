"""Sequence-level knowledge distillation: a student learns from what teachers translate (Kim and Rush 2016).

How it works. ``gru-nlp distill`` is a training whose config names teachers. Before it begins they translate the sources
of its training split (``teaching``); what is chosen of that stands in for the corpus of the run, or beside it, and is
kept in the run folder, from which ``resume`` takes it, so that neither teachers nor cache are needed then. Teachers of
the other direction, where some are named, translate the targets back into sources, which are learned from beside
(data diversification, Nguyen et al. 2020). Validation and test are the real ones.
"""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from omegaconf import DictConfig, OmegaConf
from sacrebleu.metrics.chrf import CHRF

from gru_nlp import build, checkpoint, targets
from gru_nlp.console import is_first_process, remark, say
from gru_nlp.data.corpus import Corpus
from gru_nlp.data.distilled import DistilledCorpus, Pair, read_pairs, write_pairs
from gru_nlp.errors import UserError
from gru_nlp.predictor import check_alike
from gru_nlp.training import resuming, run_folder, teaching
from gru_nlp.training.stored_data import check_stored_data, discreet

#: What ``data`` must have.
SIDES = ("source", "target")
#: Sentences by which it is seen whether back-translations are in the source language.
COMPARED = 500


@contextlib.contextmanager
def begun(config: DictConfig, given: Sequence[str]) -> Iterator[None]:
    """Put into the config of the block's training, in place, what comes from the first teacher.

    That is its data where the person names none, and its tokenizer where ``teacher_tokenizer`` asks for it; a run that
    goes on has both in its folder.

    Args:
        config: composed and checked.
        given: overrides that it was composed from.

    Raises:
        UserError: an option is wrong, or a teacher cannot be used.
    """
    paths = _listed(config, "teacher")
    if not paths:
        raise UserError("distill needs teacher=<run>, or teacher=[<run>,<run>]")
    config.teacher, config.backward_teacher = paths, _listed(config, "backward_teacher")
    _check(config)
    goes_on = config.resume and config.run_dir and (Path(config.run_dir) / run_folder.CONFIG).is_file()
    stored = _run(config) if goes_on else _teacher(config, paths)
    names = {override.lstrip("+").partition("=")[0] for override in given}
    foreign: dict[str, str] = {}
    if not any(name in ("data", "experiment") or name.startswith("data.") for name in names):
        foreign = {} if goes_on else check_stored_data(stored["data"], {})
        OmegaConf.update(config, "data", stored["data"], merge=False)
    if config.teacher_tokenizer:
        for name in ("tokenizer", "joint"):
            OmegaConf.update(config, f"preprocessing.{name}", stored["preprocessing"][name], merge=False)
    try:
        yield
    except UserError as error:
        raise discreet(error, foreign.items()) from None


def _listed(config: DictConfig, option: str) -> list[str]:
    given = config[option]
    paths = [given] if isinstance(given, str) else list(given or ())
    if not all(isinstance(path, str) and path for path in paths):
        raise UserError(f"distill needs {option}=<run>, or {option}=[<run>,<run>]")
    return paths


def _check(config: DictConfig) -> None:
    if config.resume not in (None, resuming.AUTO):
        told = f"resume={config.resume}: a run goes on by gru-nlp train resume={config.resume}"
        raise UserError(f"{told}, or by the same command with resume={resuming.AUTO} run_dir=<run>")
    if not 1 <= config.hypotheses <= config.beam_size:
        raise UserError(f"hypotheses={config.hypotheses} must lie between 1 and beam_size={config.beam_size}")
    if config.interpolation and config.hypotheses < 2:
        raise UserError("interpolation=true chooses among several hypotheses: set hypotheses=5 too")
    if config.trainer.devices not in ("auto", 1) or config.trainer.num_nodes != 1:
        raise UserError("distill goes on in one process: set trainer.devices=1")


def _run(config: DictConfig) -> dict[str, Any]:
    """Return data and preprocessing of the run that goes on."""
    stored = OmegaConf.to_container(run_folder.stored_config(Path(config.run_dir), list(config.trust)), resolve=True)
    return cast(dict[str, Any], stored)


def _teacher(config: DictConfig, paths: Sequence[str]) -> dict[str, Any]:
    """Return the stored data and preprocessing of the first teacher, checked; all are looked at."""
    first = _alike(paths, "teacher")
    if config.backward_teacher:
        _alike(config.backward_teacher, "backward_teacher")
    with checkpoint.building(first.path):
        for part in ("data", "preprocessing"):
            targets.check_stored(part, first.config[part], list(config.trust))
    return {"data": dict(first.config["data"]), "preprocessing": first.config["preprocessing"]}


def _alike(paths: Sequence[str], option: str) -> checkpoint.Checkpoint:
    """Return the first of the teachers that an option names, after a look at all."""
    first, *others = [teaching.stored(path, option) for path in paths]
    for other in others:
        check_alike(first, other)
    return first


def learned(config: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the learned state of the teachers' preprocessing, where the student is to have it."""
    if not config.get("teacher") or not config["teacher_tokenizer"]:
        return None
    return teaching.stored(config["teacher"][0]).preprocessing


def corpus(config: dict[str, Any], now: resuming.Sitting | None) -> DistilledCorpus | None:
    """Return what a student learns from; None for a run without teachers.

    Args:
        config: of the run, resolved.
        now: what it goes on from; None: it is a new one.

    Raises:
        UserError: data or teachers cannot be used.
    """
    if not config.get("teacher"):
        return None
    if build.preprocessor(config).data_columns != SIDES:
        raise UserError("distill trains a translator: set task=translation")
    kept = None if now is None else now.folder / run_folder.DISTILLED
    own = kept is not None and kept.is_file()
    if now is not None and now.given is not None and not (own and now.stopped):
        told = f"{now.folder}: was stopped before its first checkpoint"
        raise UserError(f"{told}: go on with gru-nlp distill, its options and resume=auto run_dir={now.folder}")
    real = cast(Corpus, build.build(config["data"]))
    real.serve(SIDES)
    pairs = read_pairs(cast(Path, kept)) if own else _taught(config, real)
    cache_dir = config["data"].get("cache_dir")
    return DistilledCorpus(corpus=real, pairs=pairs, references=config["references"], cache_dir=cache_dir)


def _taught(config: dict[str, Any], real: Corpus) -> list[Pair]:
    """Let the teachers translate; return the pairs that are chosen."""
    rows: Any = _training_rows(real)
    sources, references = list(rows["source"]), list(rows["target"])
    lines = list(rows["line"]) if "line" in rows.column_names else [0] * len(rows)
    found = _translated(config, config["teacher"], sources)
    if config["interpolation"]:
        found = [closest(texts, reference) for texts, reference in zip(found, references, strict=True)]
    triples = zip(sources, found, lines, strict=True)
    pairs = [Pair(source, text, line) for source, texts, line in triples for text in texts]
    if config["backward_teacher"]:
        found = _translated(config, config["backward_teacher"], references)
        _check_direction(found, sources, references)
        triples = zip(references, found, lines, strict=True)
        pairs += [Pair(text, reference, line) for reference, texts, line in triples for text in texts]
    return pairs


def _translated(config: dict[str, Any], paths: Sequence[str], texts: Sequence[str]) -> list[list[str]]:
    """Return the translations of each text by the teachers of ``paths``."""
    teacher = teaching.teacher_of(config, paths)
    found = list(teaching.translated(teacher, texts, config["data"].get("cache_dir")))
    if teacher.predictor.truncated:
        say(f"{teacher.predictor.truncated:,} sentences were cut to the teachers' max_length")
    if empty := sum(not translations for translations in found):
        say(f"{empty:,} sentences have no translation, and are left out")
    return found


def _check_direction(found: Sequence[Sequence[str]], sources: Sequence[str], targets: Sequence[str]) -> None:
    """Warn where back-translations look like what they were made of."""
    best = [texts[0] if texts else "" for texts in found[:COMPARED]]
    like_sources, like_targets = (
        CHRF().corpus_score(best, [list(texts[:COMPARED])]).score for texts in (sources, targets)
    )
    if like_targets > like_sources:
        told = f"chrF {like_targets:.0f} with the targets that they translated, {like_sources:.0f} with the sources"
        remark(f"{told}: does backward_teacher translate into the source language?")


def _training_rows(real: Corpus) -> Any:
    rows = real.load("train")
    assert rows is not None
    if missing := [side for side in SIDES if side not in rows.column_names]:
        raise UserError(f"distill learns from pairs of sentences; this data has no {missing[0]}: set data=...")
    return rows


def closest(texts: Sequence[str], reference: str) -> list[str]:
    """Return the translation closest to the reference by chrF, as a list; none of none.

    Kim and Rush 2016 (section 3.3, sequence-level interpolation) take smoothed BLEU; chrF needs no tokens, whatever
    the writing.
    """
    scorer = CHRF()
    return [max(texts, key=lambda text: scorer.sentence_score(text, [reference]).score)] if texts else []


def keep(folder: Path, taught: DistilledCorpus | None) -> None:
    """Write the pairs that a student learns from into its run folder, unless they stand there."""
    file = folder / run_folder.DISTILLED
    if taught is not None and is_first_process() and not file.is_file():
        write_pairs(file, taught.pairs)
