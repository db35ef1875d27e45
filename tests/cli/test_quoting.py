import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from gru_nlp.cli import quoting
from gru_nlp.errors import UserError

ODD = [
    "a b.csv", "x=y.csv", "[1]{2}(3).csv", "größe,1.csv", "it's.csv", "c:\\data\\", "a\\'b", "${x}", "-x",
    "#%&!;", "nul l", "~/a:b@c", "epoch=3-step=7.ckpt", "1e5", "true", '"q', "電影.csv", "a\tb",
]  # fmt: skip


@pytest.mark.parametrize("path", ODD)
def test_a_path_reaches_the_config_as_it_was_typed(path):
    (quoted,) = quoting.quote_paths([f"data.train={path}"])
    value = OverridesParser.create().parse_override(quoted).value()
    assert str(value) == path


def test_other_options_null_quoted_values_and_sweeps_are_left_alone():
    given = ["seed=1", "data.test=null", "data.train='a b'", "checkpoint=???", "+x=[1,2]"]
    assert quoting.quote_paths(given) == given
    sweep = ["-m", "data.train=a.csv,b.csv"]
    assert quoting.quote_paths(sweep) == sweep


def test_everything_after_two_dashes_is_one_text():
    assert quoting.split_text(["checkpoint=x", "--", "a=b", "--", "[c"]) == (["checkpoint=x"], "a=b -- [c")
    assert quoting.split_text(["--"]) == ([], "")
    assert quoting.split_text(["seed=1"]) == (["seed=1"], None)


def test_an_unknown_flag_names_the_nearest():
    quoting.check_flags(["--cfg", "job", "--config-dir=x"])
    quoting.check_flags(["-m", "--config-dir=x"])
    with pytest.raises(UserError, match="did you mean '--config-dir'"):
        quoting.check_flags(["--confg-dir=x"])
