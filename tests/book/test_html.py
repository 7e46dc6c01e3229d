"""The built pages hold what they should; every check is shown to find a page that is wrong."""

import functools
import re
from pathlib import Path

import page_checks
import pytest
import yaml

pytest_plugins = ("built_book",)

ROOT = Path(__file__).resolve().parents[2]
HOME, TEMPORARY = "/" + "home", "/" + "tmp"  # in parts: a search for such paths in the repository finds none
PIXEL = "<img src='_images/a.png' alt='{}'>"
OUTPUT = "<div class='cell_output docutils container'>{}</div>"
FIGURE = (
    "<div class='cell'><div class='cell_input'>{code}</div><div class='cell_output'>"
    "<figure><img src='a.png' alt='{alt}'><figcaption>{caption}</figcaption></figure></div></div>"
)

# check, a page it must find wrong, a page it must accept
CASES = [
    ("tracebacks", OUTPUT.format("<div class='output traceback'>ValueError</div>"), OUTPUT.format("0.5")),
    (
        "tracebacks",
        OUTPUT.format("<pre>Traceback (most recent call last):\n x</pre>"),
        "<p>A Traceback (most recent call last) is a list of calls.</p>",
    ),
    ("papermill_banner", "<span id='papermill-error-cell'></span>", "<p>papermill runs it</p>"),
    (
        "papermill_banner",
        "<p>An Exception was encountered at 'In [3]'.</p>",
        "<p>An exception is an error.</p>",
    ),
    ("stderr", "<div class='output stderr'>UserWarning</div>", "<div class='output stream'>done</div>"),
    (
        "machine_paths",
        f"<article><pre>{HOME}/ada/fer2013.csv</pre></article>",
        f"<p>a{HOME}/b, and/or, ~/data</p>",
    ),
    (
        "machine_paths",
        f"<p>saved to {TEMPORARY}/x1y2</p>",
        f"<p>see https://site.org{HOME}/page and a/work/x</p>",
    ),
    ("object_reprs", "<pre>&lt;fer_lib.FaceSet object at 0x7f12ab&gt;</pre>", "<pre>a &lt; b at 0x10</pre>"),
    ("object_reprs", "<pre>&lt;Figure size 700x300 with 1 Axes&gt;</pre>", "<p>Figure size 700</p>"),
    ("raw_markup", "<p>It is {glue:text}`ccc:.2f`.</p>", "<p>Write <code>{glue:text}`ccc`</code>.</p>"),
    ("raw_markup", "<p>See {numref}`fig-x`.</p>", "<p>See Figure 1.</p>"),
    ("raw_markup", "<p>from <code>{glue:text}</code>name``,</p>", "<p>from <code>{name}.csv</code></p>"),
    ("alt_texts", PIXEL.format(""), PIXEL.format("Two rising curves")),
    ("alt_texts", PIXEL.format("../_images/0f3a.png"), PIXEL.format("Faces, from sad to happy")),
    ("alt_texts", "<img src='a.png'>", "<p>none</p>"),
    ("empty_outputs", OUTPUT.format(" \n "), OUTPUT.format(PIXEL.format("x"))),
    ("empty_outputs", OUTPUT.format("<div class='output'></div>"), OUTPUT.format("<pre>1</pre>")),
    (
        "synthetic_captions",
        FIGURE.format(code="", alt="faces of a world", caption="Eight faces."),
        FIGURE.format(code="", alt="faces of a world", caption="Eight synthetic faces."),
    ),
    (
        "synthetic_captions",
        FIGURE.format(code="views.faces(images, synthetic=True)", alt="faces", caption="Eight faces."),
        FIGURE.format(code="views.bars(frame)", alt="bars", caption="Eight bars."),
    ),
    ("remote_assets", "<script src='https://cdn.org/x.js'></script>", "<a href='https://cdn.org'>a link</a>"),
    (
        "remote_assets",
        "<link rel='stylesheet' href='//cdn.org/x.css'>",
        "<link rel='canonical' href='https://a.org'>",
    ),
]


@pytest.mark.parametrize(("name", "bad", "good"), CASES)
def test_check_finds_a_bad_page_and_accepts_a_good_one(name: str, bad: str, good: str) -> None:
    check = page_checks.PAGE_CHECKS[name]
    assert len(check(page_checks.soup(bad))) == 1
    assert check(page_checks.soup(good)) == []


def test_every_check_has_a_case() -> None:
    assert {name for name, _, _ in CASES} == set(page_checks.PAGE_CHECKS)


def parse(path: Path) -> page_checks.BeautifulSoup:
    return page_checks.soup(path.read_text(encoding="utf-8"))


def test_dead_links_and_anchors_are_found(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(
        "<p id='here'><a href='b.html#there'></a><a href='#here'></a><a href='#gone'></a>"
        "<a href='c.html'></a><a href='b.html#gone'></a><img src='x.png'>"
        "<a href='https://a.org/x'></a><a href='../../a.txt'></a>",
        encoding="utf-8",
    )
    (tmp_path / "b.html").write_text("<p id='there'>", encoding="utf-8")
    found = page_checks.dead_links(tmp_path / "a.html", tmp_path, parse)
    assert found == [
        "dead anchor: #gone",
        "dead link: c.html",
        "dead anchor: b.html#gone",
        "dead link: x.png",
        "dead link: ../../a.txt",
    ]


def test_missing_pages_are_found(tmp_path: Path) -> None:
    toc = {"root": "a", "parts": [{"chapters": [{"file": "b"}, {"file": "c"}]}]}
    for name in "ab":
        (tmp_path / f"{name}.html").touch()
    assert page_checks.missing_pages(toc, tmp_path) == ["not built: c"]


@pytest.mark.book
@pytest.mark.parametrize("name", page_checks.PAGE_CHECKS)
def test_pages_of_the_book(name: str, book: Path, pages: list[Path], parsed) -> None:
    found = [
        f"{path.relative_to(book)}: {one}"
        for path in pages
        for one in page_checks.PAGE_CHECKS[name](parsed(path))
    ]
    assert not found, "\n".join(found)


@pytest.mark.book
def test_no_link_of_the_book_is_dead(book: Path, pages: list[Path], parsed) -> None:
    found = [
        f"{path.relative_to(book)}: {one}"
        for path in pages
        for one in page_checks.dead_links(path, book, parsed)
    ]
    assert not found, "\n".join(found)


@pytest.mark.book
def test_every_entry_of_the_contents_is_built(book: Path) -> None:
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    assert page_checks.missing_pages(toc, book) == []


@pytest.mark.book
def test_chapters_are_numbered_as_their_files_and_offer_their_executed_notebook(book: Path, parsed) -> None:
    chapters = sorted((book / "notebooks").glob("[0-9][0-9]_*.html"))
    assert chapters
    for path in chapters:
        heading = parsed(path).select_one("article h1").get_text()
        assert heading.startswith(f"{int(path.name[:2])}. "), heading
        assert (book / "_sources" / "notebooks" / f"{path.stem}.ipynb").is_file()


@pytest.mark.book
def test_every_chapter_says_its_profile_and_device(book: Path, parsed) -> None:
    chapters = sorted((book / "notebooks").glob("[0-9][0-9]_*.html"))
    assert chapters
    for path in chapters:
        (title,) = parsed(path).select("article .this-run > .admonition-title")
        told = re.search(r"\(profile (\w+), on \S.*\)", title.get_text())
        assert told, path.name
        assert told[1] == book.name or book.name not in ("smoke", "quick", "full")


@pytest.fixture(scope="module")
def parsed():
    """Parses each page once."""
    return functools.lru_cache(maxsize=None)(parse)
