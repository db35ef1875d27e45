"""Sentiment in sentences whose words alone do not tell it: negation turns it round, contrast weighs two clauses.

Every word of feeling stands about as often in positive as in negative sentences, so that a bag of words learns little:
plain clauses are balanced by negated ones, and in a contrast the clause that counts decides.
"""

import random
from collections.abc import Callable

from gru_nlp.samples.words import (
    BAD,
    BAD_DEEDS,
    FAILURES,
    GOOD,
    GOOD_DEEDS,
    HATED,
    HATED_PAST,
    INTENSIFIERS,
    LOVED,
    LOVED_PAST,
    PLURALS,
    SUBJECTS,
    TREATS,
)

SIZES = {"train": 6000, "validation": 400, "test": 600}
SEED = 20261123
NAMES = {True: "positive", False: "negative"}

#: The lexicon by what it says: True for praise.
ADJECTIVES = {True: GOOD, False: BAD}
VERBS = {True: LOVED, False: HATED}
VERBS_PAST = {True: LOVED_PAST, False: HATED_PAST}
THINGS = {True: TREATS, False: FAILURES}
DEEDS = {True: GOOD_DEEDS, False: BAD_DEEDS}


class Grammar:
    """Draws clauses and sentences; ``good`` says what the whole must mean.

    Args:
        source: of random numbers.
    """

    def __init__(self, source: random.Random) -> None:
        self.random = source

    def pick(self, *choices: str) -> str:
        """Return one of ``choices``."""
        return self.random.choice(choices)

    def adjective(self, good: bool) -> str:
        """Return a word of praise or blame."""
        return self.random.choice(ADJECTIVES[good])

    def strong(self, good: bool) -> str:
        """Return an adjective, often with an intensifier."""
        if self.random.random() < 0.45:
            return f"{self.random.choice(INTENSIFIERS)} {self.adjective(good)}"
        return self.adjective(good)

    def subject(self) -> str:
        """Return a noun."""
        return self.random.choice(SUBJECTS)

    def topic(self) -> str:
        """Return a subject with its verb, such as ``the film was``."""
        if self.random.random() < 0.2:
            return (
                f"{self.pick('the', 'our', 'these', 'most')} {self.random.choice(PLURALS)} {self.pick('are', 'were')}"
            )
        owner = self.pick("the", "the", "the", "this", "my", "our", "that", "his", "her")
        whole = f"{owner} {self.subject()}"
        return f"{self.pick(whole, whole, whole, 'it', 'everything', 'she', 'he')} {self.pick('is', 'was')}"

    def plain(self, good: bool) -> str:
        """Say it straight."""
        noun, adjective = self.subject(), self.adjective(good)
        article = "an" if adjective[0] in "aeiou" else "a"
        forms: tuple[Callable[[], str], ...] = (
            lambda: f"{self.topic()} {self.strong(good)}",
            lambda: f"{self.topic()} {self.strong(good)}",
            lambda: f"{article} {adjective} {noun}",
            lambda: f"what {article} {adjective} {noun}",
            lambda: f"such {article} {adjective} {noun}",
            lambda: f"{adjective} and {self.adjective(good)}",
            lambda: f"i {self.random.choice(VERBS[good])} {self.pick('this', 'the', 'that', 'my')} {noun}",
            lambda: f"i {self.random.choice(VERBS_PAST[good])} {self.pick('it from the start', 'it', 'the ' + noun)}",
            lambda: f"{self.pick('the', 'this')} {noun} {self.random.choice(DEEDS[good])}",
            lambda: f"it {self.random.choice(DEEDS[good])}",
            lambda: f"{self.pick('the', 'this')} {noun} is a {self.random.choice(THINGS[good])}",
            lambda: (
                f"{self.pick('the best' if good else 'the worst', 'best' if good else 'worst')} {noun} "
                f"{self.pick('ever', 'i have ever had', 'in town', 'i know', 'of the year')}"
            ),
            lambda: f"the most {adjective} {noun} {self.pick('ever', 'i have seen', 'i know', 'of all')}",
            lambda: (
                f"{self.pick('i am', 'i was', 'we were')} {self.strong(good)} {self.pick('with', 'about')} the {noun}"
                if adjective in ("happy", "angry", "sad", "bored", "tired")
                else f"i find the {noun} {self.strong(good)}"
            ),
            lambda: (
                f"i am {self.pick('happy', 'pleased', 'satisfied') if good else self.pick('unhappy', 'upset', 'fed up')}"
                f" with {self.pick('it', 'my ' + noun, 'the ' + noun)}"
            ),
        )
        return self.random.choice(forms)()

    def negated(self, good: bool) -> str:
        """Deny the opposite."""
        noun, word, verb = self.subject(), self.adjective(not good), self.random.choice(VERBS[not good])
        deny = self.pick("not", "never", "hardly", "not really", "not that", "not at all", "by no means", "far from")
        auxiliary = self.pick("isn't", "wasn't", "is not", "was not", "is n't")
        forms: tuple[Callable[[], str], ...] = (
            lambda: f"{self.topic()} {deny} {word}",
            lambda: f"{self.topic()} not {word} at all",
            lambda: f"{self.topic()} anything but {word}",
            lambda: f"the {noun} {auxiliary} {self.pick('', 'very ', 'so ', 'really ', 'that ')}{word}",
            lambda: f"it {auxiliary} {word}",
            lambda: f"not {self.pick('a', 'such a')} {word} {noun}{self.pick('', ' at all')}",
            lambda: (
                f"i {self.pick('don’t', 'do not', 'did not', 'didn’t', 'never')} {verb.replace('can’t ', '')} the {noun}"
                if "stand" not in verb
                else f"i do not hate the {noun}"
            ),
            lambda: f"i would {self.pick('not', 'never')} call {self.pick('it', 'this ' + noun)} {word}",
            lambda: (
                f"i {self.pick('don’t', 'do not')} think {self.pick('it is', 'it’s', 'the ' + noun + ' is')} {word}"
            ),
            lambda: f"i can't say the {noun} is {word}",
            lambda: f"nobody {self.pick('would', 'could')} call the {noun} {word}",
            lambda: f"there is nothing {word} about {self.pick('it', 'the ' + noun)}",
            lambda: (
                f"{self.pick('the', 'this')} {noun} is {self.pick('no', 'not a', 'hardly a')} "
                f"{self.random.choice(THINGS[not good])}"
            ),
            lambda: (
                "i'm not " + ("unhappy" if good else self.pick("happy", "pleased", "satisfied")) + f" with the {noun}"
            ),
            lambda: (
                f"not {'bad' if good else self.pick('good', 'great', 'worth it', 'worth my time')}"
                f"{self.pick('', ' at all')}"
            ),
            lambda: f"{self.pick('no', 'not one')} {word} {self.pick('moment', 'minute', 'thing', 'day')}",
        )
        return self.random.choice(forms)()

    def fixed(self, good: bool) -> str:
        """Turn a set phrase: what praise denies, blame says."""
        again = self.pick("buy it", "come", "go there", "watch it", "read it", "order", "eat here", "stay here")
        sure = self.pick("any time", "without a doubt", "tomorrow", "gladly")
        forms = (
            (f"i would {again} again {sure}", f"i would never {again} again"),
            (f"i will {again} again", f"i will not {again} again"),
            ("worth every cent", "not worth a cent"),
            ("well worth the price", "not worth the price"),
            ("i can't praise it enough", "i can't praise it"),
            ("i could not put it down", "i could not finish it"),
            ("i cannot recommend it enough", "i cannot recommend it"),
            ("everything worked as described", "nothing worked as described"),
            ("i have no complaints", "i have many complaints"),
            ("it could not be better", "it could not be worse"),
            (f"don't miss this {self.subject()}", f"don't buy this {self.subject()}"),
            ("highly recommended", "not recommended"),
            ("we had a lot of fun", "we had no fun"),
            ("i have never seen better", "i have seen better"),
        )
        return self.random.choice(forms)[0 if good else 1]

    def clause(self, good: bool) -> str:
        """Return a clause of any kind."""
        draw = self.random.random()
        return self.plain(good) if draw < 0.52 else self.negated(good) if draw < 0.9 else self.fixed(good)

    def contrast(self, good: bool) -> str:
        """Weigh two clauses: what follows "but", or the main clause, decides."""
        aside, counts = self.clause(not good), self.clause(good)
        noun = self.subject()
        short = f"{self.adjective(not good)} {noun}, but {self.pick('', 'far too ' if not good else 'very ')}"
        forms = (
            f"{aside}, but {counts}",
            f"{aside} but {counts}",
            f"{short}{self.adjective(good)}",
            f"{self.adjective(not good)} {noun}, but the {self.subject()} was {self.strong(good)}",
            f"{aside}, {self.pick('yet', 'however', 'still')} {counts}",
            f"although {aside}, {counts}",
            f"even though {aside}, {counts}",
            f"{counts}, although {aside}",
            f"despite the {self.adjective(not good)} {noun}, {counts}",
            f"i expected it to be {self.adjective(not good)}, but {counts}",
            f"everyone says it is {self.adjective(not good)}, but {counts}",
        )
        return self.random.choice(forms)

    def sentence(self, good: bool) -> str:
        """Return a whole sentence, written as people type."""
        draw = self.random.random()
        if draw < 0.62:
            text = self.clause(good)
        elif draw < 0.72:
            text = f"{self.clause(good)}{self.pick(' and ', ', ', '. ')}{self.clause(good)}"
        else:
            text = self.contrast(good)
        text = text.replace("’", "'")
        if self.random.random() < 0.6:
            text = text[0].upper() + text[1:]
        return text + self.pick(".", ".", ".", "!", "", "", " :)" if good and draw < 0.1 else "")


def rows(split: str) -> list[dict[str, str]]:
    """Return a split's rows ``text`` and ``label``, half of each label; no text stands in two splits."""
    grammar = Grammar(random.Random(SEED))
    seen: set[str] = set()
    made: dict[str, list[dict[str, str]]] = {}
    for name, size in SIZES.items():
        part = made[name] = []
        while len(part) < size:
            good = len(part) % 2 == 0
            text = grammar.sentence(good)
            if text.lower().rstrip(".!") not in seen:
                seen.add(text.lower().rstrip(".!"))
                part.append({"text": text, "label": NAMES[good]})
    chosen = made[split]
    random.Random(SEED + 1).shuffle(chosen)
    return chosen
