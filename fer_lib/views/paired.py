"""Models that ran with the same seeds: the pairs, and the differences with their intervals."""

from collections.abc import Mapping
from textwrap import wrap

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from fer_lib.views.style import COLOURS, INK, new_figure, synthetic_note


def paired_runs(
    rows: pd.DataFrame,
    differences: pd.DataFrame,
    *,
    metrics: Mapping[str, str],
    baseline: str,
    synthetic: bool = False,
) -> Figure:
    """A column a metric: above, each seed's results joined by a line; below, differences to the baseline.

    Args:
        rows: seed, model, metric, value.
        differences: model, metric, mean, low, high, as ``Comparison.differences`` gives them.
        metrics: metric to its label.
        baseline: the model that differences are taken to.
        synthetic: mark the figure as made with synthetic faces.

    Raises:
        ValueError: a metric is not among the rows.
    """
    lacking = [metric for metric in metrics if metric not in set(rows["metric"])]
    if lacking:
        raise ValueError(
            f"metrics must be among the rows'; got {lacking}. Choose from {sorted(set(rows['metric']))}."
        )
    figure, axes = new_figure(2, len(metrics), height=4.6, height_ratios=[2, 1])
    for k, (metric, label) in enumerate(metrics.items()):
        above, below = axes[k], axes[k + len(metrics)]
        table = rows[rows["metric"] == metric].pivot(index="seed", columns="model", values="value")
        table = table[list(dict.fromkeys(rows["model"]))]
        at = np.arange(table.shape[1])
        for values in table.to_numpy():
            above.plot(at, values, "-o", color=COLOURS["blue"], alpha=0.35, linewidth=1, markersize=3.5)
        above.plot(at, table.mean(), "_", color=INK, markersize=22, markeredgewidth=2)
        above.set_xticks(at, ["\n".join(wrap(name, 10)) for name in table.columns], fontsize=8)
        above.set(title=label, xlim=(-0.4, len(at) - 0.6))
        part = differences[differences["metric"] == metric].reset_index(drop=True)
        spread = [part["mean"] - part["low"], part["high"] - part["mean"]]
        below.errorbar(
            part["mean"], part.index, xerr=spread, fmt="o", color=COLOURS["red"], ecolor=INK, capsize=3
        )
        below.axvline(0, color=INK, linewidth=1)
        below.xaxis.set_major_locator(MaxNLocator(4))
        below.set_yticks(part.index, part["model"] if k == 0 else [""] * len(part), fontsize=8)
        below.set(xlabel=f"minus {baseline}", ylim=(len(part) - 0.4, -0.6))
    return synthetic_note(figure) if synthetic else figure
