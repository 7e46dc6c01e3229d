"""Who and what a row belongs to, and parts of a set that share no person and no clip."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from fer_lib.datasets.faceset import target_columns

if TYPE_CHECKING:
    from fer_lib.datasets.faceset import FaceSet

STRETCHES = ("utterance", "segment", "execution", "start", "end")
"""Columns that tell apart the stretches of a clip with labels of their own."""


def draw_part(faces: FaceSet, fraction: float, seed: int) -> np.ndarray:
    """Choose about `fraction` of a set: whole people, else whole clips, else the same mix of classes.

    Rows without a subject go with their clip. If everybody is one person, whole clips are chosen.

    Args:
        faces: the set to part.
        fraction: share of the rows to choose, in (0, 1).
        seed: the same seed chooses the same rows.

    Returns:
        Boolean mask (N,); at least one row is chosen and at least one is not.

    Raises:
        ValueError: a fraction out of range, fewer than two rows, or a single person with a single clip.
    """
    if not 0 < fraction < 1:
        raise ValueError(f"fraction must lie in (0, 1); got {fraction}. Give the share of the second part.")
    if len(faces) < 2:
        raise ValueError(f"faces must hold at least 2 rows to be split; got {len(faces)}. Load more of them.")
    generator = np.random.default_rng(seed)
    clips = clips_of(faces)
    if not known_subjects(faces).any() and clips is None:
        return _stratified(_strata(faces), fraction, generator)
    group = people_of(faces)
    if group.max() == 0 and clips is not None:
        group = clips
    if group.max() == 0:
        what = "subject must name at least 2 people" if clips is None else "video must name at least 2 clips"
        raise ValueError(f"{what} for a split; got 1. Split by rows with subset.")
    return _by_group(group, fraction, generator)


def known_subjects(faces: FaceSet) -> np.ndarray:
    """Which rows name their subject, bool (N,)."""
    if "subject" not in faces.table:
        return np.zeros(len(faces), dtype=bool)
    return faces.table["subject"].notna().to_numpy(dtype=bool)


def people_of(faces: FaceSet) -> np.ndarray:
    """Number the people, int (N,), from 0; a row without a subject goes with its clip, else it is alone.

    Clips cut from one film (column ``film``, as in ElderReact) go together: they may show one person. In a
    world the truth tells who is on each picture, also where the corpus that it imitates does not.
    """
    if faces.truth is not None and "identity" in faces.truth:
        return pd.factorize(faces.truth["identity"])[0].astype(np.int64)
    known, clips = known_subjects(faces), clips_of(faces)
    other = np.arange(len(faces)) if clips is None else clips
    if clips is not None and "film" in faces.table and faces.table["film"].notna().all():
        other = _codes(faces, "film")
    if not known.any():
        return _numbered(other)
    return _numbered(known, np.where(known, _codes(faces, "subject"), other))


def clips_of(faces: FaceSet) -> np.ndarray | None:
    """Number the clips, int (N,), from 0, or None for a set of single pictures.

    A clip is a video of one subject: films that many people watched share their names. Where a corpus does
    not name its videos, the file is the clip.
    """
    table = faces.table
    if faces.unit != "sequence" and "video" not in table:
        return None
    named = "video" in table and table["video"].notna().all()
    file = "video" if named or "path" not in table else "path"
    return _numbered(*(_codes(faces, column) for column in ("subject", file) if column in table))


def stretches_of(faces: FaceSet) -> np.ndarray | None:
    """Number the stretches that have labels of their own, such as utterances; None for single pictures."""
    clips = clips_of(faces)
    if clips is None:
        return None
    return _numbered(clips, *(_codes(faces, column) for column in STRETCHES if column in faces.table))


def _codes(faces: FaceSet, column: str) -> np.ndarray:
    """Number the values of a column; missing ones are -1."""
    return pd.factorize(faces.table[column])[0]


def _numbered(*keys: np.ndarray) -> np.ndarray:
    """Number the distinct combinations of integer keys (N,) in the order in which they appear."""
    number = np.asarray(keys[0], dtype=np.int64)
    for key in keys[1:]:
        code = pd.factorize(key)[0]
        number = pd.factorize(number)[0] * (code.max(initial=0) + 1) + code
    return pd.factorize(number)[0]


def _by_group(group: np.ndarray, fraction: float, generator: np.random.Generator) -> np.ndarray:
    """Take groups in random order while each brings the part nearer to its size."""
    sizes = np.bincount(group)
    wanted, taken = fraction * group.size, 0
    chosen = np.zeros(len(sizes), dtype=bool)
    for one in generator.permutation(len(sizes)):
        if abs(taken + sizes[one] - wanted) <= abs(taken - wanted) and taken + sizes[one] < group.size:
            chosen[one], taken = True, taken + sizes[one]
    if not taken:  # every group is larger than twice the part: the smallest is the nearest
        chosen[np.argmin(sizes)] = True
    return chosen[group]


def _strata(faces: FaceSet) -> np.ndarray:
    """Number the rows by what must be in the same proportion in both parts."""
    values = faces.table[target_columns(faces.task, faces.classes)].to_numpy()
    if faces.task == "distribution":
        return values.argmax(axis=1)
    if faces.task == "valence_arousal":
        return (values[:, 0] >= 0) * 2 + (values[:, 1] >= 0)  # the plane's quadrants
    return np.unique(values, axis=0, return_inverse=True)[1].ravel()


def _stratified(strata: np.ndarray, fraction: float, generator: np.random.Generator) -> np.ndarray:
    """Sort rows by stratum, in random order within, and take every (1/fraction)-th.

    Each stratum's share is then right to within one row, and so is the total, however small the strata are.
    """
    order = generator.permutation(strata.size)
    order = order[np.argsort(strata[order], kind="stable")]
    phase = generator.random()
    ticks = np.floor(np.arange(strata.size + 1) * fraction + phase)
    mask = np.zeros(strata.size, dtype=bool)
    mask[order[np.diff(ticks) > 0]] = True
    if mask.all() or not mask.any():  # a tiny set: one row must lie on the other side
        mask[order[0]] = not mask[order[0]]
    return mask
