"""AffectNet's release of 2017: whole pictures, and two tables with boxes, landmarks and labels.

``Manually_Annotated_file_lists/training.csv`` has a header, ``validation.csv`` is known to lack it; their
columns are those of `HEADER`. The landmarks are one field, ``x;y;x;y;...``, in pixels of the whole picture.
The tables hold about half a gigabyte of text, so they are read in blocks. What a program labelled
(``Automatically_Annotated``) is not read.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from fer_lib.datasets.listing import REPEATED, UNLABELLED, Listing
from fer_lib.datasets.paths import inside, names_in, tree_identity, walk
from fer_lib.datasets.store import identity
from fer_lib.datasets.textblocks import read_blocks
from fer_lib.datasets.textfiles import TextTable
from fer_lib.errors import DataError

LISTS = "Manually_Annotated_file_lists"
PICTURES = ("Manually_Annotated_Images", "Manually_Annotated/Manually_Annotated_Images")  # either
FOLDERS = (LISTS,)
SPLITS = {"train": "training.csv", "validation": "validation.csv"}
BOX = ("face_x", "face_y", "face_width", "face_height")
HEADER = ("subDirectory_filePath", *BOX, "facial_landmarks", "expression", "valence", "arousal")
SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".gif")
SOURCE = f"{LISTS}, release of 2017"
LEFT_OUT = {8: "expression is none", 9: "expression is uncertain", 10: "expression is no-face"}
NOT_ANNOTATED = "valence or arousal of -2 (not annotated)"
NO_LANDMARKS = "picture without landmarks"
DISPUTED = "face with labels that differ"
NO_BOX = "picture without a face box (taken whole)"
_POINTS = 136


def files(root: Path) -> tuple[object, ...]:
    """Identity of the tables, and of the folders of pictures by their times of last change.

    A picture that is added, removed or replaced changes its folder's time; one that is overwritten in place
    does not, and is not noticed.
    """
    lists = [[split, *identity(path)] for split, path in _lists(root).items()]
    folder = root / _pictures(root)
    return (*lists, *tree_identity(folder, [".", *sorted(names_in(folder))]))


@dataclass(frozen=True)
class _Rows:
    """Rows of a table with an expression: table, boxes (N, 4), landmarks (N, 68, 2), and lines (N,)."""

    table: pd.DataFrame
    boxes: np.ndarray
    landmarks: np.ndarray
    lines: np.ndarray

    def keep(self, mask: np.ndarray) -> _Rows:
        table = self.table[mask].reset_index(drop=True)
        return _Rows(table, self.boxes[mask], self.landmarks[mask], self.lines[mask])

    @staticmethod
    def join(parts: list[_Rows]) -> _Rows:
        table = pd.concat([part.table for part in parts], ignore_index=True)
        boxes, landmarks = [part.boxes for part in parts], [part.landmarks for part in parts]
        lines = [part.lines for part in parts]
        return _Rows(table, np.concatenate(boxes), np.concatenate(landmarks), np.concatenate(lines))


def read(root: Path) -> Listing:
    """Read both tables; see `fer_lib.datasets.affectnet` for the rules.

    Raises:
        DataError: a row that breaks a rule.
    """
    dropped: Counter = Counter()
    named: set[str] = set()
    parts: list[_Rows] = []
    for split, path in _lists(root).items():
        blocks = read_blocks(path, HEADER, header=HEADER)
        rows = _Rows.join([_block(block, split, dropped, named) for block in blocks])
        parts.append(_once(rows, split, dropped))
    whole, folder = _Rows.join(parts), _pictures(root)
    there = walk(root / folder, SUFFIXES) if os.path.isdir(root / folder) else []
    dropped["train", UNLABELLED] = sum(name not in named for name in there)
    whole.table["path"] = f"{folder}/" + whole.table["path"]
    mended = Counter(
        {
            NOT_ANNOTATED: int(whole.table[["valence", "arousal"]].isna().any(axis=1).sum()),
            NO_LANDMARKS: int(np.isnan(whole.landmarks[:, 0, 0]).sum()),
            NO_BOX: int(np.isnan(whole.boxes).any(axis=1).sum()),
        }
    )
    return Listing(
        whole.table, boxes=whole.boxes, landmarks=whole.landmarks, dropped=+dropped, mended=+mended
    )


def _pictures(root: Path) -> str:
    """The folder of the pictures, from the root."""
    return next((name for name in PICTURES if os.path.isdir(root / name)), PICTURES[0])


def _lists(root: Path) -> dict[str, Path]:
    names = names_in(root / LISTS)
    there = {split: root / LISTS / name for split, name in SPLITS.items() if name in names}
    if not there:
        got = "neither"
        raise DataError(str(root / LISTS), "must hold training.csv or validation.csv", got, "Add them.")
    return there


def _block(block: TextTable, split: str, dropped: Counter, named: set[str]) -> _Rows:
    """Check a block of rows; those with an expression."""
    codes = block.whole("expression", 0, 10)
    affect = {name: _affect(block, name) for name in ("valence", "arousal")}
    paths = [inside(text, block.where(i)) for i, text in enumerate(block.frame[HEADER[0]])]
    named.update(paths)
    for code, reason in LEFT_OUT.items():
        dropped[split, reason] += int((codes == code).sum())
    table = pd.DataFrame({"path": paths, "split": split, "expression": codes, **affect})
    keep = codes < min(LEFT_OUT)
    kept = block.keep(keep)
    return _Rows(table[keep].reset_index(drop=True), _boxes(kept), _landmarks(kept), kept.lines)


def _affect(block: TextTable, column: str) -> np.ndarray:
    """Valence or arousal, nan where it was not annotated."""
    values = block.numbers(column)
    allowed = (np.abs(values) <= 1) | (values == -2)
    rule = f"{column} must lie in [-1, 1], or be -2 (not annotated)"
    block.refuse(~allowed, rule, block.frame[column].tolist())
    return np.where(values == -2, np.nan, values)


def _boxes(block: TextTable) -> np.ndarray:
    """Boxes (N, 4); columns are x, rows are y. A row whose four fields are empty has none."""
    low = (-np.inf, -np.inf, 1, 1)
    columns = [block.numbers(name, low=at, empty=True) for name, at in zip(BOX, low, strict=True)]
    boxes = np.stack(columns, axis=1)
    some = np.isnan(boxes).any(axis=1) & ~np.isnan(boxes).all(axis=1)
    texts = [",".join(row) for row in block.frame[list(BOX)].itertuples(index=False)]
    block.refuse(some, "a face's box must have four numbers, or none", texts)
    return boxes


def _landmarks(block: TextTable) -> np.ndarray:
    """Landmarks float32 (N, 68, 2), nan where the field is empty."""
    texts = [text.rstrip(";") for text in block.frame["facial_landmarks"]]
    full = np.array([bool(text) for text in texts], dtype=bool)
    points = np.full((len(texts), _POINTS), np.nan, np.float32)
    counts = np.array([text.count(";") + 1 for text in texts], dtype=int)
    rule = f"facial_landmarks must be {_POINTS} numbers joined by ';'"
    block.refuse(full & (counts != _POINTS), rule, [f"{count} fields" for count in counts])
    if full.any():
        joined = ";".join(text for text in texts if text)
        try:
            values = np.fromiter(map(float, joined.split(";")), np.float32, full.sum() * _POINTS)
        except ValueError:
            values = np.full(full.sum() * _POINTS, np.nan, np.float32)
            bad = np.array([bool(text) and not _are_numbers(text) for text in texts])
            block.refuse(bad, rule, [text[:60] for text in texts])
        points[full] = values.reshape(-1, _POINTS)
    block.refuse(full & ~np.isfinite(points).all(axis=1), rule, [text[:60] for text in texts])
    return points.reshape(-1, _POINTS // 2, 2)


def _are_numbers(text: str) -> bool:
    try:
        return len([float(value) for value in text.split(";")]) == _POINTS
    except ValueError:
        return False


def _once(rows: _Rows, split: str, dropped: Counter) -> _Rows:
    """Leave out rows that repeat an earlier one, and faces whose rows say different things; count both.

    A picture may be listed once for each of its faces, so a face is a picture with a box.
    """
    face = pd.concat([rows.table[["path"]], pd.DataFrame(rows.boxes, columns=list(BOX))], axis=1)
    said = pd.concat([face, rows.table.drop(columns="path")], axis=1)
    number = face.groupby(list(face.columns), dropna=False, sort=False).ngroup()
    differs = said[~said.duplicated()].groupby(number).size().gt(1)
    disputed = number.isin(differs.index[differs]).to_numpy()
    repeated = said.duplicated().to_numpy() & ~disputed
    dropped[split, DISPUTED] += int(disputed.sum())
    dropped[split, REPEATED] += int(repeated.sum())
    return rows.keep(~disputed & ~repeated)
