"""Many losses of one training, such as an adversarial one, in small panels (chapters 05-07)."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from fer_lib.views.style import COLOURS, INK, new_figure, synthetic_note

_ORDER = ("blue", "orange", "green", "red", "purple", "sky")
_DASHES = ("-", "--", "-.", ":")


def loss_panels(
    history: pd.DataFrame,
    panels: Mapping[str, Mapping[str, str]],
    *,
    x: str = "epoch",
    run: str = "seed",
    columns: int = 3,
    log_y: tuple[str, ...] = (),
    references: Mapping[str, float] | None = None,
    synthetic: bool = False,
) -> Figure:
    """Several curves a panel: the mean over runs, with a band from the least to the largest run.

    Args:
        history: one row an epoch, and run where there are several.
        panels: title to its curves, each a column of the history and its name in the legend.
        x: column on the axis.
        run: column that tells runs apart; absent means a single one.
        columns: panels in a row, at most.
        log_y: titles of panels with a logarithmic axis.
        references: title to the value of a dashed line, such as the loss of guessing.
        synthetic: mark the figure as made with synthetic faces.

    Raises:
        ValueError: columns that the history has not, or no panels.
    """
    wanted = [x, *(column for curves in panels.values() for column in curves)]
    lacking = [column for column in wanted if column not in history]
    if lacking or not panels:
        raise ValueError(
            f"history must have the columns {lacking or 'of a panel'}; got {list(history.columns)}. "
            "Rename them."
        )
    columns = min(columns, len(panels))
    rows = -(-len(panels) // columns)
    figure, axes = new_figure(rows, columns, height=2.3 * rows + 0.3)
    several = run in history and history[run].nunique() > 1
    for ax, (title, curves) in zip(axes, panels.items(), strict=False):
        for k, (column, name) in enumerate(curves.items()):
            group = history.groupby(x)[column]
            mean, colour = group.mean(), COLOURS[_ORDER[k % len(_ORDER)]]
            mark = "o" if len(mean) == 1 else ""
            ax.plot(mean.index, mean, _DASHES[k % 4], marker=mark, color=colour, label=name)
            if several:
                ax.fill_between(mean.index, group.min(), group.max(), color=colour, alpha=0.15, linewidth=0)
        value = (references or {}).get(title)
        if value is not None:
            ax.axhline(value, color=INK, linewidth=1, linestyle=":")
        if title in log_y:
            ax.set_yscale("log")
        ax.set(title=title, xlabel=x)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))
        if len(curves) > 1:
            _room_above(ax, 0.11 * len(curves) + 0.05)
            ax.legend(fontsize=8, loc="upper right", frameon=True, facecolor="white", edgecolor="none")
    for ax in np.array(axes)[len(panels) :]:
        ax.set_axis_off()
    return synthetic_note(figure) if synthetic else figure


def _room_above(ax: Axes, share: float) -> None:
    """Raise the upper end of the axis, so that a legend of this share of the panel lies over no curve."""
    low, high = ax.transData.transform([(0, end) for end in ax.get_ylim()])[:, 1]
    end = ax.transData.inverted().transform((0, low + (high - low) / (1 - share)))[1]
    ax.set_ylim(top=end)
