"""How people write tags, found by looking at all tags of a file, and told as ``B-PER`` and ``O`` whatever it is.

========== ======================= =======================================================
style      such as                 read as
========== ======================= =======================================================
``plain``  B-PER, E-LOC            itself
``first``  B_PER, b-per, B:PER     the place of the word in its entity, then the type
``last``   PER-B, PER_I            the same
``alone``  B, I                    entities of one type, ``ENT``
``types``  PER, LOC                neighbouring words of one type are one entity
========== ======================= =======================================================

A style is taken where all tags of a file fit it and can mean nothing else; one character stands between place and type,
and places are written in one case. What a person says by a map of tags comes before.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from gru_nlp.text.schemes import OUTSIDE, TAG, Span, spans, split_tag

#: The type of entities whose tags name none.
NAMELESS = "ENT"
#: Most types of tags that have no place: more of them are words of another column.
MOST_TYPES = 200
#: Tags of another column, which are taken for no types.
PARTS_OF_SPEECH = frozenset("NN NNS NNP NNPS VB VBD VBG VBN VBP VBZ JJ RB NOUN PROPN VERB ADJ ADP DET PRON".split())
#: Characters between the place and the type.
_FIRST = re.compile(r"(?P<place>[BIESMLUbiesmlu])(?P<mark>[-_:./|])(?P<type>\S+)")
_LAST = re.compile(r"(?P<type>\S+)(?P<mark>[-_:./|])(?P<place>[BIESMLUbiesmlu])")
_ALONE = re.compile(r"(?P<place>[BIESMLUbiesmlu])(?P<mark>)(?P<type>)")
_PLACED = {"first": _FIRST, "last": _LAST, "alone": _ALONE}


class Style(NamedTuple):
    """How the tags of a file are written.

    Attributes:
        kind: ``plain``, ``first``, ``last``, ``alone`` or ``types``; empty: there are no entities.
        outside: the tag of words outside entities.
    """

    kind: str
    outside: str = OUTSIDE

    def plain(self, tag: str) -> str:
        """Return a tag of this style as ``B-PER`` or ``O``; those of one without places as ``I-PER``."""
        if tag == self.outside:
            return OUTSIDE
        if self.kind in _PLACED:
            found = _PLACED[self.kind].fullmatch(tag)
            assert found is not None
            return f"{found['place'].upper()}-{found['type'] or NAMELESS}"
        return f"I-{tag}" if self.kind == "types" else tag


class OddTag(Exception):
    """A tag that cannot be read.

    Args:
        tag: as it stands in the file.
        reason: what is wrong with it, to follow the tag.
    """

    def __init__(self, tag: str, reason: str) -> None:
        super().__init__(reason)
        self.tag = tag


def find(counts: Mapping[str, int]) -> Style:
    """Return the style of tags, given how often each occurs.

    Raises:
        OddTag: one does not fit, or all can mean several things.
    """
    outside = "o" if "o" in counts and OUTSIDE not in counts else OUTSIDE
    tags = [tag for tag in counts if tag != outside]
    if not tags:
        return Style("", outside)
    if all(map(TAG.fullmatch, tags)):
        return Style("plain", outside)
    kinds = [kind for kind in _PLACED if _fits(tags, kind)]
    if len(kinds) > 1:  # of B_DRUG_S and I_DRUG_S only the first letters begin entities
        kinds = [kind for kind in kinds if _places(tags, kind) & set("BIbi")]
    if len(kinds) == 1:
        return Style(kinds[0], outside)
    if not kinds and outside in counts and _are_types(tags):
        return Style("types", outside)
    raise _odd({tag: counts[tag] for tag in tags}, outside in counts)


def _places(tags: Iterable[str], kind: str) -> set[str]:
    """Return the letters that tell places in tags of a kind; tags of another one are passed over."""
    return {found["place"] for found in map(_PLACED[kind].fullmatch, tags) if found}


def _fits(tags: Collection[str], kind: str) -> bool:
    """Return whether all tags are of a kind, written alike, and one of them can begin an entity."""
    found = [_PLACED[kind].fullmatch(tag) for tag in tags]
    parts = [match for match in found if match]
    places = {match["place"] for match in parts}
    alike = len({(match["mark"], match["place"].isupper()) for match in parts}) == 1
    # Lower case after a type (vitamin-b), and a letter alone other than B and I (the size S), may well be a type.
    begins = set({"first": "BISUbisu", "last": "BISU", "alone": "BIbi"}[kind])
    return len(parts) == len(tags) and alike and bool(places & begins)


def _are_types(tags: Collection[str]) -> bool:
    """Return whether tags can be types alone: few, like names, and none that seems to tell a place too."""
    placed = any(_places(tags, kind) & set("BIbi") for kind in _PLACED) or all(map(_ALONE.fullmatch, tags))
    rests = Counter(tag[1:] for tag in tags if len(tag) > 1 and tag[0] in "BIESMLU")  # BPER and IPER
    glued = any(count > 1 and {f"B{rest}", f"I{rest}"} & set(tags) for rest, count in rests.items())
    named = all(_is_name(tag) and tag not in PARTS_OF_SPEECH for tag in tags)
    return named and len(tags) <= MOST_TYPES and not placed and not glued


def is_meaning(text: str) -> bool:
    """Return whether a text can be what a tag or a type stands for: a tag such as B-PER, O, or the name of a type."""
    return bool(TAG.fullmatch(text)) or (_is_name(text) and not any(_places([text], kind) for kind in _PLACED))


def _is_name(tag: str) -> bool:
    """Return whether a tag can be the name of a type: a word with letters, no mark at its ends, and no small O."""
    edges = tag[:1].isalnum() and tag[-1:].isalnum()
    return edges and any(letter.isalpha() for letter in tag) and len(tag.split()) == 1 and tag != "o"


def _odd(counts: Mapping[str, int], outside: bool) -> OddTag:
    """Return what is told of tags that no style fits: of the first that is not written as most are."""
    kinds = {tag: _kind(tag) for tag in counts}
    votes: Counter[str] = Counter()
    for tag, kind in kinds.items():
        votes[kind] += counts[tag]
    votes["none"] = 0
    usual = "plain" if "plain" in votes else votes.most_common(1)[0][0]
    others = [tag for tag, kind in kinds.items() if kind != usual]
    odd = (tag for tag, kind in kinds.items() if kind == "number" or tag in PARTS_OF_SPEECH)
    tag = next(odd, (others or list(kinds))[0])
    if kinds[tag] == "number":
        return OddTag(tag, "is a number and no tag")
    if others and usual not in ("plain", "none"):
        like = next(tag for tag, kind in kinds.items() if kind == usual)
        return OddTag(tag, f"is no tag like '{like}', as others of the file are")
    foreign = kinds[tag] == "none" or not PARTS_OF_SPEECH.isdisjoint(kinds)
    if others or foreign or len(kinds) > MOST_TYPES or not outside:
        return OddTag(tag, "is no tag like O, B-PER or I-LOC")
    return OddTag(tag, "may be a type, or tell the place of its word in an entity")


def _kind(tag: str) -> str:
    """Return what a tag is like by itself."""
    if tag.isdecimal():
        return "number"
    if TAG.fullmatch(tag):
        return "plain"
    for kind, pattern in _PLACED.items():
        if found := pattern.fullmatch(tag):
            return f"{kind} {found['mark']} {found['place'].isupper()}"
    return "types" if _is_name(tag) else "none"


class Reading(NamedTuple):
    """What the tags of a file mean.

    Attributes:
        style: ``places`` (tags tell place and type), ``alone`` (the place only), ``types`` (the type only); empty:
            there are no entities.
        tags: each tag of the file as ``B-PER`` or ``O``.
        labels: the names that types are given, by those that they have in ``tags``; O: no entity.
        unused: what a person maps that is neither a tag nor a type of the file.
    """

    style: str
    tags: Mapping[str, str]
    labels: Mapping[str, str]
    unused: list[str]

    def entities(self, tags: Sequence[str]) -> list[Span]:
        """Return the entities of plain ``tags`` of a sentence, with the names that their types are given."""
        found = [Span(start, end, self.labels.get(label, label)) for start, end, label in spans(tags)]
        return [span for span in found if span.label != OUTSIDE]


def read(counts: Mapping[str, int], given: Mapping[str, str]) -> Reading:
    """Return what tags mean: what is ``given`` for them, and what their style says of the others.

    Args:
        counts: how often each tag occurs.
        given: by whole tag, a tag such as ``B-PER``, ``O``, or in a file without places a type; by type, a type or O.

    Raises:
        OddTag: a tag that neither is given nor has a style, or one that is given what it cannot be.
    """
    whole = {tag: given[tag] for tag in counts if tag in given}
    types = {tag: value for tag, value in whole.items() if not TAG.fullmatch(value)}
    plain = {tag: value for tag, value in whole.items() if tag not in types}
    left = {tag: count for tag, count in counts.items() if tag not in whole}
    style = find({**left, **dict.fromkeys({OUTSIDE} & set(plain.values()), 1)})
    tags = {**{tag: style.plain(tag) for tag in left}, **plain, **{tag: f"I-{tag}" for tag in types}}
    met = {split_tag(tags[tag])[1]: tag for tag in left}
    labels = {**{name: value for name, value in given.items() if name not in whole and name in met}, **types}
    for name, value in labels.items():
        if name not in types and TAG.fullmatch(value) and value != OUTSIDE:
            raise OddTag(met[name], f"is of the type '{name}', which data.tag_map can only make another type, or O")
    placed = [tag for tag, value in plain.items() if value != OUTSIDE]
    typed = [*types, *(tag for tag in left if style.kind == "types" and tag != style.outside)]
    if typed and (placed or style.kind not in ("types", "")):
        raise OddTag(typed[0], "has only a type where other tags tell places too")
    kind = "types" if typed else "alone" if style.kind == "alone" else "places" if placed or style.kind else ""
    return Reading(kind, tags, labels, [name for name in given if name not in whole and name not in labels])
