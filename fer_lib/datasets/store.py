"""The decode-once store: a corpus read, cropped and resized a single time, then mapped into memory.

A store is a folder with ``images.npy`` (uint8 (M, C, H, W)), ``table.parquet``, ``truth.parquet`` (worlds
only) and ``meta.json``. It appears whole or not at all, is named by what it was made from, and is shared by
every chapter, seed and process that asks for the same thing.
"""

from __future__ import annotations

import errno
import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from fer_lib import artifacts
from fer_lib.errors import DataError

KIND = "faces"
LAYOUT = 1  # raise when the files of a store change, so that older ones are left alone
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_BLOCK = 1 << 16
_BLOCKS = 16
Skip = tuple[str, str, str, str]
"""A row that could not be kept: path, split, reason, detail."""


@dataclass(frozen=True)
class Chunk:
    """Some pictures on their way into a store.

    Args:
        images: uint8 (B, C, H, W).
        table: B rows.
        truth: B rows, worlds only.
        dropped: (split, reason) -> number of pictures that could not be kept, beside those in `skipped`.
        skipped: path, split, reason and detail of every row that could not be kept; counted from here.
        mended: what was mended -> how often.
    """

    images: np.ndarray
    table: pd.DataFrame
    truth: pd.DataFrame | None = None
    dropped: Counter = field(default_factory=Counter)
    skipped: list[Skip] = field(default_factory=list)
    mended: Counter = field(default_factory=Counter)

    @property
    def lost(self) -> Counter:
        """(split, reason) -> number of rows left out, listed or not."""
        return self.dropped + Counter((split, reason) for _, split, reason, _ in self.skipped)


@dataclass(frozen=True)
class Store:
    """A finished store, opened.

    Args:
        pixels: uint8 (M, C, H, W), memory-mapped, read-only.
        table: M rows.
        truth: M rows or None.
        dropped: (split, reason) -> count.
        fingerprint: names the content: pixels, table and truth.
        folder: where it lies.
        mended: what was mended -> how often.
        listed: rows that the label files named; 0 if it was not told.
    """

    pixels: np.ndarray
    table: pd.DataFrame
    truth: pd.DataFrame | None
    dropped: Counter
    fingerprint: str
    folder: Path
    mended: Counter = field(default_factory=Counter)
    listed: int = 0

    def skipped(self) -> list[Skip]:
        """Path, split, reason and detail of the rows that were left out when the store was made."""
        path = self.folder / "skipped.csv"
        if not path.exists():
            return []
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)
        return list(frame.itertuples(index=False, name=None))


def identity(path: str | Path) -> list[object]:
    """Describe a source file so that another file, or the same after an edit, differs; costs a millisecond.

    Returns:
        Size in bytes, time of last change in ns, and the SHA-256 of 16 blocks of 64 KB spread over the file
        (of all of it, up to 1 MB). The folder does not count: a moved corpus keeps its store.

    Raises:
        DataError: the file cannot be read.
    """
    path = Path(path)
    digest = hashlib.sha256()
    try:
        stat = path.stat()
        with path.open("rb") as file:
            last = max(stat.st_size - _BLOCK, 0)
            for start in sorted({last * block // (_BLOCKS - 1) for block in range(_BLOCKS)}):
                file.seek(start)
                digest.update(file.read(_BLOCK))
    except OSError as error:
        got = error.strerror or type(error).__name__
        raise DataError(str(path), "the file must be readable", got, "Restore the file.") from error
    return [stat.st_size, stat.st_mtime_ns, digest.hexdigest()[:16]]


def build(chunks: Callable[[], Iterable[Chunk]], **parts: object) -> Store:
    """Open the store made from `parts`, making it first where it is absent.

    Args:
        chunks: called once if the store is absent; memory is bounded by its largest chunk.
        **parts: everything the content depends on: the sources' `identity`, the reader and its version,
            options, size. Plain JSON values.

    Raises:
        DataError: from `chunks`, or the disk is full; then nothing is stored.
    """
    name = artifacts.key(layout=LAYOUT, **parts)
    try:
        folder = artifacts.build_once(KIND, name, lambda draft: write(draft, chunks()))
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise no_room(error, artifacts.home() / KIND) from error
    return open_store(folder)


def no_room(
    error: OSError, shelf: Path, needed: int = 0, kept: str = "Nothing is kept: make room, "
) -> DataError:
    """What to raise where the disk is full.

    Args:
        error: what the disk said.
        shelf: folder of the stores.
        needed: bytes of the whole store, 0 if nobody knows.
        kept: what became of the work, the beginning of a sentence.
    """
    free = shutil.disk_usage(shelf).free if shelf.is_dir() else 0
    rule = f"the folder must have room for {_size(needed) if needed else 'the store'}"
    fix = f"{kept}or set FER_HOME to a folder on another disk."
    return DataError(str(shelf), rule, f"{error.strerror} ({_size(free)} free)", fix)


def _size(count: float) -> str:
    for unit in ("bytes", "KB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


def write(folder: Path, chunks: Iterable[Chunk]) -> None:
    """Write a store into an empty folder, chunk by chunk."""
    tables: list[pd.DataFrame] = []
    truths: list[pd.DataFrame] = []
    dropped: Counter = Counter()
    mended: Counter = Counter()
    digest = hashlib.sha256()
    with (folder / "images.npy").open("wb") as file:
        shape = _stream(file, _collected(chunks, tables, truths, dropped, mended), digest)
    finish_table(folder, "table", tables, digest)
    if truths:
        finish_table(folder, "truth", truths, digest)
    write_meta(folder, shape, digest, dropped, mended=mended)


def finish_table(folder: Path, name: str, parts: list[pd.DataFrame], digest) -> pd.DataFrame:
    """Join parts of a table, write it, and let `digest` know its content."""
    frame = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
    digest.update(_digest_of(frame))
    frame.to_parquet(folder / f"{name}.parquet", index=False)
    return frame


def write_meta(
    folder: Path, shape: Sequence[int], digest, dropped: Counter, *, mended: Counter, listed: int = 0
) -> None:
    """Write what is told of a whole store; `digest` has seen its pictures and tables."""
    digest.update(repr(tuple(shape)).encode())
    meta = {
        "layout": LAYOUT,
        "shape": list(shape),
        "fingerprint": digest.hexdigest()[:16],
        "dropped": [[split, reason, count] for (split, reason), count in sorted(dropped.items())],
        "mended": sorted(mended.items()),
        "listed": listed,
    }
    artifacts.atomic_write(folder / "meta.json", json.dumps(meta, indent=1))


def open_store(folder: Path) -> Store:
    """Open a store, checking that its files belong together.

    Raises:
        DataError: a file is missing or damaged.
    """
    try:
        meta = json.loads((folder / "meta.json").read_text())
        pixels = np.load(folder / "images.npy", mmap_mode="r", allow_pickle=False)
        table = pd.read_parquet(folder / "table.parquet")
        truth = pd.read_parquet(folder / "truth.parquet") if (folder / "truth.parquet").exists() else None
        whole = list(pixels.shape) == meta["shape"] and len(table) == len(pixels)
    except (OSError, ValueError, KeyError) as error:
        raise _damaged(folder, f"{type(error).__name__}: {error}") from error
    if not whole:
        raise _damaged(folder, f"{len(table)} rows and pictures {pixels.shape}")
    dropped = Counter({(split, reason): count for split, reason, count in meta["dropped"]})
    mended, listed = Counter(dict(meta.get("mended", ()))), meta.get("listed", 0)
    return Store(pixels, table, truth, dropped, meta["fingerprint"], folder, mended, listed)


def _damaged(folder: Path, got: str) -> DataError:
    return DataError(
        str(folder), "a store must be as it was written", got, "Delete this folder; it is made again."
    )


def _collected(
    chunks: Iterable[Chunk],
    tables: list[pd.DataFrame],
    truths: list[pd.DataFrame],
    dropped: Counter,
    mended: Counter,
) -> Iterator[Chunk]:
    """Pass chunks on, keeping all but their pictures: only these are too large to be kept."""
    for chunk in chunks:
        tables.append(chunk.table)
        if chunk.truth is not None:
            truths.append(chunk.truth)
        dropped.update(chunk.lost)
        mended.update(chunk.mended)
        yield chunk


def check_images(chunk: Chunk, shape: tuple[int, ...]) -> None:
    """Refuse a chunk whose pictures are not uint8 (B, *shape), or do not have a row each."""
    images = chunk.images
    if len(chunk.table) != len(images):
        got = f"{len(chunk.table)} rows for {len(images)} pictures"
        raise ValueError(f"chunk must have a row a picture; got {got}. Correct the reader.")
    if images.dtype != np.uint8 or images.shape[1:] != tuple(shape):
        got = f"{images.dtype} {images.shape}"
        raise ValueError(f"images must be uint8 (B, *{tuple(shape)}); got {got}. Correct the reader.")


def _stream(file, chunks: Iterator[Chunk], digest) -> list[int]:
    """Append pictures to an .npy file whose header is set right at the end; return the array's shape."""
    number, shape = 0, None
    for chunk in chunks:
        if shape is None:
            shape = chunk.images.shape[1:]
            write_header(file, (0, *shape))
        check_images(chunk, shape)
        data = np.ascontiguousarray(chunk.images)
        file.write(data)
        digest.update(data)
        number += len(data)
    shape = shape or (1, 0, 0)
    end = file.tell()
    write_header(file, (number, *shape))
    file.seek(max(end, file.tell()))
    return [number, *shape]


def write_header(file, shape: tuple[int, ...]) -> None:
    """Write the .npy header; NumPy pads it so that the first axis may grow without moving the data."""
    file.seek(0)
    np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})


def _digest_of(frame: pd.DataFrame) -> bytes:
    """Hash a table's column names and values; the same on every machine."""
    names = json.dumps([str(column) for column in frame.columns]).encode()
    if not len(frame.columns):
        return names
    return names + pd.util.hash_pandas_object(frame, index=False).to_numpy().astype("<u8").tobytes()
