"""Read clips: frames chosen by time, faces followed from frame to frame, one pass through the file.

Frames are taken by the times that the file gives them, not by counting, so films with 29.97 or varying
frames a second are read right. Only wanted frames are converted to pictures; the others are passed over.
Pictures are held a block at a time, whatever the length of the film.
"""

from __future__ import annotations

import contextlib
import math
import os
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fer_lib.datasets.containers import missing_bytes
from fer_lib.datasets.framing import cut
from fer_lib.datasets.listing import check_every, check_framing
from fer_lib.datasets.paths import plain
from fer_lib.errors import DataError

if TYPE_CHECKING:
    from fer_lib.preprocess.track import Tracker

FILM_SUFFIXES = (".mp4", ".mov", ".avi", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".wmv", ".flv")
LARGEST = 64_000_000  # pixels of a frame
BLOCK_BYTES = 128 << 20  # of pictures that wait for their faces to be followed
BLOCK = 256  # and how many, at most
EARLY_S = 1e-3  # times are rounded to milliseconds in some containers
_ONE_BY_ONE = threading.Lock()
_AGAIN = "Fetch the clip again, or take it and its row out."


@dataclass(frozen=True)
class ClipFrames:
    """Frames of a clip, the rows in their order, each row's frames in the order of time.

    Attributes:
        images: uint8 (F, C, S, S), the faces cut out.
        row: int64 (F,), the span each frame was wanted for.
        frame: int64 (F,), number of the frame in the file, from 0.
        seconds: float (F,), its time.
        seen: int64 (K,), frames looked at for each span.
        faces: int64 (K,), how many of them have a face and are in `images`.
        end_s: time of the film's last frame where the film ends before a span does; nan where nobody looked.
    """

    images: np.ndarray
    row: np.ndarray
    frame: np.ndarray
    seconds: np.ndarray
    seen: np.ndarray
    faces: np.ndarray
    end_s: float = math.nan


@dataclass
class _Span:
    """What is wanted of one stretch, and what came of it so far."""

    start: float
    stop: float
    every_s: float | None
    tracker: Tracker | None
    next_s: float
    seen: int = 0
    end_s: float = math.nan  # of the film, where it came to its end
    waiting: list[tuple[int, float, np.ndarray]] = field(default_factory=list)
    kept: list[tuple[int, float, np.ndarray]] = field(default_factory=list)

    def wants(self, seconds: float) -> bool:
        """Whether a frame is the first at or after a wanted time; the next wanted time comes after it."""
        if not self.next_s - EARLY_S <= seconds < self.stop - EARLY_S:
            return False
        if self.every_s is not None:
            passed = math.floor((seconds + EARLY_S - self.start) / self.every_s)
            self.next_s = self.start + (passed + 1) * self.every_s
        return True

    def finish(self, framing: str, size: int) -> None:
        """Follow the face through the frames that wait, and cut it out of each."""
        boxes: Iterable[np.ndarray | None] = [None] * len(self.waiting)
        if self.tracker is not None:
            times = [seconds for _, seconds, _ in self.waiting]
            boxes = self.tracker.follow([picture for _, _, picture in self.waiting], times).boxes
        for (number, seconds, picture), box in zip(self.waiting, boxes, strict=True):
            if box is None or not np.isnan(box).any():
                image = cut(picture, framing=framing, size=size, box=box).image
                if image is not None:
                    self.kept.append((number, seconds, image))
        self.waiting.clear()


def read_clip(
    path: str | Path,
    spans: np.ndarray,
    *,
    every_s: float | None,
    framing: str,
    size: int,
    channels: int,
) -> ClipFrames:
    """Read frames of some stretches of a film, with the faces cut out.

    Of each span [start, stop) the first frame at or after ``start + k * every_s`` is taken, k = 0, 1, ...;
    where the film has fewer frames than that, no frame is taken twice. Frames without a face are counted and
    left out. Where a film ends before a span does, the span has fewer frames: see `ClipFrames.seen`.

    Args:
        path: a file that OpenCV's FFmpeg reads; a rotation noted in it is applied.
        spans: (K, 2) first and last second of each stretch; nan: from the start, to the end. They may
            overlap.
        every_s: seconds between frames; None takes every frame.
        framing: as for `fer_lib.datasets.framing.cut`; "found" and "aligned" follow the face over the span.
        size: side of the pictures.
        channels: 1 grey, 3 colour.

    Raises:
        DataError: missing, not readable, empty, cut off (mp4, mov, avi), no video, or frames above 64
            megapixels. Its cause is an `OSError` where the file cannot be opened.
        ValueError: an argument out of its range.
    """
    check_framing(framing)
    wanted = _spans(spans, check_every(every_s), follow=framing in ("found", "aligned"))
    room, waiting = 0, 0
    for number, seconds, picture, takers in _wanted(Path(path), wanted, channels):
        for span in takers:
            span.seen += 1
            span.waiting.append((number, seconds, picture))
        room, waiting = room + picture.nbytes, waiting + len(takers)
        if room > BLOCK_BYTES or waiting >= BLOCK:
            _finish(wanted, framing, size)
            room, waiting = 0, 0
    _finish(wanted, framing, size)
    return _gathered(wanted, (channels, size, size))


@contextlib.contextmanager
def cv2_quietly() -> Iterator[None]:
    """Keep OpenCV and FFmpeg from writing to the terminal about films that do not open: errors say it."""
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # read when the first film of a process is opened
    import cv2

    with _ONE_BY_ONE:
        level = cv2.utils.logging.getLogLevel()
        cv2.utils.logging.setLogLevel(0)
        try:
            yield
        finally:
            cv2.utils.logging.setLogLevel(level)


def announced_frames(path: Path) -> int:
    """How many frames a film announces; 0 if it does not open or does not say."""
    import cv2

    try:
        with _opened(path) as film:
            return max(0, int(film.get(cv2.CAP_PROP_FRAME_COUNT)))
    except DataError:
        return 0


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """Open a film for reading, or say why not."""
    import cv2

    if path.is_fifo():  # to open one waits for somebody to write
        raise DataError(str(path), "the clip must be a file", "a pipe", "Put the clip in its place.")
    try:
        with path.open("rb") as file:
            empty = not file.read(1)
        lost = missing_bytes(path)
    except OSError as error:
        got = error.strerror or type(error).__name__
        raise DataError(str(path), "the clip must be readable", got, "Restore the file.") from error
    if empty:
        raise DataError(str(path), "the clip must hold a film", "an empty file", _AGAIN)
    if lost:
        raise DataError(str(path), "the clip must be whole", f"a file without its last {lost} bytes", _AGAIN)
    with cv2_quietly(), plain(path) as name:
        how = [cv2.CAP_PROP_N_THREADS, 1]  # several clips are read side by side instead
        film = cv2.VideoCapture(name, cv2.CAP_FFMPEG, how)
    try:
        if not film.isOpened():
            raise DataError(str(path), "the clip must hold a film", "a file without readable video", _AGAIN)
        yield film
    finally:
        film.release()


def _wanted(
    path: Path, spans: list[_Span], channels: int
) -> Iterator[tuple[int, float, np.ndarray, list[_Span]]]:
    """Go through a film once: number, time and picture of each wanted frame, with the spans that want it."""
    import cv2

    last = max((span.stop for span in spans), default=0.0)
    with _opened(path) as film:
        pixels = film.get(cv2.CAP_PROP_FRAME_WIDTH) * film.get(cv2.CAP_PROP_FRAME_HEIGHT)
        if pixels > LARGEST:
            rule = f"a frame must have at most {LARGEST} pixels"
            raise DataError(str(path), rule, int(pixels), _AGAIN)
        number, seconds = -1, math.nan
        for number, seconds in _times(film):
            if seconds >= last:
                return
            takers = [span for span in spans if span.wants(seconds)]
            if takers:
                yield number, seconds, _picture(film, path, number, channels), takers
        if number < 0:
            raise DataError(str(path), "the clip must hold frames", "none that decodes", _AGAIN)
        for span in spans:
            span.end_s = seconds


def _times(film: Any) -> Iterator[tuple[int, float]]:
    """Number and time of each frame; where a file gives no times, or false ones, frames follow evenly."""
    import cv2

    fps = film.get(cv2.CAP_PROP_FPS)
    step = 1 / fps if fps > 0 else 0.04
    number, before = 0, -math.inf
    while film.grab():
        seconds = film.get(cv2.CAP_PROP_POS_MSEC) / 1000
        if not seconds > before:
            seconds = before + step
        yield number, seconds
        number, before = number + 1, seconds


def _picture(film: Any, path: Path, number: int, channels: int) -> np.ndarray:
    """The frame that was grabbed last, uint8 (C, H, W)."""
    import cv2

    whole, image = film.retrieve()
    if not whole or image is None:
        raise DataError(f"{path}, frame {number}", "the frame must decode", "a broken frame", _AGAIN)
    if channels == 1:
        return cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)[None]
    colours = np.empty((3, *image.shape[:2]), np.uint8)
    cv2.split(image, [colours[2], colours[1], colours[0]])  # OpenCV has blue first
    return colours


def _spans(spans: np.ndarray, every_s: float | None, *, follow: bool) -> list[_Span]:
    """Check spans and make ready to follow the face of each."""
    from fer_lib.preprocess.track import Tracker  # brings torch along

    spans = np.asarray(spans, dtype=float)
    if spans.ndim != 2 or spans.shape[1] != 2:
        raise ValueError(f"spans must be (K, 2); got {spans.shape}. Give first and last seconds.")
    starts, stops = np.where(np.isnan(spans), [0.0, math.inf], spans).T
    if (starts >= stops).any():
        row = int((starts >= stops).argmax())
        raise ValueError(f"spans must begin before they end; got {spans[row]}. Correct row {row}.")
    return [
        _Span(start, stop, every_s, Tracker() if follow else None, start)
        for start, stop in zip(starts.tolist(), stops.tolist(), strict=True)
    ]


def _finish(spans: list[_Span], framing: str, size: int) -> None:
    for span in spans:
        span.finish(framing, size)


def _gathered(spans: list[_Span], shape: tuple[int, ...]) -> ClipFrames:
    """Put the frames of all spans together."""
    kept = [frame for span in spans for frame in span.kept]
    faces = np.array([len(span.kept) for span in spans], dtype=np.int64)
    return ClipFrames(
        images=np.stack([image for _, _, image in kept]) if kept else np.zeros((0, *shape), np.uint8),
        row=np.repeat(np.arange(len(spans)), faces),
        frame=np.array([number for number, _, _ in kept], dtype=np.int64),
        seconds=np.array([seconds for _, seconds, _ in kept], dtype=float),
        seen=np.array([span.seen for span in spans], dtype=np.int64),
        faces=faces,
        end_s=spans[0].end_s if spans else math.nan,
    )
