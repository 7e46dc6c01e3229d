"""ElderReact: clips of elderly people who react to films and games, six emotions and valence for each clip.

``Annotations/train_labels.txt``, ``dev_labels.txt`` and ``test_labels.txt`` (in some copies beside the
folders of clips) hold a clip a line, apart by spaces, without a header::

    50_50_35.mp4 1 1 1 1 1 1 m 3.0

that is the file, whether anger, disgust, fear, happiness, sadness and surprise were seen (by most of three
viewers), the person's gender, and the mean of three ratings of valence from 1 (negative) to 7 (positive).

The clips are handed out apart from the labels, as ``ElderReact_train``, ``ElderReact_dev`` and
``ElderReact_test``, alone or in ``ElderReact_Data``; also read are ``Videos/train`` and so on, and one folder
``Videos``. The release does not tell who is seen. Clips of one film (``50_50``) stand in all three splits.

Reference:
    Ma, Wang, Yang, Morency and others (2019).
"""

from __future__ import annotations

import os
from collections import Counter
from functools import partial
from pathlib import Path

import pandas as pd

from fer_lib.affect import VOCABULARIES
from fer_lib.datasets.clipfolders import clip_folders, clips_below, count_unlabelled, find_clips
from fer_lib.datasets.listing import REPEATED, Listing, Release, check_every, check_framing
from fer_lib.datasets.paths import contents, tree_identity
from fer_lib.datasets.store import identity
from fer_lib.datasets.textfiles import TextTable, read_table
from fer_lib.errors import DataError

VERSION = 1  # raise when the same files would be read differently: their stores are then made again
CLASSES = VOCABULARIES["elderreact"]
SPLITS = {"train": "train", "dev": "validation", "test": "test"}
LABELS = ("Annotations", ".", "ElderReact_Data")
COLUMNS = ("file", *CLASSES, "gender", "valence")
GENDERS = {"m": 0, "f": 1}


def find(root: Path) -> str | None:
    """Say where a folder holds ElderReact's labels: "annotations" in their folder, "flat", or None."""
    place = _labels(root)
    if place is None:
        return None
    return "annotations" if place.name == "Annotations" else "flat"


def release(root: Path, *, framing: str = "found", every_s: float | None = 0.5) -> Release:
    """Find ElderReact.

    Args:
        root: folder with ``Annotations`` and the folders of clips.
        framing: see `fer_lib.datasets.listing.Release`.
        every_s: seconds between frames that are kept; None keeps every frame.

    Returns:
        Release whose table has path, split, video (the file without its ending), film (the video without its
        number), ``state_*`` (0 or 1), valence_rating (1-7, thirds) and gender ("m" or "f").

    Raises:
        DataError: no label files.
        ValueError: an option out of its range.
    """
    check_framing(framing)
    place = _labels(root)
    if place is None:
        got = contents(root)
        rule = "the folder must hold Annotations/train_labels.txt, dev_labels.txt or test_labels.txt"
        raise DataError(str(root), rule, got, "Point root at the folder that holds the release.")
    paths = {name: place / f"{name}_labels.txt" for name in SPLITS}
    files = {name: path for name, path in paths.items() if os.path.lexists(path)}  # even if it is no file
    folders = clip_folders(root, {SPLITS[name]: _folders(name) for name in files})
    clips = clips_below(root, [folder for some in folders.values() for folder in some])
    return Release(
        name="elderreact",
        version=VERSION,
        root=root,
        form=find(root) or "",
        files=(*(identity(path) for path in files.values()), *tree_identity(root, clips)),
        listing=partial(_read, root, files, folders),
        task="multi_label",
        tasks=("multi_label",),
        classes=CLASSES,
        source=" and ".join(path.name for path in files.values()),
        media="clips",
        framing=framing,
        every_s=check_every(every_s),
    )


def _labels(root: Path) -> Path | None:
    """The folder with the label files."""
    places = [root / name for name in LABELS]
    return next(
        (p for p in places if any(os.path.lexists(p / f"{name}_labels.txt") for name in SPLITS)), None
    )


def _folders(name: str) -> list[str]:
    """Folders that may hold a split's clips, the likeliest first."""
    other = {"dev": ("validation", "val")}.get(name, ())
    own = [f"ElderReact_{name}", f"ElderReact_Data/ElderReact_{name}"]
    own += [f"{above}/{part}" for above in ("Videos", "videos") for part in (name, *other)]
    return [*own, name, *other, "Videos", "videos"]


def _read(root: Path, files: dict[str, Path], folders: dict[str, list[str]]) -> Listing:
    """Read the label files."""
    tables, dropped = [], Counter[tuple[str, str]]()
    for name, path in files.items():
        text = read_table(path, COLUMNS, header=COLUMNS, separator=" ")
        twice = text.repeated(["file"], "a clip")
        dropped[SPLITS[name], REPEATED] += int(twice.sum())
        tables.append(_table(root, text.keep(~twice), SPLITS[name], folders[SPLITS[name]]))
    table = pd.concat(tables, ignore_index=True)
    return Listing(table, dropped=+dropped + count_unlabelled(root, folders, table["path"]))


def _table(root: Path, text: TextTable, split: str, folders: list[str]) -> pd.DataFrame:
    """Check the rows of a label file and find their clips."""
    where = [text.where(row) for row in range(len(text))]
    paths = find_clips(root, folders, text.filled("file"), where)
    text.one_of("gender", GENDERS)
    video = [path.rsplit("/", 1)[1].rsplit(".", 1)[0] for path in paths]
    columns: dict[str, object] = {
        "path": paths,
        "split": split,
        "video": video,
        "film": [name.rsplit("_", 1)[0] for name in video],
    }
    columns |= {f"state_{name}": text.whole(name, 0, 1) for name in CLASSES}
    columns["valence_rating"] = text.numbers("valence", low=1, high=7)
    columns["gender"] = text.frame["gender"].str.lower().to_numpy()
    return pd.DataFrame(columns)
