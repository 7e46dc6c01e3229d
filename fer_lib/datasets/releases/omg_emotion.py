"""Write the world of OMG-Emotion as the corpus is: three csv files and a film for each utterance.

Quirks that are written, too: headers with other capitals in each file, and a row without a video at the end
of the first. In the form "labels" the test file has labels, in the form "challenge" it has none.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fer_lib.datasets.releases.films import write_clip

if TYPE_CHECKING:
    from fer_lib.datasets.faceset import FaceSet

FORMS = ("labels", "challenge")
NAMES = {"train": "Train", "validation": "Validation", "test": "Test"}
HEADERS = {
    "train": "link,start,end,video,utterance,arousal,valence,EmotionMaxVote",
    "validation": "Link,Start,End,Video,Utterance,Arousal,Valence,EmotionMaxVote",
    "test": "link,start,end,video,utterance,Arousal,Valence,emotionmaxvote",
}


def write(faces: FaceSet, folder: Path, *, seed: int, fps: int, form: str) -> None:
    """Write the labels and the utterances, each whole, however many of its frames `faces` has.

    The release does not tell who is seen, but a video of the world shows one person, whose name comes first
    in its own. Links lead nowhere.

    Args:
        faces: of "world:omg_emotion".
        folder: an empty folder.
        seed: of the world.
        fps: frames a second of the films.
        form: "labels" or "challenge".
    """
    assert faces.truth is not None
    clips = faces.table.assign(clip=faces.truth["clip"]).drop_duplicates(["split", "clip"])
    for number, (split, rows) in enumerate(clips.groupby("split", sort=False)):
        part = str(split)
        blind = part == "test" and form == "challenge"
        ending = {"test": "_WithoutLabels" if blind else "_WithLabels"}.get(part, "")
        lines = [HEADERS[part].rsplit(",", 3)[0] if blind else HEADERS[part]]
        for row in rows.to_dict("records"):
            place = folder / f"omg_{NAMES[part]}Videos" / row["video"]
            write_clip(faces, place / row["utterance"], part, row["clip"], seed=seed, fps=fps)
            shown = ["none", row["start"], row["end"], row["video"], row["utterance"]]
            rated = [float(row["arousal"]), float(row["valence"]), row["expression"]]
            lines.append(",".join(str(value) for value in (shown if blind else shown + rated)))
        if number == 0:
            lines.append("none,0.0,1.0,,utterance_1.mp4" + ("" if blind else ",0.5,0.0,4"))
        path = folder / f"omg_{NAMES[part]}Videos{ending}.csv"
        path.write_text("\n".join([*lines, ""]), encoding="utf-8")
