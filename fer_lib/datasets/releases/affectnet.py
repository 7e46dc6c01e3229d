"""Write the world of AffectNet as one of its two releases.

"npy", of 2021: ``train_set`` and ``val_set`` with pictures that are cut out, and four NumPy files for each;
expression, valence and arousal are texts, the numbers of the pictures have gaps. "csv", of 2017: larger
pictures with the face's box, landmarks in one field, a header in ``training.csv`` only, and rows whose
expression is 8, 9 or 10.

Pictures are JPEG files of the world's side (224 pixels in the release of 2021), so their pixels come back
only roughly. Numbers are written with six digits.
"""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from fer_lib.datasets.faceset import FaceSet

FORMS = ("npy", "csv")
PARTS = {"train": ("train_set", "training"), "validation": ("val_set", "validation")}
COLUMNS = (
    "subDirectory_filePath", "face_x", "face_y", "face_width", "face_height", "facial_landmarks",
    "expression", "valence", "arousal",
)  # fmt: skip
_UNUSED = 10  # every so many faces, the lists of 2017 hold a row without an expression


def write(faces: FaceSet, folder: Path, *, seed: int, fps: int, form: str) -> None:
    """Write pictures and labels.

    Args:
        faces: of "world:affectnet", or others with its columns and landmarks in their truth.
        folder: an empty folder.
        seed: draws the pictures' numbers and where a face lies in its picture.
        fps: not used.
        form: "npy" or "csv".
    """
    from fer_lib.worlds import landmarks_of

    assert faces.truth is not None
    points = landmarks_of(faces.truth)
    splits = faces.table["split"].to_numpy()
    one = _write_npy if form == "npy" else _write_csv
    for split in dict.fromkeys(splits):
        one(faces, points, np.flatnonzero(splits == split), folder, split, _generator(seed, split))


def _generator(seed: int, split: str) -> np.random.Generator:
    return np.random.default_rng([seed, *split.encode()])


def _labels(faces: FaceSet, i: int) -> tuple[str, str, str]:
    """Expression, valence and arousal of a row as texts; -2 where they are unknown."""
    row = faces.table.iloc[i]
    affect = (-2.0 if np.isnan(row[name]) else float(row[name]) for name in ("valence", "arousal"))
    valence, arousal = (f"{value:.6g}" for value in affect)
    return str(int(row["expression"])), valence, arousal


def _save(picture: np.ndarray, path: Path) -> None:
    """Write a picture uint8 (3, H, W) as JPEG."""
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.ascontiguousarray(picture.transpose(1, 2, 0))).save(path, quality=95, subsampling=0)


def _write_npy(
    faces: FaceSet, points: np.ndarray, rows: np.ndarray, folder: Path, split: str, rng: np.random.Generator
) -> None:
    place = folder / PARTS[split][0]
    (place / "annotations").mkdir(parents=True)
    ids = np.cumsum(rng.choice([1, 1, 1, 2, 5], len(rows))) - 1
    for i, id_ in zip(rows, ids, strict=True):
        _save(faces.pixels[faces.rows[i]], place / "images" / f"{id_}.jpg")
        for kind, text in zip(("exp", "val", "aro"), _labels(faces, i), strict=True):
            np.save(place / "annotations" / f"{id_}_{kind}.npy", np.array(text))
        np.save(place / "annotations" / f"{id_}_lnd.npy", points[i].astype(np.float64).ravel())


def _write_csv(
    faces: FaceSet, points: np.ndarray, rows: np.ndarray, folder: Path, split: str, rng: np.random.Generator
) -> None:
    lines = []
    for number, i in enumerate(rows):
        picture, left, top = _in_a_scene(faces.pixels[faces.rows[i]], rng)
        landmarks = ";".join(f"{value:.2f}" for value in (points[i] + [left, top]).ravel())
        path = _path(split, number, rng)
        _save(picture, folder / "Manually_Annotated_Images" / path)
        side = faces.pixels.shape[-1]
        lines.append([path, left, top, side, side, landmarks, *_labels(faces, i)])
        if number % _UNUSED == 0:
            lines.append(_unused(lines[-1], folder, split, number, rng))
    lists = folder / "Manually_Annotated_file_lists"
    lists.mkdir(exist_ok=True)
    with (lists / f"{PARTS[split][1]}.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerows([COLUMNS] if split == "train" else [])
        writer.writerows(lines)


def _in_a_scene(face: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, int, int]:
    """Put a face somewhere into a larger picture that goes on as the face's edge does: picture, left, top."""
    left, right, top, bottom = (int(value) for value in rng.integers(2, 24, 4))
    return np.pad(face, ((0, 0), (top, bottom), (left, right)), mode="edge"), left, top


def _path(split: str, number: int, rng: np.random.Generator) -> str:
    """A folder's number and a name of 56 hexadecimal digits, as the release has them."""
    name = hashlib.sha224(f"{split} {number} {rng.integers(2**32)}".encode()).hexdigest()
    return f"{rng.integers(1, 40)}/{name}.jpg"


def _unused(line: list, folder: Path, split: str, number: int, rng: np.random.Generator) -> list:
    """A row that the corpus's rules leave out: none (8), uncertain (9), no-face (10), with a grey picture."""
    path = _path(split, -number - 1, rng)
    _save(np.full((3, 32, 32), 128, np.uint8), folder / "Manually_Annotated_Images" / path)
    code = 8 + (number // _UNUSED) % 3
    affect = ["0", "0"] if code == 8 else ["-2", "-2"]  # none carries numbers, the others do not
    return [path, 0, 0, 32, 32, line[5], code, *affect]
