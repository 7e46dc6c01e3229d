"""Where the built book is. Tests that need it are skipped without it, or fail under FER_REQUIRE_BOOK=1.

A plugin of the tests beside it and no conftest: pytest cannot collect two of them together.
PYTEST_DONT_REWRITE: it is imported before pytest could.
"""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def built_book() -> Path:
    """Folder of the HTML: FER_BOOK_HTML is a folder, or the name of a profile (default: smoke)."""
    given = os.environ.get("FER_BOOK_HTML", "smoke")
    return Path(given) if Path(given).is_dir() else ROOT / "_build" / "html" / given


@pytest.fixture(scope="session")
def book() -> Path:
    """Folder of the built book."""
    folder = built_book()
    if not (folder / "index.html").is_file():
        reason = (
            f"no built book in {folder.relative_to(ROOT) if folder.is_relative_to(ROOT) else folder.name}"
        )
        if os.environ.get("FER_REQUIRE_BOOK") == "1":
            pytest.fail(f"{reason}; build one with make book PROFILE=smoke")
        pytest.skip(f"{reason}; make book PROFILE=smoke builds one")
    return folder


@pytest.fixture(scope="session")
def pages(book: Path) -> list[Path]:
    """All pages of the book, without Sphinx's own search page and indices."""
    own = {"search.html", "genindex.html", "index.html", "prf-prf.html"}
    found = [
        path for path in sorted(book.rglob("*.html")) if path.name not in own and "_static" not in path.parts
    ]
    assert found, "the built book has no pages"
    return found
