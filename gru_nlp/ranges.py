"""What options may say, whoever says it: counts, shares and limits by an option's last name; plain values alone."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from gru_nlp.errors import UserError

#: Options whose values are maps of a person's own names.
MAP_OPTIONS = ("data.label_names", "data.tag_map")

#: Options, by their last name, that count something and must be at least 1.
COUNTS = frozenset(
    {"hidden_size", "layers", "size", "patience", "batch_size", "batch_tokens", "top_k", "accumulate_grad_batches"}
    | {"max_length", "min_frequency", "max_words", "max_word_length", "filters", "width", "heads"}
    | {"gazetteer_size", "stack", "speaker_size", "frames_per_step", "most_frames", "buckets"}
    | {"sequence_length", "sampled_softmax", "checkpoint_every_steps", "select_most"}
)
#: Options, by their last name, that are a share from 0 to below 1.
SHARES = frozenset(
    {"dropout", "recurrent_dropout", "output_dropout", "input_dropout", "word_dropout", "bpe_dropout"}
    | {"label_smoothing", "warmup", "average_decay", "weight_dropout", "test_share", "recase"}
    | {"gazetteer_dropout", "least_probability", "prenet_dropout", "oversample"}
)
#: Most that an option, by its last name, may say, whoever says it: a person's slip and a stranger's file alike would
#: otherwise build, or decode, without end.
MOST = {"layers": 64, "heads": 256, "num_workers": 256, "beam_size": 256, "max_ratio": 20.0, "max_extra": 1000}
MOST |= {
    "devices": 64,
    "num_nodes": 64,
    "min_length": 1000,
    "no_repeat_ngram": 1000,
    "width": 1000,
    "longest": 64,
    "buckets": 2**24,
    "top_k": 1000,
    "sequence_length": 2**16,
    "select_most": 10**6,
    "stack": 100,
    "frames_per_step": 100,
    "most_frames": 1000,
}
MOST |= dict.fromkeys(("hidden_size", "size", "shape_size", "gazetteer_size", "filters", "speaker_size"), 2**16)
MOST_THREADS = 1024


def leaves(config: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every dotted option of a plain config with its value."""
    if isinstance(config, dict):
        for name, value in config.items():
            yield from leaves(value, f"{prefix}.{name}" if prefix else str(name))
    else:
        yield prefix, config


#: Options that are one of a few words: how float32 matrices are multiplied, what the page of a report is written as.
WORDS = {"matmul_precision": ("auto", "highest", "high", "medium"), "report_format": ("html", "markdown", "json")}


def is_number(value: Any) -> bool:
    """Tell whether a value is a number, which true and false are not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def check_confidence(option: str, value: Any) -> None:
    """Refuse what is no confidence.

    Raises:
        UserError: naming the option and its value.
    """
    if value is not None and not (is_number(value) and 0.0 <= value <= 1.0):
        raise UserError(f"{option}={value} must be a number from 0 to 1, or null")


def check_log_probability(option: str, value: Any) -> None:
    """Refuse what is no logarithm of a probability.

    Raises:
        UserError: naming the option and its value.
    """
    if value is not None and not (is_number(value) and value <= 0.0):
        raise UserError(f"{option}={value} must be a number of at most 0, or null")


def check_ranges(config: Mapping[str, Any]) -> None:
    """Refuse counts below 1 or beyond reason, shares outside 0 to 1, and seeds that no generator takes.

    Args:
        config: plain values, interpolations among them.

    Raises:
        UserError: naming the option and its value.
    """
    for option, value in leaves(dict(config)):
        name = option.rpartition(".")[2]
        if option.startswith(tuple(f"{owner}." for owner in MAP_OPTIONS)):
            continue
        if value == "auto" and name == "devices":
            continue
        if name in COUNTS | SHARES | set(MOST) and not (is_number(value) or value is None or "${" in str(value)):
            raise UserError(f"{option}={value} must be a number")
        if option in ("seed", "num_workers") and type(value) is not int and "${" not in str(value):
            raise UserError(f"{option}={value} must be a whole number")
        if option == "threads" and value != "auto" and (type(value) is not int or not 1 <= value <= MOST_THREADS):
            raise UserError(f"threads={value} must be auto, or a whole number from 1 to {MOST_THREADS}")
        if option in WORDS and value not in WORDS[option]:
            raise UserError(f"{option}={value} must be {', '.join(WORDS[option][:-1])} or {WORDS[option][-1]}")
        if option == "abstain_below":
            check_confidence(option, value)
        if option == "min_log_probability":
            check_log_probability(option, value)
        if option == "calibrate" and value != "auto" and not isinstance(value, bool):
            raise UserError(f"calibrate={value} must be auto, true or false")
        if option == "checkpoint_every_minutes" and isinstance(value, int | float) and not 0 < value < math.inf:
            raise UserError(f"{option}={value} must be a number above 0, or null")
        if option == "seed" and type(value) is int and not 0 <= value < 2**32:
            raise UserError(f"seed={value} must be at least 0 and below {2**32}")
        if option == "num_workers" and type(value) is int and value < 0:
            raise UserError(f"num_workers={value} must not be negative")
        if isinstance(value, int | float):
            if name in COUNTS and isinstance(value, float):
                raise UserError(f"{option}={value} must be a whole number")
            if name in COUNTS and not value >= 1:
                raise UserError(f"{option}={value} must be at least 1")
            if name in MOST and not value <= MOST[name]:
                raise UserError(f"{option}={value} must be at most {MOST[name]}")
            if name in SHARES and not 0.0 <= value < 1.0:
                raise UserError(f"{option}={value} must be a share: at least 0 and below 1")


#: What a temperature by which logits are divided may be, of a stranger's file too.
LEAST_TEMPERATURE, MOST_TEMPERATURE = 0.05, 20.0


def is_temperature(value: object) -> bool:
    """Return whether a value of a file is a temperature."""
    return isinstance(value, float) and LEAST_TEMPERATURE <= value <= MOST_TEMPERATURE
