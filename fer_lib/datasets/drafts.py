"""Build a store that takes long, so that it goes on where it was interrupted.

While a store is made it lies in a draft folder of a fixed name, ``.<key>.draft``, beside the finished ones:
pictures are appended to ``images.npy``, and after each chunk two small files in ``parts`` say what it
brought. The second of them makes the chunk count. Whoever finds a draft keeps its whole parts, cuts off what
was written after them, and goes on with the next chunk; a lock lets one process build at a time. The finished
draft is renamed, so that a store is there whole or not at all, and holds the same bytes however often its
making was interrupted.
"""

from __future__ import annotations

import csv
import errno
import hashlib
import io
import json
import os
import shutil
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pandas as pd

from fer_lib import artifacts
from fer_lib.datasets.store import (
    FULL,
    KIND,
    LAYOUT,
    Chunk,
    Skip,
    Store,
    check_images,
    finish_table,
    no_room,
    open_store,
    write_header,
    write_meta,
)
from fer_lib.errors import DataError

_KEPT_DAYS = 30  # a draft that nobody went on with for so long is taken away
LONG = 5000  # rows: of shorter lists one waits to learn how many files are missing in all
_BLOCK = 1 << 22
_SUFFIXES = ("feather", "json")  # of a part: its table, and what is told of it


@dataclass(frozen=True)
class Source:
    """What a store is made from, once it turns out to be absent.

    Args:
        chunks: makes the chunks from the n-th on; the same ones each time.
        listed: how many rows the label files name, 0 if nobody knows yet.
        pictures: how many pictures are to be expected, 0 if nobody knows yet.
        shape: (C, H, W) of a picture.
        dropped: (split, reason) -> rows that were left out before.
        mended: what was mended -> how often.
    """

    chunks: Callable[[int], Iterator[Chunk]]
    listed: int
    pictures: int
    shape: tuple[int, int, int]
    dropped: Counter = field(default_factory=Counter)
    mended: Counter = field(default_factory=Counter)


Bear = Callable[[list[Skip], int, bool], None]


def build(source: Callable[[], Source], bear: Bear, **parts: object) -> Store:
    """Open the store made from `parts`, making it first, or going on with it, where it is absent.

    Args:
        source: called only if the store is absent.
        bear: called with all rows skipped so far, `Source.listed`, and whether that is all, after each chunk
            of a long list and at the end; raises DataError where too many are lost.
        **parts: as for `fer_lib.datasets.store.build`.

    Raises:
        DataError: from the source or `bear`: nothing is stored. Or the disk is full: what was decoded is
            kept, and the next call goes on there. Or the folder of the stores may not be written.
    """
    name = artifacts.key(layout=LAYOUT, **parts)
    target = artifacts.home() / KIND / name
    if target.is_dir():
        return open_store(target)
    try:
        with artifacts.locked(target.parent, name):
            if not target.is_dir():  # else another process made it while this one waited
                _make(target, source(), bear)
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise no_room(error, target.parent) from error
    return open_store(target)


def forget(store: Store) -> None:
    """Take a store away, so that it is made again; whoever has it open keeps it."""
    with artifacts.locked(store.folder.parent, store.folder.name):
        old = store.folder.parent / f".{store.folder.name}.draft"
        shutil.rmtree(old, ignore_errors=True)
        if store.folder.is_dir():
            os.replace(store.folder, old)
            shutil.rmtree(old, ignore_errors=True)


def _make(target: Path, source: Source, bear: Bear) -> None:
    _take_old_drafts_away(target.parent)
    folder = target.parent / f".{target.name}.draft"
    (folder / "parts").mkdir(parents=True, exist_ok=True)
    size = int(np.prod(source.shape))
    done = 0
    try:
        with _Draft(folder, source.shape) as draft:
            done = draft.rows
            left = (source.pictures - draft.seen) * size
            if shutil.disk_usage(folder).free < 0.75 * left:  # a few may be skipped: no false alarm
                raise OSError(errno.ENOSPC, "too little is free")
            for chunk in source.chunks(draft.number):
                draft.add(chunk)
                done = draft.rows
                if source.listed > LONG:
                    bear(draft.skipped, source.listed, False)
            bear(draft.skipped, source.listed or draft.seen, True)
            draft.finish(source)
    except DataError:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    except OSError as error:
        if error.errno not in FULL:
            raise
        kept = (
            f"{done} decoded pictures are kept there: make room and call again, and it goes on after them; "
        )
        raise no_room(error, target.parent, max(source.pictures, done) * size, kept) from error
    os.replace(folder, target)
    shutil.rmtree(target / "parts", ignore_errors=True)


class _Draft:
    """A draft folder, opened to go on: whole parts are kept, the rest is cut off."""

    def __init__(self, folder: Path, shape: tuple[int, int, int]) -> None:
        self.folder, self.shape = folder, shape
        self.digest = hashlib.sha256()
        self.number = self.rows = self.seen = 0
        self.skipped: list[Skip] = []
        self.dropped: Counter = Counter()
        self.mended: Counter = Counter()
        images = folder / "images.npy"
        self.file: BinaryIO = images.open("r+b" if images.exists() else "w+b")

    def __enter__(self) -> _Draft:
        try:
            write_header(self.file, (0, *self.shape))
            while self._take_up():
                pass
            self.file.truncate()
            kept = {self._part(suffix, n).name for n in range(self.number) for suffix in _SUFFIXES}
            for leftover in (self.folder / "parts").iterdir():
                if leftover.name not in kept:
                    leftover.unlink()
        except BaseException:
            self.file.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.file.close()
        except OSError as error:  # what waited to be written found no room: it does not count
            if error.errno not in FULL:
                raise

    def add(self, chunk: Chunk) -> None:
        """Append a chunk; it counts once its second file is there."""
        check_images(chunk, self.shape)
        data = np.ascontiguousarray(chunk.images)
        self.file.write(data.data)
        self.file.flush()
        table = io.BytesIO()
        chunk.table.reset_index(drop=True).to_feather(table)
        told = {
            "rows": len(data),
            "check": zlib.crc32(data.data) if data.size else 0,
            "skipped": chunk.skipped,
            "dropped": [[*key, count] for key, count in sorted(chunk.dropped.items())],
            "mended": sorted(chunk.mended.items()),
        }
        self._part("feather").write_bytes(table.getvalue())
        artifacts.atomic_write(self._part("json"), json.dumps(told))
        self.digest.update(data.data)
        self._count(told)

    def finish(self, source: Source) -> None:
        """Write the tables and what is told of the whole."""
        tables = [pd.read_feather(self._part("feather", number)) for number in range(self.number)]
        table = finish_table(self.folder, "table", tables, self.digest)
        del tables, table
        write_header(self.file, (self.rows, *self.shape))
        self.file.flush()
        os.fsync(self.file.fileno())
        names = ["path", "split", "reason", "detail"]
        listed = pd.DataFrame(self.skipped, columns=names).to_csv(index=False, quoting=csv.QUOTE_ALL)
        artifacts.atomic_write(self.folder / "skipped.csv", listed)
        lost = Counter((split, reason) for _, split, reason, _ in self.skipped)
        write_meta(
            self.folder,
            (self.rows, *self.shape),
            self.digest,
            source.dropped + self.dropped + lost,
            mended=source.mended + self.mended,
            listed=source.listed or self.seen,
        )

    def _part(self, suffix: str, number: int | None = None) -> Path:
        return self.folder / "parts" / f"{self.number if number is None else number:06d}.{suffix}"

    def _take_up(self) -> bool:
        """Count the next part if it is there and its pictures are as they were written."""
        try:
            told = json.loads(self._part("json").read_text())
            if not self._part("feather").is_file():
                return False
        except (OSError, ValueError):
            return False
        start, left, check = self.file.tell(), told["rows"] * int(np.prod(self.shape)), 0
        digest = self.digest.copy()
        while left:
            data = self.file.read(min(left, _BLOCK))
            if not data:
                break
            check, left = zlib.crc32(data, check), left - len(data)
            digest.update(data)
        if left or check != told["check"]:
            self.file.seek(start)
            return False
        self.digest = digest
        self._count(told)
        return True

    def _count(self, told: dict) -> None:
        self.number += 1
        self.rows += told["rows"]
        self.seen += told["rows"] + len(told["skipped"])
        self.skipped += [tuple(skip) for skip in told["skipped"]]
        self.dropped.update({(split, reason): count for split, reason, count in told["dropped"]})
        self.mended.update(dict(told["mended"]))


def _take_old_drafts_away(shelf: Path) -> None:
    for parts in shelf.glob(".*.draft/parts"):
        if time.time() - parts.stat().st_mtime > _KEPT_DAYS * 86_400:
            shutil.rmtree(parts.parent, ignore_errors=True)
