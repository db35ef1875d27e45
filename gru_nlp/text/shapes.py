"""The look of a word: its case, and whether it has digits."""

SHAPES = ("other", "lower", "upper", "title", "mixed", "digits", "with digit")


def shape(word: str) -> int:
    """Return the place in ``SHAPES`` of a word's look."""
    if any(letter.isdigit() for letter in word):
        return 5 if all(letter.isdigit() or letter in ".,-/:" for letter in word) else 6
    if not any(letter.isalpha() for letter in word):
        return 0
    if word.islower():
        return 1
    if word.isupper():
        return 2
    return 3 if word[0].isupper() and word[1:].islower() else 4
