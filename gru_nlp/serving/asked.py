"""What requests may say: fields, kinds and ranges; nothing else is taken, and no value for one of another kind."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from gru_nlp.answers.translations import rounded
from gru_nlp.continuing import Limits
from gru_nlp.decoding.drawing import LEAST, MOST, Drawing
from gru_nlp.errors import UserError
from gru_nlp.preprocessing.rows import Record
from gru_nlp.serving.models import Served
from gru_nlp.text.terms import Terms, Wishes

#: At the first value that is no text its list is refused, so that a million of them cost no more than one.
Texts = Annotated[
    list[str], Field(fail_fast=True, description="answered in their order; a blank one gets an empty record")
]
Name = Annotated[str | None, Field(description="of a model, as GET /models tells; may be left out where one will do")]
Share = Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)]
#: Strings that may end a text, and their characters.
MOST_STOPS, LONGEST_STOP = 16, 200
#: Terms of a request, and characters of one of them, or of what a translation begins with.
MOST_TERMS, LONGEST_TERM = 1000, 200


#: Not of blanks alone; some marks of control are blanks to Python, and none to a regular expression.
Term = Annotated[str, Field(max_length=LONGEST_TERM, pattern=r"[^\s\x1c-\x1f]")]


def taking(**example: Any) -> ConfigDict:
    """Return how strictly a request is read, and an example of one."""
    return ConfigDict(extra="forbid", strict=True, json_schema_extra={"examples": [example]})


class PredictRequest(BaseModel):
    """Texts to be labelled."""

    model_config = taking(texts=["a great cast, but far too slow", "don't miss it"], top_k=2)

    texts: Texts
    model: Name = None
    top_k: Annotated[int, Field(ge=1, le=1000, description="labels, or tag paths, that a record names")] = 1
    abstain_below: Annotated[Share | None, Field(description="least score of a label that is said; below: null")] = None


class TranslateRequest(BaseModel):
    """Texts to be translated."""

    model_config = taking(texts=["Does the mouse carry the heavy keys now?"], attention=True)

    texts: Texts
    model: Name = None
    n_best: Annotated[int, Field(ge=1, le=256, description="translations of a text, at most the beam's size")] = 1
    attention: Annotated[bool, Field(description="adds tokens, and what each looked at in the source")] = False
    terms: Annotated[
        dict[Term, Term],
        Field(max_length=MOST_TERMS, description="what a term of a text is to be in its translation"),
    ] = {}
    prefix: Annotated[str, Field(max_length=LONGEST_TERM, description="words that every translation begins with")] = ""
    copied: Annotated[
        bool, Field(alias="copy", description="numbers, words with digits and of unknown characters stay as they are")
    ] = False
    min_log_probability: Annotated[
        float | None,
        Field(le=0.0, allow_inf_nan=False, description="least mean of a token's; translations below are doubtful"),
    ] = None

    def asked(self) -> "Translating":
        """Return the question."""
        terms = tuple(self.terms.items())
        prefix = " ".join(self.prefix.split())
        return Translating(self.n_best, self.attention, terms, prefix, self.copied, self.min_log_probability)


class GenerateRequest(BaseModel):
    """The beginning of a text, to be continued."""

    model_config = taking(prompt="One morning", max_tokens=60, temperature=0.8, stop=["\n"], stream=True)

    prompt: str = ""
    model: Name = None
    max_tokens: Annotated[int | None, Field(ge=1, description="most tokens that are drawn; null: 200, or the most")] = (
        None
    )
    temperature: Annotated[float, Field(ge=0.0, le=MOST, allow_inf_nan=False)] = 1.0
    top_k: Annotated[int | None, Field(ge=1, le=1000)] = None
    top_p: Annotated[float, Field(ge=LEAST, le=1.0, allow_inf_nan=False)] = 1.0
    min_p: Annotated[float, Field(ge=0.0, lt=1.0, allow_inf_nan=False)] = 0.0
    repetition_penalty: Annotated[float, Field(ge=LEAST, le=MOST, allow_inf_nan=False)] = 1.0
    stop: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=LONGEST_STOP)]],
        Field(max_length=MOST_STOPS, fail_fast=True, description="strings that end the text, and are left out"),
    ] = []
    seed: Annotated[int | None, Field(ge=0, lt=2**32, description="of what is drawn; null: another each time")] = None
    stream: Annotated[bool, Field(description="a line of JSON for each piece of text, as it is drawn")] = False

    def drawing(self) -> Drawing:
        """Return how the next token is drawn."""
        return Drawing(self.temperature, self.top_k, self.top_p, self.min_p, self.repetition_penalty)

    def limits(self, most: int) -> Limits:
        """Return when the text ends, where ``most`` tokens may be drawn."""
        return Limits(self.max_tokens or min(Limits.max_tokens, most), tuple(self.stop))


#: The fields of all requests, to find the one that was meant.
FIELDS = tuple(
    field.alias or name
    for kind in (PredictRequest, TranslateRequest, GenerateRequest)
    for name, field in kind.model_fields.items()
)


@dataclass(frozen=True)
class Predicting:
    """The question of ``POST /predict``."""

    top_k: int
    abstain_below: float | None
    task = "predict"

    def answer(self, model: Served, texts: Sequence[str], batch_size: int) -> list[Record]:
        """Return a record a text.

        Raises:
            UserError: ``abstain_below`` is not for such a model.
        """
        if self.abstain_below is not None and not model.one_label:
            raise UserError("abstain_below is for models that say one label of a text: leave it out")
        return model.ranked(1)(texts, batch_size, self.top_k, abstain_below=self.abstain_below)


@dataclass(frozen=True)
class Translating:
    """The question of ``POST /translate``."""

    n_best: int
    attention: bool
    terms: tuple[tuple[str, str], ...]
    prefix: str
    copied: bool
    min_log_probability: float | None
    task = "translate"

    def wishes(self) -> Wishes | None:
        """Return what the translations must hold; None: nothing."""
        wishes = Wishes(Terms(dict(self.terms)) if self.terms else None, self.prefix, self.copied)
        return None if wishes == Wishes() else wishes

    def answer(self, model: Served, texts: Sequence[str], batch_size: int) -> list[Record]:
        """Return a record a text; with attention the tokens and weights of all that are not blank.

        Raises:
            UserError: the model gives no such number of translations.
        """
        translator = model.ranked(self.n_best)
        least, wishes = self.min_log_probability, self.wishes()
        records = translator(texts, batch_size, self.n_best, min_log_probability=least, wishes=wishes)
        if not self.attention:
            return records
        return [
            {**record, **rounded(translator.aligned(text, record))} if text.strip() else record
            for text, record in zip(texts, records, strict=True)
        ]
