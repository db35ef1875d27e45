"""What a person may type once a model is trained: the command that tries it, on a text of their own data."""

import shlex
from collections.abc import Iterator
from pathlib import Path

from gru_nlp.data.where import Split
from gru_nlp.errors import UserError
from gru_nlp.text.shortening import columns, shorten
from gru_nlp.training.parts import Parts

#: Columns of a terminal that a text may take.
WIDTH = 60
#: Rows, and pieces of a long one, that are looked at for a text that is short as it is.
LOOKED_AT = 200
LONG = 100_000


def command(parts: Parts, folder: Path) -> str:
    """Return the command that tries the model of a run, quoted as shells want it."""
    own = shlex.quote(f"checkpoint={folder}")
    text = parts.data.corpus.example
    if text is None and (found := own_text(parts)):
        text = shlex.quote(found)
    return f"gru-nlp {parts.task.command} {own} {f'-- {text}' if text else parts.preprocessor.example}"


def own_text(parts: Parts) -> str | None:
    """Return a text of the test split, else of the validation split, to be typed; None: none can be.

    The first that is short enough is taken, else the beginning of the first, whose ``...`` tells that it was cut.
    """
    texts = list(typable(parts, "test" if "test" in parts.data.encoded else "validation"))
    short = (text for text in texts if columns(text) <= WIDTH)
    return next(short, None) or (shorten(texts[0], WIDTH) if texts else None)


def typable(parts: Parts, split: Split) -> Iterator[str]:
    """Yield the first texts of a split that a shell of any kind takes as they are typed: one line, no odd signs."""
    try:
        table = parts.data.corpus.load(split)
    except UserError:  # its file has changed, or gone, since it was read
        return
    for value in table[:LOOKED_AT][parts.preprocessor.input_column] if table is not None else ():
        text = (parts.preprocessor.typed(value) or "")[:LONG].strip()
        # Within quotes, fish gives a meaning to the backslash and csh to the exclamation mark.
        if text and text.isprintable() and not set(text) & set("\\!") and any(map(str.isalnum, text)):
            yield text
