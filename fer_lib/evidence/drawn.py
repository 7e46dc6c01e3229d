"""Faces drawn for one experiment, as a FaceSet in memory: no corpus stands behind them."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from fer_lib import artifacts
from fer_lib.datasets.faceset import METRICS, FaceSet
from fer_lib.worlds.action_units import COLUMNS


def as_faces(
    name: str,
    pixels: np.ndarray,
    columns: Mapping[str, object],
    *,
    task: str,
    classes: Sequence[str],
    truth: pd.DataFrame | None = None,
    metric: str | None = None,
) -> FaceSet:
    """Wrap pictures that were just drawn as a FaceSet.

    Args:
        name: such as "world:units".
        pixels: uint8 (N, C, H, W).
        columns: of the table: the target columns of the task, and "subject" where people are known.
        task: of the set.
        classes: of its targets.
        truth: N rows, if more is known.
        metric: that chooses epochs; None takes the task's usual one.

    Example:
        >>> pixels = np.zeros((2, 1, 4, 4), dtype=np.uint8)
        >>> as_faces("world:none", pixels, {"expression": [0, 1]}, task="categorical", classes=("a", "b"))
        FaceSet(world:none: 2 faces 1x4x4, categorical, train)
    """
    mark = artifacts.key(name=name, task=task, sum=int(pixels.sum(dtype=np.int64)), shape=list(pixels.shape))
    return FaceSet(
        name=name,
        pixels=pixels,
        rows=np.arange(len(pixels)),
        table=pd.DataFrame({"split": "train", **columns}, index=range(len(pixels))),
        task=task,
        unit="image",
        classes=tuple(classes),
        tasks=(task,),
        protocol="drawn for one experiment",
        metric=metric or METRICS[task],
        source="rendered by fer_lib.worlds",
        licence="synthetic faces: CC BY 4.0",
        fingerprint=mark,
        truth=truth,
    )


def as_unit_faces(name: str, pixels: np.ndarray, levels: np.ndarray, truth: pd.DataFrame) -> FaceSet:
    """Wrap pictures whose targets are the intensities of all action units, (N, 20); scored by Pearson's r."""
    columns = {f"state_{unit}": levels[:, k] for k, unit in enumerate(COLUMNS)}
    return as_faces(name, pixels, columns, task="multi_label", classes=COLUMNS, truth=truth, metric="pearson")
