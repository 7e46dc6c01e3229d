"""Corpora and runs on object storage (s3://, gs://, and whatever fsspec reads): fetched once, sent whole.

Reading makes a local copy in `artifacts.home()/remote`, named by address and content, so that it is never out
of date; a copy that was interrupted goes on where it was. Sending writes the file that makes a folder a run
last, and takes away nothing but an earlier run of the same address.
"""

from __future__ import annotations

import errno
import functools
import os
import shutil
import sys
from collections.abc import Collection, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from fer_lib import artifacts
from fer_lib.storage import StorageError, anything, changed, check_names, files, told, version
from fer_lib.storage import file_system as _storage

if TYPE_CHECKING:
    from tqdm import tqdm

LAST = "run.json"
"""A folder with this file is a run; so it is sent last, and taken away first."""
SENDING = ".fer-sending"
"""Lies at an address while a folder is sent there: what is not whole is not read, and may be sent again."""
_KINDS = {LAST: "an earlier run", "runs.csv": "earlier results of a grid", "plan.json": "an earlier grid"}
_PROBE = ".fer-probe"
_BATCH = 256  # files at a time; those of a batch that was interrupted are fetched again
_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


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
    """Whether anything lies at an address; a corpus is not listed for it.

    Raises:
        StorageError: the storage does not answer, or refuses.
    """
    with told(address, "readable"):
        return anything(_storage(address), address)


@functools.lru_cache(maxsize=256)
def fetch(address: str) -> Path:
    """Make a local copy of a file or folder; one that is there, of the same content, is returned at once.

    Files keep their time of change, so that a corpus decoded from one copy is known when it comes again.
    Within a process an address is looked up once. On a terminal a bar shows how far it is.

    Returns:
        The local file or folder; do not change it.

    Raises:
        StorageError: nothing lies there, its names are no names of files, a folder is just being sent, the
            disk is full, or the storage does not answer or refuses.
    """
    with told(address, "readable"):
        storage = _storage(address)
        found = _found(storage, address)
        shelf = artifacts.home() / "remote"
        stem = PurePosixPath(address.rstrip("/")).name
        place = shelf / f"{stem}-{_key(address, found)}"
        if not place.is_dir():
            with artifacts.locked(shelf, place.name):
                if not place.is_dir():  # another process fetched it while this one waited
                    draft = shelf / f".{place.name}"
                    _fetch(storage, address, found, draft, "set FER_HOME to a folder on another disk")
                    draft.rename(place)
    return place / stem if list(found) == [""] else place


def copy(address: str, target: str | Path) -> None:
    """Copy a file or folder from an address to a new place here, which appears whole or not at all.

    A copy that was interrupted lies beside the target, hidden, and the next call goes on with it.

    Raises:
        ValueError: there is something at the target. StorageError: as for `fetch`.
    """
    target = Path(target).expanduser()
    if target.exists():
        raise ValueError(f"target must be new; got {target}. Give another one.")
    with told(address, "readable"):
        storage = _storage(address)
        found = _found(storage, address)
        draft = target.with_name(f".{target.name}-{_key(address, found)}")
        _fetch(storage, address, found, draft, "give a target on another disk")
        (next(draft.iterdir()) if list(found) == [""] else draft).rename(target)
        shutil.rmtree(draft, ignore_errors=True)


def check_target(address: str, kind: str = LAST, argument: str = "out") -> None:
    """Refuse an address that cannot take a run, before hours are spent: it must be empty or hold a run.

    Args:
        address: where the run is to be sent.
        kind: the file that tells what a folder is: "run.json", or "runs.csv" for results of a grid.
        argument: what gave the address, for the message.

    Raises:
        ValueError: other things lie there. StorageError: it cannot be written.
    """
    probe = join(address, _PROBE)
    with told(address, "writable"):
        storage = _storage(address)
        rule = f"{argument} must be"
        _check_place(storage, address, files(storage, address), [kind], rule, "Give another address.")
        storage.pipe_file(probe, b"")
        storage.rm_file(probe)


def send(folder: str | Path, address: str) -> None:
    """Send a folder; no half of it is ever taken for the whole, and nothing of others is lost.

    The address must be empty, or hold what the folder replaces: a run takes the place of a run, a grid that
    of a grid, results those of a grid. After an interrupted sending the same may be sent again.

    Raises:
        ValueError: other things lie there. StorageError: it cannot be written; the local folder stays, to be
            sent again.
    """
    folder = Path(folder)
    paths = {
        path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()
    }
    sizes = {name: path.stat().st_size for name, path in paths.items() if "/." not in f"/{name}"}
    if not sizes:
        raise ValueError(f"source must be a folder with files; got {folder}. Check the path.")
    begun = join(address, SENDING)
    with told(address, "writable", f"The files stay in {folder}: `fer copy` sends them again."):
        storage = _storage(address)
        before = files(storage, address)
        _check_place(
            storage,
            address,
            before,
            sizes,
            "target must be",
            f"Give another address; the files stay in {folder}.",
        )
        storage.pipe_file(begun, _kind(sizes).encode())
        _remove(storage, address, [name for name in before if _is_mark(name)])
        with _bar(f"sending {address}", sum(sizes.values())) as bar:
            _put(storage, address, paths, {name: sizes[name] for name in sizes if not _is_mark(name)}, bar)
            _remove(storage, address, sorted(before.keys() - sizes.keys() - {SENDING}))
            _put(storage, address, paths, {name: sizes[name] for name in sizes if _is_mark(name)}, bar)
        after = files(storage, address)
        lost = [name for name, size in sizes.items() if name not in after or after[name]["size"] != size]
        if lost:
            raise StorageError(f"{address}: must hold what was sent; got no whole {lost[0]}. Send it again.")
        storage.rm_file(begun)


def _check_place(
    storage: Any, address: str, before: Collection[str], names: Collection[str], rule: str, fix: str
) -> None:
    """Refuse to send where anything lies that is not to be replaced."""
    kind = _kind(names)
    begun = storage.cat_file(join(address, SENDING)).decode() if SENDING in before else None
    strange = [name for name in before if name not in (SENDING, _PROBE)]
    if kind and (kind in before or kind == begun):
        # A run at the top of a bucket takes nothing from the runs that lie below it.
        strange = [name for name in strange if kind == LAST and _is_mark(name) and name not in names]
    elif kind == begun:  # a corpus, sent in part
        strange = [name for name in strange if name not in names]
    if strange:
        earlier = f" or that of {_KINDS[kind]}" if kind else ""
        raise ValueError(f"{rule} a new folder{earlier}; got {address}, which holds {strange[0]!r}. {fix}")


def _put(storage: Any, address: str, paths: dict[str, Path], sizes: dict[str, int], bar: tqdm) -> None:
    """Send some files of a folder."""
    names = list(sizes)
    for start in range(0, len(names), _BATCH):
        some = names[start : start + _BATCH]
        storage.put([str(paths[name]) for name in some], [join(address, name) for name in some])
        bar.update(sum(sizes[name] for name in some))


def _is_mark(name: str) -> bool:
    """Whether a file makes its folder a run."""
    return PurePosixPath(name).name == LAST


def _remove(storage: Any, address: str, names: Sequence[str]) -> None:
    for name in names:
        storage.rm_file(join(address, name) if name else address)


def _kind(names: Collection[str]) -> str:
    """The file that tells what a folder is; empty for a corpus."""
    return next((name for name in _KINDS if name in names), "")


def _found(storage: Any, address: str) -> dict[str, dict[str, Any]]:
    """The files at an address, fit to be copied."""
    found = files(storage, address)
    if not found:
        raise StorageError(
            f"{address}: must hold files; got none. Check the address, or send the files there first."
        )
    check_names(address, found)
    if begun := [name for name in found if PurePosixPath(name).name == SENDING]:
        raise StorageError(
            f"{address}: must hold what was sent whole; got {begun[0]!r}: a sending goes on, or was "
            "stopped. Wait for its end, or send the same again."
        )
    return found


def _key(address: str, found: dict[str, dict[str, Any]]) -> str:
    """Names a copy by the address and the content there."""
    content = {name: [info["size"], version(info)] for name, info in found.items()}
    return artifacts.key(address=address.rstrip("/"), files=content)


def _fetch(storage: Any, address: str, found: dict[str, dict[str, Any]], draft: Path, elsewhere: str) -> None:
    """Fill a folder; files that are whole already are passed over."""
    waiting = []
    for name, info in found.items():
        target = draft / (name or PurePosixPath(info["name"]).name)
        if not (target.is_file() and target.stat().st_size == info["size"]):
            waiting.append((info, target))
    needed = sum(info["size"] for info, _ in waiting)
    parts = draft.with_name(f"{draft.name}.parts")
    try:
        with _bar(f"fetching {address}", needed) as bar:
            for start in range(0, len(waiting), _BATCH):
                shutil.rmtree(parts, ignore_errors=True)
                parts.mkdir(parents=True)
                _fetch_batch(storage, waiting[start : start + _BATCH], parts, bar)
    except OSError as error:
        if error.errno not in _DISK and not (error.errno and error.filename):  # these are the storage's
            raise
        raise StorageError(
            f"{draft.parent}: must take {needed / 1e6:,.1f} MB of {address}; got {type(error).__name__}: "
            f"{error}. Make room there, or {elsewhere}; what came whole is kept."
        ) from error
    finally:
        shutil.rmtree(parts, ignore_errors=True)


def _fetch_batch(storage: Any, batch: list[tuple[dict[str, Any], Path]], parts: Path, bar: tqdm) -> None:
    """Fetch some files beside their folder, and move those that are whole into it."""
    copies = [parts / str(i) for i in range(len(batch))]
    storage.get([info["name"] for info, _ in batch], [str(part) for part in copies])
    for (info, target), part in zip(batch, copies, strict=True):
        if part.stat().st_size != info["size"]:
            raise StorageError(
                f"{info['name']}: must be {info['size']} bytes; got another number. Fetch again."
            )
        target.parent.mkdir(parents=True, exist_ok=True)
        if (seconds := changed(info)) is not None:
            os.utime(part, (seconds, seconds))
        os.replace(part, target)
        bar.update(info["size"])


def _bar(what: str, total: int) -> tqdm:
    """Bytes on their way, shown on a terminal only: a kernel's bar would stay on the page."""
    from tqdm import tqdm

    hidden = not sys.stderr.isatty() or "ipykernel" in sys.modules
    return tqdm(total=total, desc=what, unit="B", unit_scale=True, disable=hidden)
