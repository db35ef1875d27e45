from xml.etree import ElementTree

from gru_nlp.answers.picture import svg
from gru_nlp.asking import Alignment

SPACE = "{http://www.w3.org/2000/svg}"


def drawn(source):
    """Return the places across of the source's tokens, and of the weights of the first row."""
    picture = ElementTree.fromstring(svg(Alignment(source, ["▁one", "</s>"], [[0.5, 0.25, 0.25]] * 2)))
    texts = list(picture.iter(f"{SPACE}text"))[: len(source)]
    assert [text.text for text in texts] == [token.replace("▁", "·") for token in source]
    squares = [square for square in picture.iter(f"{SPACE}rect") if len(square)][:3]
    return texts, [int(square.get("x")) for square in squares]


def test_a_source_stands_as_it_is_read():
    texts, places = drawn(["▁我", "们", "</s>"])
    across = [int(text.get("x")) for text in texts]
    assert across == sorted(across)
    assert places == sorted(places)
    assert not any(text.get("direction") for text in texts)
    texts, places = drawn(["▁هو", "يحب", "</s>"])
    across = [int(text.get("x")) for text in texts]
    assert across == sorted(across, reverse=True)
    assert places == sorted(places, reverse=True)
    assert [text.get("direction") for text in texts] == ["rtl", "rtl", None]
