"""Keys: what makes a chapter run again, and what does not."""

import json
import os

import pytest
from tiny_book import CHAPTER, write_chapter

from fer_lib.chapters import catalogue
from fer_lib.chapters.imports import Library
from fer_lib.chapters.keys import key_of, write_keys


@pytest.fixture
def setting(book, tmp_path):
    """A book whose two chapters import one file each of a little library."""
    library = tmp_path / "lib"
    library.mkdir()
    for name in ("__init__", "a", "b"):
        (library / f"{name}.py").write_text(f'"""{name}"""\n', encoding="utf-8")
    for name, module in (("00_one", "a"), ("01_two", "b")):
        write_chapter(book, name, CHAPTER.replace("import os", f"import os, torch\nimport lib.{module}"))
    (book / "requirements.lock").write_text("torch==2.0\nnumpy==1.0\n", encoding="utf-8")
    return book, library


def keys(library, profile="quick"):
    return [key_of(c, profile=profile, library=Library(library)) for c in catalogue.chapters()]


def edit(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_prose_captions_and_tags_keep_the_key(setting):
    book, library = setting
    before = keys(library)
    edit(book / "notebooks" / "00_one.md", "The run used", "This run used")
    edit(book / "notebooks" / "00_one.md", ":tags: [setup]", ":tags: [setup, hide-input]")
    assert keys(library) == before


def test_code_changes_only_its_chapters_key(setting):
    book, library = setting
    before = keys(library)
    edit(book / "notebooks" / "00_one.md", "rate * 2", "rate * 3")
    after = keys(library)
    assert after[0]["code"] != before[0]["code"]
    assert after[1] == before[1]


def test_a_library_file_changes_only_the_keys_of_its_importers(setting):
    _, library = setting
    before = keys(library)
    (library / "b.py").write_text("x = 1\n", encoding="utf-8")
    after = keys(library)
    assert after[0] == before[0]
    assert after[1]["files"].keys() == before[1]["files"].keys()
    assert after[1] != before[1]


def test_only_locked_versions_of_imported_packages_count(setting):
    book, library = setting
    before = keys(library)
    assert before[0]["packages"] == {"torch": "2.0"}
    edit(book / "requirements.lock", "numpy==1.0", "numpy==2.0")
    assert keys(library) == before
    edit(book / "requirements.lock", "torch==2.0", "torch==2.1")
    assert keys(library) != before


def test_the_profile_is_part_of_the_key(setting):
    _, library = setting
    assert keys(library, "smoke") != keys(library, "quick")


def test_key_files_are_rewritten_only_when_their_content_changes(book):
    folder = book / "_build" / "keys"
    known = catalogue.chapters()
    assert write_keys(known, folder, profile="smoke") == {"00_one": ["new"], "01_two": ["new"]}
    for name in ("00_one", "01_two"):
        os.utime(folder / f"{name}.json", (1, 1))
    edit(book / "notebooks" / "01_two.md", "rate * 2", "rate * 5")
    assert write_keys(known, folder, profile="smoke") == {"01_two": ["its code"]}
    assert (folder / "00_one.json").stat().st_mtime == 1
    assert (folder / "01_two.json").stat().st_mtime > 1
    assert json.loads((folder / "00_one.json").read_text(encoding="utf-8"))["files"].keys() == {
        "fer_lib/chapters/helpers.py"
    }


def test_code_that_is_no_python_is_refused(book):
    write_chapter(book, "00_one", CHAPTER.replace("rate * 2", "rate *"))
    with pytest.raises(
        ValueError, match=r"00_one.md: code cells must be Python; got .*Correct the line: rate \*"
    ):
        key_of(catalogue.find("0"), profile="quick")
