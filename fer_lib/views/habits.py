"""How large people's habits of expression are, and what knowing a person gains (chapter 11)."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fer_lib.views.sampling import MARKS, face_row, finished, panels
from fer_lib.views.style import COLOURS, INK, new_figure, synthetic_note


def habit_panels(summary: pd.DataFrame, *, names: Mapping[str, str], synthetic: bool = False) -> Figure:
    """A panel a dimension: rmse against how large people's habits are, a line a condition.

    Args:
        summary: dimension, condition, factor, mean, low, high.
        names: condition to its label, in the order of the legend.
        synthetic: mark the figure as made with synthetic faces.
    """
    figure, parts = panels(summary, height=3.2)
    for ax, _, part in parts:
        for k, (condition, label) in enumerate(names.items()):
            _against_habits(ax, part[part["condition"] == condition], k, label)
    figure.axes[0].set(ylabel="RMSE", ylim=(0, None))
    return finished(figure, synthetic, columns=len(names))


def own_gain_panels(gains: pd.DataFrame, *, names: Mapping[float, str], synthetic: bool = False) -> Figure:
    """A panel a dimension: what own labels gain against how large habits are, a line a number of labels.

    Args:
        gains: as `fer_lib.sampling.muscles.own_gains` gives it.
        names: share of labels to its label, in the order of the legend.
        synthetic: mark the figure as made with synthetic faces.
    """
    figure, parts = panels(gains, height=3.2)
    for ax, _, part in parts:
        ax.axhline(0, color=INK, linewidth=1, zorder=2)
        for k, (share, label) in enumerate(names.items()):
            _against_habits(ax, part[part["share"] == share], k, label)
    figure.axes[0].set_ylabel("RMSE of strangers' weights\nminus own")
    return finished(figure, synthetic, columns=len(names))


def _against_habits(ax: Axes, one: pd.DataFrame, place: int, label: str) -> None:
    """A line over the size of habits, with its interval."""
    one, colour = one.sort_values("factor"), COLOURS[("grey", "orange", "blue", "green")[place % 4]]
    ax.plot(one["factor"], one["mean"], "-" + MARKS[place], color=colour, label=label, markersize=5)
    ax.fill_between(one["factor"], one["low"], one["high"], color=colour, alpha=0.15, linewidth=0)
    ax.set_xlabel("habits, times those of the world")


def habit_faces(
    rows: Mapping[str, Any], index: Sequence[int], *, columns: int = 8, synthetic: bool = True
) -> Figure:
    """The same moments of the same people with smaller and larger habits, a row a set.

    Args:
        rows: label to a FaceSet; all hold the same frames.
        index: which of them to show.
        columns: faces at most.
        synthetic: mark the figure as made with synthetic faces.
    """
    index = list(index)[:columns]
    figure, axes = new_figure(len(rows), len(index), height=0.25 + 0.98 * len(rows))
    for k, (label, faces) in enumerate(rows.items()):
        face_row(axes[k * len(index) : (k + 1) * len(index)], label, faces, index)
    return synthetic_note(figure) if synthetic else figure
