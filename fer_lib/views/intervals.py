"""Curves with bands, and many intervals against the truth."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fer_lib.views.style import COLOURS, INK, new_figure

_ORDER = ("blue", "red", "green", "purple", "orange", "sky")
_DASHES = ("-", "--", "-.", ":")


def bands(
    frames: Mapping[str, pd.DataFrame],
    *,
    xlabels: Sequence[str],
    ylabels: Sequence[str],
    references: Sequence[float | None] | None = None,
    log_x: bool = True,
) -> Figure:
    """One panel a frame: a curve a ``name`` with the band from ``low`` to ``high``.

    Args:
        frames: title to a frame with columns name, x, y and, for a band, low and high.
        xlabels: one a panel.
        ylabels: one a panel.
        references: a horizontal line a panel, or None for no line.
        log_x: logarithmic axes across.

    Raises:
        ValueError: a frame lacks a column, or labels are not one a panel.
    """
    if len(xlabels) != len(frames) or len(ylabels) != len(frames):
        raise ValueError(
            f"labels must be one a panel, {len(frames)}; got {len(xlabels)} and {len(ylabels)}. Match them."
        )
    figure, axes = new_figure(1, len(frames), height=3.2)
    references = references or [None] * len(frames)
    for k, (ax, (title, frame)) in enumerate(zip(axes, frames.items(), strict=True)):
        if not {"name", "x", "y"} <= set(frame):
            raise ValueError(f"frames must have name, x and y; got {list(frame)} in {title!r}. Rename them.")
        _curves(ax, frame)
        reference = references[k]
        if reference is not None:
            ax.axhline(reference, color=INK, linewidth=1, zorder=1)
        if log_x:
            ax.set_xscale("log")
            ticks = [t for t in _nice(frame["x"].min(), frame["x"].max())]
            ax.set_xticks(ticks, [f"{t:g}" for t in ticks])
            ax.set_xticks([], minor=True)
        ax.set(title=title, xlabel=xlabels[k], ylabel=ylabels[k])
        if k == 0 or set(frame["name"]) != set(next(iter(frames.values()))["name"]):
            # not again where the first panel's names recur
            ax.legend(loc="best", frameon=True, facecolor="white", edgecolor="none", framealpha=0.85)
    return figure


def _curves(ax: Axes, frame: pd.DataFrame) -> None:
    for i, (name, part) in enumerate(frame.groupby("name", sort=False)):
        colour = COLOURS[_ORDER[i % len(_ORDER)]]
        ax.plot(part["x"], part["y"], _DASHES[i % 4], color=colour, label=name)
        if "low" in part:
            ax.fill_between(part["x"], part["low"], part["high"], color=colour, alpha=0.15, linewidth=0)


def _nice(low: float, high: float) -> list[float]:
    steps = [m * 10.0**e for e in range(-4, 7) for m in (1, 2, 5)]
    inside = [s for s in steps if low * 0.999 <= s <= high * 1.001]
    return inside if len(inside) <= 8 else [s for s in inside if f"{s:e}"[0] == "1"]


def coverage(panels: Mapping[str, pd.DataFrame], *, truth: float, xlabel: str) -> Figure:
    """One panel a method: each repeated study's interval, red where it misses the truth.

    Args:
        panels: title to a frame with columns low and high, one row a study.
        truth: the value that the intervals are meant to cover.
        xlabel: of the value's axis.

    Returns:
        A figure whose titles give the share of intervals that hold the truth.
    """
    figure, axes = new_figure(1, len(panels), height=3.6, sharex=True, sharey=True)
    for ax, (title, frame) in zip(axes, panels.items(), strict=True):
        low, high = (frame[c].to_numpy(float) for c in ("low", "high"))
        hit = (low <= truth) & (truth <= high)
        rows = np.arange(len(frame))
        for mask, colour, width in ((hit, COLOURS["blue"], 1.6), (~hit, COLOURS["red"], 2.6)):
            ax.hlines(rows[mask], low[mask], high[mask], color=colour, linewidth=width)
        ax.axvline(truth, color=INK, linewidth=1)
        ax.set_title(f"{title}: {hit.mean():.0%} hold the truth", loc="left")
        ax.set(xlabel=xlabel, yticks=[])
    axes[0].set_ylabel("repeated studies")
    return figure
