"""Rows are found in the book's build or in a folder; where there are none, the words say what makes some."""

import pytest

from fer_lib import results
from fer_lib.scoreboard.runs import rows_of


def save(folder, value, monkeypatch):
    monkeypatch.setenv("FER_RUN_DIR", str(folder))
    results.save([results.row(paper="ciao", metric="m", value=value, seed=0, commit="")], "rows")


@pytest.fixture
def book(tmp_path, monkeypatch):
    (tmp_path / "book" / "notebooks").mkdir(parents=True)
    monkeypatch.setenv("FER_BOOK", str(tmp_path / "book"))
    return tmp_path / "book"


def test_the_books_own_rows_are_those_of_the_profile(book, monkeypatch):
    for profile, value in (("smoke", 1.0), ("quick", 2.0)):
        save(book / "_build" / "executed" / profile, value, monkeypatch)
    assert rows_of(profile="smoke")["value"].tolist() == [1.0]
    assert rows_of()["value"].tolist() == [2.0]


def test_a_folder_of_runs_comes_before_the_book(book, tmp_path, monkeypatch):
    save(book / "_build" / "executed" / "quick", 2.0, monkeypatch)
    for name, value in (("04", 3.0), ("15", 4.0)):
        save(tmp_path / "mine" / name, value, monkeypatch)
    assert rows_of(tmp_path / "mine", profile="quick")["value"].tolist() == [3.0, 4.0]


def test_nothing_there_is_told(book, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"profile full; got none.*make book PROFILE=full"):
        rows_of(profile="full")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / ".rows-draft.parquet").write_bytes(b"")  # a file that a killed run left
    with pytest.raises(FileNotFoundError, match=r"folder must hold result rows.*mine.*fer run"):
        rows_of(tmp_path / "mine")
    with pytest.raises(ValueError, match="profile must be"):
        rows_of(profile="fast")
