from pathlib import Path

import pytest

from gru_nlp.errors import UserError
from gru_nlp.text.terms import Terms, copied, holds


def test_terms_are_whole_words_the_longest_first_in_any_case_unless_a_letter_is_large():
    terms = Terms({"bike": "Rad", "mountain  bike": "Bergrad", "US": "USA", "中国": "China", "c++": "C++"})
    found = [one.said for one in terms.found("Bike, mountain\tbike, bikes; us US 在中国人 C++")]
    assert found == ["Rad", "Bergrad", "USA", "China", "C++"]
    assert not Terms({}).found("a")
    assert holds("Das Rad.", "Rad")
    assert not holds("Das Fahrrad, die Räder", "Rad")


def test_terms_are_found_whatever_their_number_blanks_case_and_accents():
    terms = Terms({f"word {number}": f"{number}" for number in range(50_000)} | {"λόγος": "Wort", "caf\u00e9 a_": "x"})
    text = "word 7, WORD\u00a0\n49999 word 77777; ΛΌΓΟΣ λόγοςα Café A_b"
    assert [(one.said, text[one.start : one.end]) for one in terms.found(text)] == [
        ("7", "word 7"),
        ("49999", "WORD\u00a0\n49999"),
        ("Wort", "ΛΌΓΟΣ"),
        ("x", "Café A_"),
    ]
    assert Terms({"cafe\u0301": "cafe\u0301"}).found("caf\u00e9")[0].said == "caf\u00e9"
    chosen = Terms({"Bank": "B", "bank": "b", "a bank": "c", "bank a": "d"}).found("Bank bank BANK a bank a")
    assert [one.said for one in chosen] == ["B", "b", "d", "d"]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"a\tb\nc\n", "t.tsv:2: no term, tab and its translation (see terms)"),
        (b"a\tb\tc\n", "t.tsv:1: no term"),
        (b" \tb\n", "t.tsv:1: no term"),
        (b"a" * 9999 + b"\tb\n" + b"a" * 9999 + b"\tc", f"t.tsv:2: '{'a' * 40} ...' stands for 'b' above (see terms)"),
        (b"a\tb\n\na\tc\n", "t.tsv:3: 'a' stands for 'b' above (see terms)"),
        (b"a\tb\n\xff\tb\n", "t.tsv:2: not utf-8 (see terms)"),
        (None, "t.tsv: cannot be read: No such file or directory (see terms)"),
    ],
)
def test_a_broken_file_is_told_in_one_line(content, told):
    if content is not None:
        Path("t.tsv").write_bytes(content)
    with pytest.raises(UserError, match="^t.tsv") as caught:
        Terms.read("t.tsv")
    assert told in str(caught.value)


def test_a_file_may_have_blank_lines_and_any_line_ends():
    Path("t.tsv").write_bytes("\ufeffa  b\tc d\r\n\r\ne\tf".encode())
    assert Terms.read("t.tsv").terms == {"a b": "c d", "e": "f"}


def test_numbers_and_strange_words_are_copied_but_what_is_a_term():
    terms = Terms({"bus 7": "Linie 7"})
    text = "The 3rd B52 left bus 7 at 4:30, 1,000.5 km from «λόγος», 3 times."
    found = copied(text, set("λόγς"), terms.found(text))
    assert [one.said for one in found.numbers] == ["3", "4:30", "1,000.5", "3"]
    assert [one.said for one in found.words] == ["B52", "λόγος"]
    assert not found.missing("3. «λόγος» um 4.30, B52, 1.000,5, 3")
    assert found.missing("3. «λόγος» um 4.30, B52, 1.000,5")
    assert found.missing("3. «λόγος» um 4.30, B52, 1.000,5, 3, 9")
    assert found.missing("3. λόγο um 4.30, B52, 1.000,5, 3")
