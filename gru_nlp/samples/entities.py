"""English sentences with people, places and organisations whose names tell nothing: only what stands around them does.

Every family name is a town and a firm as well, and each split has names of its own, so that a name of the test split
has never been seen in training. Names are put together from beginnings and endings.
"""

import random
from typing import Any

SIZES = {"train": 2500, "validation": 200, "test": 400}
SEED = 20261124
#: Of the names, shuffled once, the shares of each split.
SHARES = {"train": (0.0, 0.6), "validation": (0.6, 0.75), "test": (0.75, 1.0)}

BEGINNINGS = "Ar Bel Bor Bram Cal Cor Dal Dor El Fal Fen Gar Gor Hal Har Kel Kir Lan Lor Mar Mel Mor Nor Os Par Pel Ros Sel Stan Tar Thor Tor Val Ver Wal Wen Wil Yar".split()
ENDINGS = "by bury dale den don field ford ham ley low man mere more ney ridge rick sey shaw son stead stock ton well wick worth".split()
FIRST = """Ada Aldo Alma Amara Anton Aya Bela Bodil Bruno Carla Cato Ciro Clara Dana Dario Dina Edda Elio Elsa Emil Enzo Erna
Ezra Fabio Fiona Gerd Gina Greta Hanna Hugo Ida Igor Ilse Inga Ivan Jana Jonas Juno Kaia Karl Katja Lara Lars Leon Lina Livia Luca
Luis Maja Marco Mara Milo Mina Nadia Nico Nils Nora Olaf Olga Oskar Otto Paula Pia Quinn Rafa Rita Rosa Rudi Sara Selma Silas Sven
Tara Teo Tilda Tobias Ulla Uma Vera Viktor Wanda Willem Yara Yusuf Zara Zeno""".split()

#: Capital letters name the slots: P a person, Q a person by one word, L a place, O an organisation, F a firm by one word.
TEMPLATES = """P was born in L in NUMBER .
P , a nurse from L , joined O last YEARPART .
O hired P as its new director .
shares of F fell NUMBER percent on DAY .
F sold NUMBER trucks in YEARPART .
F will buy O for NUMBER million .
the mayor of L , P , opened the bridge .
it rained in L all week .
trains from L to L run every hour .
Q smiled and said nothing .
" we are tired , " said Q .
Q told reporters that O had lost NUMBER jobs .
P plays for O this season .
O opened an office in L on DAY .
we flew to L with Q .
she asked Q about the letter .
a spokesman for F said sales rose .
Q , who lives near L , writes novels .
O and F signed a contract in L .
the road between L and L is closed .
P left L for the O_THE .
my brother works for F in L .
police in L arrested Q on DAY .
Q thanked P after the match .
the people of L voted against the plan .
F shares closed at NUMBER on DAY .
P , NUMBER , studied at O_THE .
snow fell all night and the schools stayed closed .
the price of bread rose by NUMBER percent .
Yesterday nobody answered the phone .
The committee meets again on DAY .
O beat O NUMBER to NUMBER in L .""".splitlines()

DAYS = "Monday Tuesday Wednesday Thursday Friday".split()
PARTS = "spring summer autumn winter month".split()
TITLES = "Mr Ms Dr Mrs".split()


def names(split: str) -> tuple[list[str], list[str]]:
    """Return the family names and the first names of a split, which no other split has."""
    source = random.Random(SEED)
    stems = [beginning + ending for beginning in BEGINNINGS for ending in ENDINGS]
    first = list(FIRST)
    source.shuffle(stems)
    source.shuffle(first)
    low, high = SHARES[split]
    return tuple(pool[int(low * len(pool)) : int(high * len(pool))] for pool in (stems, first))  # type: ignore[return-value]


class Grammar:
    """Draws tagged sentences.

    Args:
        source: of random numbers.
        stems: family names, which are towns and firms too.
        first: first names.
    """

    def __init__(self, source: random.Random, stems: list[str], first: list[str]) -> None:
        self.random = source
        self.stems = stems
        self.first = first

    def slot(self, slot: str) -> tuple[list[str], str]:
        """Fill a slot: words and type."""
        pick, stem = self.random.choice, self.random.choice(self.stems)
        if slot == "P":
            return pick(([pick(self.first), stem], [pick(self.first), stem], [pick(TITLES), stem])), "PER"
        if slot == "Q":
            return pick(([stem], [pick(self.first)], [pick(self.first), stem])), "PER"
        if slot == "L":
            return pick(([stem], [stem], ["Lake", stem], ["North", stem], [stem, "Bay"])), "LOC"
        if slot == "F":
            return pick(([stem], [stem], [stem, "&", "Sons"], [stem, "Motors"])), "ORG"
        kinds = [[stem, "Bank"], ["University", "of", stem], [stem, "College"], [stem, "United"], [stem, "&", "Sons"]]
        return pick(kinds[:3] if slot == "O_THE" else kinds), "ORG"

    def sentence(self) -> tuple[list[str], list[str]]:
        """Fill a template: words and IOB2 tags. A title is no part of a name."""
        words: list[str] = []
        tags: list[str] = []
        for item in self.random.choice(TEMPLATES).split(" "):
            if item in ("P", "Q", "L", "F", "O", "O_THE"):
                filled, label = self.slot(item)
                lead = filled[0] in TITLES
                words += filled
                tags += ["O"] * lead + [f"B-{label}"] + [f"I-{label}"] * (len(filled) - 1 - lead)
                continue
            fillers = {"DAY": DAYS, "YEARPART": PARTS, "NUMBER": [str(self.random.randint(2, 2020))]}
            words.append(self.random.choice(fillers.get(item, [item])))
            tags.append("O")
        if words[0].islower() and self.random.random() < 0.7:
            words[0] = words[0].capitalize()
        return words, tags


def rows(split: str) -> list[dict[str, Any]]:
    """Return the sentences of a split as ``words`` and ``tags``."""
    grammar = Grammar(random.Random(f"{SEED} {split}"), *names(split))
    pairs = [grammar.sentence() for _ in range(SIZES[split])]
    return [{"words": words, "tags": tags} for words, tags in pairs]
