"""Six topics told apart by what a sentence is about: headlines, questions and statements from templates."""

import random

SIZES = {"train": 2400, "validation": 300, "test": 480}
SEED = 20261124

#: People, things and deeds of each topic.
WHO = {
    "business": "bank|company|investor|shareholder|startup|retailer|chief executive|carmaker|insurer|central bank|factory",
    "food": "chef|baker|cook|waiter|grandmother|butcher|restaurant owner|food critic|brewer|farmer|barista",
    "health": "doctor|nurse|patient|surgeon|dentist|pharmacist|hospital|therapist|midwife|clinic|physician",
    "science": "researcher|physicist|astronomer|programmer|laboratory|engineer|chemist|biologist|university|inventor",
    "sports": "striker|goalkeeper|coach|team|swimmer|runner|referee|champion|tennis player|cyclist|captain",
    "travel": "tourist|traveller|airline|pilot|tour guide|hiker|backpacker|cruise ship|passenger|hotel guest|sailor",
}
WHAT = {
    "business": "shares|profit|merger|interest rates|quarterly sales|budget|loan|market|tax bill|contract|stock price",
    "food": "soup|recipe|bread dough|salad|cheese|chocolate cake|spices|noodles|roast chicken|sauce|fresh vegetables",
    "health": "vaccine|fever|blood pressure|treatment|medicine|operation|headache|diet plan|allergy|sleep disorder|virus",
    "science": "telescope|algorithm|experiment|planet|robot|microscope|satellite|new particle|software|quantum computer",
    "sports": "match|penalty|world record|final|league title|marathon|goal|tournament|medal|training camp|semi-final",
    "travel": "island|passport|beach resort|mountain trail|flight ticket|old town|suitcase|train journey|visa|safari|hostel",
}
DEEDS = {
    "business": "invests in|buys|sells|reports on|cuts|finances|negotiates|raises",
    "food": "cooks|bakes|tastes|serves|grills|seasons|stirs|prepares",
    "health": "treats|examines|prescribes|cures|diagnoses|warns about|prevents",
    "science": "discovers|measures|programs|observes|calculates|designs|simulates",
    "sports": "wins|loses|scores in|trains for|plays in|celebrates|misses",
    "travel": "visits|books|explores|photographs|boards for|packs for|flies to",
}
WHEN = "today|this week|last night|on Monday|in spring|after a long wait|for the first time|once more|this year|again"
NEUTRAL = "young|famous|local|tired|happy|small|old|well-known|careful|surprised"


class Topic:
    """Draws sentences about one topic; a third of them borrow a word of another, which must not decide.

    Args:
        source: of random numbers.
    """

    def __init__(self, source: random.Random) -> None:
        self.random = source

    def pick(self, phrases: str) -> str:
        """Return one of the phrases between bars."""
        return self.random.choice(phrases.split("|"))

    def sentence(self, topic: str) -> str:
        """Return a headline, a question or a statement."""
        who, what, deed, when = self.pick(WHO[topic]), self.pick(WHAT[topic]), self.pick(DEEDS[topic]), self.pick(WHEN)
        other = self.pick(WHO[self.random.choice(sorted(WHO))])
        mood = self.pick(NEUTRAL)
        forms = (
            f"{mood} {who} {deed} the {what} {when}",
            f"the {who} {deed} the {what} {when}",
            f"{when} the {who} {deed} a {what}",
            f"why does the {who} talk about the {what}?",
            f"how does a {mood} {who} choose the {what}?",
            f"what should I know about the {what} and the {self.pick(WHAT[topic])}?",
            f"a {mood} {who} and the {what}: what happened {when}",
            f"my cousin is a {other}, but {when} we spoke about the {what} and how one {deed} it",
            f"a {other} asks how the {who} {deed} the {what}",
        )
        text = self.random.choice(forms)
        return text[0].upper() + text[1:] if self.random.random() < 0.5 else text


def rows(split: str) -> list[dict[str, str]]:
    """Return a split's rows ``text`` and ``label``, all labels alike often; no text stands in two splits."""
    source = Topic(random.Random(SEED))
    topics = sorted(WHO)
    seen: set[str] = set()
    made: dict[str, list[dict[str, str]]] = {}
    for name, size in SIZES.items():
        part = made[name] = []
        while len(part) < size:
            topic = topics[len(part) % len(topics)]
            text = source.sentence(topic)
            if text.lower() not in seen:
                seen.add(text.lower())
                part.append({"text": text, "label": topic})
    chosen = made[split]
    random.Random(SEED + 1).shuffle(chosen)
    return chosen
