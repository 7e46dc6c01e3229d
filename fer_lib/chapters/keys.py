"""What a chapter's outputs depend on, as a small file: the chapter runs again when it changes, else not.

The key holds the chapter's code (not its prose), the parameters, the content of every library file that
the code imports, directly or through others, and the locked versions of the other packages among them.
The key files are what Snakemake watches; they are rewritten only when their content changes.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fer_lib.chapters import catalogue, text
from fer_lib.chapters.imports import Library
from fer_lib.chapters.notebooks import write_if_changed

PACKAGE = Path(__file__).resolve().parents[1]
_LOCKED_AS = {
    "PIL": "pillow",
    "cv2": "opencv-python-headless",
    "sklearn": "scikit-learn",
    "umap": "umap-learn",
}


def key_of(
    chapter: catalogue.Chapter, *, profile: str, library: Library | None = None, lock: Path | None = None
) -> dict[str, Any]:
    """Computes what a chapter's outputs depend on.

    Args:
        chapter: the chapter.
        profile: with which it runs.
        library: the source tree to follow imports in; fer_lib by default.
        lock: the file of locked versions; the book's `requirements.lock` by default.

    Returns:
        `chapter`, `profile`, `code` (a hash), `files` (hash by file), `packages` (version by package).

    Raises:
        ValueError: when the chapter's code is not Python.
    """
    library = library or Library(PACKAGE)
    code = [cell.source for cell in text.parse(chapter.path.read_text(encoding="utf-8")).cells]
    try:
        found = library.closure("\n".join(code))
    except SyntaxError as error:
        raise ValueError(
            f"{chapter.path.name}: code cells must be Python; got {error.msg!r}. "
            f"Correct the line: {(error.text or '').strip()}"
        ) from None
    return {
        "chapter": chapter.name,
        "profile": profile,
        "code": _hash("\n\0\n".join(code).encode()),
        "files": {
            path.relative_to(library.folder.parent).as_posix(): _hash(path.read_bytes())
            for path in sorted(found.files)
        },
        "packages": _locked(found.packages, lock or chapter.root / "requirements.lock"),
    }


def write_keys(chapters: Sequence[catalogue.Chapter], folder: Path, *, profile: str) -> dict[str, list[str]]:
    """Writes each chapter's key to `folder/NAME.json`, where its content changed.

    Returns:
        For each chapter whose key changed, what changed: "new", "its code", or names of files and packages.
    """
    library = Library(PACKAGE)
    changed: dict[str, list[str]] = {}
    for chapter in chapters:
        path = folder / f"{chapter.name}.json"
        key = key_of(chapter, profile=profile, library=library)
        before = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
        if write_if_changed(path, json.dumps(key, indent=1) + "\n"):
            changed[chapter.name] = _differences(before, key)
    return changed


def _differences(before: dict[str, Any] | None, now: dict[str, Any]) -> list[str]:
    if before is None:
        return ["new"]
    names = ["its code"] if before["code"] != now["code"] else []
    for part in ("files", "packages"):
        old, new = before[part], now[part]
        names += [name for name in sorted({*old, *new}) if old.get(name) != new.get(name)]
    return names


def _locked(packages: set[str], lock: Path) -> dict[str, str]:
    """The lock's version of each package; the standard library and what is not locked have none."""
    lines = lock.read_text(encoding="utf-8").splitlines() if lock.is_file() else []
    versions = dict(
        re.findall(r"^([\w.-]+)==(\S+)", line)[0] for line in lines if re.match(r"^[\w.-]+==", line)
    )
    named = {_LOCKED_AS.get(name, name.replace("_", "-")).lower() for name in packages}
    return {name: versions[name] for name in sorted(named) if name in versions}


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]
