"""Decode a corpus: files in, chunks of cut out faces with their rows out, in order, on several threads.

Pillow and OpenCV let other threads run while they decode, so threads are enough, and nothing has to be
copied between processes. The result does not depend on their number. What cannot be read is left out,
told with its reason in `Chunk.skipped`, and never stops the work: see `fer_lib.datasets.reading` for how much
of it is borne.
"""

from __future__ import annotations

import os
from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from itertools import islice

import numpy as np
import pandas as pd

from fer_lib.datasets.framing import Cut, cut, shrink_wanted
from fer_lib.datasets.listing import (
    FACELESS_CLIP,
    FACELESS_FRAME,
    FORBIDDEN,
    MISNAMED,
    MISSING,
    NO_FRAME,
    UNREADABLE,
    Listing,
    Release,
)
from fer_lib.datasets.paths import is_text
from fer_lib.datasets.pictures import PictureError, decode, resize
from fer_lib.datasets.store import Chunk, Skip
from fer_lib.errors import DataError

ROWS = 256  # pictures a chunk
LANDMARKS = [f"lm_{axis}_{point:02d}" for point in range(68) for axis in "xy"]
"""Columns of the stored table that hold landmarks, in the order of (68, 2)."""

Task = Callable[[], Chunk]


def chunks(
    release: Release,
    listing: Listing,
    *,
    size: int | None = None,
    workers: int | None = None,
    progress: bool | None = None,
    start: int = 0,
) -> Iterator[Chunk]:
    """Decode everything a listing names.

    Args:
        release: says how.
        listing: says what.
        size: side of the pictures; None takes the release's own.
        workers: threads; None takes ``$FER_WORKERS``, else all cores. The chunks do not depend on it.
        progress: show a bar; None shows it on a terminal only.
        start: how many chunks to leave out at the beginning; they are not decoded.

    Yields:
        Chunks of `ROWS` pictures (fewer where some were skipped), or of one clip each. Their tables have the
        listing's columns; then ``faces``, the number of faces found, where faces are looked for; and
        ``lm_x_00`` to ``lm_y_67`` where the listing has landmarks, in pixels of the stored pictures; or, of
        clips, ``frame``, ``seconds``, ``clip_frames`` (frames looked at for the
        row) and ``clip_faces`` (with a face).

    Raises:
        DataError: only from `Release.chunks`; pictures and clips that cannot be read are skipped.
    """
    size = size or release.side
    if release.chunks is not None:
        whole = None if size == release.side else size
        for chunk in islice(release.chunks(), start, None):
            yield replace(chunk, images=resize(chunk.images, whole))
        return
    tasks, rows = _tasks(release, listing, size)
    from fer_lib.worlds.workers import number_of_workers

    threads = number_of_workers(workers)
    begin = _one_torch_thread if release.finish else None  # torch takes seconds to import
    with _bar(release, sum(rows), sum(rows[:start]), progress) as bar, _quiet_cv2():
        results = _in_order(tasks[start:], threads, begin)
        for chunk, number in zip(results, rows[start:], strict=True):
            yield chunk
            bar.update(number)


def _tasks(release: Release, listing: Listing, size: int) -> tuple[list[Task], list[int]]:
    """Pieces of work in order, and how many rows each takes from the listing."""
    table = listing.table
    if release.media == "clips":
        paths = table["path"].to_numpy()
        first = np.flatnonzero(np.r_[True, paths[1:] != paths[:-1]]) if len(paths) else np.zeros(0, int)
        work: Callable[..., Chunk] = _clip
    else:
        first = np.arange(0, len(table), ROWS)
        work = _pictures
    pieces = [slice(int(a), int(b)) for a, b in zip(first, [*first[1:], len(table)], strict=True)]
    tasks: list[Task] = [partial(work, release, listing, size, piece) for piece in pieces]
    return tasks, [piece.stop - piece.start for piece in pieces]


def _in_order(tasks: list[Task], workers: int, begin: Callable[[], None] | None) -> Iterator[Chunk]:
    """Run tasks on threads that start with `begin`; results in order, only a few wait in memory."""
    waiting: deque[Future[Chunk]] = deque()
    pool = ThreadPoolExecutor(workers, thread_name_prefix="decode", initializer=begin)
    try:
        for task in tasks:
            waiting.append(pool.submit(task))
            if len(waiting) > workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _one_torch_thread() -> None:
    """Sums over several threads may round otherwise; the chunks are spread over threads already."""
    import torch

    torch.set_num_threads(1)


@contextmanager
def _quiet_cv2() -> Iterator[None]:
    """Let each thread of ours do its OpenCV work alone."""
    import cv2

    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


def _bar(release: Release, total: int, done: int, progress: bool | None):
    from tqdm.auto import tqdm

    from fer_lib.worlds.workers import _on_terminal

    hidden = not _on_terminal() if progress is None else not progress
    unit = "row" if release.media == "clips" else "picture"
    return tqdm(total=total, initial=done, desc=f"decoding {release.name}", unit=unit, disable=hidden)


def _pictures(release: Release, listing: Listing, size: int, piece: slice) -> Chunk:
    """Decode the pictures of some rows."""
    paths, splits = listing.table["path"].iloc[piece], listing.table["split"].iloc[piece]
    images = np.empty((len(paths), release.channels, size, size), np.uint8)
    marks = np.full((len(paths), 68, 2), np.nan, np.float32)
    kept, faces, skipped = list[int](), list[int](), list[Skip]()
    for row, path, split in zip(range(piece.start, piece.stop), paths, splits, strict=True):
        try:
            face, detail = _picture(release, listing, size, row, path), ""
        except PictureError as error:
            face, detail = Cut(None, reason=error.reason), error.detail
        if face.image is None:
            skipped.append((_text(path), split, face.reason, detail))
            continue
        images[len(kept)] = face.image
        if face.landmarks is not None:
            marks[len(kept)] = face.landmarks
        kept.append(row)
        faces.append(face.faces)
    images, marks = images[: len(kept)], marks[: len(kept)]
    table = _named(listing.table.iloc[kept])
    if release.finish is not None and kept:
        images = release.finish(images, marks, table)
    if release.framing == "found":
        table = table.assign(faces=np.array(faces, np.int64))
    if listing.landmarks is not None:
        columns = pd.DataFrame(marks.reshape(-1, len(LANDMARKS)), columns=LANDMARKS)
        table = pd.concat([table, columns], axis=1)
    return Chunk(images, table, skipped=skipped)


def _picture(release: Release, listing: Listing, size: int, row: int, path: str) -> Cut:
    """Decode one picture and cut the face out."""
    if not is_text(path):
        raise PictureError(_text(path), MISNAMED, "")
    box = None if listing.boxes is None or release.framing != "given" else listing.boxes[row]
    points = None if listing.landmarks is None else listing.landmarks[row]
    factor = 1

    def shrink(shape: tuple[int, int]) -> int:
        nonlocal factor
        factor = shrink_wanted(release.framing, size, shape, box)
        return factor

    place = os.path.join(release.root, path)
    image = decode(place, channels=release.channels, shrink=shrink, upright=release.upright)
    if factor > 1:
        box = None if box is None else box / factor
        points = None if points is None else (points + 0.5) / factor - 0.5
    return cut(image, framing=release.framing, size=size, box=box, landmarks=points)


def _clip(release: Release, listing: Listing, size: int, piece: slice) -> Chunk:
    """Decode the frames of one clip's rows."""
    from fer_lib.datasets.clips import read_clip

    rows = listing.table.iloc[piece]
    path, number = rows["path"].iloc[0], len(rows)
    spans = np.full((number, 2), np.nan) if listing.spans is None else listing.spans[piece]
    try:
        if not is_text(path):
            raise PictureError(_text(path), MISNAMED, "")
        frames = read_clip(
            os.path.join(release.root, path),
            spans,
            every_s=release.every_s,
            framing=release.framing,
            size=size,
            channels=release.channels,
        )
    except DataError as error:
        reason, detail = _why(error)
        empty = np.zeros((0, release.channels, size, size), np.uint8)
        skipped = [(_text(path), split, reason, detail) for split in rows["split"]]
        return Chunk(empty, _with_frames(rows.iloc[:0], *np.zeros((4, 0))), skipped=skipped)
    seen, faces = frames.seen, frames.faces
    table = _with_frames(
        rows.iloc[frames.row], frames.frame, frames.seconds, seen[frames.row], faces[frames.row]
    )
    told = zip(rows["split"], seen, faces, spans, strict=True)
    skipped = [
        (path, split, FACELESS_CLIP, "") if a else (path, split, NO_FRAME, _beyond(span, frames.end_s))
        for split, a, b, span in told
        if not b
    ]
    dropped: Counter = Counter()
    for split, a, b in zip(rows["split"], seen, faces, strict=True):
        dropped[split, FACELESS_FRAME] += int(a - b)
    return Chunk(frames.images, table, dropped=+dropped, skipped=skipped)


def _beyond(span: np.ndarray, end_s: float) -> str:
    """Say of a stretch without frames where it lies, and where the film ends if it ends before."""
    place = f"from {span[0]:g} s to {span[1]:g} s"
    return f"{place}, the film's last frame is at {end_s:.2f} s" if end_s < span[0] else place


def _with_frames(
    rows: pd.DataFrame, frame: np.ndarray, seconds: np.ndarray, seen: np.ndarray, faces: np.ndarray
) -> pd.DataFrame:
    """Add what is told of the frames to their rows."""
    added = {"frame": frame, "seconds": seconds, "clip_frames": seen, "clip_faces": faces}
    kinds = {name: float if name == "seconds" else np.int64 for name in added}
    columns = {name: np.asarray(values).astype(kinds[name]) for name, values in added.items()}
    return _named(rows).assign(**columns)


def _named(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows whose paths are text, numbered from 0; see `fer_lib.datasets.paths.column`."""
    rows = rows.reset_index(drop=True)
    return rows.assign(path=rows["path"].astype("str")) if rows["path"].dtype == object else rows


def _why(error: DataError) -> tuple[str, str]:
    """Reason and detail of a clip that cannot be read."""
    if isinstance(error, PictureError):
        return error.reason, error.detail
    kinds = {FileNotFoundError: MISSING, NotADirectoryError: MISSING, PermissionError: FORBIDDEN}
    reason = next((told for kind, told in kinds.items() if isinstance(error.__cause__, kind)), UNREADABLE)
    return reason, str(error.got)


def _text(path: str) -> str:
    r"""A path as UTF-8 text; bytes that are none are written as \xe9 and so on."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
