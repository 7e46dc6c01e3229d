"""FER2013 in its three forms: one csv with Usage, the challenge's two csv files, and folders of classes.

The numbers 0-6 of the csv mean anger, disgust, fear, happiness, sadness, surprise, neutral. The names of
folders are alphabetical, so numbering folders in their order would swap classes: they are read by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from fer_lib.affect import VOCABULARIES
from fer_lib.datasets import csvpixels, folders
from fer_lib.datasets.pictures import resized
from fer_lib.datasets.reading import Reading, listing, only
from fer_lib.datasets.store import Chunk, Store, build, identity
from fer_lib.datasets.subjects import with_subjects
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


def find(root: Path) -> str | None:
    """Say which form of the corpus a folder holds: "csv", "challenge", "folders", or None.

    Args:
        root: a folder, or the csv file itself.
    """
    if root.is_file() or only(root, *CSV_FILES):
        return "csv"
    if only(root, "train.csv"):
        return "challenge"
    return "folders" if folders.split_folders(root, SPLIT_FOLDERS) else None


def read(root: Path, *, size: int | None = None) -> Reading:
    """Read FER2013.

    Args:
        root: folder with ``fer2013.csv`` (or that file), with ``train.csv`` and ``test.csv``, or with folders
            ``train/angry`` .... A file ``index.csv`` beside the csv with the columns ``row`` and ``subject``
            adds ``subject``, so that `FaceSet.split` keeps people apart.
        size: side of the stored pictures; None keeps 48.

    Returns:
        Reading with the columns path (of a csv: file#row, from 0), split, expression and perhaps subject. The
        challenge's test pictures have no label: their expression is -1.

    Raises:
        DataError: the folder holds no form of the corpus, or a row breaks a rule.
    """
    form = find(root)
    if form is None:
        rule = "the folder must hold fer2013.csv, or train.csv (and test.csv), or train/angry and so on"
        raise DataError(str(root), rule, listing(root), "Point root at the folder that holds the release.")
    store, source = {"csv": _csv, "challenge": _challenge, "folders": _folders}[form](root, size)
    table: pd.DataFrame = store.table
    mark: tuple[object, ...] = ()
    index = csv_file(root).with_name("index.csv") if form == "csv" else None
    if index is not None and index.is_file():
        table, mark = with_subjects(table, index)
        source += ", people from index.csv" if mark else ""
    keep = np.full(len(table), "", dtype=object)
    return Reading(store, table, keep, "categorical", ("categorical",), CLASSES, source, mark)


def csv_file(root: Path) -> Path:
    """Return the csv of the csv form, or the root itself where it is that file."""
    return root if root.is_file() else only(root, *CSV_FILES) or root / CSV_FILES[0]


def _csv(root: Path, size: int | None) -> tuple[Store, str]:
    path = csv_file(root)
    chunks = partial(csvpixels.chunks, path, number_classes=len(CLASSES))
    return _store(chunks, size, "csv", [identity(path)]), path.name


def _challenge(root: Path, size: int | None) -> tuple[Store, str]:
    """Read train.csv (emotion, pixels) and, if it is there, test.csv (pixels only)."""
    paths = [path for path in (root / "train.csv", root / "test.csv") if path.exists()]

    def chunks() -> Iterator[Chunk]:
        for path in paths:
            labelled, split = path.stem == "train", path.stem
            yield from csvpixels.chunks(path, number_classes=len(CLASSES), labelled=labelled, split=split)

    identities = [identity(path) for path in paths]
    return _store(chunks, size, "challenge", identities), " and ".join(path.name for path in paths)


def _folders(root: Path, size: int | None) -> tuple[Store, str]:
    """Read train/<class>/*.jpg; a file named PublicTest_* or PrivateTest_* under test says its split."""
    table = folders.scan(root, SPLIT_FOLDERS, CLASS_FOLDERS)
    public = table["path"].str.rsplit("/", n=1).str[-1].str.startswith("PublicTest")
    table["split"] = table["split"].mask(public & (table["split"] == "test"), "validation")
    chunks = partial(folders.chunks, root, table, side=SIDE)
    return _store(chunks, size, "folders", folders.identities(root, table)), "folders of classes"


def _store(chunks: Callable[[], Iterable[Chunk]], size: int | None, form: str, files: list) -> Store:
    parts = {"reader": "fer2013", "version": VERSION, "form": form, "size": size, "files": files}
    return build(resized(chunks, size), **parts)
