"""A content-addressed cache on disk: decoded corpora, rendered worlds, trained encoders.

What is stored is named by a key computed from everything it depends on, so nothing is ever out of date:
another option or another source file is another key. Folders appear whole or not at all.
"""

import contextlib
import errno
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from fer_lib.errors import DataError


def home(here: Path | None = None) -> Path:
    """Folder that holds everything the library stores.

    Args:
        here: where to look for a checkout of the book; the current folder by default.

    Returns:
        ``$FER_HOME`` if set; else ``_build`` of the book when `here` lies in a checkout of it; else the
        user's cache folder. It need not exist yet.
    """
    if os.environ.get("FER_HOME"):
        return Path(os.environ["FER_HOME"]).expanduser().resolve()
    here = here or Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "_config.yml").is_file() and (folder / "fer_lib").is_dir():
            return folder / "_build"
    import platformdirs

    return Path(platformdirs.user_cache_dir("fer_lib"))


def key(**parts: object) -> str:
    """Name for an artifact: 16 hex digits of the SHA-256 of its parts as canonical JSON.

    Args:
        **parts: everything the artifact depends on; numbers, strings, booleans, None, lists, dicts.

    Raises:
        TypeError: a part is of another type; its text could differ from run to run.

    Example:
        >>> key(corpus="jaffe", size=64) == key(size=64, corpus="jaffe")
        True
    """
    try:
        text = json.dumps(parts, sort_keys=True, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise TypeError(f"parts must be plain JSON values; got {parts!r}. Convert them first.") from error
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def build_once(kind: str, name: str, make: Callable[[Path], None]) -> Path:
    """Return the folder ``home()/kind/name``, making it first where it is absent.

    The folder is filled under a temporary name and renamed when complete. A lock file lets one process
    build while the others wait; if ``make`` fails, nothing is left behind.

    Args:
        kind: the shelf, such as ``"store"`` or ``"encoders"``.
        name: the key of the artifact, see :func:`key`.
        make: called with an empty folder that it fills.

    Returns:
        The finished folder.

    Raises:
        DataError: the shelf may not be written.
    """
    target = home() / kind / name
    if target.is_dir():
        return target
    with locked(target.parent, name):
        if target.is_dir():  # another process made it while this one waited
            return target
        for abandoned in target.parent.glob(f".{name}-*"):  # of a process that was killed outright
            shutil.rmtree(abandoned, ignore_errors=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=target.parent))
        try:
            make(draft)
            draft.chmod(0o755)  # mkdtemp's 0700 would hide a shared cache from its other users
            os.replace(draft, target)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
    return target


@contextlib.contextmanager
def locked(shelf: Path, name: str) -> Iterator[None]:
    """Let nobody else make or take away an artifact meanwhile; the shelf is made where it is absent.

    Args:
        shelf: folder of the artifacts.
        name: the artifact.

    Raises:
        DataError: the shelf may not be written.
    """
    from filelock import FileLock

    lock = FileLock(shelf / f".{name}.lock")
    try:
        shelf.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise
        fix = "Set FER_HOME to a folder of your own."
        raise DataError(str(shelf), "the folder must be writable", error.strerror, fix) from error
    try:
        yield
    finally:
        lock.release()


def atomic_write(path: str | Path, data: bytes | str) -> None:
    """Write a file so that readers see the old content or the new, never a part.

    Args:
        path: where to write; missing parent folders are made.
        data: text (UTF-8) or bytes.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data.encode() if isinstance(data, str) else data)
        os.chmod(draft, 0o644)
        os.replace(draft, path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
