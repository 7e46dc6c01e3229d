"""Draw a part of a set that shares no person with the rest, or has the same mix of classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fer_lib.datasets.faceset import target_columns

if TYPE_CHECKING:
    from fer_lib.datasets.faceset import FaceSet


def draw_part(faces: FaceSet, fraction: float, seed: int) -> np.ndarray:
    """Choose about `fraction` of a set: whole people where subjects are known, else the same mix of classes.

    Args:
        faces: the set to part.
        fraction: share of the rows to choose, in (0, 1).
        seed: the same seed chooses the same rows.

    Returns:
        Boolean mask (N,); at least one row is chosen and at least one is not.
    """
    if not 0 < fraction < 1:
        raise ValueError(f"fraction must lie in (0, 1); got {fraction}. Give the share of the second part.")
    if len(faces) < 2:
        raise ValueError(f"faces must hold at least 2 rows to be split; got {len(faces)}. Load more of them.")
    generator = np.random.default_rng(seed)
    if "subject" in faces.table and faces.table["subject"].notna().any():
        return _by_group(_people(faces), fraction, generator)
    return _stratified(_strata(faces), fraction, generator)


def _people(faces: FaceSet) -> np.ndarray:
    """Give each row the number of its subject; rows without one get a number of their own."""
    subject = faces.table["subject"]
    number = subject.factorize()[0]  # -1 where missing
    alone = number < 0
    number[alone] = number.max() + 1 + np.arange(alone.sum())
    return number


def _by_group(group: np.ndarray, fraction: float, generator: np.random.Generator) -> np.ndarray:
    """Take groups in random order while each brings the part nearer to its size."""
    sizes = np.bincount(group)
    if len(sizes) < 2:
        raise ValueError("subject must name at least 2 people for a split; got 1. Split by rows with subset.")
    wanted, taken = fraction * group.size, 0
    chosen = np.zeros(len(sizes), dtype=bool)
    for one in generator.permutation(len(sizes)):
        if abs(taken + sizes[one] - wanted) <= abs(taken - wanted) and taken + sizes[one] < group.size:
            chosen[one], taken = True, taken + sizes[one]
    if not taken:  # every person is larger than twice the part: the smallest is the nearest
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
