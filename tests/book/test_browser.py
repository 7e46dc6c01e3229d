"""Opens every page of the built book in a real browser, without a network: does it work for a reader?"""

from __future__ import annotations

import functools
import http.server
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

pytest_plugins = ("built_book",)
pytestmark = pytest.mark.browser

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
PHONE = {"width": 375, "height": 740}
DESK = {"width": 1280, "height": 900}

# What is wider than the window, and not inside a box that scrolls or clips by itself.
TOO_WIDE = """() => [...document.querySelectorAll('article *')].filter(e => {
  const box = e.getBoundingClientRect();
  if (!box.width || box.right <= innerWidth + 1) return false;
  for (let p = e.parentElement; p; p = p.parentElement) {
    if (['auto', 'scroll', 'hidden', 'clip'].includes(getComputedStyle(p).overflowX)) return false;
    if (p.tagName === 'ARTICLE') return true;
  }
  return true;
}).slice(0, 5).map(e =>
  e.tagName + '.' + e.className + ' ends at ' + Math.round(e.getBoundingClientRect().right))"""
BROKEN_IMAGES = """async () => {
  const images = [...document.images];
  images.forEach(image => { image.loading = 'eager'; });
  await Promise.all(images.map(image => image.decode().catch(() => null)));
  return images.filter(image => !image.complete || !image.naturalWidth).map(image => image.src);
}"""


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        """Keeps the server silent."""


def serve(folder: Path) -> tuple[http.server.ThreadingHTTPServer, str]:
    """Serves a folder on this machine; returns the server and its address."""
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(_Quiet, directory=str(folder))
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, f"http://127.0.0.1:{server.server_port}"


@contextmanager
def serving(page: str, folder: Path) -> Iterator[str]:
    """Serves one page from a folder; gives its address."""
    (folder / "index.html").write_text(page, encoding="utf-8")
    server, address = serve(folder)
    try:
        yield address
    finally:
        server.shutdown()


def program() -> str | None:
    """The browser: FER_CHROMIUM, else the system's."""
    return os.environ.get("FER_CHROMIUM") or next(filter(None, map(shutil.which, PROGRAMS)), None)


@pytest.fixture(scope="module")
def browser() -> Iterator:
    path = program()
    if path is None:
        reason = "no Chromium found; install the package chromium, or set FER_CHROMIUM to the program"
        if os.environ.get("FER_REQUIRE_BROWSER") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def site(book: Path) -> Iterator[str]:
    server, address = serve(book)
    yield address
    server.shutdown()


class Visit:
    """A page in its own window, with everything that went wrong while it was open."""

    def __init__(self, browser, viewport: dict[str, int] = DESK, scheme: str = "light") -> None:
        self.context = browser.new_context(viewport=viewport, color_scheme=scheme, reduced_motion="reduce")
        self.wrong: list[str] = []
        self.page = self.context.new_page()
        self.page.on(
            "console", lambda m: self.wrong.append(f"console: {m.text}") if m.type == "error" else None
        )
        self.page.on("pageerror", lambda error: self.wrong.append(f"error: {error}"))
        self.page.on("requestfailed", self._failed)
        self.page.route("**/*", self._only_here)

    def _failed(self, request) -> None:
        if request.failure != "net::ERR_ABORTED":  # we left the page before its icon had come
            self.wrong.append(f"failed: {request.url}")

    def _only_here(self, route) -> None:
        host = urlsplit(route.request.url).hostname
        if host in (None, "127.0.0.1"):
            route.continue_()
        else:
            self.wrong.append(f"asked another machine: {route.request.url}")
            route.abort()

    def open(self, address: str):
        self.page.goto(address, wait_until="load")
        self.page.wait_for_function(
            "!window.MathJax || !MathJax.startup || MathJax.startup.promise.then(() => 1)"
        )
        return self.page

    def __enter__(self) -> Visit:
        return self

    def __exit__(self, *error: object) -> None:
        self.context.close()


@contextmanager
def visited(browser, address: str) -> Iterator[Visit]:
    """Opens a page at rest; whatever went wrong meanwhile is an error at the end."""
    with Visit(browser) as visit:
        visit.open(address)
        yield visit
        assert visit.wrong == []


def visit_all(visit: Visit, site: str, book: Path, pages: list[Path], look) -> list[str]:
    """Opens all pages one after the other; returns what `look` and the browser find wrong."""
    found = []
    for path in pages:
        name = path.relative_to(book).as_posix()
        page = visit.open(f"{site}/{name}")
        found += [f"{name}: {one}" for one in (*visit.wrong, *look(page))]
        visit.wrong.clear()
    return found


@pytest.mark.book
def test_every_page_opens_without_errors_and_with_its_images(browser, site, book, pages) -> None:
    with Visit(browser) as visit:
        found = visit_all(visit, site, book, pages, lambda page: page.evaluate(BROKEN_IMAGES))
    assert not found, "\n".join(found)


@pytest.mark.book
def test_no_page_is_wider_than_a_phone(browser, site, book, pages) -> None:
    def look(page) -> list[str]:
        width = page.evaluate("document.documentElement.scrollWidth")
        found = page.evaluate(TOO_WIDE)
        return [*found, *([f"page is {width} pixels wide"] if width > PHONE["width"] else [])]

    with Visit(browser, PHONE) as visit:
        found = visit_all(visit, site, book, pages, look)
    assert not found, "\n".join(found)


@pytest.mark.book
def test_formulas_are_set_without_a_network(browser, site, book) -> None:
    with Visit(browser) as visit:
        page = visit.open(f"{site}/book/notation.html")
        assert page.locator("article mjx-container").count() > 20
        assert page.locator("article mjx-merror").count() == 0
        assert "\\(" not in page.locator("article").inner_text()


@pytest.mark.book
def test_search_finds_a_word(browser, site) -> None:
    with Visit(browser) as visit:
        page = visit.open(f"{site}/search.html?q=shunting")
        page.wait_for_selector("#search-results li a[href*='glossary']")  # results come one after the other
        assert not visit.wrong


@pytest.mark.book
def test_search_field_of_a_page_leads_to_results(browser, site) -> None:
    with Visit(browser) as visit:
        page = visit.open(f"{site}/book/preface.html")
        page.keyboard.press("Control+k")
        page.keyboard.type("valence")
        page.keyboard.press("Enter")
        page.wait_for_selector("#search-results li a")
        assert not visit.wrong


@pytest.mark.book
def test_dark_mode_can_be_switched_and_stays(browser, site) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    with Visit(browser) as visit:
        page = visit.open(f"{site}/book/preface.html")
        light, modes = page.evaluate(ground), set()
        for _ in range(3):  # the button goes round: light, dark, as the system says
            page.locator("button.theme-switch-button:visible").first.click()
            mode = page.evaluate("document.documentElement.dataset.mode")
            modes.add(mode)
            if mode == "dark":
                dark = page.evaluate(ground)
                page.reload()
                assert page.evaluate("document.documentElement.dataset.theme") == "dark"
        assert modes == {"light", "dark", "auto"}
        assert light != dark
        assert not visit.wrong


@pytest.mark.book
def test_the_first_address_leads_to_the_preface(browser, site) -> None:
    with Visit(browser) as visit:
        page = visit.open(f"{site}/")
        page.wait_for_url("**/book/preface.html")
        assert page.locator("article h1").inner_text().startswith("Reading Faces")


@pytest.mark.parametrize(
    ("body", "finding"),
    [
        ("<script>console.error('broken')</script>", "console: broken"),
        ("<script>throw new Error('stop')</script>", "error: stop"),
        (
            "<img src='https://elsewhere.invalid/a.png'>",
            "asked another machine: https://elsewhere.invalid/a.png",
        ),
        ("<img src='gone.png'>", "gone.png"),
        ("<article><p style='width:700px'>wide</p></article>", "P. ends at"),
    ],
)
def test_a_bad_page_is_found(browser, tmp_path: Path, body: str, finding: str) -> None:
    path = tmp_path / "bad.html"
    path.write_text(f"<!doctype html><link rel=icon href=data:,><body>{body}</body>", encoding="utf-8")
    server, address = serve(tmp_path)
    with Visit(browser, PHONE) as visit:
        look = lambda page: [*page.evaluate(BROKEN_IMAGES), *page.evaluate(TOO_WIDE)]  # noqa: E731
        found = visit_all(visit, address, tmp_path, [path], look)
    server.shutdown()
    assert any(finding in one for one in found), found


def test_a_wide_formula_in_a_scrolling_box_is_accepted(browser, tmp_path: Path) -> None:
    path = tmp_path / "good.html"
    box = "<div style='overflow-x:auto'><p style='width:700px'>wide</p></div>"
    path.write_text(f"<!doctype html><link rel=icon href=data:,><article>{box}</article>", encoding="utf-8")
    server, address = serve(tmp_path)
    with Visit(browser, PHONE) as visit:
        found = visit_all(visit, address, tmp_path, [path], lambda page: page.evaluate(TOO_WIDE))
    server.shutdown()
    assert found == []
