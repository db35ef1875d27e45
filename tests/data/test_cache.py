"""The folder of cached tables: bounded, cleared, and nobody else's."""

import gc
import os
from pathlib import Path

import datasets
import pytest

from gru_nlp.cli.main import main
from gru_nlp.data import cache, tables
from gru_nlp.errors import UserError

FEATURES = datasets.Features({"line": datasets.Value("int64")})


@pytest.fixture
def home(tmp_path, monkeypatch):
    datasets.disable_progress_bars()
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "hub"))
    tables.folder.cache_clear()
    yield tmp_path / "hub" / "gru_nlp"
    tables.folder.cache_clear()


@pytest.fixture
def in_cycle(home):
    """Give a list of one table that is in use, and part of a cycle; no garbage is collected meanwhile by itself."""
    held = {"table": raw(1)}
    held["itself"] = held
    kept = [held]
    del held
    gc.disable()
    yield kept
    gc.enable()


def raw(number, rows=1000):
    """Return a table in use."""
    made = ({"line": row} for row in range(rows))
    return tables.read_once(lambda: made, FEATURES, f"{number:032x}", None)


def encoded(table, number):
    """Return what is encoded of a table, in use."""
    return tables.encoded_once(
        table, lambda columns, _: {"line": columns["line"]}, FEATURES, f"{number:032x}-{number:016x}"
    )


def aged(home, *numbers):
    """Let tables and what was encoded of them be last used so many minutes ago, oldest first."""
    for place, number in enumerate(numbers):
        for file in cache.place(home, f"{number:032x}").rglob("*"):
            os.utime(file, (place * 60 + 1, place * 60 + 1))


def shown(capsys, *arguments):
    assert main(["cache", *arguments]) == 0
    return capsys.readouterr()


def test_the_folder_is_told_once_and_shown(home, capsys):
    kept = raw(1), raw(2)
    assert capsys.readouterr().err == f"texts are copied to {home}, which gru-nlp cache shows and clears\n"
    encoded(kept[0], 3)
    lines = shown(capsys).out.splitlines()
    assert lines[0] == f"folder: {home}"
    assert lines[1] == "tables: 3"
    assert lines[4] == "bound:  5 GB (GRU_NLP_CACHE_GB)"


def test_a_folder_of_the_persons_own_choice_is_not_told(tmp_path, capsys):
    tables.folder(str(tmp_path / "own"))
    assert capsys.readouterr().err == ""


def test_an_empty_cache_is_shown_and_cleared(home, capsys):
    assert shown(capsys).out.splitlines()[1:4] == ["tables: 0", "graphs: 0", "size:   0.0 MB"]
    assert shown(capsys, "clear").out == "removed: 0 tables, 0.0 MB\n"
    assert not home.exists()


def test_clearing_removes_what_is_not_in_use(home, capsys):
    used = raw(1)
    encoded(used, 2)
    raw(3)
    told = shown(capsys, "clear")
    assert told.out.startswith("removed: 2 tables, 0.0 MB")
    assert "1 tables stay: a running program uses them" in told.err
    assert used["line"][:3] == [0, 1, 2]
    assert encoded(used, 2)["line"][:3] == [0, 1, 2]  # made anew
    del used
    assert shown(capsys, "clear").out.startswith("removed: 2 tables")
    assert list((home / "generator").iterdir()) == []
    assert list(home.glob("*.lock")) == []


def test_what_a_cycle_alone_still_holds_is_cleared_and_what_somebody_holds_is_not(in_cycle, capsys):
    (held,) = in_cycle
    assert shown(capsys, "clear").out.startswith("removed: 0 tables")
    del held, in_cycle[:]
    assert shown(capsys, "clear").out.startswith("removed: 1 tables")


def test_what_a_cycle_alone_still_holds_goes_over_the_bound(in_cycle, home, monkeypatch):
    monkeypatch.setenv(cache.LIMIT, "0")
    cache.keep_bound(home)
    assert len(cache.tables(home)) == 1
    in_cycle.clear()
    cache.keep_bound(home)
    assert cache.tables(home) == []


def test_clearing_touches_nothing_of_others_and_follows_no_link(home, tmp_path, capsys):
    raw(1)
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "0.0.0").mkdir(parents=True)
    kept = [elsewhere / "0.0.0" / "cache-1.arrow", home.parent / "generator" / "default-fingerprint=2" / "x.arrow"]
    kept += [home / "notes.txt", home / "generator" / "other" / "cache-1.arrow"]
    folder = cache.place(home, f"{1:032x}")
    kept += [folder / "own.txt", folder / "0.0.0" / "mine.arrow"]
    for file in kept:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("mine")
    cache.place(home, "5").symlink_to(elsewhere)
    cache.place(home, "6").mkdir()
    (cache.place(home, "6") / "0.0.0").symlink_to(elsewhere / "0.0.0")
    (folder / "0.0.0" / "cache-2.arrow").symlink_to(kept[0])
    main(["cache", "clear"])
    assert [file.read_text() for file in kept] == ["mine"] * len(kept)
    assert not (folder / "0.0.0" / "generator-train.arrow").exists()


def test_a_folder_that_is_a_link_is_not_cleared(home, tmp_path, capsys):
    raw(1)
    home.rename(tmp_path / "moved")
    home.symlink_to(tmp_path / "moved")
    for arguments in ([], ["clear"]):
        assert main(["cache", *arguments]) == 2
        assert "is a link, which is not followed" in capsys.readouterr().err
    assert cache.clear(home) == ([], [])
    assert list((tmp_path / "moved").rglob("generator-train.arrow")) != []


def test_tables_that_were_not_used_for_longest_go_first(home, monkeypatch, capsys):
    for number in (1, 2, 3):
        raw(number)
    encoded(raw(2), 9)
    size = sum(table.size for table in cache.tables(home))
    aged(home, 2, 1, 3)
    monkeypatch.setenv(cache.LIMIT, str((size + 4000) / cache.GB))
    capsys.readouterr()
    kept = raw(4)
    assert [(home / "generator" / f"default-fingerprint={n:032x}").exists() for n in (1, 2, 3, 4)] == [True] * 4
    assert len(cache.tables(home)) == 4  # what was encoded of 2 is gone
    told = "1 cached tables or graphs that were not used for longest were removed: more than GRU_NLP_CACHE_GB="
    assert capsys.readouterr().err.startswith(told)
    raw(2)  # a use, after which 1 is the oldest
    monkeypatch.setenv(cache.LIMIT, "0")
    other = raw(5)
    assert len(cache.tables(home)) == 2
    assert [len(kept), len(other)] == [1000, 1000]


@pytest.mark.parametrize("given", ["much", "-1", "nan", "5 GB"])
def test_a_bound_that_is_no_size_is_refused(home, given, monkeypatch, capsys):
    monkeypatch.setenv(cache.LIMIT, given)
    with pytest.raises(UserError, match=f"^GRU_NLP_CACHE_GB={given} in the environment must be a number of gigabytes"):
        raw(1)
    assert main(["cache"]) == 2


def test_a_table_without_its_lock_is_found_and_removed(home):
    raw(1)
    for lock in Path(home).rglob("*.lock"):
        lock.unlink()
    assert len(cache.clear(home)[0]) == 1


def test_what_a_killed_process_left_is_counted_and_removed(home, capsys):
    left = cache.place(home, "ab") / "0.0.0.incomplete" / "generator-train-00000-00000-of-NNNNN.arrow"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"0" * 3_000_000)
    (cache.place(home, "ab") / "0.0.0_builder.lock").touch()
    assert shown(capsys, "clear", "--quiet") == ("removed: 1 tables, 3.0 MB\n", "")
    assert list((home / "generator").iterdir()) == []


def test_a_quiet_clearing_says_nothing_of_what_stays(home, capsys):
    used = raw(1)
    capsys.readouterr()
    assert shown(capsys, "--quiet", "clear") == ("removed: 0 tables, 0.0 MB\n", "")
    assert len(used) == 1000


def test_what_cache_takes_is_told(capsys):
    assert main(["cache", "cler"]) == 2
    assert capsys.readouterr().err == "gru-nlp: cache cler: takes nothing, or clear; did you mean 'clear'?\n"
    assert "GRU_NLP_CACHE_GB" in shown(capsys, "--help").out
