"""FER2013 in its three forms: one csv with Usage, the challenge's two csv files, and folders of classes.

The numbers 0-6 of the csv mean anger, disgust, fear, happiness, sadness, surprise, neutral. The names of
folders are alphabetical, so numbering folders in their order would swap classes: they are read by name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from fer_lib.affect import VOCABULARIES
from fer_lib.datasets import csvpixels, folders
from fer_lib.datasets.listing import Listing, Release
from fer_lib.datasets.paths import contents
from fer_lib.datasets.store import Chunk, identity
from fer_lib.datasets.subjects import names_people, with_subjects, without_subject
from fer_lib.errors import DataError

CLASSES = VOCABULARIES["fer2013"]
SIDE, USAGE = csvpixels.SIDE, csvpixels.USAGE
VERSION = 1  # raise when the same files would be read differently: their stores are then made again
CSV_FILES = ("fer2013.csv", "icml_face_data.csv", "fer2013/fer2013.csv")
SPLIT_FOLDERS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("validation", "valid", "val", "publictest"), "validation"),
    **dict.fromkeys(("test", "privatetest"), "test"),
}
CLASS_FOLDERS = {
    **{name: index for index, name in enumerate(CLASSES)},
    **{"angry": 0, "happy": 3, "sad": 4, "surprised": 5, "fearful": 2, "disgusted": 1},
}

_Parts = tuple[list[object], Callable[[], Iterator[Chunk]], str]  # files, chunks, source


def find(root: Path) -> str | None:
    """Say which form of the corpus a folder holds: "csv", "challenge", "folders", or None.

    Args:
        root: a folder, or the csv file itself.
    """
    if root.is_file() or _first(root, *CSV_FILES):
        return "csv"
    if _first(root, "train.csv"):
        return "challenge"
    return "folders" if folders.split_folders(root, SPLIT_FOLDERS) else None


def release(root: Path) -> Release:
    """Describe FER2013 in a folder.

    Args:
        root: folder with ``fer2013.csv`` (or that file), with ``train.csv`` and ``test.csv``, or with folders
            ``train/angry`` .... A file ``index.csv`` beside the csv with the columns ``row`` and ``subject``
            adds ``subject``, so that `FaceSet.split` keeps people apart; rows without one are counted.

    Returns:
        Release with the columns path (of a csv: file#row, from 0), split, expression and perhaps subject. The
        challenge's test pictures have no label: their expression is -1, and they are kept.

    Raises:
        DataError: the folder holds no form of the corpus.
    """
    form = find(root)
    if form is None:
        rule = "the folder must hold fer2013.csv, or train.csv (and test.csv), or train/angry and so on"
        raise DataError(str(root), rule, contents(root), "Point root at the folder that holds the release.")
    files, chunks, source = {"csv": _csv, "challenge": _challenge, "folders": _folders}[form](root)
    described = Release(
        name="fer2013",
        version=VERSION,
        root=root,
        form=form,
        files=tuple(files),
        listing=no_listing,
        task="categorical",
        tasks=("categorical",),
        classes=CLASSES,
        source=source,
        side=SIDE,
        channels=1,
        framing="whole",
        chunks=chunks,
        complete=False,
    )
    index = people_file(root) if form == "csv" else None
    if index is None:
        return described
    mark, source = ("subjects", *identity(index)), f"{source}, people from {index.name}"
    with_people = partial(_with_people, index=index)
    return replace(described, rule=with_people, mark=mark, mended=without_subject, source=source)


def no_listing() -> Listing:
    """List nothing: the labels come with the pictures."""
    return Listing(pd.DataFrame(columns=["path", "split", "expression"]))


def people_file(root: Path) -> Path | None:
    """Return ``index.csv`` beside the csv form's file, if it is there and names rows and subjects."""
    index = csv_file(root).with_name("index.csv")
    return index if names_people(index) else None


def _with_people(table: pd.DataFrame, index: Path) -> tuple[pd.DataFrame, np.ndarray]:
    return with_subjects(table, index), np.full(len(table), "", dtype=object)


def csv_file(root: Path) -> Path:
    """Return the csv of the csv form, or the root itself where it is that file."""
    return root if root.is_file() else _first(root, *CSV_FILES) or root / CSV_FILES[0]


def _csv(root: Path) -> _Parts:
    path = csv_file(root)
    return [identity(path)], partial(csvpixels.chunks, path, number_classes=len(CLASSES)), path.name


def _challenge(root: Path) -> _Parts:
    """Read train.csv (emotion, pixels) and, if it is there, test.csv (pixels only)."""
    paths = [path for path in (root / "train.csv", root / "test.csv") if path.exists()]

    def chunks() -> Iterator[Chunk]:
        for path in paths:
            labelled, split = path.stem == "train", path.stem
            yield from csvpixels.chunks(path, number_classes=len(CLASSES), labelled=labelled, split=split)

    return [identity(path) for path in paths], chunks, " and ".join(path.name for path in paths)


def _folders(root: Path) -> _Parts:
    """Read train/<class>/*.jpg; a file named PublicTest_* or PrivateTest_* under test says its split."""

    def chunks() -> Iterator[Chunk]:
        table = folders.scan(root, SPLIT_FOLDERS, CLASS_FOLDERS)
        without = folders.unnamed(root, SPLIT_FOLDERS, table)
        public = [path.rsplit("/", 1)[-1].startswith("PublicTest") for path in table["path"]]
        table["split"] = table["split"].mask(np.array(public) & (table["split"] == "test"), "validation")
        for chunk in folders.chunks(root, table, side=SIDE):
            yield replace(chunk, dropped=chunk.dropped + without)
            without = Counter()

    return folders.identities(root, SPLIT_FOLDERS), chunks, "folders of classes"


def _first(root: Path, *names: str) -> Path | None:
    """The first of `names` that `root` holds, or None."""
    return next((root / name for name in names if (root / name).exists()), None)
