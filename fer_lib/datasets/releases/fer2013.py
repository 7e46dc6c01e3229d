"""FER2013 as it is published: one csv, the challenge's two csv files, or folders of classes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from fer_lib.datasets.faceset import FaceSet

FORMS = ("csv", "challenge", "folders")
USAGE = {"train": "Training", "validation": "PublicTest", "test": "PrivateTest"}
FOLDERS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")  # of emotions 0-6
SIDE = 48


def write(faces: FaceSet, folder: Path, *, seed: int, fps: int, form: str) -> None:
    """Write faces in one of FER2013's forms.

    "csv" carries everything. "challenge" gives the rows of validation and test no label and one split, as the
    competitors saw them. "folders" stores JPEG, so that grey values change a little, and both test parts lie
    in one folder, told apart by their names.

    Args:
        faces: 48 x 48, grey, with ``expression`` and ``split``.
        folder: an empty folder.
        seed, fps: not used.
        form: one of `FORMS`.

    Raises:
        ValueError: pictures of another size.
    """
    check_side(faces)
    {"csv": write_csv, "challenge": _challenge, "folders": _folders}[form](faces, folder)


def check_side(faces: FaceSet) -> None:
    """Refuse pictures that are not 48 x 48 and grey."""
    if faces.pixels.shape[1:] != (1, SIDE, SIDE):
        got = " x ".join(str(length) for length in faces.pixels.shape[1:])
        raise ValueError(f"size must be {SIDE} for this release; got {got}. Leave size out.")


def pictures(faces: FaceSet) -> Iterator[np.ndarray]:
    """Pass the grey pictures (48, 48) on, one at a time."""
    for row in faces.rows:
        yield faces.pixels[row, 0]


def write_csv(faces: FaceSet, folder: Path) -> None:
    """Write fer2013.csv: emotion, 2,304 numbers between spaces, Usage."""
    rows = zip(faces.table["expression"], pictures(faces), faces.table["split"], strict=True)
    with (folder / "fer2013.csv").open("w", encoding="ascii", newline="\n") as file:
        file.write("emotion,pixels,Usage\n")
        for expression, image, split in rows:
            file.write(f"{expression},{_numbers(image)},{USAGE[split]}\n")


def _numbers(image: np.ndarray) -> str:
    return " ".join(map(str, image.ravel().tolist()))


def _challenge(faces: FaceSet, folder: Path) -> None:
    with (
        (folder / "train.csv").open("w", encoding="ascii", newline="\n") as train,
        (folder / "test.csv").open("w", encoding="ascii", newline="\n") as test,
    ):
        train.write("emotion,pixels\n")
        test.write("pixels\n")
        rows = zip(faces.table["expression"], pictures(faces), faces.table["split"], strict=True)
        for expression, image, split in rows:
            if split == "train":
                train.write(f"{expression},{_numbers(image)}\n")
            else:
                test.write(f"{_numbers(image)}\n")


def _folders(faces: FaceSet, folder: Path) -> None:
    from PIL import Image

    rows = zip(faces.table["expression"], pictures(faces), faces.table["split"], strict=True)
    for number, (expression, image, split) in enumerate(rows):
        place = folder / ("train" if split == "train" else "test") / FOLDERS[expression]
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(place / f"{USAGE[split]}_{number}.jpg", quality=95)
