"""Find faces and eyes with the boosted cascades that come with OpenCV; what is not found is counted."""

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

FACE, EYE = "haarcascade_frontalface_default.xml", "haarcascade_eye.xml"
WORK = 160  # sides shorter than this are enlarged first: the cascades know no face below 24 pixels


@dataclass(frozen=True)
class Found:
    """What a detector found in N pictures.

    Attributes:
        boxes: float (N,4): left, top, width, height of the largest face in pixels; nan where there is none.
        counts: int (N,), how many faces each picture seems to hold.
    """

    boxes: np.ndarray
    counts: np.ndarray

    @property
    def found(self) -> np.ndarray:
        """bool (N,), whether a picture has a face."""
        return self.counts > 0

    @property
    def missed(self) -> int:
        """Pictures without a face."""
        return int((self.counts == 0).sum())


_OWN = threading.local()  # a cascade remembers the picture it looks at: each thread needs its own


def _cascade(name: str) -> Any:
    if not hasattr(_OWN, name):
        setattr(_OWN, name, _opened(name))
    return getattr(_OWN, name)


def _opened(name: str) -> Any:
    import cv2

    path = Path(cv2.__file__).parent / "data" / name
    cascade = cv2.CascadeClassifier(str(path))
    if cascade.empty():
        raise FileNotFoundError(
            f"OpenCV must bring {name}; got no such file. Install opencv-python-headless below 5."
        )
    return cascade


def find_faces(
    picture: np.ndarray, *, step: float = 1.1, neighbours: int = 3, smallest: float = 0.2, pad: float = 0.0
) -> np.ndarray:
    """Boxes of all faces of one picture, the largest first.

    Args:
        picture: uint8 (1 or 3, H, W).
        step: factor between the sizes that are searched, above 1; smaller is slower and finds more.
        neighbours: how many overlapping hits make a face; more gives fewer false alarms.
        smallest: smallest face, as a share of the picture's shorter side, in (0, 1].
        pad: border to add before the search, as a share of the sides: a face that fills its picture is
            found only with something around it.

    Returns:
        float (F,4): left, top, width, height in pixels; F may be 0.

    Raises:
        ValueError: another shape or type of picture, or an option out of range.

    Reference:
        Viola and Jones (2001).
    """
    grey, factor, border = _ready(picture, pad)
    for name, value, holds in (
        ("step", step, step > 1), ("neighbours", neighbours, neighbours >= 0),
        ("smallest", smallest, 0 < smallest <= 1),
    ):  # fmt: skip
        if not holds:
            raise ValueError(
                f"{name} is out of range; got {value}. Try step 1.1, neighbours 3, smallest 0.2."
            )
    low = max(20, int(smallest * (min(grey.shape) - 2 * border)))
    boxes = _cascade(FACE).detectMultiScale(grey, step, neighbours, minSize=(low, low))
    boxes = np.asarray(boxes, dtype=float).reshape(-1, 4)
    boxes[:, :2] -= border
    boxes = boxes[np.argsort(-boxes[:, 2], kind="stable")]
    return boxes / factor


def detect(images: np.ndarray, **options: float) -> Found:
    """Find the largest face of each picture.

    Args:
        images: uint8 (N, 1 or 3, H, W).
        **options: of :func:`find_faces`.

    Returns:
        Boxes with nan where nothing was found; no picture is left out.

    Raises:
        ValueError: another shape or type.

    Example:
        >>> found = detect(np.zeros((2, 1, 64, 64), np.uint8))
        >>> found.missed, bool(np.isnan(found.boxes).all())
        (2, True)
    """
    if images.ndim != 4:
        raise ValueError(f"images must be (N, 1 or 3, H, W); got {images.shape}. Add the missing axes.")
    boxes, counts = np.full((len(images), 4), np.nan), np.zeros(len(images), int)
    for i, picture in enumerate(images):
        faces = find_faces(picture, **options)  # type: ignore[arg-type]
        counts[i] = len(faces)
        if len(faces):
            boxes[i] = faces[0]
    return Found(boxes, counts)


def find_eyes(
    images: np.ndarray, boxes: np.ndarray | None = None, *, step: float = 1.05, neighbours: int = 3
) -> np.ndarray:
    """Centres of both eyes of each face by the eye cascade, for corpora without landmarks.

    Of all hits in the upper part of the box, the best pair is taken: one on each side of the middle, about
    level and about as far apart as eyes are in a face.

    Args:
        images: uint8 (N, 1 or 3, H, W).
        boxes: (N,4) left, top, width, height; rows of nan have no face. None: faces fill the pictures.
        step, neighbours: as for :func:`find_faces`.

    Returns:
        float (N,2,2) pixels, x then y, the eye on the image's left first; nan where no pair was found.

    Example:
        >>> bool(np.isnan(find_eyes(np.zeros((1, 1, 48, 48), np.uint8))).all())
        True
    """
    eyes = np.full((len(images), 2, 2), np.nan)
    for i, picture in enumerate(images):
        height, width = picture.shape[1:]
        box = np.array([0, 0, width, height], float) if boxes is None else boxes[i]
        if not np.isnan(box).any():
            eyes[i] = _pair(picture, box, step, neighbours)
    return eyes


def _pair(picture: np.ndarray, box: np.ndarray, step: float, neighbours: int) -> np.ndarray:
    """The best pair (2,2) of eyes in a box, or nan."""
    height, width = picture.shape[1:]
    left, top = (max(0, int(v)) for v in box[:2])
    right, low = min(width, int(box[0] + box[2])), min(height, int(box[1] + 0.62 * box[3]))
    none = np.full((2, 2), np.nan)
    if right - left < 8 or low - top < 8:
        return none
    grey, factor, _ = _ready(np.ascontiguousarray(picture[:, top:low, left:right]), 0.0)
    side = grey.shape[1]
    smallest, largest = max(12, int(0.14 * side)), int(0.45 * side)
    hits = _cascade(EYE).detectMultiScale(
        grey, step, neighbours, minSize=(smallest, smallest), maxSize=(largest, largest)
    )
    hits = np.asarray(hits, dtype=float).reshape(-1, 4)
    middles = hits[:, :2] + hits[:, 2:] / 2
    best, cost = none, np.inf
    for i, a in enumerate(middles):
        for j, b in enumerate(middles):
            apart = b - a
            level = abs(np.arctan2(apart[1], apart[0]))
            if apart[0] < 0.22 * side or apart[0] > 0.65 * side or level > 0.6:
                continue
            unlike = abs(np.log(hits[i, 2] / hits[j, 2]))
            here = level + unlike + 2 * abs((a[0] + b[0]) / 2 / side - 0.5) + abs(apart[0] / side - 0.40)
            if here < cost:
                best, cost = np.stack([a, b]), here
    return best / factor + np.array([left, top]) - 0.5 if np.isfinite(cost) else none


def _ready(picture: np.ndarray, pad: float) -> tuple[np.ndarray, float, int]:
    """A grey picture with even contrast, large enough for the cascades; how much larger, and its border."""
    import cv2

    if picture.ndim != 3 or picture.shape[0] not in (1, 3) or picture.dtype != np.uint8:
        raise ValueError(
            f"picture must be uint8 (1 or 3, H, W); got {picture.dtype} {picture.shape}. "
            "Move the channels to the front and scale to 0-255."
        )
    if pad < 0:
        raise ValueError(f"pad must be at least 0; got {pad}. 0.2 adds a fifth of the side.")
    rows = np.ascontiguousarray(picture.transpose(1, 2, 0))
    grey = cv2.cvtColor(rows, cv2.COLOR_RGB2GRAY) if rows.shape[2] == 3 else rows[..., 0]
    factor = max(1.0, WORK / min(grey.shape))
    if factor > 1:
        grey = cv2.resize(grey, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
    grey = cv2.equalizeHist(grey)
    border = int(pad * min(grey.shape))
    if border:
        grey = cv2.copyMakeBorder(grey, border, border, border, border, cv2.BORDER_REPLICATE)
    return grey, factor, border
