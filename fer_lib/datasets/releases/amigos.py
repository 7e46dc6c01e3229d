"""Write the world of AMIGOS as the corpus is: a workbook with three annotators' ratings, and mov films.

The world's people P00 to P39 become the users 1 to 40 (so its test people are 31 to 40), their films get the
numbers of the sixteen that the corpus's people watched, and the segments of a film follow each other in it.
Quirks that are written, too: ratings at the end of the scale lie a little beyond it, in the columns where the
release has such cells (clamped, they are the world's again), and a row of a long film, as the second
experiment has them.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fer_lib.datasets.releases.films import write_film

if TYPE_CHECKING:
    import pandas as pd

    from fer_lib.datasets.faceset import FaceSet

FORMS = ("workbook",)
RATE = 25  # of the world's frames
WATCHED = (4, 5, 9, 10, 13, 18, 19, 20, 23, 30, 31, 34, 36, 58, 80, 138)
COLUMNS = tuple(f"{kind}_Annotator_{k}" for kind in ("Valence", "Arousal") for k in (1, 2, 3))
BEYOND = {"Valence_Annotator_3": 1, "Arousal_Annotator_2": -1}


def write(faces: FaceSet, folder: Path, *, seed: int, fps: int, form: str) -> None:
    """Write the workbook and the films.

    Args:
        faces: of "world:amigos"; of a segment's frames all are written.
        folder: an empty folder.
        seed: of the world.
        fps: frames a second of the films.
        form: not used; there is one form.
    """
    from openpyxl import Workbook

    assert faces.truth is not None
    clips = faces.table.assign(clip=faces.truth["clip"]).drop_duplicates(["split", "clip"])
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Annotations")
    sheet.append(["UserID", "VideoID", "Segment_Index", *COLUMNS])
    for subject, rows in clips.groupby("subject", sort=True):
        user = int(str(subject)[1:]) + 1
        for film, (_, segments) in zip(WATCHED, rows.groupby("video", sort=True), strict=False):
            segments = segments.sort_values("segment")
            for row in segments.to_dict("records"):
                ratings = [_cell(name, row[name.lower()]) for name in COLUMNS]
                sheet.append([user, film, int(row["segment"]), *ratings])
            path = folder / f"Exp1_P{user:02d}_face" / f"P{user:02d}_{film}_face.mov"
            write_film(path, _film(faces, segments, seed, fps), fps)
    sheet.append([1, "N1", 1, *[0.0] * len(COLUMNS)])
    book.save(folder / "External_Annotations.xlsx")


def _cell(name: str, value: float) -> float:
    """A rating; at the end of the scale it lies beyond."""
    return value * 1.02 if value == BEYOND.get(name) else value


def _film(faces: FaceSet, segments: pd.DataFrame, seed: int, fps: int) -> np.ndarray:
    """The segments of a film one after the other, uint8 (T, C, S, S)."""
    from fer_lib.datasets.corpora import world_of

    world, side = world_of(faces.name), faces.pixels.shape[-1]
    how = {"seed": seed, "size": side, "stride": RATE // fps}
    pairs = zip(segments["split"], segments["clip"], strict=True)
    return np.concatenate([world.frames(split, int(clip), **how)[0] for split, clip in pairs])
