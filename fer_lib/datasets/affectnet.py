"""AffectNet: web pictures with an expression, valence, arousal and 68 landmarks each.

Two forms are read. "npy" is the release of 2021: pictures already cut out, and four small NumPy files for
each. "csv" is the release of 2017: whole pictures, with the faces' boxes in two tables.

Rules, for both: -2 in valence or arousal means "not annotated" and reads as nan; any other number outside
[-1, 1] is an error. Rows whose expression is 8 (none), 9 (uncertain) or 10 (no face) are left out, and
counted; so are, in the tables of 2017, rows that repeat another, and all rows of a face whose labels differ.
"""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from fer_lib.affect import VOCABULARIES
from fer_lib.datasets import affectnet_csv, affectnet_npy
from fer_lib.datasets.listing import Release, check_framing
from fer_lib.datasets.paths import contents
from fer_lib.errors import DataError

VERSION = 1  # raise when the same files would be read differently: their stores are then made again
CLASSES = {8: VOCABULARIES["affectnet"], 7: VOCABULARIES["affectnet7"]}
TASKS = ("categorical", "valence_arousal")
SIDE = 96  # of the stored pictures, as its world has them
NO_CONTEMPT = "contempt left out (classes=7)"
FOLDERS = (".", "affectnet", "AffectNet", "Manually_Annotated")
_FORMS = {"npy": affectnet_npy, "csv": affectnet_csv}


def find(root: Path) -> str | None:
    """Say which form of the corpus a folder (or its sub-folder "AffectNet") holds: "npy", "csv", or None."""
    return next((form for form in _FORMS if _place(root, form)), None)


def release(root: Path, *, classes: int = 8, framing: str = "given") -> Release:
    """Find AffectNet.

    Args:
        root: folder with ``train_set`` and ``val_set``, or with ``Manually_Annotated_file_lists`` and
            ``Manually_Annotated_Images``; either part may be absent. Or the folder that holds this one under
            the name "AffectNet" or "Manually_Annotated".
        classes: 8, or 7 to leave contempt out (in every task), as most of the literature does. Both share
            one store.
        framing: see `fer_lib.datasets.listing.Release`; "given" cuts by the table's box (csv) or takes the
            pictures as they are (npy, which are cut out already).

    Returns:
        Release whose table has path, split, expression, valence and arousal; its landmarks are the corpus's.

    Raises:
        DataError: the folder holds neither form.
        ValueError: an option out of its range.
    """
    if isinstance(classes, bool) or classes not in CLASSES:
        raise ValueError(f"classes must be 8 or 7; got {classes!r}. 7 leaves contempt out.")
    check_framing(framing)
    form = find(root)
    if form is None:
        rule = "the folder must hold train_set or val_set, or Manually_Annotated_file_lists"
        got = contents(root)
        raise DataError(str(root), rule, got, "Point root at the folder that holds the release.")
    reader, place = _FORMS[form], _place(root, form) or root
    return Release(
        name="affectnet",
        version=VERSION,
        root=place,
        form=form,
        files=reader.files(place),
        listing=partial(reader.read, place),
        task="categorical",
        tasks=TASKS,
        classes=CLASSES[classes],
        source=f"{reader.SOURCE}, {classes} expressions",
        side=SIDE,
        framing=framing,
        rule=None if classes == 8 else _without_contempt,
        mark=(classes,),
    )


def _place(root: Path, form: str) -> Path | None:
    """The folder that holds a form: the root, or a sub-folder of the obvious name."""
    names = _FORMS[form].FOLDERS
    for folder in FOLDERS:
        if any(os.path.isdir(root / folder / name) for name in names):
            return root / folder if folder != "." else root
    return None


def _without_contempt(table: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray]:
    reason = np.full(len(table), "", dtype=object)
    reason[(table["expression"] == len(CLASSES[7])).to_numpy()] = NO_CONTEMPT
    return table, reason
