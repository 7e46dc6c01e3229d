"""Sphinx extension: pages that need no network.

Sphinx asks a content delivery network for MathJax, so that a page opened on a train shows raw TeX. The lock
installs MathJax 3 as files (the package sphinx-mathjax-offline); this extension copies the two parts that
the book needs, a script and its fonts (1.6 MB instead of the package's 24), and points the pages at them. It
also takes out what sphinx-thebe adds to every page: the book does not use it, it names a remote script, and
Jupyter Book adds it twice, which is an error in the browser's console.
"""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path
from typing import Any

from docutils import nodes

SCRIPT = "tex-chtml.js"
FONTS = "output/chtml/fonts/woff-v2"
PACKAGE = "sphinx-mathjax-offline"  # with hyphens: importable by name only through importlib


def mathjax_folder() -> Path:
    """The installed MathJax files.

    Raises:
        FileNotFoundError: when the package of the lock is not installed.
    """
    spec = importlib.util.find_spec(PACKAGE)
    folder = Path(spec.origin).parent / "static" / "mathjax" if spec and spec.origin else None
    if folder is None or not (folder / SCRIPT).is_file():
        raise FileNotFoundError(f"{PACKAGE} must be installed; got nothing. Install requirements.lock.")
    return folder


def copy_mathjax(static: Path) -> None:
    """Copies the script and its fonts to `static`/mathjax, where the pages look for them."""
    source, target = mathjax_folder(), static / "mathjax"
    shutil.copytree(source / FONTS, target / FONTS, dirs_exist_ok=True)
    shutil.copy2(source / SCRIPT, target / SCRIPT)


def is_thebe(script: Any) -> bool:
    """Whether a script of Sphinx's page context belongs to sphinx-thebe."""
    attributes = getattr(script, "attributes", {})
    return "thebe" in str(getattr(script, "filename", script)) or "THEBE_JS_URL" in attributes.get("body", "")


def _after_build(app: Any, exception: Exception | None) -> None:
    if exception is None and app.builder.format == "html":
        copy_mathjax(Path(app.outdir) / "_static")


def _drop_thebe_scripts(app: Any, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    context["script_files"] = [script for script in context.get("script_files", []) if not is_thebe(script)]


def _drop_thebe_settings(app: Any, doctree: nodes.document, page: str) -> None:
    for node in list(doctree.findall(nodes.raw)):
        if "x-thebe-config" in node.astext():
            node.parent.remove(node)


def setup(app: Any) -> dict[str, Any]:
    """Registers the extension with Sphinx."""
    app.config.mathjax_path = f"mathjax/{SCRIPT}"
    app.connect("build-finished", _after_build)
    app.connect("html-page-context", _drop_thebe_scripts, priority=900)  # after those who add scripts
    app.connect("doctree-resolved", _drop_thebe_settings, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
