"""OMG-Emotion: monologues from the web, cut into utterances; valence, arousal and an emotion for each.

``omg_TrainVideos.csv``, ``omg_ValidationVideos.csv`` and ``omg_TestVideos_WithLabels.csv`` hold an utterance
a line, with a header whose capitals differ from file to file::

    link,start,end,video,utterance,arousal,valence,EmotionMaxVote
    https://...,0.0,16.2,1f61459b0,utterance_1.mp4,0.468,0.696,3

arousal lies in [0, 1], valence in [-1, 1]; EmotionMaxVote counts 0 anger, 1 disgust, 2 fear, 3 happiness,
4 neutral, 5 sadness, 6 surprise. During the challenge the test file (``omg_TestVideos_WithoutLabels.csv``)
had no labels; of several files of one split the one with labels is read. Rows without a video are left out.

Each utterance is a film of its own: ``<video>/utterance_1.mp4``, anywhere below the root, such as in
``omg_TrainVideos/``. The same name in folders of several splits means the one in its split's folder.

The corpus does not tell who is seen. Long videos were cut into parts, ``e3b57cfd8_1``, ``e3b57cfd8_2`` and so
on; as they are monologues, what comes before the underscore stands for the person.

Reference:
    Barros, Churamani, Lakomkin, Siqueira, Sutherland and Wermter (2018).
"""

from __future__ import annotations

from collections import Counter
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from fer_lib.affect import VOCABULARIES
from fer_lib.datasets.clips import FILM_SUFFIXES
from fer_lib.datasets.listing import REPEATED, UNLABELLED, Listing, Release, check_every, check_framing
from fer_lib.datasets.paths import column, contents, inside, names_in, tree_identity, walk
from fer_lib.datasets.store import identity
from fer_lib.datasets.textfiles import TextTable, read_table
from fer_lib.errors import DataError

VERSION = 1  # raise when the same files would be read differently: their stores are then made again
CLASSES = VOCABULARIES["omg_emotion"]
SPLITS = {"train": "train", "validation": "validation", "test": "test"}
LABELS = ("arousal", "valence", "EmotionMaxVote")
NO_VIDEO = "row without a video"
_NO_FILMS = "DetailedAnnotation/"  # its folders are called utterance_1.mp4


def find(root: Path) -> str | None:
    """Say which form a folder holds: "labels", "challenge" (the test file has no labels), or None."""
    try:
        files = _files(root)
    except DataError:  # a folder that may not be read
        return None
    if not files:
        return None
    return "challenge" if "test" in files and "withoutlabels" in files["test"].name.lower() else "labels"


def release(root: Path, *, framing: str = "found", every_s: float | None = 0.5) -> Release:
    """Find OMG-Emotion.

    Args:
        root: folder with the csv files, and below it the utterances.
        framing: see `fer_lib.datasets.listing.Release`.
        every_s: seconds between frames that are kept; None keeps every frame.

    Returns:
        Release whose table has path, split, subject, video, utterance, start and end (seconds in the video
        from the web, nan where not told), valence, arousal, expression. Test rows without labels have nan
        and -1.

    Raises:
        DataError: no csv file.
        ValueError: an option out of its range.
    """
    check_framing(framing)
    every_s = check_every(every_s)
    files = _files(root)
    if not files:
        got = contents(root)
        rule = "the folder must hold omg_TrainVideos.csv, omg_ValidationVideos.csv or omg_TestVideos*.csv"
        raise DataError(str(root), rule, got, "Point root at the folder that holds the annotations.")
    films = _films(root)
    return Release(
        name="omg_emotion",
        version=VERSION,
        root=root,
        form=find(root) or "",
        files=(*(identity(path) for path in files.values()), *tree_identity(root, films)),
        listing=partial(_read, root, files),
        task="valence_arousal",
        tasks=("valence_arousal", "categorical"),
        classes=CLASSES,
        source=" and ".join(path.name for path in files.values()),
        media="clips",
        framing=framing,
        every_s=every_s,
    )


def _files(root: Path) -> dict[str, Path]:
    """Split -> its csv file; of several the one with labels, then the one with the shortest name."""
    found: dict[str, Path] = {}
    for name in sorted(names_in(root), key=lambda name: (_rank(name.lower()), len(name), name)):
        low = name.lower()
        split = next((split for split in SPLITS if low.startswith(f"omg_{split}videos")), None)
        if split and low.endswith(".csv"):
            found.setdefault(split, root / name)
    return {split: found[split] for split in SPLITS if split in found}


def _rank(name: str) -> int:
    return 0 if "withlabels" in name else 2 if "withoutlabels" in name else 1


def _films(root: Path) -> list[str]:
    return [name for name in walk(root, FILM_SUFFIXES) if not name.startswith(_NO_FILMS)]


def _read(root: Path, files: dict[str, Path]) -> Listing:
    """Read the label files and find the utterances."""
    places = _places(_films(root))
    tables, dropped = [], Counter[tuple[str, str]]()
    for split, path in files.items():
        text = _rows(path, split)
        absent = (text.frame["video"] == "").to_numpy()
        dropped[split, NO_VIDEO] += int(absent.sum())
        text = text.keep(~absent)
        twice = _labels_only(text).repeated(["video", "utterance"], "an utterance")
        dropped[split, REPEATED] += int(twice.sum())
        tables.append(_table(text.keep(~twice), split, places))
    table = pd.concat(tables, ignore_index=True)
    named = set(table["path"])
    home = {_key(path)[0]: split for path, split in zip(table["path"], table["split"], strict=True)}
    for film in (film for films in places.values() for film in films if film not in named):
        dropped[home.get(PurePosixPath(film).parent.name, next(iter(files))), UNLABELLED] += 1
    return Listing(table, dropped=+dropped)


def _rows(path: Path, split: str) -> TextTable:
    """Read a label file; only the challenge's test file may lack the labels."""
    needed = ("video", "utterance")
    if split != "test":
        return read_table(path, (*needed, *LABELS), optional=("start", "end"))
    text = read_table(path, needed, optional=("start", "end", *LABELS))
    blank = (text.frame[list(LABELS)] == "").sum(axis=1).to_numpy()
    rule = f"a row must have all of {', '.join(LABELS)}, or none of them"
    text.refuse((blank > 0) & (blank < len(LABELS)), rule, [f"{len(LABELS) - k} of them" for k in blank])
    return text


def _labels_only(text: TextTable) -> TextTable:
    """Links and times may be written in two ways without a conflict."""
    return TextTable(text.path, text.frame[["video", "utterance", *LABELS]], text.lines)


def _places(films: list[str]) -> dict[tuple[str, ...], list[str]]:
    """(video, utterance without its ending) -> films of this name."""
    places: dict[tuple[str, ...], list[str]] = {}
    for film in films:
        places.setdefault(_key(film), []).append(film)
    return places


def _key(path: str) -> tuple[str, ...]:
    parts = PurePosixPath(path)
    stem = parts.stem if parts.suffix.lower() in FILM_SUFFIXES else parts.name
    return (parts.parent.name, stem)


def _place(name: str, split: str, films: list[str]) -> str:
    """The film of an utterance: the one in its split's folder, or the only one; else where it should be."""
    own = [film for film in films if any(split[:3] in part.lower() for part in film.split("/")[:-2])]
    full = name if name.lower().endswith(FILM_SUFFIXES) else f"{name}.mp4"
    return next(iter([*own, *films]), full)


def _table(text: TextTable, split: str, places: dict[tuple[str, ...], list[str]]) -> pd.DataFrame:
    """Check the rows of a label file and find their films."""
    videos, utterances = text.filled("video"), text.filled("utterance")
    names = [
        inside(f"{video}/{utterance}", text.where(row))
        for row, (video, utterance) in enumerate(zip(videos, utterances, strict=True))
    ]
    blank = (text.frame["EmotionMaxVote"] == "").to_numpy()
    free = split == "test"
    if not free:
        text.refuse(blank, "EmotionMaxVote must be a number", [""] * len(text))
    expression = np.full(len(text), -1, dtype=np.int64)
    expression[~blank] = text.keep(~blank).whole("EmotionMaxVote", 0, len(CLASSES) - 1)
    return pd.DataFrame(
        {
            "path": column([_place(name, split, places.get(_key(name), [])) for name in names]),
            "split": split,
            "subject": [video.split("_")[0] for video in videos],
            "video": videos,
            "utterance": utterances,
            "start": text.numbers("start", empty=True),
            "end": text.numbers("end", empty=True),
            "valence": text.numbers("valence", low=-1, high=1, empty=free),
            "arousal": text.numbers("arousal", low=0, high=1, empty=free),
            "expression": expression,
        }
    )
