"""Corpora and runs on object storage (s3://, gs://, and whatever fsspec reads): fetched once, sent whole.

Reading makes a local copy in `artifacts.home()/remote`, named by address and content, so that it is never out
of date; a copy that was interrupted goes on where it was. Sending writes the file that makes a folder a run
last.
"""

from __future__ import annotations

import functools
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from fer_lib import artifacts

LAST = "run.json"
"""A folder with this file is a run; so it is sent last, and taken away first."""
_BATCH = 256  # files at a time; those of a batch that was interrupted are fetched again
_PACKAGES = {"s3": "s3fs", "s3a": "s3fs", "gs": "gcsfs", "gcs": "gcsfs"}
_KEYS = {
    "s3fs": "Give AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or AWS_PROFILE); AWS_ENDPOINT_URL where the "
    "server is not Amazon's.",
    "gcsfs": "Give GOOGLE_APPLICATION_CREDENTIALS, the file of a service account, or log in with gcloud.",
}


class StorageError(OSError):
    """Remote storage cannot be read or written; says which address, why, and what to do."""


def is_remote(place: object) -> bool:
    """Whether a place is an address of remote storage, not a path.

    >>> is_remote("s3://bucket/runs"), is_remote("/data/ferplus"), is_remote("C:\\\\data")
    (True, False, False)
    """
    return isinstance(place, str) and "://" in place


def local(place: str | Path) -> Path:
    """The path itself, or a local copy of what lies at an address, see `fetch`."""
    return fetch(str(place)) if is_remote(place) else Path(place)


def join(address: str, *parts: str) -> str:
    """Adds parts to an address.

    >>> join("s3://bucket/runs/", "a", "b")
    's3://bucket/runs/a/b'
    """
    return "/".join([address.rstrip("/"), *(part.strip("/") for part in parts)])


def exists(address: str) -> bool:
    """Whether anything lies at an address.

    Raises:
        StorageError: the storage does not answer, or refuses.
    """
    with _told(address, "readable"):
        return bool(_files(_storage(address), address))


@functools.lru_cache(maxsize=256)
def fetch(address: str) -> Path:
    """Make a local copy of a file or folder; one that is there, of the same content, is returned at once.

    Files keep their time of change, so that a corpus decoded from one copy is known when it comes again.
    Within a process an address is looked up once.

    Returns:
        The local file or folder; do not change it.

    Raises:
        StorageError: nothing lies there, or the storage does not answer or refuses.
    """
    with _told(address, "readable"):
        storage = _storage(address)
        files = _files(storage, address)
        if not files:
            raise StorageError(
                f"{address}: must hold files; got none. Check the address, or send the files there first."
            )
        stem = PurePosixPath(address.rstrip("/")).name
        told = {name: [info["size"], _version(info)] for name, info in files.items()}
        key = artifacts.key(address=address.rstrip("/"), files=told)
        shelf = artifacts.home() / "remote"
        place = shelf / f"{stem}-{key}"
        if not place.is_dir():
            with artifacts.locked(shelf, place.name):
                if not place.is_dir():  # another process fetched it while this one waited
                    draft = shelf / f".{place.name}"
                    _fetch(storage, files, draft)
                    draft.rename(place)
    return place / stem if list(files) == [""] else place


def check_target(address: str) -> None:
    """Refuse an address that cannot take a run, before hours are spent: it must be empty or hold a run.

    Raises:
        ValueError: other things lie there. StorageError: it cannot be written.
    """
    probe = join(address, ".fer-probe")
    with _told(address, "writable"):
        storage = _storage(address)
        files = _files(storage, address)
        if files and LAST not in files:
            raise ValueError(
                f"out must be a new folder or that of an earlier run; got {address}, which holds "
                f"{next(iter(files))!r}. Give another address."
            )
        storage.pipe_file(probe, b"")
        storage.rm_file(probe)


def send(folder: str | Path, address: str) -> None:
    """Send a folder; what lies at the address is replaced, and no half of a run is ever taken for a run.

    Raises:
        StorageError: it cannot be written; the local folder stays, to be sent again.
    """
    folder = Path(folder)
    names = [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if path.is_file()]
    names = [name for name in names if not any(part.startswith(".") for part in PurePosixPath(name).parts)]
    marks = [name for name in names if PurePosixPath(name).name == LAST]
    with _told(address, "writable", f"The files stay in {folder}: `fer copy` sends them again."):
        storage = _storage(address)
        before = _files(storage, address)
        _remove(storage, address, [name for name in before if PurePosixPath(name).name == LAST])
        for some in ([name for name in names if name not in marks], marks):
            for start in range(0, len(some), _BATCH):
                part = some[start : start + _BATCH]
                paths = [join(address, name) for name in part]
                storage.put([str(folder / name) for name in part], paths)
        _remove(storage, address, [name for name in before if name not in names])
        after = _files(storage, address)
        lost = [n for n in names if n not in after or after[n]["size"] != (folder / n).stat().st_size]
        if lost:
            raise StorageError(f"{address}: must hold what was sent; got no whole {lost[0]}. Send it again.")


def _fetch(storage: Any, files: dict[str, dict[str, Any]], draft: Path) -> None:
    """Fill a folder; files that are whole already are passed over."""
    waiting = []
    for name, info in files.items():
        target = draft / (name or PurePosixPath(info["name"]).name)
        if not (target.is_file() and target.stat().st_size == info["size"]):
            waiting.append((info, target))
    parts = draft / ".parts"
    for start in range(0, len(waiting), _BATCH):
        shutil.rmtree(parts, ignore_errors=True)
        parts.mkdir(parents=True)
        batch = waiting[start : start + _BATCH]
        storage.get([info["name"] for info, _ in batch], [str(parts / str(i)) for i in range(len(batch))])
        for i, (info, target) in enumerate(batch):
            if (parts / str(i)).stat().st_size != info["size"]:
                raise StorageError(
                    f"{info['name']}: must be {info['size']} bytes; got another number. Fetch again."
                )
            target.parent.mkdir(parents=True, exist_ok=True)
            if (seconds := _time(info)) is not None:
                os.utime(parts / str(i), (seconds, seconds))
            os.replace(parts / str(i), target)
    shutil.rmtree(parts, ignore_errors=True)


def _files(storage: Any, address: str) -> dict[str, dict[str, Any]]:
    """Files at an address, by their path from there; "" for the address itself."""
    base = storage._strip_protocol(address).rstrip("/")
    found: dict[str, dict[str, Any]] = storage.find(base, detail=True)
    below = {path: info for path, info in found.items() if path == base or path.startswith(f"{base}/")}
    return {
        path[len(base) :].lstrip("/"): info for path, info in sorted(below.items()) if info["type"] == "file"
    }


def _remove(storage: Any, address: str, names: Sequence[str]) -> None:
    for name in names:
        storage.rm_file(join(address, name) if name else address)


def _version(info: dict[str, Any]) -> str:
    """What changes with a file's content: the storage's checksum, else its time of change."""
    return str(info.get("ETag") or info.get("etag") or info.get("md5Hash") or _time(info))


def _time(info: dict[str, Any]) -> float | None:
    from datetime import datetime

    for name in ("LastModified", "updated", "mtime", "created"):
        value = info.get(name)
        if isinstance(value, str):
            value = datetime.fromisoformat(value)
        if isinstance(value, datetime):
            return value.timestamp()
        if isinstance(value, int | float):
            return float(value)
    return None


def _storage(address: str) -> Any:
    """The file system of an address.

    Raises:
        ValueError: fsspec knows none, or its package is not installed.
    """
    import fsspec

    protocol = address.partition("://")[0]
    try:
        return fsspec.filesystem(protocol, use_listings_cache=False, skip_instance_cache=True)
    except ImportError:
        package = _PACKAGES.get(protocol, "its package")
        raise ValueError(
            f"address must be one that an installed package reads; got {address}, which needs {package}. "
            "Install what requirements-cluster.lock lists."
        ) from None
    except ValueError:
        raise ValueError(
            f"address must begin with s3://, gs:// or another protocol of fsspec; got {address}. Correct it."
        ) from None


@contextmanager
def _told(address: str, rule: str, more: str = "") -> Iterator[None]:
    """Says of any error of a storage's package which address it was, and which variables it needs."""
    try:
        yield
    except (ValueError, StorageError):
        raise
    except Exception as error:  # each package has errors of its own, most of them no OSError
        keys = _KEYS.get(_PACKAGES.get(address.partition("://")[0], ""), "Check the address.")
        got = f"{type(error).__name__}: {error}".rstrip(".")
        raise StorageError(f"{address}: must be {rule}; got {got}. {keys} {more}".rstrip()) from error
