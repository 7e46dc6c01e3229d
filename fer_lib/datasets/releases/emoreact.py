"""Write the world of EmoReact as the corpus is: labels and names in files of one order, and mp4 clips."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fer_lib.datasets.releases.films import write_clip

if TYPE_CHECKING:
    from fer_lib.datasets.faceset import FaceSet

FORMS = ("labels",)
LOST = ("subject",)
ORDER = (
    "curiosity", "uncertainty", "excitement", "happiness", "surprise", "disgust", "fear", "frustration",
)  # fmt: skip
PARTS = {"train": ("Train", "train", "Train"), "validation": ("Validation", "val", "Val")}
PARTS["test"] = ("Test", "test", "Test")


def write(faces: FaceSet, folder: Path, *, seed: int, fps: int, form: str) -> None:
    """Write the labels, the names and the clips, each whole, however many of its frames `faces` has.

    The release does not tell who is seen: ``subject`` is lost. Its order is not that of the files' names, so
    neither is ours.

    Args:
        faces: of "world:emoreact".
        folder: an empty folder.
        seed: of the world; draws the order of the labels too.
        fps: frames a second of the clips.
        form: not used; there is one.
    """
    assert faces.truth is not None
    clips = faces.table.assign(clip=faces.truth["clip"]).drop_duplicates(["split", "clip"])
    place = folder / "EmoReact_V_1.0"
    (place / "Labels").mkdir(parents=True)
    order = np.random.default_rng(seed)
    for split, rows in clips.groupby("split", sort=False):
        data, label, name = PARTS[str(split)]
        lines, names = [], []
        for row in rows.iloc[order.permutation(len(rows))].to_dict("records"):
            file = f"{row['video']}.mp4"
            states = ",".join(str(row[f"state_{state}"]) for state in ORDER)
            lines.append(f"{states},{row['valence_rating']:.4f}\n")
            names.append(f"'{file}'\n")
            write_clip(faces, place / "Data" / data / file, str(split), row["clip"], seed=seed, fps=fps)
        (place / "Labels" / f"{label}_labels.text").write_text("".join(lines), encoding="utf-8")
        (place / "Labels" / f"{name}_names.txt").write_text("".join(names), encoding="utf-8")
