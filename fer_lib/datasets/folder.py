"""Your own faces: photos in class folders, or photos that a table names.

"folders": ``root/<class>/photo.jpg``. A folder within a class folder names a person:
``root/<class>/<person>/photo.jpg``. All of it may lie in folders of splits: ``root/train/<class>/...``,
``root/validation/...``, ``root/test/...``; without them everything is "train". Deeper folders mean nothing.

"csv": ``faces.csv`` in the root, or any csv file given as the root. It has the columns of `FaceSet.table`:
``path`` (from the csv's folder) and any of ``subject``, ``split``, ``expression`` (a class name, or its
number where `classes` is given), ``valence``, ``arousal`` (both in [-1, 1]), ``state_<name>`` (0 or 1) and
``share_<name>`` (shares of votes that sum to 1). An empty cell means: not known (an
empty split: train). Other columns are carried along. The tasks follow from the columns. Photos in
the folder that no line names are counted; beside a csv file given by itself they are not.

Classes that are emotion words, in the usual spellings ("happy", "Happiness"), get the names and the order of
the first vocabulary that holds them all; other classes are sorted. Photos without any label can be loaded by
giving `classes`, the names that a trained model has; such faces can be shown and predicted, not learned from.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import pandas as pd

from fer_lib.datasets.faceset import SPLITS
from fer_lib.datasets.foldercsv import read_index
from fer_lib.datasets.folderlabels import SPLIT_NAMES, Found, chosen_classes, class_name, in_order
from fer_lib.datasets.listing import FRAMINGS, UNLABELLED, Listing, Release, check_framing
from fer_lib.datasets.paths import column, contents, is_text, tree_identity, walk
from fer_lib.datasets.store import identity
from fer_lib.errors import DataError

VERSION = 1  # raise when the same files would be read differently: their stores are then made again
INDEX = "faces.csv"
SIDE = 96
SUFFIXES = (
    ".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".gif",
    ".heic", ".heif", ".avif",  # not read, but counted rather than passed over: many phones write them
)  # fmt: skip


def find(root: Path) -> str | None:
    """Say "csv" or "folders" where a csv file or a folder with photos is given."""
    if root.is_file():
        return "csv" if root.suffix.lower() == ".csv" else None
    if (root / INDEX).is_file():
        return "csv"
    try:
        return "folders" if root.is_dir() and walk(root, SUFFIXES) else None
    except OSError:
        return None


def release(root: Path, *, framing: str = "found", classes: str | Sequence[str] | None = None) -> Release:
    """Find your own faces.

    Args:
        root: a folder of class folders, a folder with ``faces.csv``, or a csv file.
        framing: "found" looks for the face in each photo and cuts it out with a margin; photos without one
            are counted. "aligned" also turns it by the eyes. "whole" and "given" take photos that are cut
            out already.
        classes: names in the order wanted; a string names a vocabulary ("affectnet7") or joins names by
            commas. None takes those of the folders or cells.

    Returns:
        Release whose tasks follow from the labels; photos are turned as their EXIF notes say.

    Raises:
        DataError: no photos, no labels, or a label or cell that breaks a rule.
        ValueError: an unknown framing, or classes named twice.
    """
    check_framing(framing, allowed=FRAMINGS)
    wanted = chosen_classes(classes)
    form = find(root)
    if form == "csv":
        file = root if root.is_file() else root / INDEX
        found = _with_others(root, read_index(file, wanted))
        base, files, source = file.parent, [identity(file)], f"columns of {file.name}"
    elif form == "folders":
        found, base, files, source = _folders(root, wanted), root, [], "names of the folders"
    else:
        rule = f"the folder must hold photos in class folders, or {INDEX}"
        got = contents(root) if root.is_dir() else "another kind of file"
        raise DataError(str(root), rule, got, f"Photos end in {', '.join(SUFFIXES[:7])}.")
    return Release(
        name="folder",
        version=VERSION,
        root=base,
        form=form,
        files=(*files, *tree_identity(base, [*found.table["path"], *found.others])),
        listing=partial(_listing, found),
        task=found.tasks[0],
        tasks=found.tasks,
        classes=found.classes,
        source=source,
        side=SIDE,
        framing=framing,
        complete=found.labelled,
        upright=True,
    )


def _listing(found: Found) -> Listing:
    return Listing(found.table, dropped=+found.dropped)


def _with_others(root: Path, found: Found) -> Found:
    """Count the photos of a folder that its table does not name; beside a csv file given by itself, none."""
    if not root.is_dir():
        return found
    others = sorted(set(walk(root, SUFFIXES)) - set(found.table["path"]))
    dropped = found.dropped + Counter({("train", UNLABELLED): len(others)})
    return replace(found, dropped=dropped, others=others)


def _folders(root: Path, wanted: tuple[str, ...] | None) -> Found:
    """Read the class folders."""
    paths = walk(root, SUFFIXES)
    parts = [path.split("/") for path in paths]
    has_splits = _has_splits(root, {part[0] for part in parts if len(part) > 1})
    rows, others = [], []
    for path, part in zip(paths, parts, strict=True):
        split = SPLIT_NAMES[part.pop(0).lower()] if has_splits and len(part) > 1 else "train"
        if len(part) < 2:
            others.append((path, split))
            continue
        person = _shown(part[1]) if len(part) > 2 else None
        rows.append((path, split, person, _folder_class(root, part[0])))
    if not rows:
        return _without_labels(root, others, wanted)
    names, *others_of = zip(*rows, strict=True)
    table = pd.DataFrame({"path": column(names)})
    table[["split", "subject", "expression"]] = pd.DataFrame(list(zip(*others_of, strict=True)))
    classes = wanted or in_order(table["expression"])
    unknown = table.loc[~table["expression"].isin(classes), "path"]
    if len(unknown):
        rule = f"a class folder must be one of {', '.join(classes)}"
        fix = "Rename the folder, or add its name to classes."
        raise DataError(str(root / unknown.iloc[0]), rule, Path(unknown.iloc[0]).parent.name, fix)
    table["expression"] = table["expression"].map({name: k for k, name in enumerate(classes)}).astype("int64")
    if table["subject"].isna().all():
        table = table.drop(columns="subject")
    table = table.sort_values(
        "split", key=lambda split: split.map(SPLITS.index), kind="stable", ignore_index=True
    )
    dropped = Counter((split, UNLABELLED) for _, split in others)
    return Found(table, classes, ("categorical",), dropped, others=[path for path, _ in others])


def _has_splits(root: Path, first: set[str]) -> bool:
    """Whether the folders with photos in the root are splits: all of them, or none."""
    splits = {name for name in first if name.lower() in SPLIT_NAMES}
    if splits and splits < first:
        rule = "the folders in the root must be all splits or all classes"
        got = f"{sorted(splits)[0]} beside {sorted(first - splits)[0]}"
        raise DataError(str(root), rule, got, "Move the class folders into the splits.")
    return bool(splits)


def _folder_class(root: Path, name: str) -> str:
    if not is_text(name):
        rule = "a class folder's name must be UTF-8"
        raise DataError(str(root), rule, _shown(name), "Rename the folder.")
    return class_name(name)


def _shown(name: str) -> str:
    """A name as UTF-8 text."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _without_labels(root: Path, others: list[tuple[str, str]], wanted: tuple[str, ...] | None) -> Found:
    """Photos that can only be predicted."""
    if wanted is None:
        fix = f"Sort them into folders named by class, or write a {INDEX}; to predict only, give classes=."
        raise DataError(str(root), "photos must have labels", f"{len(others)} photos in no class folder", fix)
    names, splits = zip(*others, strict=True)
    table = pd.DataFrame({"path": column(names), "split": list(splits), "expression": -1})
    return Found(table, wanted, ("categorical",), Counter(), labelled=False)
