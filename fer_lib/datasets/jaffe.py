"""JAFFE: 213 grey pictures of ten women, seven expressions, about three shots each, and mean ratings.

A picture's name tells everything: ``KA.AN1.39.tiff`` is subject KA, anger, shot 1, number 39 of 1-219 (six
numbers are missing). The readme (``README_FIRST.txt``, older: ``A_README_FIRST.txt`` or ``README``) holds,
after pages of text, the ratings of sixty viewers in a table of words apart by spaces::

    #  HAP  SAD  SUR  ANG  DIS  FEA  PIC
    -----------------------------------
    1  2.87 2.52 2.10 1.97 1.97 2.06 KM-NE1

that is the picture's number, six means from 1 to 5, and its name. The table tells 219 pictures, six more than
there are. A second table, of ratings without fear, follows and is not read. The readme is free text, so what
stands around the table may be anything, in any encoding.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from fer_lib.affect import VOCABULARIES
from fer_lib.datasets.listing import REPEATED, UNLABELLED, Listing, Release, check_framing
from fer_lib.datasets.paths import contents, names_in, tree_identity
from fer_lib.datasets.store import identity
from fer_lib.errors import DataError

VERSION = 1  # raise when the same files would be read differently: their stores are then made again
CLASSES = VOCABULARIES["jaffe"]
CODES = {name[:2].upper(): index for index, name in enumerate(CLASSES)}  # AN DI FE HA NE SA SU
RATED = {
    "HAP": "happiness",
    "SAD": "sadness",
    "SUR": "surprise",
    "ANG": "anger",
    "DIS": "disgust",
    "FEA": "fear",
}
RATINGS = tuple(f"rating_{name}" for name in RATED.values())
FOLDERS = (".", "jaffe", "JAFFE", "jaffedbase", "jaffeimages", "jaffedbase/jaffe", "jaffeimages/jaffe")
SUFFIXES = (".tiff", ".tif")
UNRATED = "picture without ratings"
RENAMED = "ratings under another name than the picture's"
SIDE = 256
_NAME = re.compile(r"\s*([A-Z]{2})[.\s]+([A-Z]{2})(\d)[.\s]+(\d+)[.\s]*\.tiff?", re.IGNORECASE)
_PIC = re.compile(r"[A-Z]{2}-[A-Z]{2}\d", re.IGNORECASE)
_README = re.compile(r"(a_)?read_?me.*", re.IGNORECASE)
_DIFFERENT = 0.1  # share of names in the readme that may differ before it is another corpus's


def find(root: Path) -> str | None:
    """Say "tiff" where a folder, or its sub-folder "jaffe" or "jaffedbase", holds JAFFE's pictures."""
    return "tiff" if _place(root) else None


def release(root: Path, *, framing: str = "given") -> Release:
    """Find JAFFE.

    Args:
        root: folder with the pictures, or the one above it. The readme lies in either.
        framing: see `fer_lib.datasets.listing.Release`; "given" keeps the pictures whole.

    Returns:
        Release whose table has path, split ("train"), subject, shot, serial, expression and ``rating_*``
        (1-5; nan without a readme). The corpus has no splits; its protocols leave people out.

    Raises:
        DataError: no folder with pictures named as JAFFE's are.
        ValueError: an unknown framing.
    """
    check_framing(framing)
    place = _place(root)
    if place is None:
        got = contents(root)
        rule = "the folder must hold pictures named as KA.AN1.39.tiff"
        raise DataError(str(root), rule, got, "Point root at the folder that holds the release.")
    readme = _readme(place, root)
    return Release(
        name="jaffe",
        version=VERSION,
        root=place,
        form="tiff",
        files=(*tree_identity(place, _pictures(place)), *(identity(readme) if readme else ())),
        listing=partial(_read, place, readme),
        task="categorical",
        tasks=("categorical",),
        classes=CLASSES,
        source="names of the pictures" + (f", ratings from {readme.name}" if readme else ", no readme"),
        side=SIDE,
        channels=1,
        framing=framing,
    )


def _place(root: Path) -> Path | None:
    """The folder with the pictures."""
    for name in FOLDERS:
        folder = root / name if name != "." else root
        if os.path.isdir(folder) and any(_NAME.fullmatch(picture) for picture in _pictures(folder)):
            return folder
    return None


def _pictures(folder: Path) -> list[str]:
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    return sorted(name for name in names if name.lower().endswith(SUFFIXES) and not name.startswith("."))


def _readme(place: Path, root: Path) -> Path | None:
    """The readme beside the pictures, or above them."""
    for folder in dict.fromkeys((place, place.parent if place != root else root, root)):
        names = sorted(name for name in names_in(folder) if _README.fullmatch(name))
        if names:
            return folder / names[0]
    return None


def _read(place: Path, readme: Path | None) -> Listing:
    """Read the names of the pictures and the readme's table."""
    rows, dropped = [], Counter[tuple[str, str]]()
    for name in _pictures(place):
        row = _row(place, name)
        if row is None:
            dropped["train", UNLABELLED] += 1
        else:
            rows.append(row)
    table = pd.DataFrame(rows).sort_values(["serial", "path"], ignore_index=True)
    twice = _repeated(place, table)
    dropped["train", REPEATED] = int(twice.sum())
    table = table[~twice].reset_index(drop=True)
    table[list(RATINGS)], renamed = _ratings(table, readme)
    unrated = int(table[RATINGS[0]].isna().sum())
    return Listing(table, dropped=+dropped, mended=+Counter({UNRATED: unrated, RENAMED: renamed}))


def _row(place: Path, name: str) -> dict[str, object] | None:
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    subject, code, shot, serial = match.groups()
    if code.upper() not in CODES:
        rule = f"an expression must be one of {', '.join(CODES)}"
        raise DataError(str(place / name), rule, code, "Give the file the name it has in the release.")
    row: dict[str, object] = {"path": name, "split": "train", "subject": subject.upper()}
    return row | {"shot": int(shot), "serial": int(serial), "expression": CODES[code.upper()]}


def _repeated(place: Path, table: pd.DataFrame) -> np.ndarray:
    """Rows that name an earlier picture once more; the same number for another picture is an error."""
    named = ["subject", "expression", "shot"]
    whole = table.duplicated([*named, "serial"]).to_numpy()
    for key, what in ((["serial"], "a number"), (named, "a shot")):
        other = table.duplicated(key).to_numpy() & ~whole
        if other.any():
            name = str(table["path"][int(other.argmax())])
            rule = f"{what} must belong to one picture; an earlier one has it"
            raise DataError(str(place / name), rule, name, "Keep the file that is right.")
    return whole


def _ratings(table: pd.DataFrame, readme: Path | None) -> tuple[np.ndarray, int]:
    """Ratings (N, 6) by the pictures' numbers, and how many the readme gives another name."""
    found = _rated(readme) if readme else {}
    blank = ("", (np.nan,) * len(RATED))
    pairs = [found.get(int(serial), blank) for serial in table["serial"]]
    codes = list(CODES)
    names = [
        f"{row.subject}-{codes[row.expression]}{row.shot}"
        for row in table[["subject", "expression", "shot"]].itertuples(index=False)
    ]
    renamed = [(told, name) for (told, _), name in zip(pairs, names, strict=True) if told not in ("", name)]
    if len(renamed) > _DIFFERENT * len(table):
        told, name = renamed[0]
        rule = "the table's names must be those of the pictures with its numbers"
        got = f"{told} for {name}, and {len(renamed) - 1} more"
        raise DataError(str(readme), rule, got, "Put the release's own readme beside its pictures.")
    return np.array([values for _, values in pairs], dtype=float), len(renamed)


def _rated(readme: Path) -> dict[int, tuple[str, tuple[float, ...]]]:
    """Number -> (name, ratings in the order of `RATED`) of the readme's first table; {} without a table."""
    try:
        lines = readme.read_bytes().decode("latin-1").splitlines()
    except OSError as error:
        raise DataError(str(readme), "the readme must be readable", error.strerror, "Restore it.") from error
    wanted = {*RATED, "PIC"}
    heads = [i for i, line in enumerate(lines) if wanted <= set(line.upper().replace(",", " ").split())]
    if not heads:
        return {}
    columns = [name for name in lines[heads[0]].upper().replace(",", " ").split() if name in wanted]
    found: dict[int, tuple[str, tuple[float, ...]]] = {}
    for number, line in enumerate(lines[heads[0] + 1 :], start=heads[0] + 2):
        fields = line.replace(",", " ").split()
        if fields and (fields[0].isdecimal() or _PIC.fullmatch(fields[-1])):
            serial, row = _rating(f"{readme}, line {number}", columns, fields)
            if found.setdefault(serial, row) != row:
                rule = "a picture must have one row of ratings; an earlier line says something else"
                raise DataError(
                    f"{readme}, line {number}", rule, line.strip(), "Keep the line that is right."
                )
        elif found and any(letter.isalpha() for letter in line):
            break  # the text after the table
    return found


def _rating(where: str, columns: list[str], fields: list[str]) -> tuple[int, tuple[str, tuple[float, ...]]]:
    if len(fields) != len(columns) + 1 or not fields[0].isdecimal():
        rule = f"a row must have a number, then {', '.join(columns)}"
        raise DataError(where, rule, " ".join(fields), "Put the release's own line back.")
    told = dict(zip(columns, fields[1:], strict=True))
    values = []
    for name in RATED:
        try:
            value = float(told[name])
        except ValueError:
            value = np.nan
        if not 1 <= value <= 5:
            rule = f"{name} must be a mean rating in [1, 5]"
            raise DataError(where, rule, told[name], "Put the release's own line back.")
        values.append(value)
    return int(fields[0]), (told["PIC"].upper(), tuple(values))
