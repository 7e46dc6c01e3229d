"""Write the world of FABO: films of several executions each, and the manifest that our reader asks for.

No official layout is public, so this is ours. Times are written as seconds; the world's table counts frames.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fer_lib.datasets.releases.films import write_film

if TYPE_CHECKING:
    from fer_lib.datasets.faceset import FaceSet

FORMS = ("manifest",)
RATE = 25  # of the world's frames
TIMES = ("start", "apex", "apex_end", "end")


def write(faces: FaceSet, folder: Path, *, seed: int, fps: int, form: str) -> None:
    """Write the films and the manifest.

    The executions of one video follow each other in its film, in the order of the world's clips.

    Args:
        faces: of "world:fabo"; of an execution's frames all are written.
        folder: an empty folder.
        seed: of the world.
        fps: frames a second of the films.
        form: not used; there is one form.
    """
    from fer_lib.datasets.corpora import world_of

    assert faces.truth is not None
    world, side = world_of(faces.name), faces.pixels.shape[-1]
    clips = faces.table.assign(clip=faces.truth["clip"]).drop_duplicates(["split", "clip"])
    lines = ["video,subject,expression,start,apex,apex_end,end"]
    for video, rows in clips.groupby("video", sort=False):
        name = f"{video}.mp4"
        parts, seconds = [], 0.0
        for row in rows.sort_values("clip").to_dict("records"):
            times = ",".join(str(round(seconds + row[key] / RATE, 6)) for key in TIMES)
            expression = faces.classes[row["expression"]]
            lines.append(f"{name},{row['subject']},{expression},{times}")
            how = {"seed": seed, "size": side, "stride": RATE // fps}
            parts.append(world.frames(row["split"], int(row["clip"]), **how)[0])
            seconds += len(parts[-1]) / fps
        write_film(folder / "videos" / name, np.concatenate(parts), fps)
    (folder / "fabo.csv").write_text("\n".join([*lines, ""]), encoding="utf-8")
