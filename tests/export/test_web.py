"""What the page makes of a text is what the program makes of it, whatever the text; and a browser shows it."""

import json
import random
import shutil
import subprocess
from functools import partial
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
import torch

from gru_nlp.export import characters
from gru_nlp.nn.crf import ConditionalRandomField, IndependentTags
from gru_nlp.preprocessing.rows import Hints
from gru_nlp.preprocessing.tagging import TaggingPreprocessor
from gru_nlp.preprocessing.word_tags import WordTagPreprocessor
from gru_nlp.preprocessing.words import OVERLAP
from gru_nlp.tensors import to_array
from gru_nlp.text import cuts, ngrams, schemes
from gru_nlp.text import tokenizer as kinds
from gru_nlp.text.gazetteers import WordList
from gru_nlp.text.text_tokenizer import TextTokenizer
from gru_nlp.text.tokenizer import PATTERNS
from gru_nlp.text.word_pattern import KINDS, MARKS, Rules

#: Blocks of Unicode, and what is known to be told apart by some of all the programs that read it.
BLOCKS = [(0x20, 0x7E)] * 4 + [(start, start + 0xFF) for start in (*range(0xA0, 0x3000, 0xFF), 0xA000, 0xF900, 0xFF00)]
BLOCKS += [
    (0x3000, 0x33FF),
    (0x4E00, 0x9FFF),
    (0xAC00, 0xD7FF),
    (0x10000, 0x1FFFF),
    (0x20000, 0x323AF),
    (0xE000, 0xE01EF),
]
KNOTS = """don't won't it's he'd 'Tis CAN'T ’s n’t U.S. A. Mr. 3.5 1,500.25 -- ... `` '' <pad> <unk> ## ▁ ΌΔΟΣ Σ ΑΣ' İ ß
 ŉ ǅ ﬁ ² ① ½ ４２ 电影。 がんばる がﾞ ไทยำ \n\n \r\n \x1c \x85 \xa0 \u200b \u200d 👍🏽 e\u0301 q\u0323\u0307 \u0345\u0301
 。」 ！ \u1ac7\u0301 \u1112\u1161\u11ab \u32ff 𝒳 Ⅷ ª Ⱥ \ua7da ꙮ. http://a.b/c). @ab #c1
 :-) a@b.co l'x C++ [a] x^|\\b $&- no. 7% ?!! -5 a-la 3. z.B. 1:2 '90 a- U.S.-led""".split(" ")
COMMON = {"lowercase": True, "normalization": "nfkc"}
FITS = {
    "word": partial(kinds.word, vocabulary_size=2000, min_frequency=1, **COMMON),
    "whitespace": partial(kinds.whitespace, vocabulary_size=2000, min_frequency=1, **COMMON),
    "character": partial(kinds.character, vocabulary_size=2000, min_frequency=1, **COMMON),
    "bpe": partial(kinds.bpe, vocabulary_size=1200, min_frequency=2, lowercase=False, normalization="nfc"),
    "byte_bpe": partial(kinds.byte_bpe, vocabulary_size=800, min_frequency=2, **COMMON | {"normalization": "none"}),
    "wordpiece": partial(kinds.wordpiece, vocabulary_size=2500, min_frequency=2, **COMMON),
    "unigram": partial(kinds.unigram, vocabulary_size=9000, **COMMON),
}
CUTS = {"none": {}, "units": cuts.DEFAULT, "characters": dict.fromkeys([*cuts.SCRIPTS, *cuts.BESIDE], cuts.CHARACTER)}
RULES = Rules(
    kinds=KINDS,
    **MARKS,
    before=("l'", "d'"),
    behind=("n't", "'s", "-la"),
    whole=("Dr.", "C++", "[a]", r"x^|\b", "$&-"),
    unsure=("no.",),
)


def text(draw):
    parts = []
    for _ in range(draw.randint(1, 25)):
        low, high = draw.choice(BLOCKS) if draw.random() < 0.9 else (0, 0x10FFFF)
        letters = (chr(draw.randint(low, high)) for _ in range(draw.randint(1, 8)))
        knot = (
            draw.choice(KNOTS)
            if draw.random() < 0.4
            else "".join(one for one in letters if not "\ud800" <= one < "\ue000")
        )
        parts.append(knot + " " * draw.randint(0, 2))
    return "".join(parts)


def texts(number, seed):
    draw = random.Random(seed)
    return [text(draw) for _ in range(number)]


class Table:
    """Words of texts, one in nine of them an entity."""

    def iter(self, batch_size):
        words = [one.split() or ["."] for one in texts(200, 2)]
        yield {
            "words": words,
            "tags": [["B-A" if place % 9 == 0 else "O" for place, _ in enumerate(row)] for row in words],
        }


def tagger(cut):
    options = {"scheme": "bioes", "fold_digits": True, "min_frequency": 1, "max_word_length": 5}
    case = {"lowercase": False, "any_case": True} if cut == cuts.DEFAULT else {"lowercase": True}
    made = TaggingPreprocessor(**options, **case, max_words=OVERLAP + 4)
    made.fit(Table(), Hints())
    made._cut(cut, None if not cut else RULES if cut == cuts.DEFAULT else made.rules)
    if cut:
        given = texts(200, 2)
        parts = [part for one in given for part in (one[:9].strip(), one[5:17].strip()) if part]
        made.use_gazetteers([WordList("a", parts[::2]), WordList("b", [part.upper() for part in parts])])
    return made


def own(made):
    """Return what the page's reader of a tagger is made from."""
    pattern = json.loads(made.splitter.to_str())["pre_tokenizer"]["pattern"]["Regex"]
    about = {"preprocessing": made.options() | {"max_words": made.max_words}, "options": {"edges": None}}
    return {"about": about, "state": made.state_dict(), "page": {"patterns": [pattern]}}


def word_tagger():
    options = {"lowercase": True, "fold_digits": True, "min_frequency": 1, "max_word_length": 5}
    made = WordTagPreprocessor(**options, max_words=OVERLAP + 4, recase=0.0, any_case=False)
    made.fit(WordTags(), Hints())
    return made


class WordTags(Table):
    """The same words, each tagged with its length."""

    def iter(self, batch_size):
        for batch in super().iter(batch_size):
            yield {**batch, "word_tags": [[str(min(len(word), 4)) for word in row] for row in batch["words"]]}


def scored(made, given):
    """Return what the page makes records of, and those that the program makes."""
    rows, owners = made.cut(given)
    draw = np.random.default_rng(7)
    scores = [draw.normal(0, 3, (len(words), len(made.tags))).astype(np.float32) for words in rows["words"]]
    found = [
        IndependentTags().tag(torch.from_numpy(one)[None], torch.tensor([len(one)])).map(to_array) for one in scores
    ]
    records = made.join(given, owners, [made.decode(one)[0] for one in found])
    outputs = [
        [one.ravel().tolist() for one, (owner, _) in zip(scores, owners, strict=True) if owner == number]
        for number in range(len(given))
    ]
    return {"reader": own(made), "texts": given, "outputs": outputs}, records


def searched(names):
    """Return scores of tags for sentences of some lengths, and the CRF of ``names`` to search them with."""
    draw = np.random.default_rng(0)
    field = ConditionalRandomField(schemes.moves("bioes", names))
    with torch.no_grad():
        field.transitions.copy_(torch.from_numpy(draw.normal(0, 1, (len(names) + 1,) * 2)))
    return [draw.normal(0, 4, (length, len(names))).astype(np.float32) for length in (1, 2, 9, 60)], field


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """Return what Python has, and what JavaScript makes of it."""
    if shutil.which("node") is None:
        pytest.skip("no node here")
    given = [*texts(150, 1), "", " \x1c", "𝒳" * 10_005 + " word. " * 80]
    fits = {name: TextTokenizer(fit(texts(150, 2) + given[:50])) for name, fit in FITS.items()}
    taggers = {name: tagger(cut) for name, cut in CUTS.items()}
    known = ngrams.learn(given + given[:50], "both", 1 << 20)
    readers = {name: own(made) for name, made in taggers.items()}
    patterns = [pattern for reader in readers.values() for pattern in reader["page"]["patterns"]]
    names = taggers["none"].tags
    scores, field = searched(names)
    paths = [(score, edges) for score in scores for edges in (field.edges().flatten().tolist(), None)]
    long = ["𝒳y so. " + "Ada left " * 60 + "Rome!", "a"]
    records = [scored(made, long) for made in (taggers["none"], word_tagger())]
    content = {
        "texts": given,
        "characters": characters.tables([*PATTERNS, characters.BYTE_LEVEL, *patterns]),
        "tokenizers": {name: json.loads(tokenizer.to_json()) for name, tokenizer in fits.items()},
        "ngrams": known.state(),
        "taggers": readers,
        "records": [content for content, _ in records],
        "paths": [{"emissions": s.flatten().tolist(), "tags": len(names), "edges": edges} for s, edges in paths],
    }
    side = tmp_path_factory.mktemp("web") / "web"
    shutil.copytree(str(files("gru_nlp.export") / "web"), side)
    (side / "package.json").write_text('{"type": "module"}')  # or node takes the scripts for another kind
    command = ["node", str(Path(__file__).with_name("web_side.mjs")), str(side)]
    options = {"capture_output": True, "text": True, "encoding": "utf-8", "timeout": 120}
    done = subprocess.run(command, input=json.dumps(content), **options)
    assert done.returncode == 0, done.stderr
    ours = {
        "texts": given,
        "fits": fits,
        "ngrams": known,
        "taggers": taggers,
        "paths": paths,
        "field": field,
        "records": records,
    }
    return ours, json.loads(done.stdout)


@pytest.mark.parametrize("kind", FITS)
def test_tokens_of_any_text_have_the_same_ids(both, kind):
    ours, theirs = both
    expected = ours["fits"][kind].encode(ours["texts"])
    for one, ids, other in zip(ours["texts"], expected, theirs["tokenizers"][kind], strict=True):
        assert other == ids, ascii(one)
    assert len(set(map(tuple, expected))) > 100


def test_ngrams_of_any_text_have_the_same_ids(both):
    ours, theirs = both
    expected = ours["ngrams"].encode(ours["texts"])
    for one, ids, other in zip(ours["texts"], expected, theirs["ngrams"], strict=True):
        assert other == {"ids": ids.tolist(), "words": int((ids < len(ours["ngrams"].words)).sum())}, ascii(one)
    assert sum(map(len, expected)) > 1000


@pytest.mark.parametrize("cut", CUTS)
def test_a_tagger_is_fed_the_same_words(both, cut):
    ours, theirs = both
    made = ours["taggers"][cut]
    for one, other in zip(ours["texts"], theirs["taggers"][cut], strict=True):
        columns, _ = made.cut([one])
        assert other["windows"] == columns["words"], ascii(one)
        encoded = made.encode(columns)
        for row, feed in enumerate(other["feeds"]):
            batch = made.collate({name: [column[row]] for name, column in encoded.items()}, False)
            fed = {name: np.array(part["data"]).reshape(part["dims"]) for name, part in feed.items()}
            assert fed["inputs"].tolist() == batch.inputs.tolist()
            assert fed["shapes"].tolist() == batch.shapes.tolist()
            assert fed["lists"].tolist() == batch.lists.tolist() if made.lists else "lists" not in fed
            assert fed["lengths"].tolist() == batch.lengths.tolist()
            assert fed["characters"][fed["places"]].tolist() == batch.characters[batch.places].tolist()
            assert fed["character_lengths"][fed["places"]].tolist() == batch.character_lengths[batch.places].tolist()


@pytest.mark.parametrize("kind", [0, 1])
def test_records_of_texts_of_several_windows_are_the_same(both, kind):
    ours, theirs = both
    for one, other in zip(ours["records"][kind][1], theirs["records"][kind], strict=True):
        (field,) = one
        assert len(one[field]) > 0
        assert [{**part, "score": None} for part in other[field]] == [{**part, "score": None} for part in one[field]]
        assert [part["score"] for part in other[field]] == pytest.approx(
            [part["score"] for part in one[field]], abs=1e-5
        )


def test_paths_of_tags_are_the_best_and_as_sure(both):
    ours, theirs = both
    for (scores, edges), found in zip(ours["paths"], theirs["paths"], strict=True):
        tags = IndependentTags() if edges is None else ours["field"]
        expected = tags.tag(torch.from_numpy(scores)[None], torch.tensor([len(scores)]))
        assert found["tags"] == expected.tags[0, 0].tolist()
        assert found["nodes"] == pytest.approx(expected.nodes[0, 0].exp().tolist(), abs=1e-5)
        assert found["links"] == pytest.approx(expected.links[0, 0].exp().tolist(), abs=1e-5)
