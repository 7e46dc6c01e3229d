"""Object storage as fsspec sees it: the file system of an address, what lies there, what its errors mean."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

_PACKAGES = {"s3": "s3fs", "s3a": "s3fs", "gs": "gcsfs", "gcs": "gcsfs"}
_KEYS = {
    "s3fs": "Give AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or AWS_PROFILE) that may do so.",
    "gcsfs": "Give GOOGLE_APPLICATION_CREDENTIALS, the file of an account that may do so, or use gcloud.",
}
_AWAY = ("Connect", "Endpoint", "Timeout", "Retry")  # in the names of the packages' own errors


class StorageError(OSError):
    """Remote storage cannot be read or written; says which address, why, and what to do."""


def file_system(address: str) -> Any:
    """The file system of an address, as fsspec knows it; it keeps no listings.

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


def files(storage: Any, address: str) -> dict[str, dict[str, Any]]:
    """What lies at an address, by its path from there; "" for a file at the address itself.

    Storage knows no folders. Consoles and some programs draw them by empty objects, "faces/" or "faces"
    beside "faces/1.png": these are no files.
    """
    base = storage._strip_protocol(address).rstrip("/")
    found = {
        path[len(base) :].lstrip("/"): info
        for path, info in sorted(storage.find(base, detail=True).items())
        if info["type"] == "file" and not path.endswith("/") and (path == base or path.startswith(f"{base}/"))
    }
    folders = _folders(found)
    return {name: info for name, info in found.items() if info["size"] or name not in folders}


def anything(storage: Any, address: str) -> bool:
    """Whether anything lies at an address, by a look at its first level alone."""
    base = storage._strip_protocol(address).rstrip("/")
    try:
        level = storage.ls(base, detail=True)
    except FileNotFoundError:  # also if there is no such bucket: the search below tells
        return bool(files(storage, address))
    return any(
        one["name"].rstrip("/") != base or (one["type"] == "file" and one["name"] == base) for one in level
    )  # the folder's own mark does not count


def check_names(address: str, names: Iterable[str]) -> None:
    """Refuse names that would leave the folder of a copy, or that a disk cannot hold.

    Raises:
        StorageError: for the first of them.
    """
    names = set(names)
    for name in sorted(names):
        path = Path(name or PurePosixPath(address).name)  # on Windows also knows its drives and backslashes
        if path.is_absolute() or path.drive or ".." in path.parts:
            raise StorageError(f"{address}: must hold plain names; got {name!r}. Do not trust this storage.")
    if both := sorted(names & _folders(names)):
        raise StorageError(
            f"{address}: must hold names that a disk can hold; got {both[0]!r}, a file and a folder at once. "
            "Rename one there."
        )


def version(info: dict[str, Any]) -> str:
    """What changes with a file's content: the storage's checksum, else its time of change."""
    return str(info.get("ETag") or info.get("etag") or info.get("md5Hash") or changed(info))


def changed(info: dict[str, Any]) -> float | None:
    """When a file was changed, in seconds since 1970; None where the storage does not say."""
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


@contextmanager
def told(address: str, rule: str, more: str = "") -> Iterator[None]:
    """Says of any error of a storage's package which address it was, and what to do.

    Args:
        address: what is read or written.
        rule: what it must be, such as "readable".
        more: a sentence to add.

    Raises:
        StorageError: in place of whatever the package raises; ValueErrors pass.
    """
    try:
        yield
    except (ValueError, StorageError):
        raise
    except Exception as error:  # each package has errors of its own, most of them no OSError
        got = f"{type(error).__name__}: {error}".rstrip(".")
        fix = _fix(error, address)
        raise StorageError(f"{address}: must be {rule}; got {got}. {fix} {more}".rstrip()) from error


def _fix(error: Exception, address: str) -> str:
    """What to do about an error: the keys are to blame only where the storage refused them."""
    package = _PACKAGES.get(address.partition("://")[0], "")
    kind, text = type(error), str(error)
    if isinstance(error, OSError) and error.errno and error.filename:
        return "That file is on this machine: see that it is there and may be read."
    refused = isinstance(error, PermissionError) or text.startswith("Forbidden")
    refused |= getattr(error, "code", None) in (401, 403)  # gcsfs
    if refused or "Credentials" in kind.__name__ or kind.__module__.startswith("google.auth"):
        return _KEYS.get(package, "Check that you may use it.")
    if isinstance(error, FileNotFoundError):
        return "Check the address, from the name of the bucket on."
    if isinstance(error, ConnectionError | TimeoutError) or any(word in kind.__name__ for word in _AWAY):
        server = ", and AWS_ENDPOINT_URL where the server is not Amazon's" if package == "s3fs" else ""
        return f"Check the network{server}."
    return "Try again; if it stays so, ask those who keep the storage."


def _folders(names: Iterable[str]) -> set[str]:
    """All folders that names lie in; "" for the uppermost."""
    found: set[str] = set()
    for name in names:
        while name and name not in found:
            name = name.rpartition("/")[0]
            found.add(name)
    return found
