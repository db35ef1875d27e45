"""English sentences with the part of speech of every word, by the names of Universal Dependencies.

Many words are a noun in one sentence and a verb in the next ("the watch stopped", "they watch the road"), so that only
what stands around them tells; names are those of ``entities``, of which each split has its own.
"""

import random
from typing import Any

from gru_nlp.samples.entities import DAYS, PARTS, names

SIZES = {"train": 2000, "validation": 200, "test": 400}
SEED = 20261128

#: Words that name things as well as deeds; as deeds they take an object.
BOTH = (
    "answer book call change check cook drive drink hammer order paint plan print report show test visit watch".split()
)
THINGS = "bridge doctor garden kitchen letter mayor nurse picture river road school table teacher train window".split()
DEEDS = "closed found forgot kept liked moved opened praised sold wanted".split()
QUALITIES = "big calm cold green heavy late little new old quiet small warm".split()
WAYS = "carefully gladly never often quickly rarely slowly soon".split()
PLACES = "behind beside in near on under".split()
PEOPLE = "he she we they you".split()
OWNERS = "her his my our their your".split()
HELPERS = "can could must should will would".split()

#: Words as they are, or the name of a list, each with its part of speech.
TEMPLATES = """the/DET QUALITY/ADJ THING/NOUN DEED/VERB the/DET BOTH/NOUN ./PUNCT
the/DET BOTH/NOUN was/AUX QUALITY/ADJ and/CCONJ QUALITY/ADJ ./PUNCT
PERSON/PRON HELPER/AUX BOTH/VERB the/DET THING/NOUN WAY/ADV ./PUNCT
PERSON/PRON BOTH/VERB OWNER/PRON THING/NOUN every/DET DAY/PROPN ./PUNCT
to/PART BOTH/VERB a/DET THING/NOUN is/AUX QUALITY/ADJ work/NOUN ./PUNCT
FIRST/PROPN LAST/PROPN WAY/ADV DEED/VERB OWNER/PRON BOTH/NOUN ./PUNCT
a/DET BOTH/NOUN of/ADP the/DET THING/NOUN stood/VERB PLACE/ADP the/DET QUALITY/ADJ THING/NOUN ./PUNCT
NUMBER/NUM BOTHS/NOUN lay/VERB PLACE/ADP LAST/PROPN ,/PUNCT said/VERB FIRST/PROPN ./PUNCT
did/AUX FIRST/PROPN BOTH/VERB the/DET QUALITY/ADJ BOTH/NOUN ?/PUNCT
please/INTJ BOTH/VERB the/DET THING/NOUN and/CCONJ BOTH/VERB it/PRON again/ADV !/PUNCT
if/SCONJ PERSON/PRON BOTH/VERB that/DET BOTH/NOUN ,/PUNCT the/DET THING/NOUN HELPER/AUX wait/VERB ./PUNCT
PERSON/PRON know/VERB that/SCONJ LAST/PROPN HELPER/AUX BOTH/VERB this/PRON in/ADP PART/NOUN ./PUNCT
that/PRON is/AUX n't/PART OWNER/PRON QUALITY/ADJ BOTH/NOUN ./PUNCT
the/DET THING/NOUN 's/PART BOTH/NOUN cost/VERB NUMBER/NUM %/SYM more/ADJ ./PUNCT
FIRST/PROPN and/CCONJ FIRST/PROPN will/AUX not/PART BOTH/VERB PLACE/ADP LAST/PROPN ./PUNCT""".splitlines()


def filled(item: str, source: random.Random, stems: list[str], first: list[str]) -> str:
    """Return a word for the name of a list; any other word as it is."""
    lists = {
        "BOTH": BOTH,
        "BOTHS": [f"{word}es" if word == "watch" else f"{word}s" for word in BOTH],
        "THING": THINGS,
        "DEED": DEEDS,
        "QUALITY": QUALITIES,
        "WAY": WAYS,
        "PLACE": PLACES,
        "PERSON": PEOPLE,
        "OWNER": OWNERS,
        "HELPER": HELPERS,
        "DAY": DAYS,
        "PART": PARTS,
        "FIRST": first,
        "LAST": stems,
        "NUMBER": [str(number) for number in range(2, 400)],
    }
    return source.choice(lists[item]) if item in lists else item


def rows(split: str) -> list[dict[str, Any]]:
    """Return the sentences of a split as ``words`` and ``word_tags``."""
    source = random.Random(f"{SEED} {split}")
    stems, first = names(split)
    found = []
    for _ in range(SIZES[split]):
        pairs = [item.rsplit("/", 1) for item in source.choice(TEMPLATES).split(" ")]
        words = [filled(item, source, stems, first) for item, _ in pairs]
        words[0] = words[0][0].upper() + words[0][1:] if source.random() < 0.8 else words[0]
        found.append({"words": words, "word_tags": [tag for _, tag in pairs]})
    return found
