"""Write any world of pictures as a folder of one's own photos: faces on larger backgrounds, as JPEG files.

"folders": ``<class>/<person>/photo_0001.jpg``, below ``train``, ``validation`` and ``test`` where the world
has several splits. "csv": all photos in ``photos``, and a ``faces.csv`` with path, subject, split,
expression (a name), valence and arousal, as far as the world has them.

A photo is 320 x 240 pixels, or the same upright. The face's picture takes about two thirds of the shorter
side, stands anywhere at its lower edge, and fades into the wall behind. In every seventh photo the camera was
held sideways and only its EXIF note says so. In about one of twelve somebody small stands in the background,
and in one of thirty the person is already leaving: less than half of the face is in the photo.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from PIL.Image import Image

    from fer_lib.datasets.faceset import FaceSet

FORMS = ("folders", "csv")
WIDE, HIGH = 320, 240
LOST = ("video", "frame", "votes_*", "share_*", "state_*")
_SIDEWAYS = 7  # every seventh photo
_CROWDED = 1 / 12
_LEAVING = 1 / 30
_TURN = 6  # EXIF orientation: turn clockwise to see it upright


def write(faces: FaceSet, folder: Path, *, seed: int, fps: int, form: str) -> None:
    """Write the photos.

    Args:
        faces: of a world, N pictures; those without a class go to "unlabelled" in the form "folders".
        folder: an empty folder.
        seed: draws places, sizes and backgrounds.
        fps: not used.
        form: "folders" or "csv".
    """
    names, rows = _places(faces, form), []
    for i, name in enumerate(names):
        generator = np.random.default_rng([seed, i])
        other = int(generator.integers(len(faces))) if generator.random() < _CROWDED else None
        photo = _photo(faces, i, other, generator)
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        _save(photo, path, sideways=i % _SIDEWAYS == _SIDEWAYS - 1)
        rows.append({"path": name, **_row(faces, i)})
    if form == "csv":
        with (folder / "faces.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)


def _places(faces: FaceSet, form: str) -> list[str]:
    """Path of each photo, by its class and person."""
    table, several = faces.table, faces.table["split"].nunique() > 1
    if form == "csv":
        return [f"photos/photo_{i + 1:04d}.jpg" for i in range(len(faces))]
    places = []
    for i in range(len(faces)):
        parts = [table["split"].iloc[i]] if several else []
        parts.append(_class(faces, i) or "unlabelled")
        parts += [str(table["subject"].iloc[i])] if "subject" in table else []
        places.append("/".join([*parts, f"photo_{i + 1:04d}.jpg"]))
    return places


def _class(faces: FaceSet, i: int) -> str:
    number = int(faces.table["expression"].iloc[i]) if "expression" in faces.table else -1
    return faces.classes[number] if number >= 0 else ""


def _row(faces: FaceSet, i: int) -> dict[str, object]:
    """Cells of the csv."""
    table = faces.table
    row: dict[str, object] = {}
    if "subject" in table:
        row["subject"] = table["subject"].iloc[i]
    row["split"] = table["split"].iloc[i]
    if "expression" in table:
        row["expression"] = _class(faces, i)
    for name in ("valence", "arousal"):
        if name in table:
            row[name] = f"{float(table[name].iloc[i]):.3f}".replace("nan", "")
    return row


def _photo(faces: FaceSet, i: int, other: int | None, generator: np.random.Generator) -> Image:
    """One photo, upright."""
    from PIL import Image

    upright = bool(generator.random() < 0.4)
    size = (HIGH, WIDE) if upright else (WIDE, HIGH)
    photo = Image.fromarray(_wall(size, generator))
    if other is not None:
        side = int(generator.uniform(0.26, 0.3) * HIGH)
        corner = (int(generator.integers(2)) * (size[0] - side), 0)
        _paste(photo, faces.pixels[faces.rows[other]], side, corner)
    side = int(generator.uniform(0.58, 0.72) * HIGH)
    across = generator.uniform(0.1, 0.9) * (size[0] - side)
    if generator.random() < _LEAVING:
        across = -0.6 * side
    corner = (int(across), size[1] - side)
    _paste(photo, faces.pixels[faces.rows[i]], side, corner)
    return photo


def _wall(size: tuple[int, int], generator: np.random.Generator) -> np.ndarray:
    """A soft background, uint8 (H, W, 3): a coloured wall, lit from one side."""
    wide, high = size
    colour = generator.uniform(70, 190, 3)
    slope = generator.uniform(-40, 40, 2)
    y, x = np.mgrid[0 : 1 : high * 1j, 0 : 1 : wide * 1j]
    shade = slope[0] * (x - 0.5) + slope[1] * (y - 0.5)
    grain = generator.normal(0, 2, (high, wide))
    return np.clip(colour + (shade + grain)[..., None], 0, 255).astype(np.uint8)


def _paste(photo: Image, face: np.ndarray, side: int, corner: tuple[int, int]) -> None:
    """Put a face's picture (C, S, S) into a photo; its edges fade into the background."""
    from PIL import Image

    rows = face.repeat(3, axis=0) if len(face) == 1 else face
    picture = Image.fromarray(np.ascontiguousarray(rows.transpose(1, 2, 0))).resize((side, side))
    ramp = np.clip(np.minimum(np.arange(side) + 1, side - np.arange(side)) / (0.08 * side), 0, 1)
    down = np.clip((np.arange(side) + 1) / (0.08 * side), 0, 1)
    mask = Image.fromarray((255 * down[:, None] * ramp[None]).astype(np.uint8))
    photo.paste(picture, corner, mask)


def _save(photo: Image, path: Path, *, sideways: bool) -> None:
    from PIL import Image

    exif = photo.getexif()
    if sideways:
        exif[0x0112] = _TURN
        photo = photo.transpose(Image.Transpose.ROTATE_90)
    photo.save(path, quality=88, exif=exif)
