"""What a protocol keeps together, people, shots, classes or clips, and how it is dealt into folds."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from fer_lib.datasets.splitting import clips_of, known_subjects
from fer_lib.errors import DataError

if TYPE_CHECKING:
    from fer_lib.datasets.faceset import FaceSet

SHOTS = 3
_ANOTHER = "Choose another protocol."


def groups_of(faces: FaceSet, unit: str) -> tuple[np.ndarray, list[str]]:
    """Number what a protocol keeps together.

    Args:
        faces: N rows.
        unit: "person", "shot", "class", "clip" or "frame".

    Returns:
        int (N,) from 0, and the names of the numbers; [] for clips and frames.

    Raises:
        DataError: a column that the unit needs is missing or incomplete.
    """
    return _GROUPS[unit](faces)


def _subjects(faces: FaceSet) -> tuple[np.ndarray, list[str]]:
    """People in the order of their names."""
    known = known_subjects(faces)
    if not known.all():
        got = "no column subject" if "subject" not in faces.table else f"{int((~known).sum())} rows without"
        raise DataError(faces.name, "every row must name its subject", got, _ANOTHER)
    number, names = pd.factorize(faces.table["subject"].astype(str), sort=True)
    return number, list(names)


def _classes(faces: FaceSet) -> tuple[np.ndarray, list[str]]:
    number = faces.table["expression"].to_numpy(dtype=np.int64)
    present = np.unique(number)
    if present.size and present[0] < 0:
        got = f"{int((number < 0).sum())} without"
        raise DataError(faces.name, "every row must have an expression", got, "Keep the rows that have one.")
    return np.searchsorted(present, number), [faces.classes[k] for k in present]


def _shots(faces: FaceSet) -> tuple[np.ndarray, list[str]]:
    """Which of a person's pictures of one expression it is, modulo three; gaps in the numbering close."""
    _subjects(faces)
    if "shot" not in faces.table:
        raise DataError(faces.name, "must have a column shot", "none", _ANOTHER)
    table = faces.table[["subject", "expression", "shot"]]
    rank = table.groupby(["subject", "expression"])["shot"].rank(method="first").to_numpy(dtype=np.int64)
    return (rank - 1) % SHOTS, [f"shot {k + 1}" for k in range(SHOTS)]


def _clips(faces: FaceSet) -> tuple[np.ndarray, list[str]]:
    clips = clips_of(faces)
    if clips is None:
        raise DataError(faces.name, "must hold frames of clips", "single pictures", _ANOTHER)
    return clips, []


def _frames(faces: FaceSet) -> tuple[np.ndarray, list[str]]:
    return np.arange(len(faces)), []


_GROUPS: dict[str, Callable[[FaceSet], tuple[np.ndarray, list[str]]]] = {
    "person": _subjects,
    "class": _classes,
    "shot": _shots,
    "clip": _clips,
    "frame": _frames,
}


def deal(group: np.ndarray, parts: int, generator: np.random.Generator, *, what: str) -> np.ndarray:
    """Deal groups, the largest first, each to the part with the fewest rows; equals in random order.

    Args:
        group: int (N,), what is kept together.
        parts: number of parts.
        generator: orders groups of one size.
        what: whose groups, for the message.

    Returns:
        int (N,), the part of each row, 0 to ``parts - 1``.

    Raises:
        DataError: fewer groups than parts.

    Example:
        >>> deal(np.array([7, 7, 7, 8, 9]), 2, np.random.default_rng(0), what="clips").tolist()
        [0, 0, 0, 1, 1]
    """
    number = np.unique(group, return_inverse=True)[1]
    sizes = np.bincount(number)
    if sizes.size < parts:
        raise DataError(what, f"{parts} folds need at least {parts}", sizes.size, "Load more of the corpus.")
    order = generator.permutation(sizes.size)
    order = order[np.argsort(-sizes[order], kind="stable")]
    filled, part = np.zeros(parts, dtype=np.int64), np.zeros(sizes.size, dtype=np.int64)
    for one in order:
        part[one] = np.argmin(filled)
        filled[part[one]] += sizes[one]
    return part[number]
