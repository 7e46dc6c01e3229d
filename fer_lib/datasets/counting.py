"""Count the faces of a set, by split and class."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from fer_lib.datasets.faceset import SPLITS, target_columns

if TYPE_CHECKING:
    from fer_lib.datasets.faceset import FaceSet


def count(faces: FaceSet) -> pd.DataFrame:
    """Count the faces of each split, see :meth:`FaceSet.counts`.

    Returns:
        Index ``split`` (those present, in the order train, validation, test, then ``all`` when there are
        several); integer columns a class and ``all``, or ``all`` and four statistics for valence and arousal.
    """
    split = faces.table["split"] if "split" in faces.table else pd.Series("all", index=faces.table.index)
    present = [name for name in SPLITS if (split == name).any()]
    present += [name for name in dict.fromkeys(split) if name not in present]
    masks = {name: (split == name).to_numpy() for name in present}
    if len(masks) != 1:
        masks["all"] = np.ones(len(faces), dtype=bool)
    values = faces.table[target_columns(faces.task, faces.classes)].to_numpy(dtype=float)
    row = _moments if faces.task == "valence_arousal" else _classes
    frame = pd.DataFrame([row(faces, values[mask]) for mask in masks.values()], index=list(masks))
    if "unlabelled" in frame and not frame["unlabelled"].any():
        frame = frame.drop(columns="unlabelled")
    return frame.rename_axis("split")


def _classes(faces: FaceSet, values: np.ndarray) -> dict[str, int]:
    """Count one split's faces by class."""
    number = len(faces.classes)
    if faces.task == "multi_label":
        per_class, none = np.nansum(values > 0, axis=0), int(np.isnan(values).any(axis=1).sum())
    else:
        label = values[:, 0] if faces.task == "categorical" else _largest(values)
        per_class = np.bincount(label[label >= 0].astype(int), minlength=number)
        none = int((label < 0).sum())
    counts = {name: int(value) for name, value in zip(faces.classes, per_class, strict=True)}
    return counts | {"unlabelled": none, "all": len(values)}


def _largest(values: np.ndarray) -> np.ndarray:
    missing = np.isnan(values).any(axis=1)
    return np.where(missing, -1, np.where(np.isnan(values), -1, values).argmax(axis=1))


def _moments(faces: FaceSet, values: np.ndarray) -> dict[str, float]:
    """Describe one split's valence and arousal."""
    frame: dict[str, float] = {"all": len(values)}
    for column, name in enumerate(("valence", "arousal")):
        known = values[~np.isnan(values[:, column]), column]
        frame[f"{name}_mean"] = known.mean() if known.size else np.nan
        frame[f"{name}_std"] = known.std() if known.size else np.nan
    return frame
