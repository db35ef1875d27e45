"""Texts continued from Python: batches, stops, bytes that are half of a character."""

from functools import partial

import pytest
import torch

from gru_nlp.continuing import Limits, Unfolding
from gru_nlp.decoding.drawing import Drawing
from gru_nlp.errors import UserError
from gru_nlp.generator import Generator
from gru_nlp.models.language_model import LanguageModel
from gru_nlp.nn.embedding import TokenEmbedding
from gru_nlp.nn.encoder import RecurrentEncoder
from gru_nlp.nn.gru import GRU
from gru_nlp.preprocessing.language_model import LanguageModelPreprocessor
from gru_nlp.preprocessing.rows import Hints
from gru_nlp.text import tokenizer
from gru_nlp.text.special import EOS

LINES = ["the cat sat on the mat.", "a dog ☃ barked äöü 日本", "  two  blanks "]
GREEDY = Drawing(temperature=0.0)


class Table:
    def iter(self, batch_size):
        yield {"text": LINES}


def preprocessor(kind, **options):
    train = partial(
        getattr(tokenizer, kind), vocabulary_size=400, min_frequency=1, lowercase=False, normalization="none", **options
    )
    made = LanguageModelPreprocessor(tokenizer=train, sequence_length=8)
    made.fit(Table(), Hints())
    return made


def generator(kind="character"):
    torch.manual_seed(1)
    texts = preprocessor(kind)
    embedding = partial(TokenEmbedding, size=8, trainable=True, dropout=0.0, word_dropout=0.0)
    encoder = partial(RecurrentEncoder, cell=GRU, hidden_size=12, layers=2, bidirectional=False, dropout=0.0)
    model = LanguageModel(**texts.sizes(), embedding=embedding, encoder=encoder, output_dropout=0.0)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.7)
    return Generator(texts, model.double())


@pytest.mark.parametrize("kind", ["character", "byte_bpe", "bpe", "word", "whitespace"])
def test_tokens_unfold_into_the_text_that_they_are_decoded_to(kind):
    texts = preprocessor(kind)
    for line in LINES:
        ids = texts.tokenizer.encode([line])[0]
        unfolding = Unfolding(texts, [], ())
        pieces = [unfolding.add(token) for token in [*ids, EOS, *ids]]
        assert "".join(pieces) == texts.text_of([*ids, EOS, *ids])
        assert texts.text_of([*ids, EOS, *ids]) == "\n".join([texts.tokenizer.decode(ids)] * 2)
    if kind in ("character", "byte_bpe"):
        assert "".join(pieces) == "\n".join([LINES[-1]] * 2)


def test_a_prompt_goes_on_in_the_middle_of_a_line():
    texts = preprocessor("bpe")
    ids = texts.prompt("the cat\nsat on")
    assert ids[0] == EOS
    assert ids.count(EOS) == 2
    following = texts.tokenizer.encode(["sat on the mat."])[0]
    known = texts.tokenizer.encode(["sat on"])[0]
    assert following[: len(known)] == known
    unfolding = Unfolding(texts, known, ())
    assert "".join(map(unfolding.add, following[len(known) :])) == " the mat."


@pytest.mark.parametrize("drawing", [GREEDY, Drawing(top_k=5), Drawing(temperature=0.8, repetition_penalty=1.3)])
def test_texts_that_are_continued_together_are_those_continued_alone(drawing):
    made = generator()
    prompts = ["", "the cat", "a dog", "the cat sat on the mat.\na"]
    limits = Limits(60, stop=("at", "\n\n"))
    together = made.records(prompts, drawing, limits, seed=5)
    for place, prompt in enumerate(prompts):
        (alone,) = made.records([prompt], drawing, limits, seed=5 + place)
        assert alone["text"] == together[place]["text"]
        assert alone["log_probability"] == pytest.approx(together[place]["log_probability"], abs=1e-6)
    assert len({record["text"] for record in together}) > 1


def test_the_log_probability_is_that_of_the_model():
    made = generator()
    record = made("the c", drawing=GREEDY, limits=Limits(30))
    ids = made.preprocessor.prompt("the c")
    drawn = [made.names.index(token) for token, _ in record["tokens"]]
    given = torch.tensor([[*ids, *drawn]])
    scores, state = made.model.begin(given[:, : len(ids)])
    for token, (_, said) in zip(drawn, record["tokens"], strict=True):
        assert said == pytest.approx(scores[0, token].item(), abs=1e-6)
        scores, state = made.model.go_on(torch.tensor([token]), state)
    assert record["log_probability"] == pytest.approx(sum(said for _, said in record["tokens"]))
    assert record["text"] == made.preprocessor.text_of(drawn)


def test_a_text_ends_before_the_string_that_stops_it():
    made = generator()
    whole = made("the", drawing=GREEDY, limits=Limits(40))["text"]
    stop = whole[10:13]
    found = made("the", drawing=GREEDY, limits=Limits(40, stop=(stop, "never found")))["text"]
    assert found == whole[: whole.index(stop)]
    held = Unfolding(made.preprocessor, [], ["cat!"])
    ids = made.preprocessor.tokenizer.encode(["the cat"])[0]
    assert "".join(map(held.add, ids)) == "the "
    assert held.rest() == "cat"


def test_marks_are_never_drawn():
    made = generator()
    made.model.bias.data[:3] = 50.0
    tokens = made("", limits=Limits(50))["tokens"]
    assert not {token for token, _ in tokens} & {"<pad>", "<unk>", "<s>"}


def test_what_was_never_seen_and_bad_limits_are_told():
    with pytest.raises(UserError, match="the model has never seen '☂', 'q': leave it out"):
        generator()("the ☂ q ☂")
    with pytest.raises(UserError, match="the model has never seen 'cow'"):
        generator("word")("the cow sat")
    assert generator("byte_bpe")("the ☂ q", limits=Limits(1))["prompt"] == "the ☂ q"
    with pytest.raises(UserError, match="max_tokens=0 must be at least 1"):
        Limits(0)
    with pytest.raises(UserError, match="must be a list of texts"):
        Limits(5, stop=("",))
