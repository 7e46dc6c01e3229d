"""The book's own Sphinx extensions, alone and in a strict build of two tiny pages."""

import logging
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
import yaml
from page_checks import remote_assets, soup

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "book" / "extensions"))

import chapter_numbers  # noqa: E402
import footcite_warnings  # noqa: E402
import offline  # noqa: E402
import published  # noqa: E402

CHAPTER = """(ch-07)=
# Transfer

```{figure} ../book/style/logo.svg
:name: fig-07-logo
:alt: A round face
The face of the book.
```

After {footcite:t}`lin1989`, as {numref}`fig-07-logo` and {eq}`eq-07-ccc` show in {numref}`ch-07`.

```{math}
:label: eq-07-ccc
x = y
```

## The idea

### A detail

```{exercise}
:label: ex-07-1
Why?
```

```{footbibliography}
```
"""


def write_site(folder: Path, chapter: str = CHAPTER) -> None:
    """A book of two pages with the real settings, style and bibliography."""
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    (folder / "_config.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    toc = {"format": "jb-book", "root": "book/preface"}
    toc["parts"] = [{"caption": "Part", "numbered": 2, "chapters": [{"file": "notebooks/07_transfer"}]}]
    (folder / "_toc.yml").write_text(yaml.safe_dump(toc), encoding="utf-8")
    (folder / "book").mkdir()
    for name in ("style", "extensions", "references.bib"):
        (folder / "book" / name).symlink_to(ROOT / "book" / name)
    (folder / "book" / "preface.md").write_text("# Reading Faces\n\nA book.\n", encoding="utf-8")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(chapter)])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    (folder / "notebooks").mkdir()
    nbformat.write(notebook, folder / "notebooks" / "07_transfer.ipynb")


def build(folder: Path, **environment: str) -> subprocess.CompletedProcess:
    program = Path(sys.executable).with_name("jupyter-book")
    variables = {name: value for name, value in os.environ.items() if name != published.VARIABLE}
    return subprocess.run(
        [str(program), "build", ".", "-W", "-n", "--keep-going"],
        cwd=folder,
        env=variables | {"NO_COLOR": "1", "PYTHONDONTWRITEBYTECODE": "1"} | environment,
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory):
    """The chapter's page of a strict build for publication."""
    folder = tmp_path_factory.mktemp("site")
    write_site(folder)
    done = build(folder, BOOK_REPOSITORY="Ada/faces")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    path = folder / "_build" / "html" / "notebooks" / "07_transfer.html"
    return SimpleNamespace(
        path=path, root=folder / "_build" / "html", soup=soup(path.read_text(encoding="utf-8"))
    )


def test_chapter_seven_is_number_seven_though_it_is_the_first(page) -> None:
    text = page.soup.select_one("article").get_text(" ")
    assert page.soup.select_one("article h1").get_text().startswith("7. Transfer")
    assert page.soup.select_one("article h2").get_text().startswith("7.1. The idea")
    assert page.soup.select_one("article h3").get_text().startswith("A detail")
    for number in ("Figure 7.1", "(7.1)", "Chapter 7", "Exercise 7.1"):
        assert number in text
    assert "7. Transfer" in page.soup.select_one("nav.bd-links").get_text(" ")


def test_launch_button_opens_the_executed_notebook_of_the_published_branch(page) -> None:
    links = [link["href"] for link in page.soup.select("a[href*='mybinder.org']")]
    assert links == [
        "https://mybinder.org/v2/gh/Ada/faces/gh-pages?urlpath=lab/tree/_sources/notebooks/07_transfer.ipynb"
    ]
    assert (page.root / links[0].split("lab/tree/")[1]).is_file()


def test_published_pages_name_their_address(page) -> None:
    address = page.soup.select_one("meta[property='og:url']")["content"]
    assert address == "https://ada.github.io/faces/notebooks/07_transfer.html"


def test_pages_ask_no_other_machine_and_hold_mathjax(page) -> None:
    assert remote_assets(page.soup) == []
    assert "THEBE_JS_URL" not in str(page.soup)
    assert "x-thebe-config" not in str(page.soup)
    script = page.soup.select_one("script[src*='mathjax']")["src"].split("?")[0]
    assert (page.path.parent / script).stat().st_size > 1_000_000
    fonts = list((page.root / "_static" / "mathjax" / offline.FONTS).glob("*.woff"))
    assert len(fonts) > 20


def test_citation_becomes_a_footnote(page) -> None:
    words = page.soup.select_one("article").get_text(" ").split()  # without its unbreakable spaces
    assert "Lawrence I-Kuei Lin." in " ".join(words)


def test_the_strict_build_still_finds_real_mistakes(tmp_path: Path) -> None:
    write_site(
        tmp_path, CHAPTER.replace("lin1989", "nobody1900").replace("fig-07-logo` and", "fig-07-gone` and")
    )
    done = build(tmp_path)
    assert done.returncode != 0
    warnings = [line for line in done.stderr.splitlines() if "WARNING" in line]
    assert any("nobody1900" in line for line in warnings)
    assert any("fig-07-gone" in line for line in warnings)
    html = (tmp_path / "_build" / "html" / "notebooks" / "07_transfer.html").read_text(encoding="utf-8")
    assert "mybinder" not in html  # no launch button where nothing is published


@pytest.mark.parametrize(
    ("page_name", "number"),
    [
        ("notebooks/00_how_this_book_works", 0),
        ("notebooks/17_own", 17),
        ("book/preface", None),
        ("notebooks/x", None),
    ],
)
def test_chapter_number_is_the_files(page_name: str, number: int | None) -> None:
    assert chapter_numbers.chapter_number(page_name) == number


def test_renumber_replaces_only_the_first_place() -> None:
    assert chapter_numbers.renumber((1, 2, 3), 9) == (9, 2, 3)
    assert chapter_numbers.renumber((1,), 0) == (0,)
    assert chapter_numbers.renumber(None, 9) is None
    assert chapter_numbers.renumber((1, 2), None) is None


@pytest.mark.parametrize("repository", ["faces", "a/b/c", "https://github.com/a/b", "a b/c"])
def test_a_repository_that_is_not_owner_and_name_is_refused(repository: str) -> None:
    with pytest.raises(ValueError, match=r"BOOK_REPOSITORY must be owner/name; got .* Set it"):
        published.published_options(repository)


def test_missing_mathjax_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(offline, "PACKAGE", "not-installed-anywhere")
    with pytest.raises(
        FileNotFoundError, match=r"must be installed; got nothing\. Install requirements\.lock"
    ):
        offline.mathjax_folder()


@pytest.mark.parametrize(
    ("message", "wanted"),
    [
        ("No footnote definitions found for label: 'footcite-lin1989' [myst.footnote]", False),
        ("No footnote definitions found for label: '1' [myst.footnote]", True),
        ("Multiple footnote definitions found for label: 'footcite-lin1989'", True),
    ],
)
def test_only_false_alarms_are_dropped(message: str, wanted: bool) -> None:
    assert footcite_warnings.is_wanted(logging.makeLogRecord({"msg": message})) is wanted
