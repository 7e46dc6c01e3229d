"""Errors along properties of the faces, one panel a property."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from fer_lib.views.style import COLOURS, INK, new_figure, synthetic_note


def error_trends(
    trends: Mapping[str, pd.DataFrame], *, ylabel: str = "mean error", synthetic: bool = False
) -> Figure:
    """A dot with its interval for each bin of a property; all panels share the axis of the error.

    Args:
        trends: property to a frame with columns x, y, low, high, as ``analysis.failures`` gives them.
        ylabel: of the error.
        synthetic: mark the figure as made with synthetic faces.

    Raises:
        ValueError: no property.
    """
    if not trends:
        raise ValueError("trends must hold at least one property; got none. Give analysis.failures(...).")
    figure, axes = new_figure(1, len(trends), height=2.9, sharey=True)
    for k, (ax, (name, frame)) in enumerate(zip(axes, trends.items(), strict=True)):
        spread = [frame["y"] - frame["low"], frame["high"] - frame["y"]]
        ax.errorbar(
            frame["x"], frame["y"], yerr=spread, fmt="-o", color=COLOURS["blue"], ecolor=INK,
            elinewidth=1.2, capsize=3, markersize=5,
        )  # fmt: skip
        ax.set_xlabel(name)
        if k == 0:
            ax.set_ylabel(ylabel)
    return synthetic_note(figure) if synthetic else figure
