"""Read, crop and resize pictures: what the readers of all corpora share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from fer_lib.datasets.store import Chunk
from fer_lib.errors import DataError


def resize(images: np.ndarray, size: int | None) -> np.ndarray:
    """Resize pictures to a square: by area averaging when they shrink, bilinearly when they grow.

    Args:
        images: uint8 (B, C, H, W).
        size: side in pixels; None keeps the pictures.

    Returns:
        uint8 (B, C, size, size).

    Example:
        >>> resize(np.full((2, 1, 48, 48), 7, np.uint8), 24).shape
        (2, 1, 24, 24)
    """
    if size is None or images.shape[-2:] == (size, size):
        return images
    import cv2

    how = cv2.INTER_AREA if size < max(images.shape[-2:]) else cv2.INTER_LINEAR
    result = np.empty((*images.shape[:2], size, size), np.uint8)
    for index in np.ndindex(images.shape[:2]):  # a channel at a time: OpenCV wants the channels last
        result[index] = cv2.resize(images[index], (size, size), interpolation=how)
    return result


def resized(
    chunks: Callable[[], Iterable[Chunk]],
    size: int | None,
    dropped: Mapping[tuple[str, str], int] | None = None,
) -> Callable[[], Iterator[Chunk]]:
    """Resize the pictures of chunks on their way into a store.

    Args:
        chunks: makes the chunks.
        size: side in pixels; None keeps the pictures.
        dropped: (split, reason) -> count, told with the first chunk.
    """

    def make() -> Iterator[Chunk]:
        told = Counter(dropped or {})
        for chunk in chunks():
            yield replace(chunk, images=resize(chunk.images, size), dropped=chunk.dropped + told)
            told = Counter()

    return make


def decode(path: Path, *, channels: int) -> np.ndarray:
    """Decode a picture file.

    Args:
        path: any format OpenCV reads.
        channels: 1 for grey, 3 for RGB.

    Returns:
        uint8 (C, H, W).

    Raises:
        DataError: the file is missing, empty or not a picture.
    """
    import cv2

    try:
        data = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        raise DataError(
            str(path), "the picture must be readable", error.strerror, "Restore the file."
        ) from error
    flag = cv2.IMREAD_GRAYSCALE if channels == 1 else cv2.IMREAD_COLOR
    image = cv2.imdecode(data, flag) if data.size else None
    if image is None:
        fix = "Fetch the file again, or take it and its row out."
        raise DataError(
            str(path), "the file must be a whole picture", f"{data.size} bytes that do not decode", fix
        )
    return image[None] if channels == 1 else np.ascontiguousarray(image[..., ::-1].transpose(2, 0, 1))


def check_size(size: int | None) -> None:
    """Refuse a side that is not a whole number of pixels."""
    if size is not None and (isinstance(size, bool) or not isinstance(size, int | np.integer) or size < 8):
        raise ValueError(
            f"size must be at least 8 pixels, or None; got {size!r}. Give the side of the pictures."
        )
