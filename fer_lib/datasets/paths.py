"""Paths that label files name, and the identity of many files at once."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath

import pandas as pd

from fer_lib.errors import DataError


def inside(name: str, where: str) -> str:
    r"""Check a path that a label file names: it must stay below the corpus's root.

    Args:
        name: as written, with "/" or "\\".
        where: the file and row, for the message.

    Returns:
        The path with "/" and without "." parts.

    Raises:
        DataError: an empty or absolute path, a drive, or one that climbs out with "..".

    Example:
        >>> inside("./737\\face.jpg", "training.csv, line 2")
        '737/face.jpg'
    """
    path = PurePosixPath(name.strip().replace("\\", "/"))
    climbs = ".." in path.parts or path.is_absolute() or (path.parts and path.parts[0].endswith(":"))
    if not path.parts or climbs or "\0" in name:
        rule = "a path must stay below the corpus's folder"
        raise DataError(where, rule, name or "nothing", "Write it from the corpus's folder, without '..'.")
    return path.as_posix()


def contents(root: Path, limit: int = 6) -> str:
    """Name a few of the things a folder holds, for messages; "no folder" where there is none."""
    if not root.is_dir():
        return "no folder"
    try:
        names = sorted(os.listdir(root))
    except OSError as error:
        return f"a folder that cannot be read ({error.strerror})"
    if not names:
        return "an empty folder"
    return ", ".join(names[:limit]) + (f" and {len(names) - limit} more" if len(names) > limit else "")


def is_text(name: str) -> bool:
    """Whether a file's name is valid UTF-8; others cannot be written into tables.

    Example:
        >>> is_text("KA.AN1.39.tiff"), is_text(os.fsdecode(b"caf\\xe9.jpg"))
        (True, False)
    """
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def column(names: Sequence[str]) -> pd.Series:
    """Paths as a table's column; names that are not UTF-8 stay in it until decoding skips and counts them.

    Example:
        >>> len(column(["a.jpg", os.fsdecode(b"caf\\xe9.jpg")]))
        2
    """
    return pd.Series(list(names), dtype="str" if all(map(is_text, names)) else object)


@contextlib.contextmanager
def plain(path: Path) -> Iterator[str]:
    """Name a file or folder for a library that takes only UTF-8: OpenCV's films end the process otherwise.

    Yields:
        The absolute path, or, where it is not UTF-8, a link to it that lasts as long as the context.
    """
    whole = path.absolute()
    if is_text(str(whole)):
        yield str(whole)
        return
    with tempfile.TemporaryDirectory(prefix="fer_") as folder:
        link = Path(folder) / f"link{whole.suffix if is_text(whole.suffix) else ''}"
        link.symlink_to(whole)
        yield str(link)


def walk(folder: Path, suffixes: Iterable[str]) -> list[str]:
    """List the files below a folder, sorted, as paths from it; links that lead in circles are not followed.

    Args:
        folder: where to begin.
        suffixes: lower-case endings with the dot, such as ``(".jpg",)``; other and hidden files are passed
            over.

    Returns:
        Paths with "/"; a name that is not UTF-8 keeps its surrogates (see `is_text`).

    Raises:
        DataError: a folder cannot be read.
    """
    wanted, found, seen = tuple(suffixes), [], set[tuple[int, int]]()
    waiting = [(folder, "")]
    while waiting:
        place, before = waiting.pop()
        for entry in _entries(place, seen):
            if entry.name.startswith("."):
                continue
            if entry.name.lower().endswith(wanted):
                found.append(before + entry.name)
            elif is_folder(entry):
                waiting.append((Path(entry.path), f"{before}{entry.name}/"))
    return sorted(found)


def _entries(folder: Path, seen: set[tuple[int, int]]) -> list[os.DirEntry[str]]:
    """What a folder holds; nothing the second time."""
    try:
        stat = os.stat(folder)
        if (stat.st_dev, stat.st_ino) in seen:
            return []
        seen.add((stat.st_dev, stat.st_ino))
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError as error:
        got = error.strerror or type(error).__name__
        raise DataError(str(folder), "the folder must be readable", got, "Give read permission.") from error


def names_in(folder: Path) -> list[str]:
    """Names of what a folder holds, in no order; none where there is no folder.

    Raises:
        DataError: the folder is there, and cannot be read.
    """
    try:
        return os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        got = error.strerror or type(error).__name__
        raise DataError(str(folder), "the folder must be readable", got, "Give read permission.") from error


def is_folder(entry: os.DirEntry[str]) -> bool:
    """Whether it is a folder to go into: not a link to one that it lies in."""
    try:
        if entry.is_symlink():
            above = Path(os.path.realpath(entry.path))
            if Path(os.path.realpath(os.path.dirname(entry.path))).is_relative_to(above):
                return False
        return entry.is_dir()
    except OSError:  # a link that leads to itself
        return False


def tree_identity(root: Path, names: Iterable[str]) -> list[object]:
    """Describe many files by name, size and time of last change, without reading them.

    Args:
        root: what the names start from.
        names: paths; a file that is not there counts as absent, so that its return is noticed.

    Returns:
        Their number and 16 hex digits; another file, or an edited one, gives others.
    """
    digest, number = hashlib.sha256(), 0
    base = os.fspath(root)
    for name in names:
        try:
            stat = os.stat(os.path.join(base, name))
            text = f"{name}\0{stat.st_size}\0{stat.st_mtime_ns}\n"
        except OSError:
            text = f"{name}\0absent\n"
        digest.update(text.encode("utf-8", "surrogateescape"))
        number += 1
    return [number, digest.hexdigest()[:16]]
