"""Where eyes, brows, nose, mouth and a face mask lie in the pictures of a face set.

A world's pictures can be drawn again: the table says which split, seed and row each is, and the renderer
knows which pixels it painted as what. A real corpus has at most landmarks; its regions are polygons between
them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from fer_lib.errors import DataError

if TYPE_CHECKING:
    from fer_lib.worlds.drawing import Drawn
    from fer_lib.worlds.world import World

REGION_NAMES = ("eyes", "brows", "nose", "mouth", "mask")
TOLERANCE = 4.0  # mean difference, in grey levels, up to which a picture counts as drawn again
FINE = 4  # sub-pixels a pixel, along each axis, with which polygons are filled
BROW = 0.12  # width of a brow drawn along its landmarks, as a share of the eyes' distance
_POLYGONS: dict[str, tuple[list[int], ...]] = {
    "eyes": ([*range(36, 42)], [*range(42, 48)]),
    "nose": ([27, *range(31, 36)],),
    "mouth": ([*range(48, 60)],),
}
_BROWS = ([*range(17, 22)], [*range(22, 27)])


@dataclass(frozen=True)
class Redrawn:
    """N pictures of a world, drawn again.

    Attributes:
        images: uint8 (N,C,S,S); at the stored size the stored pictures to the last bit.
        landmarks: float32 (N,68,2) pixels, x then y; the first pixel's centre is (0, 0).
        regions: float32 (N,5,S,S) coverage in [0,1] of ``REGION_NAMES``.
    """

    images: np.ndarray
    landmarks: np.ndarray
    regions: np.ndarray


def region_masks(faces: Any, size: int | None = None) -> tuple[tuple[str, ...], np.ndarray]:
    """Coverage of eyes, brows, nose, mouth and face mask in each picture of a set.

    Eyes are the eyeballs between the lids, the mouth is the lips and what is between them. Regions are the
    face's: what a mask, a hand or sunglasses hide is still there. Pictures without a face have none.

    Args:
        faces: a FaceSet of N pictures: of a world, whose rows are drawn again; or of a corpus whose table has
            landmarks, ``lm_x_00`` to ``lm_y_67``, from which eyes, nose and mouth are polygons and brows
            are strokes. Rows without landmarks get nan; the mask is then 0.
        size: side of the masks in pixels (of a world: 32-256); None takes the side of the set's pictures.

    Returns:
        The names, ("eyes", "brows", "nose", "mouth", "mask"), and float32 (N,5,S,S) in [0,1].

    Raises:
        DataError: a corpus without landmarks, or a world's set whose pictures were changed since they were
            rendered (aligned, masked, moved): the regions would not lie where the pictures have them.

    Example:
        >>> from fer_lib.datasets import load
        >>> faces = load("world:fer2013", split="train", limit=2, size=32, progress=False)
        >>> names, masks = region_masks(faces)
        >>> names[3], masks.shape
        ('mouth', (2, 5, 32, 32))
    """
    size = faces.pixels.shape[-1] if size is None else size
    if faces.name.startswith("world:") and faces.truth is not None:
        return REGION_NAMES, redraw(faces, size).regions
    told = faces.table if "lm_x_00" in faces.table else None
    if told is None:
        raise DataError(
            faces.name,
            "faces must be of a world, or have the columns lm_x_00 to lm_y_67",
            "neither",
            "Take a world, or add landmarks in pixels to the table.",
        )
    from fer_lib.worlds.tables import landmarks_of

    scale = size / faces.pixels.shape[-1]
    return REGION_NAMES, regions_of_landmarks((landmarks_of(told) + 0.5) * scale - 0.5, size)


def redraw(faces: Any, size: int | None = None) -> Redrawn:
    """Draw a world's pictures again, with everything that the renderer knows of their pixels.

    Args:
        faces: a FaceSet of a world, N rows in any order.
        size: side in pixels, 32-256; None takes the side of the set's pictures.

    Raises:
        DataError: not of a world, or its pictures were changed since they were rendered.
        ValueError: a size out of range.
    """
    from fer_lib.worlds.catalogue import WORLDS
    from fer_lib.worlds.workers import one_thread

    side = faces.pixels.shape[-1]
    size = side if size is None else size
    world = WORLDS.get(faces.name.removeprefix("world:"))
    if world is None or faces.truth is None or not len(faces.table):
        got = f"{len(faces.table)} rows of a {'world' if faces.name.startswith('world:') else 'corpus'}"
        raise DataError(faces.name, "faces must be one or more rows of a world", got, "Load a world.")
    parts: list[np.ndarray] = []
    found: list[tuple[np.ndarray, ...]] = []
    with one_thread():
        for place, drawn, rows in chunks_of(world, faces):
            if not parts and size != side:
                _compare(faces, place, _paint(world, drawn, side)[0][rows])
            painted = [value[rows] for value in _paint(world, drawn, size)]
            if size == side:
                _compare(faces, place, painted[0])
            parts.append(place)
            found.append(tuple(painted))
    order = np.argsort(np.concatenate(parts), kind="stable")
    images, points, regions = (np.concatenate(values)[order] for values in zip(*found, strict=True))
    return Redrawn(images, points, regions)


def chunks_of(world: "World", faces: Any) -> Iterator[tuple[np.ndarray, "Drawn", np.ndarray]]:
    """For each chunk that the set has rows of: their places in the set, the chunk, their rows in it."""
    from fer_lib.worlds.drawing import draw_chunk

    pattern = re.compile(rf"{re.escape(world.name)}/([a-z]+)/(\d+)\.png")
    found = [pattern.fullmatch(path) for path in faces.table["path"]]
    if not all(found):
        wrong = faces.table["path"][found.index(None)]
        raise DataError(faces.name, "path must name a row of the world", wrong, "Load the world again.")
    splits = [match[1] for match in found if match]
    numbers = np.array([int(match[2]) for match in found if match])
    seeds = [int(who.rsplit("-", 2)[1]) for who in faces.truth["identity"]]
    keys = list(zip(splits, seeds, numbers // world.chunk_rows, strict=True))
    casts: dict[tuple[str, int], Any] = {}
    for key in dict.fromkeys(keys):
        split, seed, chunk = key
        if (split, seed) not in casts:
            casts = {(split, seed): world.cast(split, seed)}
        place = np.array([k for k, other in enumerate(keys) if other == key])
        yield place, draw_chunk(world, casts[split, seed], int(chunk)), numbers[place] % world.chunk_rows


def _paint(world: "World", drawn: "Drawn", size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pictures, landmarks and regions of a chunk: painted in the same pieces as the store's."""
    from fer_lib.worlds import camera
    from fer_lib.worlds.world import PIXELS

    step = max(1, PIXELS // size**2)
    masks = torch.Generator().manual_seed(drawn.generator.initial_seed() + 1) if world.masks else None
    pieces = [drawn.rows(slice(k, k + step)) for k in range(0, len(drawn.who), step)]
    parts = [_photograph(piece, size, masks) for piece in pieces]
    image, points, regions = (torch.cat(values) for values in zip(*parts, strict=True))
    image = camera.to_grey(image) if world.channels == 1 else image
    blank = drawn.blank[:, None, None, None]
    image = torch.where(blank, torch.zeros_like(image), image)
    regions = torch.where(blank, torch.zeros_like(regions), regions)
    return camera.to_uint8(image).numpy(), points.numpy().astype(np.float32), regions.numpy()


def _photograph(drawn: "Drawn", size: int, masks: torch.Generator | None) -> tuple[Tensor, Tensor, Tensor]:
    from fer_lib.preprocess.masks import overlay
    from fer_lib.worlds.renderer import render

    done = render(drawn.people, drawn.shown.units, drawn.scene, size=size)
    images, coverage = done.images, torch.zeros_like(done.images[:, 0])
    if masks is not None:
        images, coverage = overlay(done.images, done.landmarks, generator=masks)
    return images, done.landmarks, torch.cat([done.regions, coverage[:, None]], 1)


def _compare(faces: Any, place: np.ndarray, images: np.ndarray) -> None:
    """Refuse a set whose pictures are not those that were drawn again."""
    stored = faces.images[place]
    same = stored.shape == images.shape
    apart = np.abs(stored.astype(float) - images).mean((1, 2, 3)).max() if same else np.inf
    if apart > TOLERANCE:
        got = f"{apart:.0f} grey levels between a picture and its like" if same else f"{stored.shape[1:]}"
        fix = "Take the world's set as load gives it, before it is aligned, masked or moved."
        raise DataError(faces.name, "pictures must be as the world renders them", got, fix)


def regions_of_landmarks(points: np.ndarray, size: int) -> np.ndarray:
    """Regions as polygons between landmarks: (N,68,2) pixels to float32 (N,5,S,S); the mask is 0.

    A face with a landmark that is not known, nan, gets nan throughout.

    Example:
        >>> points = np.zeros((1, 68, 2))
        >>> points[0, 48:60, 0] = [2, 3, 4, 5, 6, 7, 8, 7, 6, 5, 4, 3]
        >>> points[0, 48:60, 1] = [5, 4, 4, 4, 4, 4, 5, 6, 6, 6, 6, 6]
        >>> mouth = regions_of_landmarks(points, 10)[0, REGION_NAMES.index("mouth")]
        >>> mouth[5, 5].item(), mouth[1, 5].item()
        (1.0, 0.0)
    """
    masks = np.full((len(points), len(REGION_NAMES), size, size), np.nan, np.float32)
    for k, one in enumerate(np.asarray(points, dtype=float)):
        if not np.isnan(one).any():
            masks[k] = _fill(one, size)
    return masks


def _fill(points: np.ndarray, size: int) -> np.ndarray:
    """(68,2) -> (5,S,S)."""
    from PIL import Image, ImageDraw

    fine = (points + 0.5) * FINE - 0.5
    width = max(1, round(BROW * FINE * float(np.linalg.norm(points[36:42].mean(0) - points[42:48].mean(0)))))
    regions = []
    for name in REGION_NAMES:
        canvas = Image.new("L", (size * FINE, size * FINE))
        pen = ImageDraw.Draw(canvas)
        for corners in _POLYGONS.get(name, ()):
            pen.polygon([tuple(fine[c]) for c in corners], fill=255)
        for line in _BROWS if name == "brows" else ():
            pen.line([tuple(fine[c]) for c in line], fill=255, width=width, joint="curve")
        parts = np.asarray(canvas, dtype=np.float32).reshape(size, FINE, size, FINE)
        regions.append(parts.mean((1, 3)) / 255)
    return np.stack(regions)
