"""Write the world of ElderReact as the corpus is: three label files without a header, and mp4 clips.

The form "annotations" has the label files in ``Annotations``, as the release; "data" has them beside the
folders of clips in ``ElderReact_Data``, as they come with the clips.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fer_lib.datasets.releases.films import write_clip

if TYPE_CHECKING:
    from fer_lib.datasets.faceset import FaceSet

FORMS = ("annotations", "data")
LOST = ("subject",)
ORDER = ("anger", "disgust", "fear", "happiness", "sadness", "surprise")
PARTS = {"train": "train", "validation": "dev", "test": "test"}


def write(faces: FaceSet, folder: Path, *, seed: int, fps: int, form: str) -> None:
    """Write the labels and the clips, each whole, however many of its frames `faces` has.

    The release does not tell who is seen, so ``subject`` is lost, but for the film's name, which is the
    person's: each film of a world shows one person.

    Args:
        faces: of "world:elderreact".
        folder: an empty folder.
        seed: of the world.
        fps: frames a second of the clips.
        form: "annotations" or "data".
    """
    assert faces.truth is not None
    clips = faces.table.assign(clip=faces.truth["clip"]).drop_duplicates(["split", "clip"])
    data = folder / "ElderReact_Data" if form == "data" else folder
    labels = data if form == "data" else folder / "Annotations"
    labels.mkdir(parents=True)
    for split, rows in clips.groupby("split", sort=False):
        part = PARTS[str(split)]
        lines = []
        for row in rows.sort_values("video").to_dict("records"):
            name = f"{row['video']}.mp4"
            states = " ".join(str(row[f"state_{state}"]) for state in ORDER)
            lines.append(f"{name} {states} {row['gender']} {float(row['valence_rating'])}\n")
            write_clip(faces, data / f"ElderReact_{part}" / name, str(split), row["clip"], seed=seed, fps=fps)
        (labels / f"{part}_labels.txt").write_text("".join(lines), encoding="utf-8")
