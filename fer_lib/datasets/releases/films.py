"""Write pictures as a film, with the codecs that OpenCV brings along."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fer_lib.datasets.clips import FILM_SUFFIXES, announced_frames, cv2_quietly
from fer_lib.datasets.paths import plain

if TYPE_CHECKING:
    from fer_lib.datasets.faceset import FaceSet

CODECS = {".mp4": "mp4v", ".mov": "mp4v", ".avi": "MJPG"}  # MPEG-4 part 2, or single JPEG pictures
RATES = (0.1, 1000.0)


def write_film(path: str | Path, images: np.ndarray, fps: float) -> None:
    """Write a film; the file appears whole or not at all.

    Compression loses a little: rendered faces come back with a mean error of 2-4 of 255. Colours are stored
    at half the resolution.

    Args:
        path: ends in .mp4, .mov (MPEG-4 part 2) or .avi (JPEG pictures); missing folders are made.
        images: uint8 (T, C, H, W), T at least 1, C 1 (grey) or 3 (RGB); H and W even, at least 16.
        fps: frames a second, 0.1-1000; 29.97 and the like are kept.

    Raises:
        ValueError: another ending, shape, type or rate.
        OSError: OpenCV lacks the codec, or the film cannot be written.
    """
    import cv2

    path = Path(path)
    _check(path, images, fps)
    height, width = images.shape[-2:]
    path.parent.mkdir(parents=True, exist_ok=True)
    # the ending chooses the container
    draft = path.with_name(f".{os.getpid()}-{threading.get_ident()}{path.suffix}")
    code = cv2.VideoWriter.fourcc(*CODECS[path.suffix.lower()])
    try:
        with cv2_quietly(), plain(path.parent) as folder:
            name = os.path.join(folder, draft.name)
            film = cv2.VideoWriter(name, cv2.CAP_FFMPEG, code, float(fps), (width, height))
        if not film.isOpened():
            raise OSError(
                f"OpenCV must bring the codec {CODECS[path.suffix.lower()]} and may write {path.parent}; "
                "got a film that does not open. Install opencv-python-headless, or free the folder."
            )
        for image in images:
            film.write(_as_opencv(image))
        film.release()
        if announced_frames(draft) != len(images):
            raise OSError(f"{path} must hold {len(images)} frames; got fewer. Free some room on the disk.")
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def _as_opencv(image: np.ndarray) -> np.ndarray:
    """RGB or grey (C, H, W) -> BGR (H, W, 3)."""
    import cv2

    return cv2.merge([image[-1], image[len(image) // 2], image[0]])


def _check(path: Path, images: np.ndarray, fps: float) -> None:
    if path.suffix.lower() not in CODECS:
        known = ", ".join(ending for ending in FILM_SUFFIXES if ending in CODECS)
        raise ValueError(f"path must end in {known}; got {path.name!r}. Choose one of these.")
    shaped = images.ndim == 4 and images.dtype == np.uint8 and images.shape[1] in (1, 3) and len(images) > 0
    if not shaped or min(images.shape[2:]) < 16 or images.shape[2] % 2 or images.shape[3] % 2:
        raise ValueError(
            f"images must be uint8 (T, 1 or 3, H, W) with even sides from 16; got {images.dtype} "
            f"{images.shape}. Render them at an even size."
        )
    if not RATES[0] <= fps <= RATES[1]:
        raise ValueError(f"fps must lie in {RATES[0]}-{RATES[1]:g}; got {fps}. 5 or 25 are usual.")


def write_clip(faces: FaceSet, path: Path, split: str, clip: int, *, seed: int, fps: int) -> int:
    """Write one clip of a world as a film, with the sides of the faces.

    Args:
        faces: of a world of clips; only its name and the side of its pictures are read.
        path: of the film.
        split, clip, seed: which clip of the world; ``faces.truth["clip"]`` is a frame's clip.
        fps: frames a second, a divisor of 25.

    Returns:
        How many frames the film has.

    Raises:
        ValueError: as for `write_film`; worlds of clips with odd sides cannot be written.
    """
    from fer_lib.datasets.corpora import world_of

    world, side = world_of(faces.name), faces.pixels.shape[-1]
    images, _ = world.frames(split, int(clip), seed=seed, size=side, stride=25 // fps)
    write_film(path, images, fps)
    return len(images)
