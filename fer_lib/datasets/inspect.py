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
    group = pd.factorize(np.array(digests))[0].astype(np.int64)
    split = faces.table["split"].to_numpy(dtype=str) if "split" in faces.table else np.full(len(faces), "")
    labels = faces.table[target_columns(faces.task, faces.classes)].to_numpy(dtype=float)
    broken = _broken(labels, faces)
    return Inspection(
        name=faces.name,
        broken=np.flatnonzero(broken),
        blank=np.flatnonzero(ranges < min_range),
        duplicates=np.flatnonzero(pd.Series(group).duplicated().to_numpy()),
        leaked=np.flatnonzero(_leaked(group, split)),
        conflicts=np.flatnonzero(_conflicts(group, labels, broken)),
        group=group,
        split=split,
    )


def _scan(faces: FaceSet, rows: int) -> tuple[list[bytes], np.ndarray]:
    """Read every picture once: a digest of its pixels and the range of its values."""
    digests, ranges = [], np.zeros(len(faces), np.int64)
    for start in range(0, len(faces), rows):
        images = faces.pixels[faces.rows[start : start + rows]]
        flat = np.ascontiguousarray(images).reshape(len(images), -1)
        digests += [hashlib.blake2b(image.data, digest_size=16).digest() for image in flat]
        ranges[start : start + rows] = flat.max(axis=1).astype(int) - flat.min(axis=1)
    return digests, ranges


def _broken(labels: np.ndarray, faces: FaceSet) -> np.ndarray:
    """(N,) whether a row's label is missing or outside what its task allows."""
    low, high = {"categorical": (0, len(faces.classes) - 1), "valence_arousal": (-1, 1)}.get(
        faces.task, (0, 1)
    )
    bad: np.ndarray = ~np.all((labels >= low) & (labels <= high), axis=1)
    if faces.task == "distribution":
        bad |= abs(labels.sum(axis=1) - 1) > 1e-6
    return bad


def _leaked(group: np.ndarray, split: np.ndarray) -> np.ndarray:
    """(N,) whether a row's picture is also in a split that is used before its own."""
    order = np.array([SPLITS.index(name) if name in SPLITS else 0 for name in split], dtype=np.int64)
    first = np.full(group.max(initial=-1) + 1, len(SPLITS))
    np.minimum.at(first, group, order)
    return order > first[group]


def _conflicts(group: np.ndarray, labels: np.ndarray, broken: np.ndarray) -> np.ndarray:
    """(N,) whether a row's picture carries different labels in the set; rows without a label do not count."""
    kind = np.unique(labels, axis=0, return_inverse=True)[1].ravel()
    pairs = pd.DataFrame({"group": group[~broken], "kind": kind[~broken]})
    several = pairs.groupby("group")["kind"].nunique()
    return np.isin(group, several.index[several > 1]) & ~broken
