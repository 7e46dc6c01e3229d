"""Which chapters there are: the files `notebooks/NN_name.md`, read no further than their headers."""

from __future__ import annotations

import difflib
import functools
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from fer_lib.chapters import text

_FILE = re.compile(r"^\d{2}_\w+\.md$")


@dataclass(frozen=True)
class Chapter:
    """What a chapter's header says.

    Attributes:
        name: file name without its ending, such as "04_facechannel".
        path: the text file.
        title: the first heading.
        tasks: tasks of the face sets that the chapter takes; empty when it takes none.
        minutes: minutes by profile.
        memory_gb: gigabytes of memory by profile.
        gpus: graphics cards by profile, where the header names them; see `needs_gpus`.
        after: names of the chapters whose results this one reads.
    """

    name: str
    path: Path
    title: str
    tasks: tuple[str, ...] = ()
    minutes: dict[str, float] = field(default_factory=dict)
    memory_gb: dict[str, float] = field(default_factory=dict)
    gpus: dict[str, int] = field(default_factory=dict)
    after: tuple[str, ...] = ()

    @property
    def root(self) -> Path:
        """The book's folder."""
        return self.path.parent.parent

    def needs_gpus(self, profile: str) -> int:
        """Graphics cards that a run should have: what the header says, else one in the profile full."""
        return int(self.gpus.get(profile, 1 if profile == "full" else 0))


def book_root() -> Path:
    """Finds the folder of the book.

    It is $FER_BOOK when that is set; else the working folder or the nearest folder above it that holds
    `_config.yml` and `notebooks`; else the checkout from which fer_lib was installed.

    Raises:
        ValueError: when no book is found.
    """
    given = os.environ.get("FER_BOOK")
    if given:
        if not (Path(given) / "notebooks").is_dir():
            raise ValueError(
                f"FER_BOOK must name a folder that holds notebooks/; got {given}. "
                "Correct or unset the variable."
            )
        return Path(given).resolve()
    here = Path.cwd()
    for folder in (here, *here.parents, Path(__file__).resolve().parents[2]):
        if (folder / "_config.yml").is_file() and (folder / "notebooks").is_dir():
            return folder
    raise ValueError(
        f"the command must run inside a checkout of the book; got {here}. "
        "Change to it, or set FER_BOOK to its folder."
    )


def chapters(root: Path | None = None) -> list[Chapter]:
    """Lists the chapters in the book's order, which is that of their numbers."""
    folder = (root or book_root()) / "notebooks"
    return [_read(path) for path in sorted(folder.glob("*.md")) if _FILE.match(path.name)]


def find(name: str, root: Path | None = None) -> Chapter:
    """Finds a chapter by its name ("04_facechannel"), its number ("04", "4") or its words ("facechannel").

    Raises:
        ValueError: when no chapter has that name; the message suggests the nearest one.
    """
    known = chapters(root)
    for chapter in known:
        number, _, words = chapter.name.partition("_")
        if name in (chapter.name, number, words) or (name.isdigit() and int(name) == int(number)):
            return chapter
    names = [chapter.name for chapter in known]
    raise ValueError(f"chapter must be one of the book's; got {name!r}. {suggest(name, names, 'fer list')}")


def suggest(name: str, names: Iterable[str], command: str) -> str:
    """Words a hint: the nearest known name when there is a near one, and where to see all.

    >>> suggest("sead", ["seed", "profile"], "fer params 04")
    "Did you mean 'seed'? `fer params 04` shows all."
    """
    names = list(names)
    short = {re.sub(r"^\d{2}_", "", known): known for known in names}
    near = difflib.get_close_matches(name, names, n=1) or difflib.get_close_matches(name, short, n=1)
    hint = f"Did you mean {short.get(near[0], near[0])!r}? " if near else ""
    return f"{hint}`{command}` shows all."


def _read(path: Path) -> Chapter:
    return _read_at(path, path.stat().st_mtime_ns)


@functools.lru_cache(maxsize=256)
def _read_at(path: Path, modified: int) -> Chapter:
    header, title = text.header_and_title(path.read_text(encoding="utf-8"))
    own = header.get("fer") or {}
    return Chapter(
        name=path.stem,
        path=path,
        title=title or path.stem,
        tasks=tuple(own.get("tasks") or ()),
        minutes=dict(own.get("minutes") or {}),
        memory_gb=dict(own.get("memory_gb") or {}),
        gpus=dict(own.get("gpus") or {}),
        after=tuple(own.get("after") or ()),
    )
