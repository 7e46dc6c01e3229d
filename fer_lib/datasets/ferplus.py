"""FER+ in its two forms: the vote file beside fer2013.csv, and folders of pictures with label.csv.

The vote file joins BY ROW ORDER. The number in a picture's name is not its row, 173 rows have no name and
four names come twice. The two forms' votes disagree on 1,601 pictures: `FaceSet.source` says which was read.
"""

from __future__ import annotations

import csv
import io
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from fer_lib.datasets import fer2013, folders, votes
from fer_lib.datasets.listing import REPEATED, Listing, Release
from fer_lib.datasets.paths import contents
from fer_lib.datasets.store import Chunk, identity
from fer_lib.datasets.subjects import with_subjects
from fer_lib.datasets.textfiles import read_text
from fer_lib.errors import DataError

VERSION = 1
VOTES_FILE = "fer2013new.csv"
HEADER = ["Usage", "Image name", *votes.CLASSES, "unknown", "NF"]
OTHER_VOTES = "picture named again with other votes"
SPLIT_FOLDERS = {"fer2013train": "train", "fer2013valid": "validation", "fer2013test": "test"}
_FETCH = "Fetch the file again, or correct the row."


def find(root: Path) -> str | None:
    """Say which form of the corpus a folder holds: "csv", "folders", or None."""
    if os.path.lexists(root / VOTES_FILE) and _pixels_root(root) is not None:
        return "csv"
    found = folders.split_folders(root, SPLIT_FOLDERS) if root.is_dir() else {}
    return "folders" if any(os.path.lexists(path / "label.csv") for path in found) else None


def release(root: Path, *, mode: str = "majority") -> Release:
    """Describe FER+ in a folder.

    Args:
        root: folder with ``fer2013new.csv`` and ``fer2013.csv`` (which may also lie in ``../fer2013``), or
            with ``FER2013Train``, ``FER2013Valid``, ``FER2013Test``, each of pictures and a ``label.csv``.
        mode: "majority", "probability" or "multi-target", see `fer_lib.datasets.votes.label`. The authors
            train in any mode and test on majority labels.

    Returns:
        Release with the columns path, image, split, votes_*, expression, share_* and, in mode
        "multi-target", state_*.

    Raises:
        DataError: the folder holds no form of the corpus.
        ValueError: an unknown mode.
    """
    if mode not in votes.RULES:
        votes.label(pd.DataFrame(), mode)  # says which there are
    form = find(root)
    if form is None:
        rule = f"the folder must hold {VOTES_FILE} and fer2013.csv, or FER2013Train/label.csv and so on"
        raise DataError(str(root), rule, contents(root), "Put the vote file beside FER2013's csv release.")
    described = (_joined if form == "csv" else _folders)(root, mode)
    tasks, source = votes.TASKS[mode], f"{described.source}, {mode} labels"
    return replace(described, task=tasks[0], tasks=tasks, source=source, mark=(*described.mark, mode))


def read_votes(path: Path) -> pd.DataFrame:
    """Read the vote file.

    Args:
        path: csv file with the header Usage, Image name, eight emotions, unknown, NF.

    Returns:
        Columns split, image ("" where the row has no name) and votes_*, int64.

    Raises:
        DataError: for the first row that breaks a rule.
    """
    rows = _rows(path)
    header = [name.strip() for name in rows[0]] if rows else []
    if header != HEADER:
        got = ",".join(header) or "an empty line"
        rule = f"the header must be {','.join(HEADER)}"
        raise DataError(f"{path}, line 1", rule, got, "Put the release's own first line back.")
    fields = [_fields(path, row, values) for row, values in enumerate(rows[1:])]
    if not fields:
        raise DataError(str(path), "the file must hold at least one row", "only a header", _FETCH)
    usage, names, *_ = zip(*fields, strict=True)
    unknown = ~np.isin(usage, list(fer2013.USAGE))
    if unknown.any():
        row = int(unknown.argmax())
        rule = f"Usage must be one of {', '.join(fer2013.USAGE)}"
        raise DataError(_where(path, row), rule, usage[row] or "nothing", _FETCH)
    table = pd.DataFrame({"image": names, "split": [fer2013.USAGE[name] for name in usage]})
    return _with_votes(table, [values[2:] for values in fields], partial(_where, path))


def _rows(path: Path) -> list[list[str]]:
    """Read a csv file's rows; empty lines at the end do not count."""
    try:
        rows = list(csv.reader(io.StringIO(read_text(path), newline=""), skipinitialspace=True))
    except csv.Error as error:
        raise DataError(str(path), "the file must be rows of fields", str(error), _FETCH) from error
    while rows and not rows[-1]:
        rows.pop()
    return rows


def _fields(path: Path, row: int, values: list[str]) -> list[str]:
    if len(values) != len(HEADER):
        rule = f"a row must have {len(HEADER)} fields"
        raise DataError(_where(path, row), rule, f"{len(values)} ({','.join(values)})", _FETCH)
    return [value.strip() for value in values]


def _where(path: Path, row: int) -> str:
    return f"{path}, row {row} (line {row + 2})"


def _with_votes(table: pd.DataFrame, fields: list[list[str]], where) -> pd.DataFrame:
    """Add the counts of votes, checked.

    Args:
        table: N rows.
        fields: N rows of ten texts.
        where: row -> how a message names it.
    """
    for row, values in enumerate(fields):
        if not all(value.isdecimal() and len(value) < 5 for value in values):
            raise DataError(where(row), "votes must be whole numbers from 0", ",".join(values), _FETCH)
    counts = np.array(fields, dtype=np.int64)
    empty = counts.sum(axis=1) == 0
    if empty.any():
        rule = "a row must have at least one vote"
        raise DataError(where(int(empty.argmax())), rule, "ten zeros", _FETCH)
    return table.assign(**dict(zip(votes.COLUMNS, counts.T, strict=True)))


def _pixels_root(root: Path) -> Path | None:
    """Find FER2013's csv form: beside the votes, or in the folder ``fer2013`` next door."""
    beside = (root, root.parent / "fer2013")
    return next((place for place in beside if os.path.lexists(fer2013.csv_file(place))), None)


def _joined(root: Path, mode: str) -> Release:
    """FER2013's pictures with the vote file's labels."""
    path, place = root / VOTES_FILE, _pixels_root(root) or root
    pictures = fer2013.release(place)
    index = fer2013.people_file(place)

    def checked() -> Listing:
        read_votes(path)  # before anything is decoded
        return fer2013.no_listing()

    return replace(
        pictures,
        name="ferplus",
        version=VERSION,
        root=root,
        listing=checked,
        classes=votes.CLASSES,
        source=f"{pictures.source} with {VOTES_FILE}",
        rule=partial(_by_row, path=path, index=index, pixels=fer2013.csv_file(place).name, mode=mode),
        mark=(*pictures.mark, *identity(path)),
    )


def _by_row(
    table: pd.DataFrame, *, path: Path, index: Path | None, pixels: str, mode: str
) -> tuple[pd.DataFrame, np.ndarray]:
    """Join pictures and votes by row order; their numbers of rows and their splits must agree."""
    voted = read_votes(path)
    if len(voted) != len(table):
        rule = f"the vote file must have a row for each of the {len(table)} rows of {pixels}"
        raise DataError(str(path), rule, f"{len(voted)} rows", "Use both files of one release.")
    other = voted["split"].to_numpy() != table["split"].to_numpy()
    if other.any():
        row = int(other.argmax())
        rule = f"Usage must be that of the same row of {pixels}, {table['split'][row]}"
        fix = "Keep both files in their own order; they join by row."
        raise DataError(_where(path, row), rule, voted["split"][row], fix)
    table = with_subjects(table, index) if index else table
    table = table.drop(columns="expression").join(voted.drop(columns="split"))
    front = ["path", "image", *(column for column in ("subject", "split") if column in table)]
    return votes.label(table[[*front, *votes.COLUMNS]], mode)


def _folders(root: Path, mode: str) -> Release:
    """Each split's label.csv and its pictures; pictures without a row of votes are counted, not read.

    Four names come twice in the vote file, one of them with other votes. In the folder form a name is one
    file, so its first row counts.
    """
    found = folders.split_folders(root, SPLIT_FOLDERS)

    def chunks() -> Iterator[Chunk]:
        table, left_out = _labels(root, found)
        for chunk in folders.chunks(root, table, side=fer2013.SIDE):
            yield replace(chunk, dropped=chunk.dropped + left_out)
            left_out = Counter()

    return Release(
        name="ferplus",
        version=VERSION,
        root=root,
        form="folders",
        files=tuple(folders.identities(root, SPLIT_FOLDERS, "label.csv")),
        listing=fer2013.no_listing,
        task="categorical",
        tasks=("categorical",),
        classes=votes.CLASSES,
        source="folders with label.csv",
        side=fer2013.SIDE,
        channels=1,
        framing="whole",
        chunks=chunks,
        rule=partial(votes.label, mode=mode),
    )


def _labels(root: Path, found: Mapping[Path, str]) -> tuple[pd.DataFrame, Counter]:
    """Read every label.csv; count pictures without a row of votes, and rows that name a picture again."""
    tables: list[pd.DataFrame] = []
    left_out: Counter = Counter()
    for folder, split in found.items():
        table = _read_labels(root, folder / "label.csv", split)
        extra = {path.name for path in folders.pictures(folder)} - set(table["image"])
        again = table.duplicated("image")
        same = again & table.duplicated()
        left_out += Counter({
            (split, "picture without votes"): len(extra),
            (split, REPEATED): int(same.sum()),
            (split, OTHER_VOTES): int((again & ~same).sum()),
        })  # fmt: skip
        tables.append(table[~again])
    return pd.concat(tables, ignore_index=True), left_out


def _read_labels(root: Path, path: Path, split: str) -> pd.DataFrame:
    """Read one label.csv: no header; name, box "(left, top, right, bottom)", ten votes."""
    if not os.path.lexists(path):
        raise DataError(str(path), "each split's folder must hold its label.csv", "no such file", _FETCH)

    def where(row: int) -> str:
        return f"{path}, line {row + 1}"

    names, boxes, fields = [], [], []
    for row, values in enumerate(_rows(path)):
        if len(values) != 12:
            rule = 'a row must have 12 fields: name, "(left, top, right, bottom)", ten votes'
            raise DataError(where(row), rule, f"{len(values)} ({','.join(values)})", _FETCH)
        names.append(_picture(path.parent, values[0].strip(), where(row)))
        boxes.append(_box(values[1], where(row)))
        fields.append([value.strip() for value in values[2:]])
    if not names:
        raise DataError(str(path), "the file must hold at least one row", "an empty file", _FETCH)
    paths = [(path.parent / name).relative_to(root).as_posix() for name in names]
    table = pd.DataFrame({"path": paths, "image": names, "split": split, "box": boxes})
    return _with_votes(table, fields, where)


def _picture(folder: Path, name: str, where: str) -> str:
    """Check that a label's picture is named directly in its folder."""
    if not name or name != Path(name).name or name == "..":
        fix = "Make the pictures again with the release's script, or take the row out."
        raise DataError(where, f"the row's picture must lie in {folder.name}", name or "no name", fix)
    return name


def _box(text: str, where: str) -> tuple[int, ...]:
    parts = [part.strip() for part in text.strip(" ()").split(",")]
    if len(parts) == 4 and all(part.isdecimal() for part in parts):
        return tuple(int(part) for part in parts)
    raise DataError(where, 'the box must be "(left, top, right, bottom)" in pixels', text, _FETCH)
