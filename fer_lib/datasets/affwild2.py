"""Aff-Wild2: videos from the web with valence and arousal, or one of seven expressions, for every frame.

Each task has a text file a video, in ``Train_Set``, ``Validation_Set`` or ``Test_Set`` of a folder whose name
begins with ``VA`` (``VA_Set``, ``VA_Estimation_Challenge``) or ``EXPR`` (``EXPR_Set``,
``EXPR_Classification_Challenge``), anywhere in the upper folders of the root. The first line is
``valence,arousal`` or the list of expressions, then comes a line for each frame, from frame 1. A rating of -5
and an expression of -1 are invalid; the eighth expression of later challenges, ``Other``, counts as none.

The faces lie cropped and aligned, 112 x 112, as ``cropped_aligned/<video>/00001.jpg``, numbered as the lines,
with gaps where no face was detected; also in ``cropped_aligned_new_50_vids``. Where two people are seen there
are two "videos", such as ``30-30-1920x1080_left``.

The tasks are told apart by their own splits: many a video is in the training set of one and in the validation
set of the other. A row carries the labels of both tasks, and its split is that of the option `task`; videos
that only the other task annotates keep the other's. So train valence and arousal with
``task="valence_arousal"`` and expressions with ``task="categorical"``; a model of both tasks trained and
evaluated under one of them sees no video on both sides.

Neighbouring frames are all but the same picture: of 2.8 million frames the default keeps every tenth that is
annotated (``every=10``), about 3 a second.

Reference:
    Kollias and Zafeiriou (2019).
"""

from __future__ import annotations

import os
import re
from collections import Counter
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from fer_lib.affect import VOCABULARIES
from fer_lib.datasets.faceset import SPLITS
from fer_lib.datasets.framelines import expressions, ratings
from fer_lib.datasets.listing import UNLABELLED, Listing, Release, check_framing
from fer_lib.datasets.paths import column, contents, is_folder, names_in, tree_identity
from fer_lib.errors import DataError

VERSION = 1  # raise when the same files would be read differently: their stores are then made again
CLASSES = VOCABULARIES["affwild2"]
TASKS = {"valence_arousal": re.compile(r"va(_|$)", re.I), "categorical": re.compile(r"expr", re.I)}
SETS = {"train_set": "train", "validation_set": "validation", "test_set": "test"}
FACES = re.compile(r"cropped_aligned", re.I)
PASSED_OVER = re.compile(r"cropped(?!_aligned)|videos?$", re.I)  # other pictures, and the films
DEPTH = 3  # folders above Train_Set, or above the folders of pictures
SUFFIXES = (".jpg", ".jpeg", ".png")
INVALID = "no valid annotation (-5 or -1)"
NO_PICTURE = "annotated frame without a picture"
OTHER = "expression Other: counted as none"
APART = "video in different sets of the two tasks"


@dataclass(frozen=True)
class _Video:
    """Label files of one video: task -> (split, file from the root)."""

    name: str
    files: dict[str, tuple[str, str]]

    def split(self, task: str) -> str:
        """Its split by a task, or by the other where the task has none."""
        return (self.files.get(task) or next(iter(self.files.values())))[0]


def find(root: Path) -> str | None:
    """Say whose annotations a folder holds: "va", "expr", "va+expr", or None."""
    try:
        tasks = {task for task, _, _ in _sets(root)}
    except (DataError, OSError):
        return None
    short = {"valence_arousal": "va", "categorical": "expr"}
    return "+".join(short[task] for task in TASKS if task in tasks) or None


def release(root: Path, *, task: str = "valence_arousal", every: int = 10, framing: str = "given") -> Release:
    """Find Aff-Wild2.

    Args:
        root: folder with the annotations and the cropped faces.
        task: whose official sets are the splits: "valence_arousal" or "categorical".
        every: of each video, every so many-th of its annotated frames that have a picture; 1 takes all.
        framing: see `fer_lib.datasets.listing.Release`; the pictures are aligned crops, taken whole.

    Returns:
        Release whose table has path, split, video, frame (from 1), valence and arousal (nan: none),
        expression (-1: none), and ``set_va`` and ``set_expr``: the video's official set in each task, ""
        where it has none. Pictures of a video that no label file names are counted with the first split,
        train as a rule. The store is made again where label files or the folders of pictures change; a
        picture that is changed in place goes unnoticed.

    Raises:
        DataError: no annotations.
        ValueError: an option out of its range.
    """
    check_framing(framing)
    if task not in TASKS:
        raise ValueError(f"task must be one of {', '.join(TASKS)}; got {task!r}. Choose one of these.")
    if isinstance(every, bool) or not isinstance(every, int) or every < 1:
        raise ValueError(f"every must be a whole number above 0; got {every!r}. 1 takes every frame.")
    videos = _videos(root)
    if not videos:
        got = contents(root)
        rule = "the folder must hold VA_Set or EXPR_Set with Train_Set/<video>.txt"
        raise DataError(str(root), rule, got, "Point root at the folder with annotations and faces.")
    faces = _faces(root)
    labels = [file for video in videos for _, file in video.files.values()]
    seen = tree_identity(root, [*labels, *(faces[name] for name in sorted(faces))])
    return Release(
        name="affwild2",
        version=VERSION,
        root=root,
        form=find(root) or "",
        files=(task, every, *seen),
        listing=partial(_read, root, videos, faces, task, every),
        task=task,
        tasks=tuple(TASKS),
        classes=CLASSES,
        source=f"{len(labels)} label files, splits of {task.replace('_', ' and ')}",
        side=112,
        framing=framing,
    )


def _sets(root: Path) -> list[tuple[str, str, str]]:
    """Task, split and path from the root of each folder of label files."""
    found, waiting = [], [("", "", 0)]
    while waiting:
        place, task, depth = waiting.pop()
        for name in _folders(root / place):
            path = f"{place}/{name}" if place else name
            own = next((known for known, pattern in TASKS.items() if pattern.match(name)), task)
            if own and name.lower() in SETS:
                found.append((own, SETS[name.lower()], path))
            elif depth < DEPTH and not FACES.match(name):
                waiting.append((path, own, depth + 1))
    return sorted(found)


def _folders(place: Path) -> list[str]:
    """Names of the folders in a folder, sorted; those without labels or faces are passed over."""
    try:
        with os.scandir(place) as entries:
            names = [entry.name for entry in entries if is_folder(entry)]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        got = error.strerror or type(error).__name__
        raise DataError(str(place), "the folder must be readable", got, "Give read permission.") from error
    return sorted(name for name in names if not name.startswith(".") and not PASSED_OVER.match(name))


def _videos(root: Path) -> list[_Video]:
    """Every video with its label files, by name; a task may name a video once."""
    files: dict[str, dict[str, tuple[str, str]]] = {}
    for task, split, folder in _sets(root):
        for name in names_in(root / folder):
            if name.startswith(".") or not name.lower().endswith(".txt"):
                continue
            of_video = files.setdefault(name[:-4], {})
            if task in of_video:
                rule = "a video must be in one set of a task"
                got = f"also {of_video[task][1]}"
                raise DataError(str(root / folder / name), rule, got, "Keep the sets of one challenge.")
            of_video[task] = (split, f"{folder}/{name}")
    order = list(TASKS)
    return [
        _Video(name, {task: files[name][task] for task in order if task in files[name]})
        for name in sorted(files)
    ]


def _faces(root: Path) -> dict[str, str]:
    """Video -> folder of its pictures, from the root; the first by name where there are several."""
    found: dict[str, str] = {}
    waiting = [("", 0)]
    while waiting:
        place, depth = waiting.pop(0)
        within = FACES.match(place.rsplit("/", 1)[-1])
        for name in _folders(root / place):
            path = f"{place}/{name}" if place else name
            if within and not FACES.match(name):
                found.setdefault(name, path)
            elif depth < DEPTH and name.lower() not in SETS:
                waiting.append((path, depth + 1))
    return found


def _read(root: Path, videos: list[_Video], faces: dict[str, str], task: str, every: int) -> Listing:
    """Read the label files video by video; only the rows that are kept stay in memory."""
    tables, dropped, mended = [], Counter[tuple[str, str]](), Counter[str]()
    for video in videos:
        split = video.split(task)
        labels = _labels(root, video, mended)
        table, left_out = _rows(root, video.name, labels, faces.get(video.name), every)
        table.insert(1, "split", split)
        for name, own in (("set_va", "valence_arousal"), ("set_expr", "categorical")):
            table[name] = video.files[own][0] if own in video.files else ""
        tables.append(table)
        dropped.update({(split, reason): number for reason, number in left_out.items()})
        mended[APART] += len({of for of, _ in video.files.values()}) > 1
    there = {video.split(task) for video in videos}
    first = next(split for split in SPLITS if split in there)  # as no file says theirs
    for name in faces.keys() - {video.name for video in videos}:
        numbered, others = _pictures(root / faces[name])
        dropped[first, UNLABELLED] += len(numbered) + others
    return Listing(pd.concat(tables, ignore_index=True), dropped=+dropped, mended=+mended)


def _labels(root: Path, video: _Video, mended: Counter) -> dict[str, np.ndarray]:
    """Labels of every frame of a video (row 0 is frame 1): valence, arousal, expression."""
    rated, shown = np.zeros((0, 2)), np.zeros(0, dtype=np.int64)
    if "valence_arousal" in video.files:
        rated = ratings(root / video.files["valence_arousal"][1])
    if "categorical" in video.files:
        shown = expressions(root / video.files["categorical"][1], CLASSES)
        mended[OTHER] += int((shown == len(CLASSES)).sum())
        shown = np.where(shown == len(CLASSES), -1, shown)
    longest = max(len(rated), len(shown))
    both = np.full((longest, 2), np.nan)
    both[: len(rated)] = rated
    expression = np.full(longest, -1, dtype=np.int64)
    expression[: len(shown)] = shown
    return {"valence": both[:, 0], "arousal": both[:, 1], "expression": expression}


def _rows(
    root: Path, video: str, labels: dict[str, np.ndarray], folder: str | None, every: int
) -> tuple[pd.DataFrame, Counter]:
    """Rows of a video's frames that are kept, and how many are left out for which reason.

    A video without a folder keeps its frames: decoding counts them as missing files.
    """
    annotated = ~np.isnan(labels["valence"]) | (labels["expression"] >= 0)
    left_out = Counter({INVALID: int((~annotated).sum())})
    frames = np.flatnonzero(annotated)
    names: dict[int, str] = {}
    if folder is not None:
        names, nameless = _pictures(root / folder)
        there = np.zeros(len(annotated), dtype=bool)
        there[[number - 1 for number in names if 1 <= number <= len(there)]] = True
        left_out[NO_PICTURE] = int((annotated & ~there).sum())
        left_out[UNLABELLED] = nameless + len(names) - int(there.sum())
        frames = np.flatnonzero(annotated & there)
    frames = frames[::every]
    place = folder or f"cropped_aligned/{video}"
    paths = [f"{place}/{names.get(frame, f'{frame:05d}.jpg')}" for frame in (frames + 1).tolist()]
    kept = {name: values[frames] for name, values in labels.items()}
    names_too = {"path": column(paths), "video": column([video] * len(paths))}
    return pd.DataFrame({**names_too, "frame": frames + 1, **kept}), left_out


def _pictures(folder: Path) -> tuple[dict[int, str], int]:
    """Frame -> name of its picture; and how many pictures have names that are no frame's."""
    names: dict[int, str] = {}
    others = 0
    for name in names_in(folder):
        stem, ending = os.path.splitext(name)
        if name.startswith(".") or ending.lower() not in SUFFIXES:
            continue
        if stem.isascii() and stem.isdigit() and int(stem) not in names:
            names[int(stem)] = name
        else:
            others += 1
    return names, others
