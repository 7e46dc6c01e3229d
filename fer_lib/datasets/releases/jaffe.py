"""Write the world of JAFFE as the corpus is: grey tiff files in one folder, and the readme with ratings.

Numbers run from 1 to 219 over the subjects in the release's order, with its six gaps, whose pictures are
rated in the readme all the same. Its text is our own; the table's columns and the second table, without fear,
are the release's. The ratings follow from what the world's viewers are likely to answer.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from fer_lib.datasets.faceset import FaceSet

FORMS = ("tiff",)
ORDER = ("KM", "KA", "YM", "KR", "NM", "MK", "UY", "KL", "TM", "NA")
EXPRESSIONS = {
    "neutral": "NE", "happiness": "HA", "sadness": "SA", "surprise": "SU", "anger": "AN", "disgust": "DI",
    "fear": "FE",
}  # fmt: skip
GAPS = (8, 12, 21, 76, 108, 183)
COLUMNS = {
    "HAP": "happiness",
    "SAD": "sadness",
    "SUR": "surprise",
    "ANG": "anger",
    "DIS": "disgust",
    "FEA": "fear",
}

_TEXT = """\
READ THIS FIRST

Pictures of a synthetic stand-in for the JAFFE data set; no person is pictured.
Names: subject, expression and shot, number. NE neutral, HA happiness, SA sadness,
SU surprise, AN anger, DI disgust, FE fear.

Semantic Ratings Data
Means over viewers; 5: high, 1: low.

"""


def write(faces: FaceSet, folder: Path, *, seed: int, fps: int, form: str) -> None:
    """Write the pictures and the readme.

    Args:
        faces: of "world:jaffe", N pictures; those of other sides than 256 are written as they are.
        folder: an empty folder.
        seed, fps, form: not used; there is one form, without films.
    """
    from PIL import Image

    short = [EXPRESSIONS[faces.classes[k]] for k in faces.table["expression"]]
    place = {code: at for at, code in enumerate(EXPRESSIONS.values())}
    who = faces.table["subject"].tolist()
    shots = faces.table["shot"].tolist()
    order = sorted(range(len(faces)), key=lambda i: (ORDER.index(who[i]), place[short[i]], shots[i]))
    rows: list[tuple[int, np.ndarray, str]] = []
    ratings, number = _ratings(faces), 1
    for i in order:
        while number in GAPS:  # rated, but not among the pictures
            rows.append((number, ratings[i], f"{who[i]}-{short[i]}{shots[i] + 4}"))
            number += 1
        name = f"{who[i]}.{short[i]}{shots[i]}.{number}.tiff"
        Image.fromarray(faces.pixels[faces.rows[i], 0]).save(folder / name)
        rows.append((number, ratings[i], f"{who[i]}-{short[i]}{shots[i]}"))
        number += 1
    (folder / "README_FIRST.txt").write_text(_readme(rows), encoding="ascii", newline="\r\n")


def _ratings(faces: FaceSet) -> np.ndarray:
    """Mean ratings (N, 6) from 1 to 5: the likelier a word and the clearer the face, the higher."""
    assert faces.truth is not None
    chance = faces.truth[[f"label_{name}" for name in COLUMNS.values()]].to_numpy(float)
    clear = 0.4 + 0.6 * faces.truth[["intensity"]].to_numpy(float)
    return np.round(1.2 + 3.6 * (chance * clear).clip(0, 1), 2)


def _readme(rows: list[tuple[int, np.ndarray, str]]) -> str:
    lines = [_TEXT + " ".join(["#", *COLUMNS, "PIC"]), "-" * 40]
    lines += [f"{number} {_numbers(values)} {name}" for number, values, name in rows]
    lines += [
        "",
        "Semantic Ratings Data (Fear Excluded)",
        "",
        " ".join(["#", *list(COLUMNS)[:-1], "PIC"]),
        "-" * 40,
    ]
    lines += [
        f"{number} {_numbers(values[:-1])} {name}" for number, values, name in rows if "-FE" not in name
    ]
    return "\n".join([*lines, ""])


def _numbers(values: np.ndarray) -> str:
    return " ".join(f"{value:.2f}" for value in values)
