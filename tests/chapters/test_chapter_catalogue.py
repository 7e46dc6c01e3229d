"""Finding the book and its chapters."""

import pytest
from tiny_book import write_chapter

from fer_lib.chapters import catalogue


def test_chapters_are_listed_in_order_with_what_their_headers_say(book):
    write_chapter(book, "10_late")
    (book / "notebooks" / "notes.md").write_text("# no chapter\n", encoding="utf-8")
    known = catalogue.chapters()
    assert [chapter.name for chapter in known] == ["00_one", "01_two", "10_late"]
    assert known[0].title == "Chapter 00"
    assert known[0].tasks == ("categorical",)
    assert known[0].minutes == {"smoke": 0.1, "quick": 0.2, "full": 1}
    assert known[0].memory_gb["smoke"] == 0.5


@pytest.mark.parametrize("name", ["1", "01", "two", "01_two"])
def test_a_chapter_has_four_names(book, name):
    assert catalogue.find(name).name == "01_two"


@pytest.mark.parametrize(
    ("wrong", "hint"), [("01_tow", "'01_two'"), ("tow", "'01_two'"), ("00_on", "'00_one'")]
)
def test_an_unknown_chapter_is_refused_with_the_nearest_name(book, wrong, hint):
    with pytest.raises(ValueError, match=rf"got '{wrong}'. Did you mean {hint}\? `fer list` shows all"):
        catalogue.find(wrong)


def test_a_name_like_no_chapter_gets_no_suggestion(book):
    with pytest.raises(ValueError, match=r"one of the book's; got 'zzz'. `fer list` shows all"):
        catalogue.find("zzz")


def test_an_edited_header_is_read_again(book):
    path = book / "notebooks" / "00_one.md"
    assert catalogue.find("0").title == "Chapter 00"
    path.write_text(path.read_text(encoding="utf-8").replace("# Chapter", "# New"), encoding="utf-8")
    assert catalogue.find("0").title == "New 00"


def test_the_book_is_found_from_below(book, monkeypatch):
    monkeypatch.delenv("FER_BOOK")
    monkeypatch.chdir(book / "book")
    assert catalogue.book_root() == book


def test_a_wrong_book_folder_is_refused(book, monkeypatch):
    monkeypatch.setenv("FER_BOOK", str(book / "book"))
    with pytest.raises(
        ValueError, match=r"FER_BOOK must name a folder that holds notebooks/; got .*Correct or unset"
    ):
        catalogue.book_root()


def test_outside_a_checkout_the_error_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.delenv("FER_BOOK", raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(catalogue, "__file__", str(tmp_path / "a" / "b" / "c" / "catalogue.py"))
    with pytest.raises(ValueError, match=r"must run inside a checkout of the book; got .*set FER_BOOK"):
        catalogue.book_root()
