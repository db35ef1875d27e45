import random
from collections import Counter

import pytest

from gru_nlp.errors import UserError
from gru_nlp.text.cuts import DEFAULT
from gru_nlp.text.word_habits import learn_rules
from gru_nlp.text.word_pattern import MARKS, stored_rules
from gru_nlp.text.words import make_splitter, split_words, stored_word_rules

#: Training and raw text of each habit; ``|`` parts words that no blank parts. The raw words are mostly unseen.
CASES = {
    "English, as treebanks": (
        "I do|n't know|. She|'s here|, they|'ve left|. Ada|'s e-mail is all-round|. The U.S. firm of Mr. "
        "O'Neill|, Dr. Wu and Jo|'s Yahoo! page|, C++ and C# since 1998-99|. At 3 p.m. he|'ll go|. US$ "
        "5.5 or A+ at 10:30 and 9:15|.",
        "\"|Is|n't it Lin|'s mother-in-law|'s|?|\" Dr. Li asked in the U.S.A. and the U.K.-led team|: "
        "they|’ll meet at 11:45 p.m.|, we ca|n’t|; C++|, C# and Yahoo! run|. See www.a-b.org/x?y=1|, "
        "ada.b@c-d.co.uk (|https://t.co/Ab1|)|.",
    ),
    "English, words whole": (
        "I don't know|. She's here|, they've left|, we can't|. Ada's e-mail is all-round|. 'tis the boys' day|.",
        "\"|Isn't it Lin's mother-in-law's|?|\" We'll see|, it’s O'Neill's|.",
    ),
    "English, tweets": (
        "@ada look at #sunny :-) !!! it's http://t.co/a1 RT @bob_1 :D #2good ... lol <3 ?! ;)",
        "(|@new_user|: #rain|, #snow :-( really|?!! don't :) www.x.com/?q=1|, 3|:|1 <3|)",
    ),
    "English, cut at each mark": (
        "I don|'|t know e|-|mail|, e|-|mails|. J|. Smith|, U|. S|. firm|. T|. F|. Lee|, B|. W|. Y|. or "
        "1|, 500|. Now @|ada said #|sunny|: http|:|//|t|. co|, Ada|'|s|. No|-|one can|'|t|.",
        "They won|'|t re|-|use it|: J|. Fox|. See http|:|//|x|. org|, @|joe|.",
    ),
    "French": (
        "L'|homme qu'|il n'|a vu d'|ici|. Aujourd'hui c'|est l'|été|. M. Dupont|, Mme. Roy|, s'|il|. "
        "J'|ai dit|, etc. Va|-t-il voir|? Dit|-il|. Est|-ce cela|? Porte-monnaie|, p. ex. ici|. "
        "L'Oréal|. Jusqu'|à demain|.",
        "«|Qu'|elle d’|or jusqu'|ici aujourd'hui|»|, dit M. Roux|. A|-t-il su|? Le porte-clés de "
        "L'Oréal|, etc. J'|irai à l'|11 mai|. Est|-ce là|?",
    ),
    "Italian": (
        "L'|uomo dell'|arte un'|altra c'|è|. Massimo D'Alema|, D'Alema d'|oro|. Un po' di tutt'|altro|, "
        "all'|alba|. Il sig. Rossi|, ecc. Nell'|anno|. Sull'|onda|.",
        "All'|ombra dell’|olmo|, un po' d'|acqua|: D'Alema e il sig. Neri|. L'|11 c'|era|, ecc.",
    ),
    "German": (
        "Das geht|'s nicht|. Am 3. Mai und 12. Juni|, am 9. d. M. z.B. hier|, d.h. dort|, usw. Dr. "
        "Groß|, bzw. Nord- und Südkorea|. Peters E-Mail|, Rhein-Main|. Ca. 5 km|. Ost- oder "
        "West-Berlin|, u.a. Prof. Ott|, vgl. Im 19. Jh.|, Nr. 7|.",
        "Wie geht|'s|? Am 7. Juli kommt Dr. Klein z.B. aus Nord- und Ost-Berlin|, u.a. bzw. Prof. Alt im 20. Jh.",
    ),
    "Dutch": (
        "'s avonds foto's en auto's|, 't huis|. 's morgens baby's|. Dhr. De Wit|, o.a. Ada's zo'n "
        "A4-tje|. 's-Gravenhage|.",
        "Oma's foto's van 't dorp|: 's middags zo'n radio's|, o.a. Dhr. De Boer|. 's-Gravenhage|!",
    ),
    "Spanish": (
        "El Sr. Gómez|, la Sra. Ruiz|, p.ej. aquí|. EE.UU. y EE. UU. ¿|Qué|? ¡|No|! 1.500,25 %|, etc. "
        "Ud. ve|. O'Higgins|.",
        "¿|Ve Ud. al Sr. Ríos|? ¡|EE.UU. paga 2.750,50 %|! , p.ej. O'Donnell|.",
    ),
    "Portuguese": (
        "Vai fazê|-lo hoje|. Dá|-me isso|, viu|-se aqui|. Disse|-lhe|. Guarda-chuva d'água|. O Sr. Sá|, "
        "a Dra. Reis|. Segunda-feira|, pôs|-se|, dar|-lhe|, ver|-me|, tê|-lo|.",
        "Quer vê|-lo e diz|-se|: dê|-me|! Terça-feira a Dra. Paz|, conta-gotas d'água|, quer|-lhe|.",
    ),
    "Catalan": (
        "L'|home d'|ací|. Portar|-la a casa|, dona|'m això|, mira|'l|. Col·lecció|. S'|ha dit|, n'|hi "
        "ha|. El Sr. Pla|. Fer|-se|, veure|-la|, agafa|'l|, digue|'m|, rentar|-se|.",
        "L'|illa d'|or|: comprar|-la|, compra|'m|! Paral·lel|. S'|obre|, treu|'l|, casar|-se amb el Sr. Bo|.",
    ),
    "Ukrainian": (
        "П'ять об'єктів|. Кам'янець-Подільський|, т.д. м. Київ|, вул. Сковороди|. Ім’я п’ять|. Прем'єр-міністр|.",
        "Дев'ять під’їздів|, м. Львів|, вул. Франка|: віце-прем'єр|, т.д.",
    ),
    "Turkish": (
        "Ankara'da İstanbul'un|. Türkiye'ye gitti|. Dr. Ak|, Prof. Ay|. Atatürk'ün 1923'te|. Örn. bu|, vb. 3'ü|.",
        "İzmir'de Prof. Dağ'ın|. Dr. Gül 1938'de|, vb. Bursa’dan 5'i|.",
    ),
    "Turkish, suffixes cut": (
        "Ankara|'da İstanbul|'un|. Türkiye|'ye gitti|. Konya|'da|, Van|'da|. Rize|'ye|, Ordu|'un|.",
        "İzmir|'da Bursa|’ye|, Kars|'un|.",
    ),
    "marks of numbers": (
        "rose +5.5 % to .500|, -3 C and 50% of $|5|. +1 or -7 and 90%|, .25 - 3-2 a 4/5 '90s '68|.",
        "fell -2.5 % to .750|, (|+8|) 75%|, 6-1 and 2/3|: $|9 in '91|.",
    ),
}


def words_of(text):
    return text.replace("|", " ").split()


def rules_of(training):
    return learn_rules(Counter({word: 20 * count for word, count in Counter(words_of(training)).items()}), DEFAULT)


def cut(rules, text):
    return [word.text for word in split_words(make_splitter(DEFAULT, rules), [text])[0]]


@pytest.mark.parametrize("name", CASES)
def test_raw_text_falls_into_words_as_training_did(name):
    for text in CASES[name]:
        assert cut(rules_of(CASES[name][0]), text.replace("|", "")) == words_of(text)


def test_where_training_tells_nothing_the_habits_of_english_treebanks_stand():
    rules = learn_rules({}, DEFAULT)
    text = "Mr. O'Neill's U.S. firm isn't all-rounder at AT&T, 1996-08-30 (about 1,500.25 %)... J. R. Smith's"
    assert cut(rules, text) == cut(None, text)
    assert cut(rules, "@ada #tag a@b.co www.a.org/b, p.m.") == ["@ada", "#tag", "a@b.co", "www.a.org/b", ",", "p.m."]


def test_no_character_is_lost_and_offsets_are_right_whatever_the_rules():
    source = random.Random(1)
    everything = rules_of(" ".join(text for pair in CASES.values() for text in pair))
    assert set(everything.kinds) > {"url", "email", "user", "tag", "emoticon", "initials"}
    pools = [
        range(32, 127),
        [*map(ord, "'’-.@#:/nNtTsSlL ,)(")],
        range(0x300, 0x370),
        range(0x2000, 0x2070),
        range(1, 0xD800),
    ]
    splitters = [
        make_splitter(DEFAULT, rules) for rules in (everything, rules_of(CASES["French"][0]), learn_rules({}, {}))
    ]
    for _ in range(1500):
        text = "".join(chr(source.choice(source.choice(pools))) for _ in range(source.randint(0, 30)))
        for splitter in splitters:
            words = split_words(splitter, [text])[0]
            assert all(text[word.start : word.end] == word.text != "" for word in words)
            assert "".join(word.text for word in words) == "".join(text.split())


@pytest.mark.parametrize("unit", ["http://", "a@", "a-", "n'", "#1", ":-", "it's", "U.", "l'", "http", "1.", ")"])
def test_a_text_made_to_hold_up_the_search_does_not(unit):
    rules = rules_of(" ".join(text for pair in CASES.values() for text in pair))
    (words,) = split_words(make_splitter(DEFAULT, rules), [unit * 5_000])
    assert "".join(word.text for word in words) == unit * 5_000


def test_rules_travel_and_those_of_a_stranger_are_refused():
    rules = rules_of(CASES["French"][0])
    state = rules.state()
    assert stored_word_rules({"rules": state}) == rules
    assert stored_word_rules({}) is None
    wrong = {
        "kinds": [["strange"], ["(a+)+"], ["url", "url"], "url", [1]],
        "inside": ["(", "--", ["-"], None, "\\"],
        "before": [["(a+)+'"], ["L'"], ["l"], [f"{'a' * 13}'"], ["l'"] * 201, "l'"],
        "behind": [["'.*"], ["'S"], ["s"], [["'s"]], [{}]],
        "whole": [["a b"], ["x" * 41], ["a"], ["\ud800x"], ["ab"] * 2, [f"a{n}" for n in range(2001)], {"a.": 1}],
        "unsure": [["a\u200bb"], None],
    }
    for name, values in wrong.items():
        for value in values:
            with pytest.raises(UserError, match="split by rules that this version does not know"):
                stored_word_rules({"rules": state | {name: value}})
    for strange in ([], "x", {}, state | {"more": 1}, {name: value for name, value in state.items() if name != "runs"}):
        assert stored_rules(strange) is None


def test_words_and_marks_of_a_stranger_are_no_regular_expression():
    hard = ["(a+)+$", "[^x]", ".*", "a|b", r"\w\d", "x]", "]]", "^^", "--&&", "{2}", "a/b?", "$$", r"\Q\E"]
    whole = {**learn_rules({}, {}).state(), "whole": hard, **MARKS, "kinds": [], "before": ["ǰ'"], "behind": ["'ß"]}
    rules = stored_word_rules({"rules": whole})
    for word in hard:
        assert cut(rules, f"{word} aaaa") == [word, "aaaa"]
    assert cut(rules, "aab .") == ["aab", "."]
