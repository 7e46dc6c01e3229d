"""Home and away: what a reader loses when it travels, world by world."""

import pandas as pd
from matplotlib.figure import Figure

from fer_lib.views.style import COLOURS, INK, new_figure, synthetic_note


def journeys(lost: pd.DataFrame, *, synthetic: bool = True) -> Figure:
    """A line a world, from what a traveller reaches to what the world's own reader reaches.

    Args:
        lost: a row a world: world, metric, home, away, loss, low, high, in points, see
            ``fer_lib.evidence.transfer.losses``; and, if known, ceiling.
        synthetic: mark the figure.

    Raises:
        ValueError: a column is missing.
    """
    lacking = [name for name in ("world", "metric", "home", "away", "loss") if name not in lost]
    if lacking:
        raise ValueError(
            f"lost must have the columns of losses(); got none of {lacking}. Compute them first."
        )
    figure, (ax,) = new_figure(height=0.9 + 0.32 * len(lost))
    rows = range(len(lost))[::-1]  # the largest loss on top
    ax.hlines(rows, lost["away"], lost["home"], color=COLOURS["grey"], linewidth=2, zorder=1)
    ax.scatter(lost["away"], rows, color=COLOURS["orange"], s=36, label="trained in affectnet", zorder=2)
    ax.scatter(lost["home"], rows, color=COLOURS["blue"], s=36, label="trained here", zorder=2)
    if "ceiling" in lost:
        ax.scatter(lost["ceiling"], rows, color=INK, marker="|", s=90, label="ceiling")
    for row, line in zip(rows, lost.itertuples(), strict=True):
        middle = (line.home + line.away) / 2  # type: ignore[operator]
        ax.annotate(
            f"{-line.loss:+.0f}", (middle, row), (0, 4), textcoords="offset points", ha="center", fontsize=8
        )
    names = [f"{line.world}\n{str(line.metric).replace('_', ' ')}" for line in lost.itertuples()]
    ax.set_yticks(list(rows), names, fontsize=7.5)
    ax.set(xlabel="points", ylim=(-0.7, len(lost) - 0.2))
    ax.grid(axis="y", visible=False)
    figure.legend(loc="outside upper center", ncols=3)
    return synthetic_note(figure) if synthetic else figure
