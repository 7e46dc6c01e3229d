"""Follow one face through the frames of a film, also where the detector loses it.

1. `find_faces` looks at every frame, and `best_chain` says which of the faces belong together: the largest
   that persists is followed, and a false alarm, or another face for a moment, is passed over.
2. Where the chain has no face, the last one seen is searched near its place by normalised cross-correlation,
   forward from before the gap and backward from after it; the better match counts.
3. Places and sizes are smoothed by medians over neighbouring frames, as far as these are close in time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from fer_lib.preprocess.chains import FRAME_S, best_chain
from fer_lib.preprocess.detect import find_faces

SHORTER = 240  # frames are searched at this size of their shorter side, if they are larger
SIDE = 32  # pixels of a face when patches are compared
INNER = 0.85  # share of the box that is compared: less of what is behind the head
SCALES = (0.92, 1.0, 1.09)
LONE = 5  # in a film of more frames a face must be found twice
FLAT = 2  # grey levels: where patches vary less, correlation says nothing
STEADY_S = 0.25  # to either side: frames so close show nearly the same place, and it is smoothed
WIDEST = 0.9  # widths from its last place to which the search grows: farther off, walls look like faces too


@dataclass(frozen=True)
class Track:
    """Where the face is in F frames.

    Attributes:
        boxes: float (F, 4): left, top, width, height in pixels; nan where there is no face.
        detected: bool (F,), whether the detector found it; elsewhere it was followed, or is not there.
    """

    boxes: np.ndarray
    detected: np.ndarray

    @property
    def found(self) -> np.ndarray:
        """bool (F,), whether a frame has a face."""
        return ~np.isnan(self.boxes).any(1)

    @property
    def followed(self) -> int:
        """Frames in which the face was followed where the detector did not find it."""
        return int((self.found & ~self.detected).sum())

    @property
    def missed(self) -> int:
        """Frames without a face."""
        return int((~self.found).sum())


def track_faces(pictures: Sequence[np.ndarray], **options: float) -> Track:
    """Follow one face through a film.

    Args:
        pictures: F frames in order, uint8 (1 or 3, H, W).
        **options: of `Tracker`.

    Example:
        >>> track = track_faces([np.zeros((1, 48, 48), np.uint8)] * 3)
        >>> track.missed, track.boxes.shape
        (3, (3, 4))

    Reference:
        Viola and Jones (2001) for the detector; Lewis (1995) for normalised cross-correlation.
    """
    return Tracker(**options).follow(pictures)  # type: ignore[arg-type]


class Tracker:
    """Follows one face through blocks of frames, so that a long film need not be held in memory.

    Args:
        search: how far from its last place a lost face is searched, as a share of its width; more with every
            frame it stays lost.
        match: smallest correlation, in (0, 1), that counts as the face.
        patience: frames a lost face is searched for before it is given up.
        smooth_place, smooth_size: most frames, odd, of the medians of places and of sizes; 1 does not smooth.
            Frames more than `STEADY_S` away do not take part.
        smallest: smallest face, as a share of the picture's shorter side.
        pad: border for a second look at frames in which no face was found: see `find_faces`.

    Raises:
        ValueError: an option out of its range.
    """

    def __init__(
        self,
        *,
        search: float = 0.6,
        match: float = 0.7,
        patience: int = 10,
        smooth_place: int = 3,
        smooth_size: int = 5,
        smallest: float = 0.12,
        pad: float = 0.25,
    ) -> None:
        rules = (
            ("search", search, 0 < search <= 2, "lie in (0, 2]"),
            ("match", match, 0 < match < 1, "lie in (0, 1)"),
            ("patience", patience, patience >= 0, "be 0 or more"),
            ("smooth_place", smooth_place, smooth_place > 0 and smooth_place % 2, "be odd, from 1"),
            ("smooth_size", smooth_size, smooth_size > 0 and smooth_size % 2, "be odd, from 1"),
        )
        for name, value, holds, rule in rules:
            if not holds:
                raise ValueError(f"{name} must {rule}; got {value}. Leave it out for the usual value.")
        self.search, self.match, self.patience = search, match, int(patience)
        self.smooth_place, self.smooth_size = int(smooth_place), int(smooth_size)
        self.smallest, self.pad = smallest, pad
        self._last: _Seen | None = None
        self._last_s: float | None = None

    def follow(self, pictures: Sequence[np.ndarray], seconds: Sequence[float] | None = None) -> Track:
        """Follow the face through the next frames.

        Args:
            pictures: F frames that come after those of the call before, uint8 (1 or 3, H, W).
            seconds: their times (F,), rising; None takes 25 frames a second. A face may move farther, and is
                smoothed less, from frame to frame the longer that takes.

        Raises:
            ValueError: times that are not one for each frame, or do not rise.
        """
        times, gaps = self._times(len(pictures), seconds)
        small = [_small(picture) for picture in pictures]
        found = [self._find(grey) / scale for grey, scale in small]
        boxes = np.full((len(small), 4), np.nan)
        for frame, box in best_chain(found, None if self._last is None else self._last.box, gaps).items():
            boxes[frame] = box
        detected = ~np.isnan(boxes).any(1)
        if detected.sum() < 2 and len(small) > LONE and self._last is None:
            boxes[:], detected[:] = np.nan, False
        self._fill(small, boxes, np.flatnonzero(detected))
        return Track(_smoothed(boxes, times, self.smooth_place, self.smooth_size), detected)

    def _times(self, count: int, seconds: Sequence[float] | None) -> tuple[np.ndarray, np.ndarray]:
        """Time of each frame and seconds since the one before; the last is remembered."""
        before = 0.0 if self._last_s is None else self._last_s
        times = before + FRAME_S * np.arange(1, count + 1) if seconds is None else np.asarray(seconds, float)
        if self._last_s is None and times.size:
            before = float(times.flat[0]) - FRAME_S
        if times.shape != (count,) or not (np.diff(times, prepend=before) > 0).all():
            got = f"{times.size} from {times.flat[0]} to {times.flat[-1]}" if times.size else "none"
            raise ValueError(f"seconds must be {count} times that rise; got {got}. Give each frame's time.")
        self._last_s = float(times[-1]) if count else self._last_s
        return times, np.diff(times, prepend=before)

    def _find(self, grey: np.ndarray) -> np.ndarray:
        faces = find_faces(grey[None], smallest=self.smallest)
        if len(faces) or not self.pad:
            return faces
        return find_faces(grey[None], smallest=self.smallest, pad=self.pad)

    def _fill(self, small: list[tuple[np.ndarray, float]], boxes: np.ndarray, known: np.ndarray) -> None:
        """Follow the face into the gaps of `boxes` (F, 4) from both sides, and remember where it was last."""
        scores = np.where(np.isnan(boxes).any(1), -1.0, np.inf)
        stops = [*known.tolist(), len(small)]
        seen, first = self._last, 0
        for stop in stops:
            if seen is not None:
                seen = self._run(small, range(first, stop), seen, boxes, scores)
            if stop < len(small):
                after = _look(small[stop], boxes[stop])
                self._run(small, range(stop - 1, first - 1, -1), after, boxes, scores)
                seen, first = after, stop + 1
        self._last = seen

    def _run(
        self,
        small: list[tuple[np.ndarray, float]],
        frames: Iterable[int],
        seen: _Seen,
        boxes: np.ndarray,
        scores: np.ndarray,
    ) -> _Seen:
        """Follow a face from frame to frame; better scores than those there are taken over."""
        for frame in frames:
            if seen.misses >= self.patience:
                break
            wider = min(self.search * (1 + seen.misses / 4), WIDEST)
            box, score = _search(small[frame], seen, max(self.search, wider))
            if score < self.match:
                seen = _Seen(seen.box, seen.patch, seen.misses + 1)
                continue
            if score > scores[frame]:
                boxes[frame], scores[frame] = box, score
            seen = _look(small[frame], box)
        return seen


@dataclass(frozen=True)
class _Seen:
    """A face as it was last seen: box in pixels of the film, patch (n, n), frames since then."""

    box: np.ndarray
    patch: np.ndarray
    misses: int = 0


def _small(picture: np.ndarray) -> tuple[np.ndarray, float]:
    """A grey frame of the size that is searched, and its scale."""
    import cv2

    grey = cv2.cvtColor(cv2.merge([*picture]), cv2.COLOR_RGB2GRAY) if len(picture) == 3 else picture[0]
    scale = SHORTER / min(grey.shape)
    if scale >= 1:
        return np.ascontiguousarray(grey), 1.0
    return cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), scale


def _look(small: tuple[np.ndarray, float], box: np.ndarray) -> _Seen:
    """Keep the inner part of a face for later comparison."""
    grey, scale = small
    return _Seen(box, _window(grey, box * scale, INNER, round(INNER * SIDE)))


def _window(grey: np.ndarray, box: np.ndarray, share: float, side: int) -> np.ndarray:
    """A square of `share` box widths about a box's centre, at `side` pixels; edges of the frame go on."""
    import cv2

    half = share * box[2] / 2
    centre = box[:2] + box[2:] / 2
    low, high = np.round(centre - half).astype(int), np.round(centre + half).astype(int)
    high = np.maximum(high, low + 2)
    columns = np.arange(low[0], high[0]).clip(0, grey.shape[1] - 1)
    rows = np.arange(low[1], high[1]).clip(0, grey.shape[0] - 1)
    shrinks = side < high[0] - low[0]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return cv2.resize(grey[np.ix_(rows, columns)], (side, side), interpolation=how)


def _search(small: tuple[np.ndarray, float], seen: _Seen, reach: float) -> tuple[np.ndarray, float]:
    """Where a face looks most as it did: box in pixels of the film, and the correlation there."""
    import cv2

    grey, scale = small
    if seen.patch.std() <= FLAT:
        return seen.box, -1.0
    box, best, place = seen.box * scale, -1.0, seen.box
    share = INNER + 2 * reach
    for size in SCALES:  # the face may have grown by so much: its surroundings are shrunk instead
        side = round(share * SIDE / size)
        window = _window(grey, box, share, side)
        scores = cv2.matchTemplate(window, seen.patch, cv2.TM_CCOEFF_NORMED)
        top, left = np.unravel_index(int(np.nan_to_num(scores, nan=-1.0, posinf=-1.0).argmax()), scores.shape)
        there = window[top : top + len(seen.patch), left : left + len(seen.patch)]
        pixel = share * box[2] / side  # of the frame, a pixel of the window
        move = (np.array([left, top]) + len(seen.patch) / 2 - side / 2) * pixel
        centre = box[:2] + box[2:] / 2 + move
        seen_there = (centre >= 0).all() and (centre < grey.shape[::-1]).all() and there.std() > FLAT
        if seen_there and scores[top, left] > best:
            best = float(scores[top, left])
            place = np.append(centre - box[2:] * size / 2, box[2:] * size) / scale
    return place, best


def _smoothed(boxes: np.ndarray, seconds: np.ndarray, place: int, size: int) -> np.ndarray:
    """Medians of centres over `place` frames and of sizes over `size` frames; nan stays."""
    centres, sizes = boxes[:, :2] + boxes[:, 2:] / 2, np.log(boxes[:, 2:])
    centres, sizes = _medians(centres, seconds, place), np.exp(_medians(sizes, seconds, size))
    return np.concatenate([centres - sizes / 2, sizes], axis=1)


def _medians(values: np.ndarray, seconds: np.ndarray, width: int) -> np.ndarray:
    """Running medians of (F, n); neighbours count in pairs: steady motion is kept at gaps and ends."""
    stack = [values]
    for reach in range(1, width // 2 + 1):
        pair = np.full((2, *values.shape), np.nan)
        if reach < len(values):
            close = (seconds[reach:] - seconds[:-reach] <= STEADY_S)[:, None]
            pair[0, reach:] = np.where(close, values[:-reach], np.nan)
            pair[1, :-reach] = np.where(close, values[reach:], np.nan)
        pair[:, np.isnan(pair).any((0, 2))] = np.nan
        stack += list(pair)
    known = ~np.isnan(values).any(1)
    result = values.copy()
    if known.any():
        result[known] = np.nanmedian(np.stack(stack)[:, known], axis=0)
    return result
