"""Texts of words whose labels follow rules: a label is there where one of its words is, unless a cue takes it away."""

import random

#: Which words bring each label.
TRIGGERS = {
    "food": ("soup", "bread", "dinner", "cook"),
    "music": ("song", "band", "piano", "singer"),
    "sport": ("match", "goal", "runner", "team"),
    "travel": ("train", "hotel", "flight", "ticket"),
    "weather": ("rain", "storm", "sunny", "snow"),
}
#: What stands right before a word that then brings no label.
CUE = "without"
FILLERS = "the a some and then was very near old new my their again today much".split()


def texts(count, seed):
    """Return ``count`` pairs of a text and its labels, sorted; a fifth of the texts or so have none."""
    drawn = random.Random(seed)
    words = [(word, label) for label, group in TRIGGERS.items() for word in group]
    rows = []
    for _ in range(count):
        parts = [[drawn.choice(FILLERS)] for _ in range(drawn.randint(3, 8))]
        labels = set()
        for word, label in drawn.sample(words, drawn.randint(0, 4)):
            negated = drawn.random() < 0.25
            parts.insert(drawn.randint(0, len(parts)), [CUE, word] if negated else [word])
            labels |= set() if negated else {label}
        rows.append((" ".join(word for part in parts for word in part), sorted(labels)))
    return rows
