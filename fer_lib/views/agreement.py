"""Predictions against targets, and what a shift or a shrinkage of the predictions costs."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fer_lib.metrics import ccc, pearson, rmse
from fer_lib.views.style import COLOURS, INK, new_figure, synthetic_note


def agreement(
    pairs: Mapping[str, tuple[Any, Any]],
    *,
    columns: int = 4,
    xlabel: str = "target",
    ylabel: str = "prediction",
    synthetic: bool = False,
) -> Figure:
    """One panel a pair: a point a row, the diagonal of perfect agreement, and the line that fits best.

    The title of a panel is its name over the CCC, the correlation r and the root mean squared error.

    Args:
        pairs: name to (pred, target), each (N,); the axes reach to 1.1 or as far as the points.
        columns: panels in a row.
        xlabel: of the target's axis.
        ylabel: of the prediction's.
        synthetic: mark the figure as made with synthetic faces.

    Raises:
        ValueError: no pairs.
    """
    if not pairs:
        raise ValueError("pairs must hold at least one; got none. Give name: (pred, target).")
    values = {name: tuple(np.asarray(v, float) for v in pair) for name, pair in pairs.items()}
    reach = max(1.1, *(1.05 * float(np.abs(v).max()) for pair in values.values() for v in pair))
    columns = min(columns, len(pairs))
    rows = -(-len(pairs) // columns)
    height = rows * (6.2 / columns + 0.75)
    figure, axes = new_figure(rows, columns, height=height, sharex=True, sharey=True)
    for ax in axes[len(pairs) :]:
        ax.set_axis_off()
    for ax, (name, (pred, target)) in zip(axes, values.items(), strict=False):
        _cloud(ax, pred, target, reach)
        scores = f"CCC {ccc(pred, target):.2f}, r {pearson(pred, target):.2f}\nRMSE {rmse(pred, target):.2f}"
        ax.set_title(f"{name}\n{scores}", fontsize=9, loc="left")
        ax.set(xlabel=xlabel, ylabel=ylabel)
        ax.label_outer()
    return synthetic_note(figure) if synthetic else figure


def _cloud(ax: Axes, pred: np.ndarray, target: np.ndarray, reach: float) -> None:
    ax.plot([-reach, reach], [-reach, reach], color=INK, linewidth=1, label="perfect agreement")
    ax.scatter(target, pred, s=6, alpha=0.35, color=COLOURS["blue"], linewidths=0, rasterized=True)
    if np.ptp(target) > 0:
        slope, level = np.polyfit(target, pred, 1)
        ends = np.array([target.min(), target.max()])
        ax.plot(ends, level + slope * ends, color=COLOURS["red"], linewidth=2, label="best line")
    ax.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
    ax.set_xticks([-1, 0, 1])
    ax.set_yticks([-1, 0, 1])


def bias_map(points: Mapping[str, tuple[float, float]] | None = None) -> Figure:
    """Lin's C_b over the ratio of the spreads (logarithmic) and the shift, with predictors marked on it.

    Args:
        points: name to (scale, shift), as `fer_lib.metrics.ccc_parts` gives them.
    """
    figure, (ax,) = new_figure(width=6.0, height=3.8)
    scale, shift = np.meshgrid(np.geomspace(1 / 8, 8, 161), np.linspace(-2, 2, 161))
    c_b = 2 / (scale + 1 / scale + shift**2)
    levels = np.arange(0.2, 1.01, 0.1)
    filled = ax.contourf(scale, shift, c_b, levels=levels, cmap="YlGnBu_r", extend="min")
    ax.contour(scale, shift, c_b, levels=levels, colors="white", linewidths=0.5)
    figure.colorbar(filled, ax=ax, label="$C_b$")
    for k, (name, (v, u)) in enumerate(sorted((points or {}).items(), key=lambda item: item[1][0])):
        ax.plot(v, u, "o", color=COLOURS["red"], markeredgecolor="white", markersize=8)
        side, right = ("left", 9) if v < 3 else ("right", -9)
        place = (right, 7 - 20 * (k % 2))  # above and below in turn, so that neighbours stay apart
        box = {"boxstyle": "round,pad=0.15", "fc": "white", "ec": "none", "alpha": 0.85}
        ax.annotate(name, (v, u), xytext=place, textcoords="offset points", ha=side, fontsize=9, bbox=box)
    ax.set_xscale("log")
    ax.set_xticks([1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8], ["1/8", "1/4", "1/2", "1", "2", "4", "8"])
    ax.set_xticks([], minor=True)
    ax.set(xlabel="scale $v$: spread of predictions over spread of targets", ylabel="shift $u$")
    ax.grid(visible=False)
    return figure
