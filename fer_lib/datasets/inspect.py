"""`inspect`: find what is wrong with a set of faces before a model learns from it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import pandas as pd

from fer_lib.datasets.faceset import SPLITS, FaceSet, target_columns

_MEANING = {
    "broken": "no label, or one outside its range",
    "blank": "hardly any contrast: no face to see",
    "duplicates": "the same pixels as an earlier row",
    "leaked": "the same pixels as a row of a split that is used before",
    "conflicts": "the same pixels as a row with another label",
}


@dataclass(frozen=True, eq=False, repr=False)
class Inspection:
    """What `inspect` found; each problem is an array of positions in the set, for `FaceSet.without`.

    Args:
        name: the set's name.
        broken: rows whose label is missing or out of range.
        blank: pictures with hardly any contrast.
        duplicates: pictures that repeat an earlier one; the first of each group is not among them.
        leaked: pictures of validation that are also in train; of test, also in train or validation.
        conflicts: all rows of the groups of equal pictures whose labels differ.
        group: (N,) int64; equal pictures have equal numbers.
        split: (N,) the rows' splits.
    """

    name: str
    broken: np.ndarray
    blank: np.ndarray
    duplicates: np.ndarray
    leaked: np.ndarray
    conflicts: np.ndarray
    group: np.ndarray
    split: np.ndarray

    def __repr__(self) -> str:
        found = ", ".join(f"{problem} {len(getattr(self, problem))}" for problem in _MEANING)
        return f"Inspection({self.name}, {len(self.group)} faces: {found})"

    @property
    def summary(self) -> pd.DataFrame:
        """A row a problem: number of faces, of groups of equal pictures, of faces a split; its meaning."""
        rows = {}
        for problem, meaning in _MEANING.items():
            index = getattr(self, problem)
            row = {"faces": len(index), "groups": len(np.unique(self.group[index]))}
            row |= {split: int((self.split[index] == split).sum()) for split in SPLITS if split in self.split}
            rows[problem] = row | {"meaning": meaning}
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("problem")

    @property
    def clean(self) -> bool:
        """Whether nothing was found."""
        return not any(len(getattr(self, problem)) for problem in _MEANING)


def inspect(faces: FaceSet, *, min_range: int = 8, rows: int = 2048) -> Inspection:
    """Look through the labels and the pixels of a set.

    Leaks are seen between the splits of ONE set: inspect ``load(name, split="all")``.

    Args:
        faces: the set.
        min_range: a picture is blank if its brightest and darkest values differ by less, in grey levels.
        rows: pictures read at a time.

    Returns:
        Positions in the set for each problem, and a table of counts.
    """
    digests, ranges = _scan(faces, rows)
    group = pd.factorize(digests)[0].astype(np.int64)
    split = faces.table["split"].to_numpy(dtype=str) if "split" in faces.table else np.full(len(faces), "")
    labels = faces.table[target_columns(faces.task, faces.classes)].to_numpy(dtype=float)
    broken = broken_labels(labels, faces.task, len(faces.classes))
    return Inspection(
        name=faces.name,
        broken=np.flatnonzero(broken),
        blank=np.flatnonzero(ranges < min_range),
        duplicates=np.flatnonzero(pd.Series(group).duplicated().to_numpy()),
        leaked=np.flatnonzero(leaked_rows(group, split)),
        conflicts=np.flatnonzero(conflicting_rows(group, labels, broken)),
        group=group,
        split=split,
    )


def _scan(faces: FaceSet, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Read every picture of a set once."""
    starts = range(0, len(faces), rows)
    parts = [look(faces.pixels[faces.rows[start : start + rows]]) for start in starts]
    parts = parts or [look(faces.pixels[:0])]
    return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])


def look(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Digest pictures, so that equal ones are found without keeping them.

    Args:
        images: uint8 (B, C, H, W).

    Returns:
        uint64 (B,), a digest of each picture's pixels (two of a million different pictures share one with a
        chance of 3e-8); int64 (B,), the range of its values, 0-255.

    Example:
        >>> same, ranges = look(np.zeros((2, 1, 8, 8), np.uint8))
        >>> bool(same[0] == same[1]), ranges.tolist()
        (True, [0, 0])
    """
    flat = np.ascontiguousarray(images).reshape(len(images), -1)
    if not flat.size:
        return np.zeros(len(images), np.uint64), np.zeros(len(images), np.int64)
    digests = b"".join(hashlib.blake2b(image.data, digest_size=8).digest() for image in flat)
    return np.frombuffer(digests, np.uint64), flat.max(axis=1).astype(np.int64) - flat.min(axis=1)


def broken_labels(labels: np.ndarray, task: str, number_classes: int) -> np.ndarray:
    """Find labels that are missing or outside what their task allows.

    Args:
        labels: float (N, K), the columns of `target_columns`.
        task: one of `fer_lib.datasets.faceset.TASKS`.
        number_classes: how many classes there are.

    Returns:
        bool (N,).
    """
    low, high = {"categorical": (0, number_classes - 1), "valence_arousal": (-1, 1)}.get(task, (0, 1))
    bad: np.ndarray = ~np.all((labels >= low) & (labels <= high), axis=1)
    if task == "distribution":
        bad |= abs(labels.sum(axis=1) - 1) > 1e-6
    return bad


def leaked_rows(group: np.ndarray, split: np.ndarray) -> np.ndarray:
    """Find rows whose picture is also in a split that is used before their own.

    Args:
        group: int64 (N,); equal pictures have equal numbers, counted from 0.
        split: (N,) "train", "validation" or "test".

    Returns:
        bool (N,).
    """
    order = np.array([SPLITS.index(name) if name in SPLITS else 0 for name in split], dtype=np.int64)
    first = np.full(group.max(initial=-1) + 1, len(SPLITS))
    np.minimum.at(first, group, order)
    return order > first[group]


def conflicting_rows(group: np.ndarray, labels: np.ndarray, broken: np.ndarray) -> np.ndarray:
    """Find rows whose picture carries different labels; rows without a label (`broken`) do not count.

    Args:
        group: int64 (N,); equal pictures have equal numbers.
        labels: float (N, K).
        broken: bool (N,).

    Returns:
        bool (N,).
    """
    kind = np.unique(labels, axis=0, return_inverse=True)[1].ravel()
    pairs = pd.DataFrame({"group": group[~broken], "kind": kind[~broken]})
    several = pairs.groupby("group")["kind"].nunique()
    return np.isin(group, several.index[several > 1]) & ~broken
