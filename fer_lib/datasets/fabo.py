"""FABO: people act nine states before a camera, each from rest to an apex and back.

No official layout is public: the corpus comes as videos, its labels apart. So this reader asks for a manifest
of our own, ``fabo.csv`` (or ``manifest.csv``), one line for each time that somebody acts a state::

    video,subject,expression,start,apex,apex_end,end
    S001/001-003.avi,S001,anger,0.56,1.04,2.84,3.92

``video`` is the path of the film from the manifest's folder, or from ``videos`` in it (without an ending,
.mp4 is meant), ``expression`` one of anger, anxiety, boredom, disgust, fear, happiness, puzzlement, sadness,
surprise. Times are seconds in the film, not numbers of frames: where the face leaves rest, where the apex
begins, where it ends, and where rest is reached again. Without the column ``apex_end``, or where it is empty,
the apex is taken to last half of the time from ``apex`` to ``end``; such rows are counted. A column ``split``
may say train, validation or test, the same for all lines of a film (the study of Face-STN speaks of given
sets, which are not public); without it all is "train", and the protocols part by people. Of each line only
the frames of the apex are kept, as in the study of Face-STN: from ``apex`` on, and before ``apex_end``, which
itself is excluded. Lines whose apex begins after the film's end count among the rows that ``allow_missing``
bounds.

Reference:
    Gunes and Piccardi (2006); the apex: Barros and Sciutti (2022), Face-STN.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from fer_lib.affect import VOCABULARIES
from fer_lib.datasets.clipfolders import find_clips
from fer_lib.datasets.clips import FILM_SUFFIXES
from fer_lib.datasets.faceset import SPLITS
from fer_lib.datasets.listing import REPEATED, UNLABELLED, Listing, Release, check_every, check_framing
from fer_lib.datasets.paths import contents, tree_identity, walk
from fer_lib.datasets.store import identity
from fer_lib.datasets.textfiles import TextTable, read_table
from fer_lib.errors import DataError

VERSION = 1  # raise when the same files would be read differently: their stores are then made again
CLASSES = VOCABULARIES["fabo"]
NAMES = ("fabo.csv", "manifest.csv")
FOLDERS = (".", "videos", "Videos")
COLUMNS = ("video", "subject", "expression", "start", "apex", "end")
TIMES = ("start", "apex", "apex_end", "end")
NO_APEX_END = "apex without an end: half of the time to the end taken"


def find(root: Path) -> str | None:
    """Say whether a folder holds the manifest: "manifest", or None."""
    path = _manifest(root)
    if path is None:
        return None
    if path.name == NAMES[0]:
        return "manifest"
    try:  # other corpora may have a manifest.csv, too
        with path.open(encoding="utf-8-sig") as file:
            header = file.readline().lower().strip().replace(" ", "").split(",")
    except (OSError, UnicodeDecodeError):
        return None
    return "manifest" if {"video", "apex"} <= set(header) else None


def release(root: Path, *, framing: str = "found", every_s: float | None = 0.2) -> Release:
    """Find FABO by its manifest.

    Args:
        root: folder with the manifest, and the films in it or below.
        framing: see `fer_lib.datasets.listing.Release`.
        every_s: seconds between frames of an apex that are kept; None keeps every frame.

    Returns:
        Release whose table has path, split ("train" unless told), subject, video (as written,
        without its ending), execution (number in its video, from 1), start, apex, apex_end, end (seconds; the
        world counts frames) and expression.

    Raises:
        DataError: no manifest.
        ValueError: an option out of its range.
    """
    check_framing(framing)
    every_s = check_every(every_s)
    manifest = _manifest(root)
    if manifest is None:
        got = contents(root)
        fix = f"Write one with the columns {','.join(COLUMNS)}: see the page on access to data."
        raise DataError(str(root), "the folder must hold the manifest fabo.csv", got, fix)
    return Release(
        name="fabo",
        version=VERSION,
        root=root,
        form="manifest",
        files=(*identity(manifest), *tree_identity(root, walk(root, FILM_SUFFIXES))),
        listing=partial(_read, root, manifest),
        task="categorical",
        tasks=("categorical",),
        classes=CLASSES,
        source=f"{manifest.name}, only the apex",
        media="clips",
        framing=framing,
        every_s=every_s,
    )


def _manifest(root: Path) -> Path | None:
    return next((root / name for name in NAMES if (root / name).is_file()), None)


def _read(root: Path, manifest: Path) -> Listing:
    """Read the manifest and find the films."""
    text = read_table(manifest, COLUMNS, optional=("apex_end", "split"), own=True)
    twice = text.repeated(["video", "start"], "an execution")
    text = text.keep(~twice)
    where = [text.where(row) for row in range(len(text))]
    found = find_clips(root, FOLDERS, text.filled("video"), where)
    path = np.array([PurePosixPath(name).as_posix() for name in found], dtype=object)
    expression = text.one_of("expression", {name: k for k, name in enumerate(CLASSES)})
    subject = text.filled("subject")
    times, mended = _times(text)
    _check_apart(text, path, times)
    split = _splits(text, path)
    order = np.lexsort((times[:, 0], pd.factorize(path)[0]))  # films as the manifest has them
    table = pd.DataFrame(
        {
            "path": path,
            "split": split,
            "subject": subject,
            "video": [os.path.splitext(name)[0] for name in text.frame["video"]],
            "expression": expression,
            **{name: times[:, k] for k, name in enumerate(TIMES)},
        }
    )
    table = table.iloc[order].reset_index(drop=True)
    table.insert(4, "execution", table.groupby("path").cumcount() + 1)
    alone = set(walk(root, FILM_SUFFIXES)) - set(path)
    dropped = Counter({(split[0], REPEATED): int(twice.sum()), (split[0], UNLABELLED): len(alone)})
    return Listing(table, spans=times[order][:, 1:3], dropped=+dropped, mended=mended)


def _splits(text: TextTable, path: np.ndarray) -> np.ndarray:
    """Split of each row, "train" where none is told; a film must not be in two."""
    told = text.frame["split"].replace("", SPLITS[0])
    named = replace(text, frame=text.frame.assign(split=told))
    codes = named.one_of("split", {name: k for k, name in enumerate(SPLITS)})
    first = pd.Series(codes).groupby(path).transform("first").to_numpy()
    text.refuse(codes != first, "a film must be in one split", told.tolist(), "Correct the line.")
    return np.array(SPLITS, dtype=object)[codes]


def _times(text: TextTable) -> tuple[np.ndarray, Counter]:
    """Seconds (N, 4) of start, apex, its end, and end, in this order of time."""
    start, apex, end = (text.numbers(name, low=0) for name in ("start", "apex", "end"))
    apex_end = text.numbers("apex_end", low=0, empty=True)
    open_ended = np.isnan(apex_end)
    apex_end = np.where(open_ended, (apex + end) / 2, apex_end)
    times = np.stack([start, apex, apex_end, end], axis=1)
    wrong = (start > apex) | (apex >= apex_end) | (apex_end > end)
    got = [", ".join(f"{value:g}" for value in row) for row in times]
    rule = "times must run from start to apex to apex_end to end, in seconds"
    text.refuse(wrong, rule, got, "Correct the line.")
    return times, +Counter({NO_APEX_END: int(open_ended.sum())})


def _check_apart(text: TextTable, path: np.ndarray, times: np.ndarray) -> None:
    """Nobody acts two things at once: refuse executions of one film that overlap."""
    order = np.lexsort((times[:, 0], pd.factorize(path)[0]))
    same = path[order][1:] == path[order][:-1]
    overlap = np.zeros(len(path), dtype=bool)
    overlap[order[1:]] = same & (times[order, 0][1:] < times[order, 3][:-1])
    got = [f"{name}, {start:g} s" for name, start in zip(path, times[:, 0], strict=True)]
    rule = "an execution must begin after the one before it in the same film has ended"
    text.refuse(overlap, rule, got, "Correct the line.")
