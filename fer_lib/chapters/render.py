"""From executed chapters to pages: a tree of sources for Jupyter Book, and the HTML built from it.

Files of the tree are written only when their content changed, so Sphinx reads again only what differs.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fer_lib.chapters import catalogue, notebooks, status

STRICT = ("-W", "-n", "--keep-going")


def site_tree(root: Path, profile: str) -> Path:
    """Brings `_build/site/<profile>` up to date: settings, `book/`, executed chapters with present prose.

    Args:
        root: the book's folder.
        profile: with which the chapters ran.

    Returns:
        The tree's folder.

    Raises:
        ValueError: when a chapter's code is not the code that ran.
    """
    from fer_lib.chapters import reader

    executed, site = root / "_build" / "executed" / profile, root / "_build" / "site" / profile
    wanted = {path: (root / path).read_bytes() for path in sources(root)}
    infos, promised = [], {}
    for chapter in catalogue.chapters(root):
        promised[chapter.name] = {"minutes": chapter.minutes, "memory_gb": chapter.memory_gb}
        done = _read_notebook(executed / f"{chapter.name}.ipynb")
        infos.append(json.loads((executed / f"{chapter.name}.json").read_text(encoding="utf-8")))
        page = notebooks.compose(reader.notebook_of(chapter), done, infos[-1])
        wanted[Path("notebooks") / f"{chapter.name}.ipynb"] = notebooks.dumps(page).encode()
    wanted[Path("book/_generated/status.md")] = status.markdown(infos, profile, promised=promised).encode()
    for path, content in wanted.items():
        notebooks.write_if_changed(site / path, content)
    _remove_others(site, set(wanted))
    return site


def sources(root: Path) -> list[Path]:
    """Files of the book that are copied as they are: settings, `book/`, pictures of chapters."""
    found = [Path(name) for name in ("_config.yml", "_toc.yml") if (root / name).is_file()]
    for folder, skipped in (("book", ()), ("notebooks", (".md", ".ipynb", ".toml"))):
        for path in sorted((root / folder).rglob("*")):
            inner = path.relative_to(root)
            hidden = any(part.startswith((".", "__")) or part == "_generated" for part in inner.parts)
            if path.is_file() and not hidden and path.suffix not in skipped:
                found.append(inner)
    return found


def html(root: Path, profile: str) -> Path:
    """Builds the pages strictly and copies them to `_build/html/<profile>`.

    Returns:
        The first page.

    Raises:
        ValueError: when Jupyter Book warns about anything; what it wrote is kept and named.
    """
    site = site_tree(root, profile)
    report = root / "_build" / "logs" / profile / "html.log"
    built, begun = site / "_build" / "html", site / "_build" / ".begun"
    if begun.exists():
        # Sphinx warns about a page only when it reads it. After a build that failed or was stopped it must
        # read all pages again, or the warning would be forgotten and the next build would pass.
        shutil.rmtree(site / "_build" / ".doctrees", ignore_errors=True)
    notebooks.write_if_changed(begun, "")
    code, words = jupyter_book(site, STRICT, report)
    if code:
        pages = f"Unchecked pages: {_short(built)}; all" if (built / "index.html").is_file() else "All"
        raise ValueError(
            f"the pages must build without warnings; got:\n{words}\n"
            f"Correct them. ({pages} messages: {_short(report)})"
        )
    begun.unlink()
    target = root / "_build" / "html" / profile
    sync(built, target)
    return target / "index.html"


def render_run(folder: str | Path) -> Path:
    """Renders one run as a page of its own, in its folder `html`.

    Links to other chapters cannot work there, so warnings are not errors.

    Returns:
        The page.

    Raises:
        ValueError: when `folder` is not a run, or the page cannot be built.
    """
    from fer_lib import remote
    from fer_lib.chapters import run as runner

    if remote.is_remote(folder):
        raise ValueError(
            f"run must be a folder of this machine; got {folder}. Copy it first: fer copy {folder} here."
        )
    run = runner.load(folder)
    name = run.info["chapter"]
    chapter = catalogue.find(name)
    with tempfile.TemporaryDirectory(prefix="fer-render-") as temporary:
        site = Path(temporary)
        for path in sources(chapter.root):
            if path.name != "_toc.yml":
                notebooks.write_if_changed(site / path, (chapter.root / path).read_bytes())
        notebooks.write_if_changed(site / "_toc.yml", f"format: jb-book\nroot: notebooks/{name}\n")
        notebooks.write_if_changed(site / "notebooks" / f"{name}.ipynb", run.notebook.read_bytes())
        report = site / "render.log"
        code, words = jupyter_book(site, (), report)
        if code or not (site / "_build" / "html" / "notebooks" / f"{name}.html").is_file():
            raise ValueError(
                f"the run must render; got:\n{words}\nRun the chapter again with `fer run {name}`."
            )
        sync(site / "_build" / "html", run.folder / "html")
    return run.folder / "html" / "notebooks" / f"{name}.html"


def jupyter_book(site: Path, options: Sequence[str], report: Path) -> tuple[int, str]:
    """Runs `jupyter-book build`; all it says goes to the file `report`.

    Returns:
        Its exit status, and its warnings and errors as text.
    """
    program = Path(sys.executable).with_name("jupyter-book")
    done = subprocess.run(
        [str(program), "build", ".", *options],
        cwd=site,  # Jupyter Book looks for local extensions from the working folder
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=os.environ | {"NO_COLOR": "1", "PYTHONDONTWRITEBYTECODE": "1"},
        text=True,
    )
    said = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout)
    report.parent.mkdir(parents=True, exist_ok=True)
    report.write_text(said, encoding="utf-8")
    lines = [line for line in said.splitlines() if re.search(r"WARNING|ERROR|CRITICAL|Error:", line)]
    words = "\n".join(lines) or "\n".join(said.splitlines()[-20:])
    return done.returncode, words.replace(f"{site}{os.sep}", "")


def sync(source: Path, target: Path) -> None:
    """Makes `target` equal to `source`, writing only files that differ."""
    wanted = {path.relative_to(source) for path in source.rglob("*") if path.is_file()}
    for path in sorted(wanted):
        notebooks.write_if_changed(target / path, (source / path).read_bytes())
    _remove_others(target, wanted)


def _read_notebook(path: Path) -> Any:
    import nbformat

    return nbformat.reads(path.read_text(encoding="utf-8"), as_version=4)


def _remove_others(folder: Path, wanted: set[Path]) -> None:
    """Removes files that do not belong to a tree any more; `_build` inside it is Jupyter Book's own."""
    for path in sorted(folder.rglob("*"), reverse=True):
        inner = path.relative_to(folder)
        if inner.parts[0] == "_build":
            continue
        if path.is_file() and inner not in wanted:
            path.unlink()
        elif path.is_dir() and not any(path.iterdir()):
            shutil.rmtree(path)


def _short(path: Path) -> str:
    from fer_lib.chapters import show

    return show.path(path)
