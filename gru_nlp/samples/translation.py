"""English and German sentences from one grammar: agreement, verb-final clauses, separable verbs, numbers.

A sentence is drawn as a structure and said in both languages. Which subject does what decides the split, so that
every pair of subject and verb of the test split is new: it must be put together from its parts.
"""

import random
from typing import NamedTuple

SIZES = {"train": 5000, "validation": 200, "test": 400}
SEED = 20261125
#: Of all pairs of subject and verb, one in so many is held out for the test split, and one for validation.
HELD_OUT = 7

#: English singular and plural; German gender, singular and plural.
NOUNS = """dog dogs m Hund Hunde|cat cats f Katze Katzen|child children n Kind Kinder|man men m Mann Männer
woman women f Frau Frauen|girl girls n Mädchen Mädchen|teacher teachers m Lehrer Lehrer|doctor doctors f Ärztin Ärztinnen
horse horses n Pferd Pferde|bird birds m Vogel Vögel|nurse nurses f Schwester Schwestern|farmer farmers m Bauer Bauern
king kings m König Könige|queen queens f Königin Königinnen|mouse mice f Maus Mäuse|student students m Schüler Schüler"""
THINGS = """ball balls m Ball Bälle|book books n Buch Bücher|lamp lamps f Lampe Lampen|door doors f Tür Türen
window windows n Fenster Fenster|letter letters m Brief Briefe|apple apples m Apfel Äpfel|box boxes f Kiste Kisten
car cars n Auto Autos|chair chairs m Stuhl Stühle|bottle bottles f Flasche Flaschen|picture pictures n Bild Bilder
hat hats m Hut Hüte|bag bags f Tasche Taschen|boat boats n Boot Boote|key keys m Schlüssel Schlüssel"""
#: English base and third person; German third person singular, plural, and separable part (or a dash).
VERBS = """see sees sieht sehen -|find finds findet finden -|buy buys kauft kaufen -|open opens macht machen auf
close closes macht machen zu|fetch fetches holt holen ab|paint paints malt malen an|carry carries trägt tragen -
bring brings bringt bringen mit|take takes nimmt nehmen mit|sell sells verkauft verkaufen -|draw draws zeichnet zeichnen -
lose loses verliert verlieren -|count counts zählt zählen -|clean cleans putzt putzen -|show shows zeigt zeigen vor"""
ADJECTIVES = (
    "small klein|big groß|old alt|new neu|red rot|green grün|beautiful schön|heavy schwer|quiet still|young jung"
)
NUMBERS = "two zwei|three drei|four vier|five fünf|six sechs|seven sieben|eight acht|nine neun|ten zehn|twelve zwölf"
ADVERBS = "today heute|often oft|never nie|always immer|soon bald|here hier|again wieder|now jetzt"
#: A main clause that another clause hangs on, and the word between them.
FRAMES = """he knows that/er weiß, dass|she says that/sie sagt, dass|we believe that/wir glauben, dass
I laugh because/ich lache, weil|they wait until/sie warten, bis|we sing when/wir singen, wenn"""

#: Endings of article and adjective by gender (p: plural), nominative and accusative.
DEFINITE = {"m": ("der", "den"), "f": ("die", "die"), "n": ("das", "das"), "p": ("die", "die")}
AFTER_DEFINITE = {"m": ("e", "en"), "f": ("e", "e"), "n": ("e", "e"), "p": ("en", "en")}
INDEFINITE = {"m": ("ein", "einen"), "f": ("eine", "eine"), "n": ("ein", "ein")}
AFTER_INDEFINITE = {"m": ("er", "en"), "f": ("e", "e"), "n": ("es", "es")}
AFTER_NUMBER = "e"


def _table(text: str) -> list[list[str]]:
    return [entry.split(" ") for line in text.splitlines() for entry in line.split("|")]


class Phrase(NamedTuple):
    """A noun phrase in both languages, German in nominative and accusative."""

    english: str
    german: tuple[str, str]
    plural: bool


class Grammar:
    """Draws pairs.

    Args:
        source: of random numbers.
        remainders: of the numbers of subject and verb that this split may use together.
    """

    def __init__(self, source: random.Random, remainders: tuple[int, ...]) -> None:
        self.random = source
        self.remainders = remainders
        self.nouns, self.things, self.verbs = _table(NOUNS), _table(THINGS), _table(VERBS)
        self.adjectives, self.numbers, self.adverbs = _table(ADJECTIVES), _table(NUMBERS), _table(ADVERBS)
        self.frames = [entry.split("/") for line in FRAMES.splitlines() for entry in line.split("|")]

    def phrase(self, noun: list[str]) -> Phrase:
        """Say a noun with an article or a number, and maybe an adjective."""
        one, many, gender, german_one, german_many = noun
        english, german = self.random.choice(self.adjectives) if self.random.random() < 0.4 else ("", "")
        kind = self.random.choice(("definite", "indefinite", "number", "all"))
        if kind == "number":
            number, zahl = self.random.choice(self.numbers)
            said = _join(zahl, german and german + AFTER_NUMBER, german_many)
            return Phrase(_join(number, english, many), (said, said), True)
        plural = kind == "all"
        form = "p" if plural else gender
        articles, endings = (INDEFINITE, AFTER_INDEFINITE) if kind == "indefinite" else (DEFINITE, AFTER_DEFINITE)
        last = german_many if plural else german_one
        cases = [_join(articles[form][case], german and german + endings[form][case], last) for case in (0, 1)]
        noun_form = many if plural else one
        article = "the" if kind != "indefinite" else "an" if (english or noun_form)[0] in "aeiou" else "a"
        return Phrase(_join(article, english, noun_form), (cases[0], cases[1]), plural)

    def pair(self) -> dict[str, str]:
        """Return a statement, a question, or a statement with a clause whose verb comes last in German."""
        while True:
            subject_number, verb_number = self.random.randrange(len(self.nouns)), self.random.randrange(len(self.verbs))
            if (3 * subject_number + verb_number) % HELD_OUT in self.remainders:
                break
        subject, thing = self.phrase(self.nouns[subject_number]), self.phrase(self.random.choice(self.things))
        base, third, singular, plural, part = self.verbs[verb_number]
        verb, stem = (base, plural) if subject.plural else (third, singular)
        after = "" if part == "-" else part
        adverb, adverbial = self.random.choice(self.adverbs) if self.random.random() < 0.3 else ("", "")
        who, what = subject.german[0], thing.german[1]
        form = self.random.choice(("statement", "statement", "question", "clause"))
        if form == "question":
            english = _join("do" if subject.plural else "does", subject.english, base, thing.english, adverb) + "?"
            german = _join(stem, who, adverbial, what, after) + "?"
        elif form == "clause":
            frame, rahmen = self.random.choice(self.frames)
            english = _join(frame, subject.english, verb, thing.english, adverb) + "."
            german = _join(rahmen, who, adverbial, what, after + stem) + "."
        else:
            english = _join(subject.english, verb, thing.english, adverb) + "."
            german = _join(who, stem, adverbial, what, after) + "."
        return {"source": english[0].upper() + english[1:], "target": german[0].upper() + german[1:]}


def _join(*words: str) -> str:
    return " ".join(word for word in words if word)


def rows(split: str) -> list[dict[str, str]]:
    """Return the pairs of a split, each once."""
    remainders = {"test": (0,), "validation": (1,)}.get(split, tuple(range(2, HELD_OUT)))
    grammar = Grammar(random.Random(f"{SEED} {split}"), remainders)
    found: dict[str, dict[str, str]] = {}
    while len(found) < SIZES[split]:
        pair = grammar.pair()
        found.setdefault(pair["source"], pair)
    return list(found.values())
