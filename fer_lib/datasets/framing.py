"""Cut the face out of a picture: by a box, whole, by the face detector, or turned by the eyes.

However a face is found, it ends up in a square: boxes keep their centre and are enlarged to their longer
side, and what lies outside the picture repeats its edge, so no face is stretched. Pictures shrink by area
averaging, so that no detail turns into a false pattern, and grow bilinearly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fer_lib.datasets.listing import MISFIT, NO_FACE, check_framing

MARGIN = 0.1  # share of a found face's box added on each side: the cascade's box ends at brows and chin
WORK = 320  # shorter side at which faces are looked for; those above a fifth of it are found
LARGEST_BOX = 4  # sides of a box, as a multiple of the picture's longer side: beyond, the box is wrong
EYES = ((0.31, 0.39), (0.69, 0.39))  # where the cascade's boxes have the eyes, where no eyes are found
APART = (0.28, 0.52)  # distance of eyes, as a share of such a box; others are false alarms
EDGE_FACE = 0.25  # border added where no face is found at first: faces that fill their pictures

Box = tuple[int, int, int]
"""Left and top edge and side of a square, in whole pixels."""


@dataclass(frozen=True)
class Cut:
    """A face cut out of a picture.

    Attributes:
        image: uint8 (C, S, S), or None where there is none.
        landmarks: float32 (68, 2) in pixels of `image`, or None where the picture has none.
        reason: why there is no image, one of the reasons of `fer_lib.datasets.listing`, or "".
        faces: how many faces were found, where they were looked for, else 1.
    """

    image: np.ndarray | None
    landmarks: np.ndarray | None = None
    reason: str = ""
    faces: int = 1


def cut(
    image: np.ndarray,
    *,
    framing: str,
    size: int,
    box: np.ndarray | None = None,
    landmarks: np.ndarray | None = None,
) -> Cut:
    """Cut a face out.

    Args:
        image: uint8 (C, H, W), grey or colour.
        framing: "given": by `box`, or the whole picture where there is none. "whole": the whole picture.
            "found": by `box` if it is given (a face that was found before), else by the largest face the
            detector finds, with a margin of a tenth. "aligned": turned and scaled until the eyes are where
            `fer_lib.preprocess.align.similarity_from_eyes` puts them; the eyes are those of the landmarks,
            else those found in `box` or in the largest face, else where eyes lie in such a box.
        size: side S of the result.
        box: (4,) left, top, width, height in pixels; None or nan: unknown.
        landmarks: (68, 2) pixels, x then y; None or nan: unknown.

    Returns:
        The face and its landmarks; no image where no face is found, or where `box` lies outside the picture
        or is far larger than it.

    Raises:
        ValueError: an unknown framing.

    Example:
        >>> picture = np.full((1, 60, 40), 7, np.uint8)
        >>> cut(picture, framing="given", size=16, box=np.array([10, 10, 20, 30])).image.shape
        (1, 16, 16)
        >>> cut(picture, framing="found", size=16).reason
        'no face found'
    """
    check_framing(framing)
    box, landmarks = _known(box), _known(landmarks)
    if framing == "aligned":
        return _aligned(image, size, box, landmarks)
    faces = 1
    if framing == "found":
        box, faces = _largest_face(image) if box is None else (box, 1)
        if box is None:
            return Cut(None, reason=NO_FACE, faces=0)
    square = _square(image, None if framing == "whole" else box, margin=MARGIN if framing == "found" else 0.0)
    if square is None:
        return Cut(None, reason=MISFIT, faces=faces)
    left, top, side = square
    points = None
    if landmarks is not None:
        corner = np.array([left, top], np.float32)
        points = ((landmarks - corner + 0.5) * (size / side) - 0.5).astype(np.float32)
    return Cut(to_size(_crop(image, square), size), points, faces=faces)


def to_size(image: np.ndarray, size: int) -> np.ndarray:
    """Resize one picture (C, H, W) to (C, size, size): by area averaging if it shrinks, else bilinearly."""
    if image.shape[1:] == (size, size):
        return np.ascontiguousarray(image)
    return _planes(_resize(_rows(image), size, size))


def shrink_wanted(framing: str, size: int, shape: tuple[int, int], box: np.ndarray | None) -> int:
    """By how much a picture may be shrunk when it is decoded, without a loss in the face cut out.

    Args:
        framing, size, box: as for `cut`.
        shape: height and width of the picture in pixels.

    Returns:
        1, 2, 4 or 8; the face is at least as large as the result after it, and larger where it has to be
        found or turned first.

    Example:
        >>> shrink_wanted("whole", 96, (480, 640), None)
        4
    """
    if framing in ("found", "aligned"):
        spare = min(shape) / max(3 * WORK, 6 * size)
    else:
        box = None if framing == "whole" else _known(box)
        spare = (max(shape) if box is None else max(box[2:])) / size
    return next((factor for factor in (8, 4, 2) if spare >= factor), 1)


def _known(values: np.ndarray | None) -> np.ndarray | None:
    """The values as floats, or None where one is not known."""
    if values is None:
        return None
    values = np.asarray(values, dtype=float)
    return values if np.isfinite(values).all() else None


def _largest_face(image: np.ndarray) -> tuple[np.ndarray | None, int]:
    """The largest face's box, looked for at a moderate size, and how many faces there are."""
    from fer_lib.preprocess.detect import find_faces

    scale = WORK / min(image.shape[1:])
    small = image
    if scale < 1:
        height, width = (max(1, round(side * scale)) for side in image.shape[1:])
        small = _planes(_resize(_rows(image), height, width))
    faces = find_faces(small)
    if not len(faces):
        faces = find_faces(small, pad=EDGE_FACE)
    return faces[0] * (image.shape[2] / small.shape[2]) if len(faces) else None, len(faces)


def _square(image: np.ndarray, box: np.ndarray | None, margin: float) -> Box | None:
    """The square about a box in whole pixels, or None where it does not fit the picture."""
    height, width = image.shape[1:]
    if box is None:
        box = np.array([0.0, 0.0, width, height])
    left, top, wide, high = (float(value) for value in box)
    longer = max(wide, high)
    beside = left >= width or top >= height or left + wide <= 0 or top + high <= 0
    if beside or min(wide, high) <= 0 or longer > LARGEST_BOX * max(width, height):
        return None
    side = max(1, round(longer * (1 + 2 * margin)))
    return round(left + (wide - side) / 2), round(top + (high - side) / 2), side


def _crop(image: np.ndarray, square: Box) -> np.ndarray:
    """Cut a square out; beyond the picture its edge is repeated."""
    left, top, side = square
    height, width = image.shape[1:]
    if left >= 0 and top >= 0 and left + side <= width and top + side <= height:
        return image[:, top : top + side, left : left + side]
    rows = np.arange(top, top + side).clip(0, height - 1)
    columns = np.arange(left, left + side).clip(0, width - 1)
    return image[:, rows[:, None], columns]


def _aligned(image: np.ndarray, size: int, box: np.ndarray | None, landmarks: np.ndarray | None) -> Cut:
    """Turn and scale the picture by the eyes."""
    eyes = None if landmarks is None else _eyes_of(landmarks)
    if eyes is None:
        box = _largest_face(image)[0] if box is None else box
        if box is None or _square(image, box, 0.0) is None:
            return Cut(None, reason=NO_FACE if box is None else MISFIT)
        eyes = _eyes_in(image, box)
    import torch

    from fer_lib.preprocess.align import similarity_from_eyes

    matrix = similarity_from_eyes(torch.from_numpy(eyes[None]).float(), size=size)[0].double().numpy()
    points = None
    if landmarks is not None:
        points = (landmarks @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32)
    return Cut(_warp(image, matrix, size), points)


def _eyes_of(landmarks: np.ndarray) -> np.ndarray | None:
    """Eye centres (2, 2) of landmarks, or None where they are too near to tell a direction."""
    eyes = np.stack([landmarks[36:42].mean(0), landmarks[42:48].mean(0)])
    return eyes if np.hypot(*(eyes[1] - eyes[0])) >= 2 else None


def _eyes_in(image: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Eye centres (2, 2) of the face in a box."""
    from fer_lib.preprocess.detect import find_eyes

    eyes = find_eyes(image[None], box[None], step=1.1)[0]
    apart = np.hypot(*(eyes[1] - eyes[0])) / max(box[2:])
    if APART[0] <= apart <= APART[1]:
        return eyes
    return box[:2] + np.array(EYES) * np.maximum(box[2:], 8) - 0.5


def _warp(image: np.ndarray, matrix: np.ndarray, size: int) -> np.ndarray:
    """Move a picture by a similarity (2, 3), from its pixels to those of the result.

    A picture that shrinks is first shrunk by area averaging, and only then turned.
    """
    import cv2

    left, top, right, low = _source(matrix, size, image.shape[1:])
    part = _rows(image[:, top:low, left:right])
    matrix = matrix.copy()
    matrix[:, 2] += matrix[:, :2] @ np.array([left, top], float)
    scale = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    if scale < 1:
        height, width = (max(1, round(side * scale)) for side in part.shape[:2])
        by = np.array([width / part.shape[1], height / part.shape[0]])
        part = _resize(part, height, width)
        # small pixel p stands at (p + 0.5) / by - 0.5 of the large picture
        matrix[:, 2] += matrix[:, :2] @ (0.5 / by - 0.5)
        matrix[:, :2] /= by
    flags, edge = cv2.INTER_LINEAR, cv2.BORDER_REPLICATE
    return _planes(cv2.warpAffine(part, matrix, (size, size), flags=flags, borderMode=edge))


def _source(matrix: np.ndarray, size: int, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """The part of the picture that the result shows: left, top, right, bottom; never empty."""
    corners = np.array([[0, 0], [size, 0], [0, size], [size, size]], float) - 0.5
    back = (corners - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T
    spare = 2 + 2 / np.sqrt(abs(np.linalg.det(matrix[:, :2])))
    low, high = back.min(0) - spare, back.max(0) + spare
    height, width = shape
    left, top = int(np.clip(low[0], 0, width - 1)), int(np.clip(low[1], 0, height - 1))
    right, bottom = int(np.clip(high[0], left + 1, width)), int(np.clip(high[1], top + 1, height))
    return left, top, right, bottom


def _resize(rows: np.ndarray, height: int, width: int) -> np.ndarray:
    import cv2

    shrinks = height * width < rows.shape[0] * rows.shape[1]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return cv2.resize(rows, (width, height), interpolation=how)


def _rows(image: np.ndarray) -> np.ndarray:
    """(C, H, W) -> (H, W) or (H, W, 3), as OpenCV wants pictures; what was decoded lies so in memory."""
    import cv2

    if len(image) == 1:
        return image[0]
    rows = image.transpose(1, 2, 0)
    return np.ascontiguousarray(rows) if rows.strides[2] == 1 else cv2.merge(list(image))


def _planes(rows: np.ndarray) -> np.ndarray:
    """(H, W) or (H, W, 3) -> (C, H, W), a view."""
    return rows[None] if rows.ndim == 2 else rows.transpose(2, 0, 1)
