"""Learning curves, and bars with intervals beside published values."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from fer_lib.views.style import COLOURS, INK, new_figure, synthetic_note

_ORDER = ("blue", "orange", "green", "red", "purple", "sky")


def learning_curves(
    history: pd.DataFrame, *, metrics: Mapping[str, str], run: str = "seed", synthetic: bool = False
) -> Figure:
    """One panel a metric against the epoch: a thin line a run, a thick line for their mean.

    Args:
        history: one row an epoch and run, with the columns ``epoch``, ``run`` and the metrics'.
        metrics: column to axis label.
        run: the column that tells runs apart; absent means a single run.
        synthetic: mark the figure as made with synthetic faces.
    """
    lacking = [column for column in ("epoch", *metrics) if column not in history]
    if lacking:
        raise ValueError(
            f"history must have the columns {lacking}; got {list(history.columns)}. Rename them."
        )
    figure, axes = new_figure(1, len(metrics), height=2.9)
    for ax, (column, label) in zip(axes, metrics.items(), strict=True):
        runs = history.groupby(run) if run in history else [(0, history)]
        for _, one in runs:
            ax.plot(one["epoch"], one[column], color=COLOURS["blue"], alpha=0.35, linewidth=1)
        mean = history.groupby("epoch")[column].mean()
        ax.plot(mean.index, mean, color=COLOURS["blue"], linewidth=2.2)
        ax.set(xlabel="epoch", ylabel=label)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    return synthetic_note(figure) if synthetic else figure


def bars(
    frame: pd.DataFrame,
    *,
    x: str,
    y: str = "mean",
    hue: str | None = None,
    low: str = "low",
    high: str = "high",
    published: str | None = None,
    chance: float | None = None,
    ylabel: str = "",
    synthetic: bool = False,
) -> Figure:
    """Grouped bars with intervals; a diamond marks a published value.

    Args:
        frame: one row a bar.
        x: column that names the group on the axis.
        y: column with the bar's height.
        hue: column that names the bar within its group.
        low: column with the interval's lower end; NaN draws none.
        high: column with its upper end.
        published: column with the paper's value; NaN draws none.
        chance: height of a dashed line, such as what guessing reaches; None draws none.
        ylabel: of the axis.
        synthetic: mark the figure as made with synthetic faces.
    """
    figure, (ax,) = new_figure(height=3.2)
    groups = list(dict.fromkeys(frame[x]))
    kinds = list(dict.fromkeys(frame[hue])) if hue else [None]
    width = 0.8 / len(kinds)
    for k, kind in enumerate(kinds):
        part = (frame if kind is None else frame[frame[hue] == kind]).set_index(x).reindex(groups)
        at = np.arange(len(groups)) + (k - (len(kinds) - 1) / 2) * width
        ax.bar(at, part[y], width * 0.92, color=COLOURS[_ORDER[k % len(_ORDER)]], label=kind)
        spread = np.abs(part[[low, high]].to_numpy(float).T - part[y].to_numpy(float))
        ax.errorbar(at, part[y], yerr=spread, fmt="none", ecolor=INK, elinewidth=1.2, capsize=3)
        if published:
            ax.plot(at, part[published], "D", color="white", markeredgecolor=INK, markersize=7, zorder=5)
    if published:
        ax.plot([], [], "D", color="white", markeredgecolor=INK, markersize=7, label="published")
    if chance is not None:
        ax.axhline(chance, color=INK, linewidth=1, linestyle="--")
    ax.set_xticks(range(len(groups)), groups)
    ax.set_ylabel(ylabel)
    ax.grid(axis="x", visible=False)
    if hue or published:
        handles, labels = ax.get_legend_handles_labels()
        order = sorted(range(len(labels)), key=lambda i: labels[i] == "published")
        figure.legend(
            [handles[i] for i in order],
            [labels[i] for i in order],
            loc="outside upper center",
            ncols=len(labels),
        )
    return synthetic_note(figure) if synthetic else figure
