"""On the real book: a changed file of the library changes the keys of the chapters that use it, and no other.

Who uses what is told by a second reader, which compiles the library and follows its bytecode. No chapter
runs.
"""

import shutil
from pathlib import Path

import pytest
from bytecode_imports import Bytecode

from fer_lib.chapters import catalogue, text
from fer_lib.chapters.imports import Library
from fer_lib.chapters.keys import key_of

ROOT = Path(__file__).resolve().parents[2]
READERS = {  # of the files that are not code, told by hand
    "fer_lib/results/papers/ciao.csv": "fer_lib/results/published.py",
    "fer_lib/scoreboard/claims.toml": "fer_lib/scoreboard/claims.py",
    "fer_lib/views/static/live.css": "fer_lib/views/live.py",
    "fer_lib/views/static/scoreboard.css": "fer_lib/views/page_scoreboard.py",
    "fer_lib/views/static/pulling.js": "fer_lib/views/page_pulling.py",
}


class Book:
    """A copy of the book, with the keys of its chapters and who uses which file."""

    def __init__(self, root: Path) -> None:
        self.root, self.package = root, root / "fer_lib"
        shutil.copytree(ROOT / "fer_lib", self.package, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copytree(ROOT / "notebooks", root / "notebooks", ignore=shutil.ignore_patterns("*.ipynb"))
        shutil.copy(ROOT / "requirements.lock", root)
        self.chapters = catalogue.chapters(root)
        self.library, reader = Library(self.package), Bytecode(self.package)
        self.keys = self.keys_now()
        self.used = {
            chapter.name: {path.relative_to(root).as_posix() for path in reader.files(code_of(chapter))}
            for chapter in self.chapters
        }

    def keys_now(self) -> dict[str, dict]:
        return {one.name: key_of(one, profile="quick", library=self.library) for one in self.chapters}

    def users(self, file: str) -> set[str]:
        """Chapters that use a file, as the second reader has it."""
        return {name for name, files in self.used.items() if READERS.get(file, file) in files}

    def run_again(self, file: str) -> set[str]:
        """Chapters whose key is another one while a file has one more line; the file is put back."""
        path = self.root / file
        before = path.read_text(encoding="utf-8")
        path.write_text(f"{before}\n", encoding="utf-8")
        now = self.keys_now()
        path.write_text(before, encoding="utf-8")
        return {name for name, key in now.items() if key != self.keys[name]}


def code_of(chapter: catalogue.Chapter) -> str:
    return "\n".join(cell.source for cell in text.parse(chapter.path.read_text(encoding="utf-8")).cells)


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    return Book(tmp_path_factory.mktemp("real"))


def test_two_ways_to_read_the_library_agree_about_every_chapter(real):
    assert len(real.chapters) > 10
    for name, files in real.used.items():
        assert {file for file in real.keys[name]["files"] if file.endswith(".py")} == files, name


@pytest.mark.parametrize(
    "file",
    [
        "fer_lib/worlds/catalogue/__init__.py",  # a package with code of its own
        "fer_lib/pretrain/people.py",  # imported by a name that is computed
        "fer_lib/adapt/ciao_study.py",
        "fer_lib/views/saliency.py",
        "fer_lib/views/page_people.py",
        *READERS,
    ],
)
def test_a_changed_file_changes_the_keys_of_its_users_and_of_no_other(real, file):
    again = real.run_again(file)
    assert again == real.users(file)
    assert 0 < len(again) < len(real.chapters)


@pytest.mark.parametrize("file", ["fer_lib/chapters/helpers.py", "fer_lib/results/rows.py"])
def test_what_all_chapters_use_changes_all_keys(real, file):
    assert real.run_again(file) == real.users(file) == set(real.keys)


@pytest.mark.parametrize("file", ["fer_lib/chapters/cli.py", "fer_lib/views/__init__.py"])
def test_what_no_chapter_uses_changes_no_key(real, file):
    assert real.run_again(file) == real.users(file) == set()


def test_what_one_chapter_uses_changes_one_key(real):
    power = "fer_lib/scoreboard/power.py"
    assert real.run_again(power) == real.users(power) == {"16_scoreboard"}
    for file in ("fer_lib/scoreboard/claims.toml", "fer_lib/views/static/scoreboard.css"):
        assert real.users(file) == {"16_scoreboard"}


def test_a_new_import_is_followed_from_its_first_build_on(real):
    chapter, path = catalogue.find("16", real.root), real.package / "scoreboard" / "power.py"
    before = path.read_text(encoding="utf-8")
    path.write_text(
        f"{before}\n\ndef _graph():\n    from fer_lib.graph import karate\n\n    return karate\n",
        encoding="utf-8",
    )
    now = key_of(chapter, profile="quick", library=Library(real.package))
    path.write_text(before, encoding="utf-8")
    assert "fer_lib/graph/karate.py" in now["files"].keys() - real.keys["16_scoreboard"]["files"].keys()
