"""Short stories from a grammar: somebody with a name, a place, a thing that is lost and found again.

Every sentence comes from one of a few patterns, so that ``is_sentence`` can tell whether a text that a model has written
is of the grammar. Within a story names agree: who has lost a thing looks for it, and finds it where it was.
"""

import random
import re
from typing import NamedTuple

SIZES = {"train": 1500, "validation": 100, "test": 150}
SEED = 20261127

NAMES = "Anna|Boris|Clara|Derek|Edith|Felix|Greta|Henry|Irene|Jonas|Karla|Louis"
KINDS = "old|young|clever|sleepy|cheerful|careful"
TRADES = "baker|tailor|sailor|farmer|teacher|painter|gardener|miller"
PLACES = "village|harbour|forest|valley|castle|garden|market|mill"
THINGS = "key|lantern|hat|letter|violin|basket|map|coin|spoon|umbrella"
COLOURS = "red|green|golden|silver|blue|wooden"
SPOTS = "under the bed|behind the door|beside the well|on the roof|in the boat|near the bridge"
TIMES = "One morning|One evening|On a rainy day|In the winter|At midnight"
FEELINGS = "sad|angry|worried|tired"
JOYS = "happy|proud|glad"


class Story(NamedTuple):
    """What a story is about."""

    name: str
    kind: str
    trade: str
    place: str
    thing: str
    colour: str
    spot: str
    time: str
    feeling: str
    joy: str
    friend: str


#: The sentences of a story in their order; each stands on a line of its own.
PATTERNS = (
    "{name} was a {kind} {trade} in the {place}.",
    "{time} {name} lost a {colour} {thing}.",
    "{name} was {feeling} and asked {friend} for help.",
    '"Where did you see the {thing}?" asked {friend}.',
    "They looked for the {thing} all day.",
    "At last {friend} found the {colour} {thing} {spot}.",
    "{name} was {joy} and thanked {friend}.",
)
WORDS = {
    "name": NAMES,
    "kind": KINDS,
    "trade": TRADES,
    "place": PLACES,
    "thing": THINGS,
    "colour": COLOURS,
    "spot": SPOTS,
    "time": TIMES,
    "feeling": FEELINGS,
    "joy": JOYS,
    "friend": NAMES,
}
_SENTENCES = tuple(
    re.compile(re.sub(r"\\\{(\w+)\\\}", lambda found: f"(?:{WORDS[found[1]]})", re.escape(pattern)))
    for pattern in PATTERNS
)


def is_sentence(line: str) -> bool:
    """Return whether a line is a sentence of the grammar."""
    return any(pattern.fullmatch(line) for pattern in _SENTENCES)


def story(source: random.Random) -> list[str]:
    """Return the lines of a story."""
    drawn = {name: source.choice(words.split("|")) for name, words in WORDS.items()}
    while drawn["friend"] == drawn["name"]:
        drawn["friend"] = source.choice(NAMES.split("|"))
    return [pattern.format(**Story(**drawn)._asdict()) for pattern in PATTERNS]


def rows(split: str) -> list[dict[str, object]]:
    """Return a split's rows ``text`` and ``ended``, a line each, a blank line after each story."""
    source = random.Random(SEED)
    made = {name: [[*story(source), ""] for _ in range(size)] for name, size in SIZES.items()}
    return [{"text": line, "ended": True} for lines in made[split] for line in lines]
