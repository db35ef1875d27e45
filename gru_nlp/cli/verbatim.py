"""Values that are taken as they are typed, whatever they hold: written as Hydra's grammar takes them.

Paths, and names of columns, labels and tags, are a person's own, and hold blanks, brackets, commas, any letter, or what
YAML takes for a number or a switch. Quotes around a whole value, a name in a list or one in a map are taken off; inside
them a comma or a bracket is a letter like any other. In a sweep a comma stands between the values to be tried.

Hydra's maps have no quoted keys: what its grammar would not give back as it is typed is handed over in disguise, which
``config.text_maps`` takes off again.
"""

import re
from collections.abc import Iterator, Sequence

from gru_nlp.config import PATH_OPTIONS, disguised
from gru_nlp.errors import UserError
from gru_nlp.ranges import MAP_OPTIONS

#: Options whose value is one text.
TEXTS = (
    *PATH_OPTIONS,
    *("delimiter", "encoding", "separator", "host", "api_key", "prefix", "speaker"),
    *("data.delimiter", "data.encoding", "data.separator", "data.label", "data.label_cut", "data.word", "data.tag"),
    *("data.label_separator", "data.recording", "data.speaker", "data.hold_out_by"),
    *("data.source", "data.target", "data.name", "data.revision"),
    *("data.hub.text", "data.hub.label", "data.hub.name"),
    *(f"{group}.{split}" for group in ("data.splits", "data.hub.splits", "data.files") for split in ("train", "test")),
    *(f"{group}.validation" for group in ("data.splits", "data.hub.splits", "data.files")),
)
#: Those whose value is a text, or a list of texts in brackets.
LISTS = (
    *("text", "slices", "hosts", "pretrained", "gazetteers", "patterns", "pretraining.text", "ensemble", "backward"),
    *("data.text", "data.columns", "data.folders", "data.hold_out", "data.hold_out_validation"),
)
#: What says that there is no value, or that it must be given.
NOTHING = ("", "null", "???")
_QUOTED = r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\""""
_ITEM = re.compile(rf"\s*(?:(?P<quoted>{_QUOTED})\s*(?=,|$)|(?P<bare>[^,]*))", re.DOTALL)
_PAIR = re.compile(rf"\s*(?:(?P<quoted>{_QUOTED})\s*|(?P<bare>[^:,]*)):", re.DOTALL)
#: A value of a sweep: quoted, in brackets, or up to a comma.
_CHOICE = re.compile(
    rf"\s*(?:{_QUOTED}|\[(?:{_QUOTED}|[^\]])*\]|\{{(?:{_QUOTED}|[^}}])*\}})\s*(?=,|$)|[^,]*", re.DOTALL
)
#: What Hydra takes as it stands, and its functions that make the values of a sweep.
_PLAIN = re.compile(r"(?!(?:true|false|null|nan|inf)$)[A-Za-z_./][\w./-]*", re.ASCII | re.IGNORECASE)
_FUNCTION = re.compile(r"(?:choice|range|interval|glob|shuffle|sort|tag|extend_list)\(.*\)", re.DOTALL)


def written(argument: str, sweep: bool, lists: Sequence[str] = LISTS) -> str:
    """Return an argument with its value as Hydra takes it; one of another option comes back as it is.

    Args:
        argument: ``name=value``.
        sweep: whether a comma stands between several values.
        lists: options whose values may be lists.

    Raises:
        UserError: a map is none, or a value of a sweep is missing.
    """
    option, sign, value = argument.partition("=")
    name = option.lstrip("+")
    if not sign or name not in (*TEXTS, *lists, *MAP_OPTIONS) or value in NOTHING:
        return argument
    if name in MAP_OPTIONS and option == name:
        option = f"++{name}"  # a preset's own names would let no others in
    if not sweep or not value.strip(", "):  # a comma alone is a delimiter
        return f"{option}={_value(name, value, lists)}"
    if _FUNCTION.fullmatch(value):
        return argument
    choices = list(_split(value, _CHOICE))
    if "" in choices:
        raise UserError(f"{argument}: nothing between two commas of a sweep; quote a name that holds one: {name}='a,'")
    kept = (
        choice if choice in NOTHING or _PLAIN.fullmatch(choice) else _value(name, choice, lists) for choice in choices
    )
    return f"{option}={','.join(kept)}"


def _value(name: str, typed: str, lists: Sequence[str]) -> str:
    if name in MAP_OPTIONS:
        return typed if re.fullmatch(r"\$\{[\w.]+\}", typed) else _map(name, typed.strip())
    inside = typed.strip()
    if name in lists and inside.startswith("[") and inside.endswith("]"):
        return f"[{','.join(map(quoted, _items(inside)))}]"
    return typed if re.fullmatch(_QUOTED, typed, re.DOTALL) else quoted(typed)


def _map(name: str, typed: str) -> str:
    """Return a map of texts, or a list of names for 0, 1 and so on, as a map that Hydra takes."""
    if typed.startswith("{") and typed.endswith("}"):
        pairs = list(_pairs(typed[1:-1], name)) if typed[1:-1].strip() else []
    elif typed.startswith("[") and typed.endswith("]"):
        pairs = [(str(number), item) for number, item in enumerate(_items(typed))]
    else:
        raise UserError(f"{name}={typed} must be a map such as {{a: b, c: d}}, or a list such as [b, d] for 0 and 1")
    return f"{{{','.join(f'{disguised(key)}:{quoted(value)}' for key, value in pairs)}}}"


def _items(typed: str) -> list[str]:
    """Return the texts of a list in brackets."""
    return [_bare(item) for item in _split(typed[1:-1], _ITEM)] if typed[1:-1].strip() else []


def quoted(text: str) -> str:
    """Return a text in Hydra's quotes, inside which only a quote, and backslashes right before one, have a meaning."""
    escaped = re.sub(r"(\\*)'", lambda found: found.group(1) * 2 + "\\'", text)
    escaped = re.sub(r"(\\+)$", lambda found: found.group(1) * 2, escaped)
    return f"'{escaped}'"


def _bare(text: str) -> str:
    """Take off quotes around a whole text, and the backslashes that let it hold its own quote."""
    text = text.strip()
    if not re.fullmatch(_QUOTED, text, re.DOTALL):
        return text
    mark = text[0]
    return re.sub(rf"(\\+)({mark}|$)", lambda found: "\\" * (len(found[1]) // 2) + found[2], text[1:-1])


def _split(text: str, part: re.Pattern[str]) -> Iterator[str]:
    """Yield the parts of a text between commas."""
    place = 0
    while True:
        found = part.match(text, place)
        assert found is not None  # a part may be empty
        yield found[0].strip()
        place = found.end() + 1
        if found.end() >= len(text):
            return


def _pairs(text: str, option: str) -> Iterator[tuple[str, str]]:
    """Yield the keys and values of a map.

    Raises:
        UserError: a part of it has no colon, or a key occurs twice.
    """
    place, seen = 0, set()
    while place <= len(text):
        key = _PAIR.match(text, place)
        value = key and _ITEM.match(text, key.end())
        if not key or not value:
            given = text[place:].partition(",")[0].strip()
            raise UserError(f"{option}: '{given}' is no pair: write {{key: value, ...}}, names with commas in quotes")
        name = _bare(key["quoted"] or key["bare"])
        if name in seen:
            raise UserError(f"{option}: '{name}' occurs twice")
        seen.add(name)
        yield name, _bare(value["quoted"] or value["bare"])
        place = value.end() + 1
