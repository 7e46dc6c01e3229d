"""FER+ as it is published: the vote file beside fer2013.csv, or folders of pictures with label.csv."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from fer_lib.datasets.faceset import FaceSet
from fer_lib.datasets.releases import fer2013

FORMS = ("csv", "folders")
LOST = ("image",)
HEADER = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
FOLDERS = {"train": "FER2013Train", "validation": "FER2013Valid", "test": "FER2013Test"}
_BOX = '"(0, 0, 48, 48)"'
# FER2013's number of each of FER+'s first eight columns; it has no contempt, which is written as anger
_EMOTIONS = (6, 3, 5, 4, 0, 1, 2, 0)


def write(faces: FaceSet, folder: Path, *, seed: int, fps: int, form: str) -> None:
    """Write faces in one of FER+'s forms.

    As in the release, pictures that everybody calls "not a face" have no name and no file in the folder form,
    and names are numbered without them, so that a name's number is not its row. The csv form needs a
    fer2013.csv, whose column ``emotion`` gets the emotion of most votes; FER+ does not read it.

    Args:
        faces: 48 x 48, grey, with ``votes_*`` and ``split``.
        folder: an empty folder.
        seed, fps: not used.
        form: one of `FORMS`.

    Raises:
        ValueError: pictures of another size.
    """
    fer2013.check_side(faces)
    votes = faces.table[[column for column in faces.table if column.startswith("votes_")]].to_numpy(int)
    names = _names(votes)
    if form == "csv":
        _with_emotions(faces, votes, folder)
        _vote_file(faces.table, votes, names, folder / "fer2013new.csv")
    else:
        _folders(faces, votes, names, folder)


def _names(votes: np.ndarray) -> list[str]:
    named = votes[:, -1] < votes.sum(axis=1)
    numbers = np.cumsum(named) - 1
    return [f"fer{number:07d}.png" if there else "" for number, there in zip(numbers, named, strict=True)]


def _with_emotions(faces: FaceSet, votes: np.ndarray, folder: Path) -> None:
    """Write fer2013.csv."""
    import dataclasses

    emotions = np.array(_EMOTIONS)[votes[:, : len(_EMOTIONS)].argmax(axis=1)]
    table = faces.table.assign(expression=emotions)
    fer2013.write_csv(dataclasses.replace(faces, table=table), folder)


def _vote_file(table: pd.DataFrame, votes: np.ndarray, names: list[str], path: Path) -> None:
    usages = [fer2013.USAGE[split] for split in table["split"]]
    with path.open("w", encoding="ascii", newline="\n") as file:
        file.write(HEADER + "\n")
        for usage, name, row in zip(usages, names, votes.tolist(), strict=True):
            file.write(f"{usage},{name},{','.join(map(str, row))}\n")


def _folders(faces: FaceSet, votes: np.ndarray, names: list[str], folder: Path) -> None:
    from PIL import Image

    lines: dict[str, list[str]] = {name: [] for name in FOLDERS.values()}
    for split, name, row, image in _named(faces, votes, names):
        place = folder / FOLDERS[split]
        place.mkdir(exist_ok=True)
        Image.fromarray(image).save(place / name)
        lines[place.name].append(f"{name},{_BOX},{','.join(map(str, row))}\n")
    for place_name, rows in lines.items():
        if rows:
            (folder / place_name / "label.csv").write_text("".join(rows), encoding="ascii")


def _named(
    faces: FaceSet, votes: np.ndarray, names: list[str]
) -> Iterator[tuple[str, str, list[int], np.ndarray]]:
    rows = zip(faces.table["split"], names, votes.tolist(), fer2013.pictures(faces), strict=True)
    return ((split, name, row, image) for split, name, row, image in rows if name)
