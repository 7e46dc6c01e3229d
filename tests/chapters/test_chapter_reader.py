"""papermill's way to a chapter."""

import nbformat
import papermill
import pytest

from fer_lib.chapters import catalogue
from fer_lib.chapters.reader import ChapterHandler, notebook_of


def test_a_chapter_reads_as_a_notebook_with_kernel_and_language(book):
    notebook = nbformat.reads(ChapterHandler.read("chapter://00_one"), as_version=4)
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec.language == "python"
    assert notebook.metadata.language_info.name == "python"
    assert [cell.cell_type for cell in notebook.cells].count("code") == 3


@pytest.mark.parametrize(
    "path", ["chapter://01_two", "chapter://1", "chapter://01_two.ipynb", "chapter://two.md"]
)
def test_names_numbers_and_endings_are_understood(book, path):
    assert "Chapter 01" in ChapterHandler.read(path)


def test_papermill_finds_the_handler_by_itself(book):
    assert papermill.inspect_notebook("chapter://00_one")["seeds"]["default"] == "0"


def test_chapters_can_be_listed_but_not_written(book):
    assert ChapterHandler.listdir("chapter://") == ["chapter://00_one", "chapter://01_two"]
    assert ChapterHandler.pretty_path("chapter://0") == "chapter://0"
    with pytest.raises(
        ValueError, match=r"the output must be a file; got 'chapter://0'\. Give a path such as"
    ):
        ChapterHandler.write("{}", "chapter://0")


def test_an_unknown_chapter_is_refused(book):
    with pytest.raises(ValueError, match=r"one of the book's; got '00_own'\. Did you mean '00_one'"):
        ChapterHandler.read("chapter://00_own")


def test_reading_twice_gives_the_same(book):
    chapter = catalogue.find("0")
    assert notebook_of(chapter) == notebook_of(chapter)
