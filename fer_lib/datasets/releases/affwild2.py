"""Write the world of Aff-Wild2 as the corpus is: a text file a video and task, and cropped faces as pictures.

The world judges one frame in 4 s, so a written video is that slow: its frames are those of the world's table,
in their order (``frame`` is therefore lost: it counts from 1 again). They lie lossless in no format of the
release; jpg with little loss is written. Quirks that are written, too: frames that nobody could judge have -5
and -1; and after the first frame, the sixth and so on comes one whose face was not detected, so that it has
no picture, with the labels of the one before it. Read it back with ``every=1``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from fer_lib.datasets.faceset import FaceSet

FORMS = ("va+expr",)
LOST = ("subject", "frame")
SETS = {"train": "Train_Set", "validation": "Validation_Set", "test": "Test_Set"}
HEADERS = {
    "VA_Set": "valence,arousal",
    "EXPR_Set": "Neutral,Anger,Disgust,Fear,Happiness,Sadness,Surprise",
}
GAP = 5
QUALITY = 95


def write(faces: FaceSet, folder: Path, *, seed: int, fps: int, form: str) -> None:
    """Write the labels and the pictures.

    Args:
        faces: of "world:affwild2", N frames.
        folder: an empty folder.
        seed, fps, form: not used; there is one form, without films.
    """
    from PIL import Image

    assert faces.truth is not None
    table = faces.table.assign(clip=faces.truth["clip"], row=np.arange(len(faces)))
    for (split, video), rows in table.groupby(["split", "video"], sort=False):
        place = folder / "cropped_aligned" / str(video)
        place.mkdir(parents=True)
        rated: list[str] = []
        shown: list[str] = []
        number = 0
        for row in rows.sort_values(["clip", "frame"]).to_dict("records"):
            rating = f"{_short(row['valence'])},{_short(row['arousal'])}"
            lines = 1 + (number % (GAP + 1) == 0)  # the second of them has no picture
            image = faces.pixels[faces.rows[row["row"]]].transpose(1, 2, 0)
            Image.fromarray(image).save(place / f"{number + 1:05d}.jpg", quality=QUALITY, subsampling=0)
            rated += [rating] * lines
            shown += [str(row["expression"])] * lines
            number += lines
        for name, values in (("VA_Set", rated), ("EXPR_Set", shown)):
            labels = folder / "annotations" / name / SETS[str(split)] / f"{video}.txt"
            labels.parent.mkdir(parents=True, exist_ok=True)
            labels.write_text("\n".join([HEADERS[name], *values, ""]), encoding="utf-8")


def _short(value: float) -> str:
    return "-5" if value == -5 else str(float(value))
