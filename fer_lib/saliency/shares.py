"""How much of a map lies on each part of the face, with intervals (chapters 08, 09)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from fer_lib.metrics import bootstrap_interval, mean_interval, paired_difference

ELSEWHERE = "elsewhere"


def region_shares(maps: np.ndarray, regions: tuple[Sequence[str], np.ndarray]) -> pd.DataFrame:
    """How much of each map lies on each part of the face.

    Each pixel belongs to its regions by their coverage: to the mask first, which hides what is under it; the
    rest is "elsewhere". The shares of a map sum to 1. A large region has a large share even of a flat map:
    the density divides by the region's share of the image, and a flat map has density 1 everywhere.

    Args:
        maps: (N, S, S), not negative.
        regions: names and coverage (N, R, S, S) in [0, 1], as ``fer_lib.worlds.region_masks`` gives them at
            size S.

    Returns:
        DataFrame, a row a map: the share of each region and of ``elsewhere``, and behind them
        ``<region>_density``. NaN where a map is all 0 or a region is not known; a density is NaN where the
        image has nothing of the region.

    Raises:
        ValueError: shapes that do not fit, or a map below 0.

    Example:
        >>> half = np.zeros((1, 1, 2, 2)); half[0, 0, 0] = 1
        >>> shares = region_shares(np.array([[[3.0, 3.0], [1.0, 1.0]]]), (["top"], half))
        >>> shares.iloc[0].tolist()
        [0.75, 0.25, 1.5, 0.5]
    """
    names, masks = list(regions[0]), np.asarray(regions[1], dtype=float)
    maps = np.asarray(maps, dtype=float)
    if maps.ndim != 3 or masks.shape != (len(maps), len(names), *maps.shape[1:]):
        raise ValueError(
            f"regions must be (N, {len(names)}, S, S) for maps (N, S, S); got {masks.shape} for "
            f"{maps.shape}. Ask for masks of the maps' size."
        )
    if maps.size and np.nanmin(maps) < 0:
        raise ValueError(f"maps must not be negative; got {np.nanmin(maps)}. Take their positive part.")
    weights = _apart(names, masks)
    with np.errstate(invalid="ignore", divide="ignore"):
        total = maps.sum((1, 2))
        shares = (maps[:, None] * weights).sum((2, 3)) / np.where(total > 0, total, np.nan)[:, None]
        areas = weights.mean((2, 3))
        densities = shares / np.where(areas > 0, areas, np.nan)
    names = [*names, ELSEWHERE]
    return pd.DataFrame(np.hstack([shares, densities]), columns=[*names, *(f"{n}_density" for n in names)])


def _apart(names: list[str], masks: np.ndarray) -> np.ndarray:
    """Coverage (N, R+1, S, S) that sums to 1 at every pixel; the last is what no region covers."""
    weights = masks.copy()
    if "mask" in names:
        hidden = masks[:, [names.index("mask")]]
        others = [k for k, name in enumerate(names) if name != "mask"]
        weights[:, others] *= 1 - hidden
    total = weights.sum(1, keepdims=True)
    weights = weights / np.maximum(total, 1)
    return np.concatenate([weights, 1 - weights.sum(1, keepdims=True)], 1)


def share_intervals(
    shares: pd.DataFrame | Sequence[pd.DataFrame], *, groups: Any = None, confidence: float = 0.95
) -> pd.DataFrame:
    """Mean of each column of :func:`region_shares`, with its interval.

    Args:
        shares: one frame: the interval is over its faces, by bootstrap. A sequence of frames, one a seed: the
            interval is over the seeds' means, by Student's t. Use the latter for what a way of training does:
            faces seen by one trained model say nothing of the next one.
        groups: (N,) of one frame: faces of one group, such as a clip or a person, are drawn together.
        confidence: in (0, 1).

    Returns:
        DataFrame: region, mean, low, high, n (faces, groups or seeds); low and high are NaN with a single
        one. Missing values are left out.

    Example:
        >>> seeds = [pd.DataFrame({"eyes": [0.1, 0.3]}), pd.DataFrame({"eyes": [0.3, 0.5]})]
        >>> share_intervals(seeds)[["region", "mean", "n"]].round(6).values.tolist()
        [['eyes', 0.3, 2]]
    """
    one = isinstance(shares, pd.DataFrame)
    table = shares if one else pd.DataFrame([frame.mean() for frame in shares])
    lines = []
    for region in table:
        known = table[region].notna().to_numpy()
        values = table[region].to_numpy(float)[known]
        mates = None if groups is None else np.asarray(groups)[known]
        count = len(values) if mates is None else len(np.unique(mates))
        if count < 2:
            mean = values.mean() if len(values) else np.nan
            lines.append((region, mean, np.nan, np.nan, count))
            continue
        found = (
            bootstrap_interval(np.mean, values, confidence=confidence, groups=mates)
            if one
            else mean_interval(values, confidence=confidence)
        )
        lines.append((region, float(found.value), float(found.low), float(found.high), count))
    return pd.DataFrame(lines, columns=["region", "mean", "low", "high", "n"])


def share_changes(
    after: Sequence[pd.DataFrame], before: Sequence[pd.DataFrame], *, confidence: float = 0.95
) -> pd.DataFrame:
    """By how much the shares grew, seed by seed.

    Args:
        after, before: frames of :func:`region_shares`, one a seed, in the same order of seeds.
        confidence: in (0, 1).

    Returns:
        DataFrame: region, mean (after minus before), low, high, n.

    Raises:
        ValueError: not as many after as before, or fewer than two.
    """
    if len(after) != len(before):
        raise ValueError(
            f"after must have one frame a seed as before; got {len(after)} and {len(before)}. Pair the seeds."
        )
    a, b = (pd.DataFrame([frame.mean() for frame in frames]) for frames in (after, before))
    lines = []
    for region in a.columns.intersection(b.columns, sort=False):
        known = a[region].notna() & b[region].notna()
        if known.sum() < 2:
            lines.append((region, np.nan, np.nan, np.nan, int(known.sum())))
            continue
        found = paired_difference(a.loc[known, region], b.loc[known, region], confidence=confidence)
        lines.append((region, found.mean, found.low, found.high, found.n))
    return pd.DataFrame(lines, columns=["region", "mean", "low", "high", "n"])
