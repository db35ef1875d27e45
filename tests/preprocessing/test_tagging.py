import random

import numpy as np
import pytest

from gru_nlp.errors import UserError
from gru_nlp.outputs import Tagging
from gru_nlp.preprocessing.rows import Hints, RowError
from gru_nlp.preprocessing.tagging import TaggingPreprocessor
from gru_nlp.preprocessing.words import OVERLAP
from gru_nlp.text.shapes import SHAPES, shape
from gru_nlp.text.special import SPECIAL_TOKENS
from gru_nlp.text.words import make_splitter

SENTENCES = [
    (["Ada", "Moor", "left", "Rome", "in", "1998"], ["B-PER", "I-PER", "O", "B-LOC", "O", "O"]),
    (["ROME", "beat", "Oslo"], ["B-LOC", "O", "B-LOC"]),
]


class Table:
    def __init__(self, rows):
        self.rows = rows

    def iter(self, batch_size):
        yield {"words": [words for words, _ in self.rows], "tags": [tags for _, tags in self.rows]}


def make(**options):
    chosen = {"scheme": "bioes", "lowercase": True, "fold_digits": True, "min_frequency": 1}
    chosen |= {"max_word_length": 4, "max_words": OVERLAP + 8, **options}
    return TaggingPreprocessor(**chosen)


def fitted(**options):
    made = make(**options)
    made.fit(Table(SENTENCES), Hints(extra_words=["paris", "rome"]))
    return made


def encoded(made, rows=SENTENCES):
    return made.encode({"words": [words for words, _ in rows], "tags": [tags for _, tags in rows]})


def test_words_are_folded_and_spelled_and_tags_closed():
    made = fitted()
    columns = encoded(made)
    tokens = made.tokens()
    assert [tokens[index] for index in columns["ids"][0]] == ["ada", "moor", "left", "rome", "in", "0000"]
    assert tokens[-1] == "paris"
    assert columns["ids"][0][3] == columns["ids"][1][0]
    assert columns["character_lengths"][0] == [3, 4, 4, 4, 2, 4]
    assert [made.tags[tag] for tag in columns["target"][0]] == ["B-PER", "E-PER", "O", "S-LOC", "O", "O"]
    assert columns["tokens"] == [6, 3]
    unknown = made.encode({"words": [["zebra", ""]]})
    assert unknown["ids"] == [[1, 1]]
    assert unknown["character_lengths"] == [[4, 1]]


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("left", "lower"),
        ("NATO", "upper"),
        ("Rome", "title"),
        ("iPod", "mixed"),
        ("1,500.25", "digits"),
        ("3rd", "with digit"),
        ("--", "other"),
        ("東京", "mixed"),
    ],
)
def test_a_word_has_one_shape(word, name):
    assert SHAPES[shape(word)] == name


def test_a_batch_spells_every_word_once():
    made = fitted()
    columns = encoded(made)
    arrays = {name: [np.asarray(row, np.int32) for row in rows] for name, rows in columns.items() if name != "tokens"}
    batch = made.collate(arrays, training=True)
    assert batch.inputs.shape == batch.places.shape == batch.targets.shape == (2, 6)
    assert len(batch.characters) == 9
    repeated = made.collate(made.encode({"words": [["Rome", "Rome", "rome"], ["Rome"]]}), training=False)
    assert len(repeated.characters) == 2
    for row, length in enumerate(batch.lengths.tolist()):
        spelled = [
            batch.characters[place, : batch.character_lengths[place]].tolist()
            for place in batch.places[row, :length].tolist()
        ]
        assert [letter for word in spelled for letter in word] == columns["characters"][row]


def test_a_type_that_training_lacks_is_told_with_its_row():
    told = r"entities 'LOK' do not occur in training \(types: .*\); data\.tag_map=\{LOK: O\} leaves them out; "
    with pytest.raises(RowError, match=told + "did you mean 'LOC'") as caught:
        encoded(fitted(), [*SENTENCES, (["x"], ["B-LOK"])])
    assert caught.value.row == 2


def test_training_without_an_entity_is_refused():
    with pytest.raises(UserError, match="no entity"):
        make().fit(Table([(["a"], ["O"])]), Hints())
    with pytest.raises(UserError, match="max_words=9 must be above"):
        make(max_words=9)


def test_what_was_learned_comes_back_from_plain_values():
    made, again = fitted(), make()
    again.load_state_dict(made.state_dict())
    assert encoded(again) == encoded(made)
    own, other = again.sizes(), made.sizes()
    assert np.array_equal(own.pop("allowed"), other.pop("allowed"))
    assert own == other
    assert again.fingerprint() == made.fingerprint() != fitted(scheme="iob2").fingerprint()


def test_raw_text_is_cut_as_the_training_words_were(capsys):
    made, again = make(), make()
    made.fit(Table([(["张", "伟", "在", "京"], ["B-PER", "I-PER", "O", "B-LOC"])]), Hints())
    again.load_state_dict(made.state_dict())
    text = "张伟 and 京。张."
    for one in (made, again):
        assert one.cut([text])[0] == {"words": [["张", "伟", "and", "京", "。"], ["张", "."]]}
        (record,) = answer(one, [text], {"张", "京"})
        assert [(e["start"], e["end"], e["text"]) for e in record["entities"]] == [
            (0, 1, "张"),
            (7, 8, "京"),
            (9, 10, "张"),
        ]
    assert capsys.readouterr().err == ""
    made.fit(Table([(["张伟", "在", "北京"], ["B-PER", "O", "B-LOC"])]), Hints())
    assert made.cut([text])[0] == {"words": [["张伟", "and", "京", "。"], ["张", "."]]}
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "training words of Han are of several letters (张伟)" in told


def test_a_checkpoint_of_before_cuts_as_it_did():
    made, again = fitted(), make()
    state = made.state_dict()
    del state["rules"]
    again.load_state_dict(state)  # the rules of English treebanks, and scripts as they were learned
    assert again.rules is None
    assert again.cut(["see http://a.b 张."])[0] == {"words": [["see", "http", ":", "/", "/", "a.b", "张", "."]]}
    del state["cut"]
    again.load_state_dict(state | {"splitter": make_splitter({}).to_str()})
    assert again.cut(["张伟在。北京"])[0] == {"words": [["张伟在", "。", "北京"]]}
    with pytest.raises(UserError, match="split by a rule"):
        again.load_state_dict(state | {"cut": {"Han": "x"}})
    with pytest.raises(UserError, match="split by rules"):
        again.load_state_dict(state | {"cut": {}, "rules": {"whole": ["(a+)+"]}})


def test_rules_of_raw_text_travel_and_their_offsets_index_it():
    made, again = make(), make()
    made.fit(
        Table([(["Ada", "writes", "C++", "at", "@acme", ",", "don't", "?"], ["B-PER", *"OO", *["O"] * 5])]), Hints()
    )
    again.load_state_dict(made.state_dict())
    text = "Don't @bob and Ada write C++, Ada?"
    assert again.cut([text])[0] == {"words": [["Don't", "@bob", "and", "Ada", "write", "C++", ",", "Ada", "?"]]}
    (record,) = answer(again, [text], {"Ada"})
    assert [text[e["start"] : e["end"]] for e in record["entities"]] == ["Ada", "Ada"]


def test_an_entity_has_the_probability_of_its_tags_together():
    made = fitted()
    tags = np.array([[[made.tags.index(tag) for tag in ("B-PER", "E-PER", "O")]]])
    nodes = np.log(np.array([[[0.8, 0.5, 0.9]]], np.float32))
    links = np.log(np.array([[[0.8, 0.4, 0.5]]], np.float32))
    found = made.decode(Tagging(tags, np.zeros((1, 1), np.float32), nodes, links, np.array([3])))[0]
    assert found["tags"] == ["B-PER", "I-PER", "O"]
    assert found["entities"] == [{"start": 0, "end": 2, "label": "PER", "score": pytest.approx(0.4)}]


def test_paths_are_told_in_the_scheme_of_the_truth_whatever_was_learned():
    made = fitted()
    ranked = [["S-PER", "B-LOC", "E-LOC"], ["B-PER", "E-PER", "S-LOC"], ["O", "O", "O"]]
    tags = np.array([[[made.tags.index(tag) for tag in path] for path in ranked]])
    marginals = np.zeros((1, 3, 3), np.float32)
    outputs = Tagging(tags, np.array([[-0.5, -1.0, -np.inf]], np.float32), marginals, marginals, np.array([3]))
    (record,) = made.decode(outputs, top_k=3)
    assert [path["tags"] for path in record["paths"]] == [["B-PER", "B-LOC", "I-LOC"], ["B-PER", "I-PER", "B-LOC"]]
    assert record["tags"] == record["paths"][0]["tags"]
    assert made.truth({"words": [["a", "b", "c"]], "tags": [record["tags"]]})[0]["target"] == record["tags"]
    assert made.decode(outputs) == [{"tags": record["tags"], "entities": record["entities"]}]


def answer(made, texts, wanted):
    """Cut texts, say that every word of ``wanted`` is a person, and join."""
    rows, owners = made.cut(texts)
    records = []
    for words in rows["words"]:
        tags = ["S-PER" if word in wanted else "O" for word in words]
        entities = [
            {"start": place, "end": place + 1, "label": "PER", "score": 1.0}
            for place, tag in enumerate(tags)
            if tag != "O"
        ]
        records.append({"tags": tags, "entities": entities})
    assert all(0 < len(words) <= made.max_words for words in rows["words"])
    return made.join(texts, owners, records)


def test_offsets_index_the_text_that_came_in():
    made = fitted()
    text = "😀  Ada\tsaw\u00a0Ada. e\u0301Ada \u200b Ada!\nADA Ada"
    (record,) = answer(made, [text], {"Ada"})
    assert [entity["start"] for entity in record["entities"]] == [3, 11, 24, 33]
    assert all(text[entity["start"] : entity["end"]] == entity["text"] == "Ada" for entity in record["entities"])


def test_every_word_of_a_long_text_is_answered_once():
    made = fitted()
    source = random.Random(1)
    for size in (1, 39, 40, 41, 48, 80, 200, 333):
        words = [source.choice(["Ada", "and", "so"]) for _ in range(size)]
        text = " ".join(words)
        (raw,), (given,) = answer(made, [text], {"Ada"}), answer(made, [words], {"Ada"})
        assert len(raw["entities"]) == words.count("Ada")
        if size > made.max_words:
            assert len(given["entities"]) == words.count("Ada")
        assert raw == given


def test_texts_are_told_apart_and_words_of_a_list_stay_whole():
    made = fitted()
    records = answer(made, ["Ada. Bo. Ada", ["Ada Moor", "Ada"], "Bo"], {"Ada", "Ada Moor"})
    assert [len(record["entities"]) for record in records] == [2, 2, 0]
    assert records[1]["entities"][0]["text"] == "Ada Moor"
    assert records[1]["entities"][1]["start"] == 9


def test_random_strings_are_cut_where_their_offsets_say():
    made = fitted()
    source = random.Random(2)
    pools = [range(32, 127), range(0x300, 0x370), range(0x1F300, 0x1F700), range(0x2000, 0x2070), range(1, 0xD800)]
    texts = [
        "".join(chr(source.choice(source.choice(pools))) for _ in range(source.randint(1, 60))) for _ in range(2000)
    ]
    texts = [text for text in texts if text.strip()]
    rows, owners = made.cut(texts)
    records = []
    for words in rows["words"]:
        start = source.randrange(len(words))
        end = source.randint(start + 1, len(words))
        entity = {"start": start, "end": end, "label": "PER", "score": 1.0}
        records.append({"tags": ["O"] * len(words), "entities": [entity]})
    found = 0
    for text, record in zip(texts, made.join(texts, owners, records), strict=True):
        for entity in record["entities"]:
            found += 1
            assert text[entity["start"] : entity["end"]] == entity["text"] == entity["text"].strip() != ""
    assert found >= len(texts)


def test_ids_follow_how_often_words_occur():
    made = make()
    made.fit(Table([(["b", "a", "B", "c", "c", "b"], ["O"] * 5 + ["B-X"])]), Hints(extra_words=["d", "a"]))
    assert made.tokens()[len(SPECIAL_TOKENS) :] == ["b", "c", "a", "d"]


def test_special_tokens_in_a_text_are_unknown_words():
    made = make()
    made.fit(
        Table([*SENTENCES, (["<unk>", "<pad>", "Ada"], ["O", "O", "B-PER"])]), Hints(extra_words=["oslo", "<s>", "x"])
    )
    assert made.vocabulary.unseen == 1
    assert made.encode({"words": [["<pad>", "<unk>", "<s>"]]})["ids"] == [[1, 1, 1]]
    assert made.tokens()[-1] == "x"


def test_of_two_windows_each_answers_for_its_half_of_what_they_share():
    made = fitted()
    words = ["so"] * (made.max_words + 8)
    rows, owners = made.cut([words])
    assert [first for _, first in owners] == [0, 8]
    border = made.max_words - OVERLAP // 2
    records = []
    for (_, first), part in zip(owners, rows["words"], strict=True):
        everywhere = [
            {"start": place, "end": place + 1, "label": "PER" if first == 0 else "LOC", "score": 1.0}
            for place in range(len(part))
        ]
        records.append({"tags": ["O"] * len(part), "entities": everywhere})
    records[0]["entities"] = records[0]["entities"][: border - 3]  # the first sees nothing at the end of its half
    labels = [entity["label"] for entity in made.join([words], owners, records)[0]["entities"]]
    assert labels == ["PER"] * (border - 3) + ["LOC"] * (len(words) - border)
