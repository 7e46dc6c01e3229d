"""Which samples are picked, what they teach, and what was seen of it over people (chapter 11)."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from fer_lib.views.faces import show_picture
from fer_lib.views.style import COLOURS, INK, new_figure, synthetic_note

_ORDER = ("grey", "blue", "orange", "green", "red", "purple", "sky")
_MARKS = ("o", "s", "^", "D", "v", "P", "X")


def farthest_first(
    points: np.ndarray, picks: Sequence[int], *, steps: Sequence[int] = (1, 2, 3, 6)
) -> Figure:
    """Greedy sampling on points of a plane, a panel a step, as the paper draws it.

    Dashed lines lead from each point without a label to its nearest labelled one; the longest of them, drawn
    thick, ends at the next pick.

    Args:
        points: (N, 2).
        picks: rows in the order in which they were picked; one more than the last of ``steps``.
        steps: how many are labelled in each panel.

    Raises:
        ValueError: points that are not (N, 2), or too few picks.
    """
    points, picks = np.asarray(points, dtype=float), list(picks)
    if points.ndim != 2 or points.shape[1] != 2 or len(picks) < max(steps) + 1:
        raise ValueError(
            f"points must be (N, 2) and picks more than {max(steps)}; got {points.shape} and {len(picks)}. "
            "Pick one more than is drawn."
        )
    figure, axes = new_figure(1, len(steps), height=2.35, sharex=True, sharey=True)
    for ax, step in zip(axes, steps, strict=True):
        _step(ax, points, picks[:step], picks[step])
        ax.set_title(f"{step} labelled", fontsize=9.5)
    return figure


def _step(ax: Axes, points: np.ndarray, known: list[int], coming: int) -> None:
    centre = points.mean(0)
    ax.plot(*centre, "+", color=COLOURS["red"], markersize=8, markeredgewidth=1.5)
    for row, point in enumerate(points):
        if row in known:
            continue
        labelled = points[known]
        near = labelled[np.linalg.norm(labelled - point, axis=1).argmin()]
        ends = np.stack([point, near]).T
        if row == coming:
            ax.plot(*ends, "-", color=COLOURS["blue"], linewidth=2.4, zorder=1)
        else:
            ax.plot(*ends, "--", color=COLOURS["grey"], linewidth=0.8, zorder=1)
    ax.plot(*points.T, "o", color="white", markeredgecolor=INK, markersize=6, zorder=2)
    ax.plot(*points[known].T, "o", color=INK, markersize=6, zorder=3)
    ax.set(xticks=[], yticks=[], aspect="equal")
    ax.grid(False)
    ax.margins(0.12)


def picked_faces(
    faces: Any, picks: Mapping[str, Sequence[int]], *, columns: int = 8, synthetic: bool = False
) -> Figure:
    """The first faces that each strategy asks labels for, a row a strategy, with their film and second.

    Args:
        faces: a FaceSet of one person's frames.
        picks: name of the strategy to rows, the first pick first.
        columns: faces shown a strategy.
        synthetic: mark the figure as made with synthetic faces.

    Raises:
        ValueError: no picks.
    """
    if not picks:
        raise ValueError("picks must name at least one strategy; got none. Pick some faces first.")
    figure, axes = new_figure(len(picks), columns, height=0.3 + 0.98 * len(picks))
    values = faces.targets().numpy()
    for k, (name, rows) in enumerate(picks.items()):
        for j, ax in enumerate(axes[k * columns : (k + 1) * columns]):
            if j < len(rows):
                show_picture(ax, faces.images[int(rows[j])])
                _bare(ax)
                valence, arousal = values[int(rows[j])]
                ax.set_title(f"{valence:+.2f} {arousal:+.2f}", fontsize=6.5, loc="center", pad=2)
            else:
                ax.set_axis_off()
        axes[k * columns].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=9)
    return synthetic_note(figure) if synthetic else figure


def _bare(ax: Axes) -> None:
    ax.set(xticks=[], yticks=[])
    ax.spines[["left", "bottom"]].set_visible(False)


def condition_bars(
    summary: pd.DataFrame,
    *,
    names: Mapping[str, str],
    published: Mapping[tuple[str, str], float] | None = None,
    synthetic: bool = False,
) -> Figure:
    """A panel a dimension: rmse of each condition over people with its interval, a dot a person.

    Args:
        summary: dimension, condition, person, rmse: one row a person.
        names: condition to its label, in the order of the bars.
        published: (dimension, condition) to the paper's value, drawn as a diamond.
        synthetic: mark the figure as made with synthetic faces.
    """
    from fer_lib.metrics import mean_interval

    dimensions = list(dict.fromkeys(summary["dimension"]))
    figure, axes = new_figure(1, len(dimensions), height=3.3, sharey=True)
    for ax, dimension in zip(axes, dimensions, strict=True):
        part = summary[summary["dimension"] == dimension]
        for k, condition in enumerate(names):
            values = part.loc[part["condition"] == condition, "rmse"].to_numpy()
            if len(values):
                _bar(ax, k, values, mean_interval(values) if len(values) > 1 else None)
            printed = (published or {}).get((dimension, condition))
            if printed is not None:
                ax.plot(k, printed, "D", color="white", markeredgecolor=INK, markersize=7, zorder=5)
        ax.set_xticks(range(len(names)), list(names.values()), fontsize=8, rotation=25, ha="right")
        ax.set_title(dimension)
        ax.grid(axis="x", visible=False)
    axes[0].set(ylabel="RMSE", ylim=(0, None))
    if published:
        axes[0].plot([], [], "D", color="white", markeredgecolor=INK, markersize=7, label="published")
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper right")
    return synthetic_note(figure) if synthetic else figure


def _bar(ax: Axes, place: int, values: np.ndarray, over: Any) -> None:
    ax.bar(place, values.mean(), 0.66, color=COLOURS["sky"], zorder=1)
    spread = np.linspace(-0.18, 0.18, len(values))
    ax.plot(place + spread, np.sort(values), "o", color=COLOURS["blue"], markersize=2.6, alpha=0.7, zorder=2)
    if over is not None:
        reach = [[over.mean - over.low], [over.high - over.mean]]
        ax.errorbar(place, over.mean, yerr=reach, fmt="none", ecolor=INK, capsize=4, zorder=3)


def sampling_curves(
    curves: pd.DataFrame,
    *,
    names: Mapping[str, str],
    references: Mapping[str, Mapping[str, float]] | None = None,
    elbows: Mapping[str, float] | None = None,
    band: str = "random",
    synthetic: bool = False,
) -> Figure:
    """A panel a dimension: rmse against the share of frames with a label, a line a strategy.

    Args:
        curves: dimension, strategy, share (0-1), mean, low, high.
        names: strategy to its label, in the order of the legend.
        references: dimension to {label: rmse}, level dashed lines.
        elbows: dimension to the share where the curve bends, a thin upright line; NaN draws none.
        band: the strategy whose interval over people is shaded; others carry bars.
        synthetic: mark the figure as made with synthetic faces.
    """
    dimensions = list(dict.fromkeys(curves["dimension"]))
    figure, axes = new_figure(1, len(dimensions), height=3.5, sharey=True)
    for ax, dimension in zip(axes, dimensions, strict=True):
        part = curves[curves["dimension"] == dimension]
        for k, (strategy, label) in enumerate(names.items()):
            one = part[part["strategy"] == strategy].sort_values("share")
            _curve(ax, one, k, label, shaded=strategy == band)
        for style, (label, value) in zip((":", "--", "-."), (references or {}).get(dimension, {}).items()):  # noqa: B905
            ax.axhline(value, color=INK, linestyle=style, linewidth=1, label=label, zorder=1)
        bend = (elbows or {}).get(dimension, np.nan)
        if np.isfinite(bend):
            ax.axvline(100 * bend, color=COLOURS["grey"], linewidth=1, zorder=0)
            ax.annotate(
                "elbow", (100 * bend, 1), xycoords=("data", "axes fraction"), xytext=(2, -8),
                textcoords="offset points", fontsize=7.5, color="#5A5A5A",
            )  # fmt: skip
        ax.set(title=dimension, xlabel="frames with a label (%)")
    axes[0].set_ylabel("RMSE")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=4)
    return synthetic_note(figure) if synthetic else figure


def _curve(ax: Axes, part: pd.DataFrame, place: int, label: str, *, shaded: bool) -> None:
    colour, x = COLOURS[_ORDER[place % len(_ORDER)]], 100 * part["share"].to_numpy()
    ax.plot(
        x, part["mean"], "-" + _MARKS[place % len(_MARKS)], color=colour, label=label,
        markersize=4, linewidth=2.4 if shaded else 1.4, zorder=3,
    )  # fmt: skip
    if shaded and len(part):
        ax.fill_between(x, part["low"], part["high"], color=colour, alpha=0.2, linewidth=0)


def gain_panels(
    found: pd.DataFrame, *, names: Mapping[str, str], titles: Mapping[str, str], synthetic: bool = False
) -> Figure:
    """What each strategy gains over random picks, with its interval and what the design could have seen.

    Args:
        found: as `fer_lib.sampling.verdicts.against_random` gives it.
        names: strategy to its label, in the order of the axis.
        titles: folding to its title; a row of panels a folding, a panel a dimension.
        synthetic: mark the figure as made with synthetic faces.
    """
    dimensions = list(dict.fromkeys(found["dimension"]))
    figure, axes = new_figure(len(titles), len(dimensions), height=0.7 + 1.6 * len(titles), sharex=True)
    for k, (folding, title) in enumerate(titles.items()):
        for j, dimension in enumerate(dimensions):
            ax = axes[k * len(dimensions) + j]
            mask = (found["folding"] == folding) & (found["dimension"] == dimension)
            _gains(ax, found[mask].set_index("strategy").reindex(list(names)), names if j == 0 else None)
            ax.set_title(f"{dimension}, {title}", fontsize=9.5)
    for ax in axes[-len(dimensions) :]:
        ax.set_xlabel("RMSE of random minus its own")
        ax.xaxis.set_major_locator(MaxNLocator(5))
    return synthetic_note(figure) if synthetic else figure


def _gains(ax: Axes, part: pd.DataFrame, names: Mapping[str, str] | None) -> None:
    place = np.arange(len(part))
    reach = part["smallest"].to_numpy()
    ax.barh(place, 2 * reach, 0.62, left=-reach, color="#E4E4E4", zorder=1)
    spread = [part["gain"] - part["low"], part["high"] - part["gain"]]
    ax.errorbar(part["gain"], place, xerr=spread, fmt="o", color=COLOURS["blue"], capsize=3, zorder=3)
    ax.axvline(0, color=INK, linewidth=1, zorder=2)
    ax.set_yticks(place, list(names.values()) if names else [""] * len(part))
    ax.set_ylim(len(part) - 0.4, -0.6)
    ax.grid(axis="y", visible=False)


def habit_panels(summary: pd.DataFrame, *, names: Mapping[str, str], synthetic: bool = False) -> Figure:
    """A panel a dimension: rmse against how large people's habits are, a line a condition.

    Args:
        summary: dimension, condition, factor, mean, low, high.
        names: condition to its label, in the order of the legend.
        synthetic: mark the figure as made with synthetic faces.
    """
    dimensions = list(dict.fromkeys(summary["dimension"]))
    figure, axes = new_figure(1, len(dimensions), height=3.2, sharey=True)
    for ax, dimension in zip(axes, dimensions, strict=True):
        part = summary[summary["dimension"] == dimension]
        for k, (condition, label) in enumerate(names.items()):
            one = part[part["condition"] == condition].sort_values("factor")
            colour = COLOURS[("grey", "orange", "blue", "green")[k % 4]]
            ax.plot(one["factor"], one["mean"], "-" + _MARKS[k], color=colour, label=label, markersize=5)
            ax.fill_between(one["factor"], one["low"], one["high"], color=colour, alpha=0.15, linewidth=0)
        ax.set(title=dimension, xlabel="habits, times those of the world")
    axes[0].set(ylabel="RMSE", ylim=(0, None))
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=len(names))
    return synthetic_note(figure) if synthetic else figure


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
        for j, ax in enumerate(axes[k * len(index) : (k + 1) * len(index)]):
            show_picture(ax, faces.images[int(index[j])])
            _bare(ax)
        axes[k * len(index)].set_ylabel(label, rotation=0, ha="right", va="center", fontsize=9)
    return synthetic_note(figure) if synthetic else figure
