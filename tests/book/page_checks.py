"""What can be wrong with a built page although Sphinx did not warn. Each check returns a list of findings."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bs4 import BeautifulSoup, Tag

MACHINE_PATH = re.compile(
    r"(?<![\w.~:/-])/(?:home|root|tmp|work|Users|mnt|opt|srv|usr|farm|private|var/folders)/[\w.-]+"
    r"|\b[A-Za-z]:\\(?:Users|Windows)|\bfile://"
)
OBJECT = re.compile(r"<[\w.]+(?: [\w.]+)* at 0x[0-9a-fA-F]+>|<Figure size \d|<Axes:|<matplotlib\.|<function ")
RAW_ROLE = re.compile(r"\{(?:glue|ref|eq|numref|term|footcite|doc|math)(?::\w+)?\}`|\{glue|glue:text")
WORLD = re.compile(r"\bworlds?\b|\bsynthetic\b|\brendered\b", re.I)
MADE_WITH_WORLD = re.compile(r"synthetic(?:_note|=(?!False))")


def soup(html: str) -> BeautifulSoup:
    """Parsed page, or parsed piece of a page."""
    return BeautifulSoup(html, "html.parser")


def article(page: BeautifulSoup) -> Tag:
    """The page's own content, without menus."""
    return page.select_one("article") or page


def tracebacks(page: BeautifulSoup) -> list[str]:
    """Errors that a cell stored instead of a result."""
    outputs = page.select("div.cell_output")
    words = [o for o in outputs if "Traceback (most recent call last)" in o.get_text()]
    return [
        f"traceback: {o.get_text().strip()[-120:]}" for o in (*page.select("div.output.traceback"), *words)
    ]


def papermill_banner(page: BeautifulSoup) -> list[str]:
    """papermill's red note on a run that failed."""
    note = page.find(string=re.compile("An Exception was encountered at"))
    found = page.find(id="papermill-error-cell") or note
    return ["papermill's error banner"] if found else []


def stderr(page: BeautifulSoup) -> list[str]:
    """Warnings and progress bars left on the page."""
    return [f"stderr: {tag.get_text().strip()[:120]}" for tag in page.select(".output.stderr, .stderr")]


def machine_paths(page: BeautifulSoup) -> list[str]:
    """Folders of the machine that built the page."""
    return [f"path: {found}" for found in MACHINE_PATH.findall(article(page).get_text())]


def object_reprs(page: BeautifulSoup) -> list[str]:
    """Objects that printed themselves because nobody said how."""
    return [f"object: {found}" for found in OBJECT.findall(article(page).get_text())]


def raw_markup(page: BeautifulSoup) -> list[str]:
    """Roles that were not resolved: outside code, or alone in inline code because of a stray backtick."""
    copy = soup(str(article(page)))
    for tag in copy.select("pre"):
        tag.decompose()
    stray = [code.get_text() for code in copy.select("code") if re.fullmatch(r"\{[\w:]+\}", code.get_text())]
    for tag in copy.select("code"):
        tag.decompose()
    return [f"markup: {found}" for found in (*RAW_ROLE.findall(copy.get_text()), *stray)]


def alt_texts(page: BeautifulSoup) -> list[str]:
    """Pictures without words: no alt text, or only a file name that Sphinx put there."""
    return [
        f"no alt text: {image.get('src')}"
        for image in page.find_all("img")
        if not str(image.get("alt") or "").strip()
        or re.search(r"\.(png|svg|jpe?g|webp)$", str(image["alt"]), re.I)
    ]


def empty_outputs(page: BeautifulSoup) -> list[str]:
    """Boxes for an output that hold nothing."""
    boxes = page.select("div.cell_output")
    shown = "img, svg, table, video, canvas, math, div.math, .math"
    return [f"empty output: {box.get('id') or str(box)[:80]}" for box in boxes if not _holds(box, shown)]


def _holds(box: Tag, shown: str) -> bool:
    return bool(box.get_text(strip=True) or box.select_one(shown))


def synthetic_captions(page: BeautifulSoup) -> list[str]:
    """Figures made with a face world whose caption does not say so."""
    found = []
    for figure in page.select("figure"):
        caption = figure.select_one("figcaption")
        words = caption.get_text(" ", strip=True) if caption else ""
        cell = figure.find_parent("div", class_="cell")
        code = (
            cell.select_one("div.cell_input").get_text() if cell and cell.select_one("div.cell_input") else ""
        )
        alts = " ".join(str(image.get("alt", "")) for image in figure.find_all("img"))
        if (
            WORLD.search(words + " " + alts) or MADE_WITH_WORLD.search(code)
        ) and "synthetic" not in words.lower():
            found.append(f"caption does not say synthetic: {words[:80]}")
    return found


def remote_assets(page: BeautifulSoup) -> list[str]:
    """Scripts, styles, pictures and fonts that are fetched from elsewhere when the page opens."""
    tags = [*page.select("script[src], img[src], iframe[src], video[src]"), *page.select("link[href]")]
    addresses = [(tag, str(tag.get("src") or tag.get("href"))) for tag in tags]
    passive = {"canonical", "author", "license", "next", "prev", "search", "index"}
    return [
        f"fetched from elsewhere: {address}"
        for tag, address in addresses
        if re.match(r"^(https?:)?//", address) and not passive & set(tag.get("rel") or [])
    ]


def dead_links(path: Path, root: Path, parsed: Callable[[Path], BeautifulSoup]) -> list[str]:
    """Links and assets inside the book that lead nowhere, and anchors that are not on their page.

    Args:
        path: the page.
        root: the folder of the built book; nothing may point out of it.
        parsed: gives the parsed page of a path.
    """
    found = []
    for tag in parsed(path).select("[href], [src]"):
        address = str(tag.get("href") or tag.get("src") or "")
        parts = urlsplit(address)
        if parts.scheme or parts.netloc or not address:
            continue
        target = (path.parent / unquote(parts.path)).resolve() if parts.path else path.resolve()
        if target.is_dir():
            target /= "index.html"
        if root.resolve() not in target.parents or not target.is_file():
            found.append(f"dead link: {address}")
        elif (
            parts.fragment
            and target.suffix == ".html"
            and not _has_anchor(parsed(target), unquote(parts.fragment))
        ):
            found.append(f"dead anchor: {address}")
    return found


def _has_anchor(page: BeautifulSoup, name: str) -> bool:
    return name == "top" or bool(page.find(id=name) or page.find(attrs={"name": name}))


def missing_pages(toc: dict, root: Path) -> list[str]:
    """Entries of the table of contents that were not built."""
    entries = [toc["root"]] + [entry["file"] for part in toc["parts"] for entry in part["chapters"]]
    return [f"not built: {entry}" for entry in entries if not (root / f"{entry}.html").is_file()]


PAGE_CHECKS: dict[str, Callable[[BeautifulSoup], list[str]]] = {
    check.__name__: check
    for check in (
        tracebacks,
        papermill_banner,
        stderr,
        machine_paths,
        object_reprs,
        raw_markup,
        alt_texts,
        empty_outputs,
        synthetic_captions,
        remote_assets,
    )
}
