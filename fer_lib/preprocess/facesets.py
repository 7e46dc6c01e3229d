"""Whole face sets prepared: loosely framed pictures of them, their eyes, aligned and masked versions."""

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from fer_lib import artifacts
from fer_lib.preprocess.align import eye_centres, move, similarity_from_eyes, warp
from fer_lib.preprocess.detect import detect, find_eyes
from fer_lib.preprocess.masks import overlay

CHUNK = 256  # pictures that are warped or masked at once, so that memory does not grow with the set


@dataclass(frozen=True)
class Photographs:
    """Pictures with what is known of where the faces are.

    Attributes:
        faces: a FaceSet of N pictures.
        eyes: float (N,2,2) pixels, the eye on the image's left first; nan where they are not known.
        landmarks: float (N,68,2) pixels, or None where a corpus has none.
    """

    faces: Any
    eyes: np.ndarray
    landmarks: np.ndarray | None

    @property
    def unknown(self) -> int:
        """Faces whose eyes are not known."""
        return int(np.isnan(self.eyes).any((1, 2)).sum())


def repicture(faces: Any, images: np.ndarray, *, how: str) -> Any:
    """The same faces, labels and truth with other pictures.

    Args:
        faces: a FaceSet of N faces.
        images: uint8 (N, C, H, W).
        how: what was done to the pictures; becomes part of the fingerprint.

    Raises:
        ValueError: not one picture a face.
    """
    if len(images) != len(faces) or images.dtype != np.uint8 or images.ndim != 4:
        raise ValueError(
            f"images must be uint8 ({len(faces)}, C, H, W); got {images.dtype} {images.shape}. "
            "Give one picture a face."
        )
    mark = artifacts.key(faces=faces.fingerprint, how=how)
    rows = np.arange(len(images))
    return dataclasses.replace(faces, pixels=images, rows=rows, fingerprint=mark, origin=mark)


def locate(faces: Any) -> Photographs:
    """Where the eyes are: by a world's truth, else by a corpus's own landmarks, else by the eye cascade.

    A corpus's landmarks stand in the columns ``lm_x_00`` to ``lm_y_67`` of its table. Faces without them keep
    nan there, and the cascade looks for their eyes.

    Example:
        >>> from types import SimpleNamespace
        >>> blank = SimpleNamespace(truth=None, table=(), images=np.zeros((2, 1, 48, 48), np.uint8))
        >>> locate(blank).unknown
        2
    """
    told = next(
        (frame for frame in (faces.truth, faces.table) if frame is not None and "lm_x_00" in frame), None
    )
    if told is None:
        return Photographs(faces, find_eyes(faces.images), None)
    from fer_lib.worlds import landmarks_of

    points = np.array(landmarks_of(told), dtype=np.float32)
    eyes = eye_centres(torch.from_numpy(points)).numpy()
    unknown = np.flatnonzero(np.isnan(points).any((1, 2)))
    if len(unknown):
        eyes[unknown] = find_eyes(faces.images[unknown])
    return Photographs(faces, eyes, points)


def take_loosely(
    photographs: Photographs,
    *,
    seed: int,
    roll_deg: float = 20.0,
    zoom: tuple[float, float] = (0.7, 1.0),
    shift: float = 0.08,
) -> Photographs:
    """The same faces as a careless photographer frames them: tilted, nearer or farther, off the middle.

    Each picture is turned about its middle, scaled and moved by amounts of its own, drawn evenly; what comes
    in from outside mirrors the picture. Eyes and landmarks move along.

    Args:
        photographs: pictures that are framed well.
        seed: draws the amounts.
        roll_deg: largest turn either way.
        zoom: smallest and largest factor.
        shift: largest move, as a share of the side.
    """
    faces = photographs.faces
    count, size = len(faces), faces.pixels.shape[-1]
    draws = torch.rand(count, 4, generator=torch.Generator().manual_seed(seed))
    angle = (2 * draws[:, 0] - 1) * math.radians(roll_deg)
    scale = zoom[0] + (zoom[1] - zoom[0]) * draws[:, 1]
    cos, sin = scale * angle.cos(), scale * angle.sin()
    turn = torch.stack([torch.stack([cos, -sin], 1), torch.stack([sin, cos], 1)], 1)
    middle = torch.full((2,), size / 2 - 0.5)
    place = middle + (2 * draws[:, 2:] - 1) * shift * size - turn @ middle
    matrices = torch.cat([turn, place[:, :, None]], 2)
    images = _warp_all(faces, matrices, size, "reflection")
    how = f"loose {seed} {roll_deg} {zoom} {shift}"
    return Photographs(
        repicture(faces, images, how=how),
        move(torch.from_numpy(photographs.eyes).float(), matrices).numpy(),
        None
        if photographs.landmarks is None
        else move(torch.from_numpy(photographs.landmarks), matrices).numpy(),
    )


def align_all(photographs: Photographs, *, size: int, eyes: np.ndarray | None = None) -> Photographs:
    """All faces aligned by their eyes; a picture whose eyes are not known is only resized.

    Args:
        photographs: N pictures.
        size: side of the output.
        eyes: (N,2,2) to align by; None for the known ones. Rows of nan are not aligned.
    """
    faces = photographs.faces
    by = torch.from_numpy(photographs.eyes if eyes is None else eyes).float()
    known = ~by.isnan().flatten(1).any(1)
    matrices = _resize(faces.pixels.shape[-2:], size).repeat(len(faces), 1, 1)
    if known.any():
        matrices[known] = similarity_from_eyes(by[known], size=size)
    images = _warp_all(faces, matrices, size, "border")
    how = f"aligned {size} {artifacts.key(eyes=by.nan_to_num(-1).numpy().tobytes().hex())}"
    points = photographs.landmarks
    return Photographs(
        repicture(faces, images, how=how),
        move(torch.from_numpy(photographs.eyes).float(), matrices).numpy(),
        None if points is None else move(torch.from_numpy(points), matrices).numpy(),
    )


def resize_all(photographs: Photographs, *, size: int) -> Photographs:
    """All faces as they are, at another size."""
    return align_all(photographs, size=size, eyes=np.full_like(photographs.eyes, np.nan))


def mask_all(photographs: Photographs, *, seed: int, share: float = 1.0) -> Photographs:
    """Masks on a share of the faces, drawn at random; the eyes stay where they are.

    Raises:
        ValueError: the corpus, or one of the faces, has no landmarks.
    """
    if photographs.landmarks is None:
        raise ValueError(
            f"landmarks must be known to place a mask; got none for {photographs.faces.name}. "
            "Detect them first, or take a world."
        )
    unknown = int(np.isnan(photographs.landmarks).any((1, 2)).sum())
    if unknown:
        raise ValueError(
            f"landmarks must be known to place a mask; got {unknown} faces without. Leave these out first."
        )
    generator = torch.Generator().manual_seed(seed)
    chosen = torch.rand(len(photographs.faces), generator=generator) < share
    images = np.array(photographs.faces.images)
    for start in range(0, len(images), CHUNK):
        rows = start + chosen[start : start + CHUNK].nonzero()[:, 0].numpy()
        if len(rows):
            real = torch.from_numpy(images[rows]).float() / 255
            points = torch.from_numpy(photographs.landmarks[rows])
            masked, _ = overlay(real, points, generator=generator)
            images[rows] = (masked * 255).round().byte().numpy()
    faces = repicture(photographs.faces, images, how=f"masked {seed} {share}")
    return dataclasses.replace(photographs, faces=faces)


def eyes_by_detector(photographs: Photographs, **options: float) -> np.ndarray:
    """What a program that sees only the picture finds: (N,2,2), nan where it finds no face or no two eyes."""
    images = photographs.faces.images
    return find_eyes(images, detect(images, **options).boxes)


def eye_error(found: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Mean distance of both found eyes from the true ones, as a share of the eyes' distance, (N,); nan stays.

    Example:
        >>> truth = np.array([[[0.0, 0.0], [10.0, 0.0]]])
        >>> eye_error(truth + [0.0, 1.0], truth)
        array([0.1])
    """
    apart = np.linalg.norm(truth[:, 1] - truth[:, 0], axis=1)
    return np.linalg.norm(found - truth, axis=2).mean(1) / apart


def _resize(shape: tuple[int, ...], size: int) -> Tensor:
    """The matrix (1,2,3) that brings a picture of a shape to a square."""
    scale = size / max(shape)
    turn = scale * torch.eye(2)
    low = torch.tensor([(max(shape) - shape[1]) / 2, (max(shape) - shape[0]) / 2])
    return torch.cat([turn, (scale * low + (scale - 1) / 2)[:, None]], 1)[None]


def _warp_all(faces: Any, matrices: Tensor, size: int, padding: str) -> np.ndarray:
    parts = [
        warp(
            faces.batch(slice(start, start + CHUNK)),
            matrices[start : start + CHUNK],
            size=size,
            padding=padding,
        )
        for start in range(0, len(faces), CHUNK)
    ]
    return torch.cat(parts).numpy()
