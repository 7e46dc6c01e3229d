"""Read, crop and resize pictures: what the readers of all corpora share."""

from __future__ import annotations

import errno
import io
import os
import stat
from collections.abc import Callable
from pathlib import Path

import numpy as np

from fer_lib.datasets.listing import FORBIDDEN, MISSING, TOO_LARGE, UNREADABLE
from fer_lib.errors import DataError

LARGEST = 64_000_000  # pixels; more are taken for a decompression bomb, by the header, before decoding
LARGEST_FILE = 1 << 29  # bytes
_REASONS = {
    **dict.fromkeys((errno.ENOENT, errno.ENOTDIR), MISSING),
    **dict.fromkeys((errno.EACCES, errno.EPERM), FORBIDDEN),
}
_BRANDS = {b"avif": "AVIF", b"avis": "AVIF"} | dict.fromkeys((b"hei", b"hev", b"mif1", b"msf1"), "HEIC")
FORMATS = ("JPEG", "PNG", "BMP", "TIFF", "WEBP", "GIF", "PPM")


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


class PictureError(DataError):
    """A picture that cannot be read.

    Args:
        path: the file.
        reason: one of the reasons of `fer_lib.datasets.listing`, under which it is counted.
        detail: what was found.
    """

    def __init__(self, path: str, reason: str, detail: str) -> None:
        self.path, self.reason, self.detail = path, reason, detail
        fix = "Fetch the file again, or take it and its row out."
        super().__init__(path, "the file must be a whole picture", f"{reason} ({detail})", fix)

    def __reduce__(self):
        return type(self), (self.path, self.reason, self.detail)


def decode(
    path: str | Path,
    *,
    channels: int,
    shrink: Callable[[tuple[int, int]], int] | None = None,
    upright: bool = False,
) -> np.ndarray:
    """Decode a picture file.

    Args:
        path: a JPEG, PNG, BMP, TIFF, WebP, GIF (its first picture) or PNM file.
        channels: 1 for grey, 3 for RGB.
        shrink: height and width -> 1, 2, 4 or 8: by how much a JPEG may shrink while it is decoded, which
            saves time. None decodes every pixel.
        upright: turn the picture as its EXIF note says.

    Returns:
        uint8 (C, H, W), read-only; a colour picture's channels lie beside each other in memory.

    Raises:
        PictureError: missing, not permitted, no picture, cut off, or above 64 megapixels by its header.
    """
    data = _bytes(path)
    try:
        return _pixels(data, str(path), channels, shrink, upright)
    except (PictureError, MemoryError):
        raise
    except Exception as error:  # decoders of broken files raise nearly anything
        detail = str(error).strip() or type(error).__name__
        if "cannot identify image file" in detail:
            phone = _phone_format(path, data)
            detail = f"{phone}: convert to JPEG" if phone else f"{len(data)} bytes that are no picture"
        reason = TOO_LARGE if "exceeds limit" in detail else UNREADABLE
        raise PictureError(str(path), reason, detail) from error


def _phone_format(path: str | Path, data: bytes) -> str:
    """ "HEIC" or "AVIF" where the file is one by its brand or else by its suffix; "" for all others."""
    suffix = os.path.splitext(path)[1].lower()
    if data[4:8] != b"ftyp":
        return {".heic": "HEIC", ".heif": "HEIC", ".avif": "AVIF"}.get(suffix, "")
    brands = data[8 : min(int.from_bytes(data[:4], "big"), 64)]  # the first, a version, then all it fits
    return next((name for brand, name in _BRANDS.items() if brand in brands), "")


def _bytes(path: str | Path) -> bytes:
    """Read a file whole; only plain files, of at most half a gigabyte."""
    try:
        with open(path, "rb", opener=_open_at_once) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise PictureError(str(path), UNREADABLE, "not a file")
            if status.st_size > LARGEST_FILE:
                raise PictureError(str(path), TOO_LARGE, f"{status.st_size} bytes")
            data = file.read()
    except OSError as error:
        if error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOMEM):
            raise  # the machine's trouble, not the file's
        detail = error.strerror or type(error).__name__
        raise PictureError(str(path), _REASONS.get(error.errno or 0, UNREADABLE), detail) from error
    if not data:
        raise PictureError(str(path), UNREADABLE, "an empty file")
    return data


def _open_at_once(path: str, flags: int) -> int:
    """Open without waiting, as a pipe would for its writer."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _pixels(
    data: bytes,
    path: str,
    channels: int,
    shrink: Callable[[tuple[int, int]], int] | None,
    upright: bool,
) -> np.ndarray:
    from PIL import Image, ImageOps

    mode = "L" if channels == 1 else "RGB"
    with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
        width, height = picture.size
        if width * height > LARGEST:
            raise PictureError(path, TOO_LARGE, f"{width} x {height} pixels")
        if picture.format in ("JPEG", "MPO"):
            factor = shrink((height, width)) if shrink else 1
            picture.draft(mode, (max(1, width // factor), max(1, height // factor)))
        picture.load()
        image: Image.Image = ImageOps.exif_transpose(picture) if upright else picture
        if image.mode.startswith("I;16") or image.mode in ("I", "F"):
            values = np.asarray(image).astype(float)
            deep = values / 257 if image.mode.startswith("I") and values.max(initial=0) > 255 else values
            image = Image.fromarray(deep.round().clip(0, 255).astype(np.uint8))
        if image.mode != mode:
            image = image.convert(mode)
        pixels = np.asarray(image)
    return pixels[None] if channels == 1 else pixels.transpose(2, 0, 1)


def check_size(size: int | None) -> None:
    """Refuse a side that is not a whole number of pixels."""
    if size is not None and (isinstance(size, bool) or not isinstance(size, int | np.integer) or size < 8):
        raise ValueError(
            f"size must be at least 8 pixels, or None; got {size!r}. Give the side of the pictures."
        )
