"""Which samples are picked, what they teach, and what was seen of it over people (chapter 11)."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from fer_lib.views.faces import show_picture
from fer_lib.views.style import COLOURS, INK, new_figure, synthetic_note

_ORDER = ("grey", "blue", "orange", "green", "red", "purple", "sky")
MARKS = ("o", "s", "^", "D", "v", "P", "X")


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
    """The first faces that each strategy asks labels for, a row a strategy, with their labels.

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
        told = ["{:+.2f} {:+.2f}".format(*values[int(row)]) for row in rows]
        face_row(axes[k * columns : (k + 1) * columns], name, faces, rows, told)
    return synthetic_note(figure) if synthetic else figure


def face_row(
    axes: Sequence[Axes], name: str, faces: Any, rows: Sequence[int], told: Sequence[str] = ()
) -> None:
    """Some faces behind their name, each with what is told of it above."""
    for j, ax in enumerate(axes):
        if j >= len(rows):
            ax.set_axis_off()
            continue
        show_picture(ax, faces.images[int(rows[j])])
        ax.set(xticks=[], yticks=[])
        ax.spines[["left", "bottom"]].set_visible(False)
        if told:
            ax.set_title(told[j], fontsize=6.5, loc="center", pad=2)
    axes[0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=9)


def panels(frame: pd.DataFrame, *, height: float) -> tuple[Figure, list[tuple[Axes, str, pd.DataFrame]]]:
    """A panel a dimension side by side, with its name and its rows."""
    dimensions = list(dict.fromkeys(frame["dimension"]))
    figure, axes = new_figure(1, len(dimensions), height=height, sharey=True)
    for ax, dimension in zip(axes, dimensions, strict=True):
        ax.set_title(dimension)
    parts = [frame[frame["dimension"] == dimension] for dimension in dimensions]
    return figure, list(zip(axes, dimensions, parts, strict=True))


def finished(
    figure: Figure,
    synthetic: bool,
    *,
    place: Literal["outside upper center", "outside upper right"] = "outside upper center",
    columns: int = 1,
) -> Figure:
    """One legend over all panels, from what the first one names, and the note."""
    handles, labels = figure.axes[0].get_legend_handles_labels()
    if handles:
        figure.legend(handles, labels, loc=place, ncols=columns)
    return synthetic_note(figure) if synthetic else figure


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

    figure, parts = panels(summary, height=3.3)
    for ax, dimension, part in parts:
        for k, condition in enumerate(names):
            values = part.loc[part["condition"] == condition, "rmse"].to_numpy()
            if len(values):
                _bar(ax, k, values, mean_interval(values) if len(values) > 1 else None)
            printed = (published or {}).get((dimension, condition))
            if printed is not None:
                ax.plot(k, printed, "D", color="white", markeredgecolor=INK, markersize=7, zorder=5)
        ax.set_xticks(range(len(names)), list(names.values()), fontsize=8, rotation=25, ha="right")
        ax.grid(axis="x", visible=False)
    first = figure.axes[0]
    first.set(ylabel="RMSE", ylim=(0, None))
    if published:
        first.plot([], [], "D", color="white", markeredgecolor=INK, markersize=7, label="published")
    return finished(figure, synthetic, place="outside upper right")


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
    figure, parts = panels(curves, height=3.5)
    for ax, dimension, part in parts:
        for k, (strategy, label) in enumerate(names.items()):
            one = part[part["strategy"] == strategy].sort_values("share")
            _curve(ax, one, k, label, shaded=strategy == band)
        for style, (label, value) in zip((":", "--", "-."), (references or {}).get(dimension, {}).items()):  # noqa: B905
            ax.axhline(value, color=INK, linestyle=style, linewidth=1, label=label, zorder=1)
        _upright(ax, 100 * (elbows or {}).get(dimension, np.nan))
        ax.set_xlabel("frames with a label (%)")
    figure.axes[0].set_ylabel("RMSE")
    return finished(figure, synthetic, columns=5)


def _curve(ax: Axes, part: pd.DataFrame, place: int, label: str, *, shaded: bool) -> None:
    colour, x = COLOURS[_ORDER[place % len(_ORDER)]], 100 * part["share"].to_numpy()
    mean, low, high = (part[name].to_numpy() for name in ("mean", "low", "high"))
    ax.plot(
        x, mean, "-" + MARKS[place % len(MARKS)], color=colour, label=label, markersize=4,
        linewidth=2.4 if shaded else 1.4, zorder=3,
    )  # fmt: skip
    if shaded:
        ax.fill_between(x, low, high, color=colour, alpha=0.2, linewidth=0)
    else:
        ax.errorbar(
            x + 0.55 * (place - 3), mean, yerr=[mean - low, high - mean], fmt="none", ecolor=colour,
            elinewidth=0.8, alpha=0.6, zorder=2,
        )  # fmt: skip


def sitting_curves(sittings: Sequence[Mapping[str, Any]], *, synthetic: bool = False) -> Figure:
    """How the error changes while people give labels one after the other, a line a person.

    Args:
        sittings: each with sizes and errors, both from no labels on, and the last `Advice`; the end is full
            where it says stop.
        synthetic: mark the figure as made with synthetic faces.
    """
    figure, (ax,) = new_figure(width=5.6, height=3.0)
    ax.axhline(0, color=INK, linewidth=1, zorder=1)
    for one in sittings:
        change = np.asarray(one["errors"]) - one["errors"][0]
        ax.plot(one["sizes"], change, "-", color=COLOURS["blue"], linewidth=1, alpha=0.7)
        end = COLOURS["blue"] if one["advice"].stop else "white"
        ax.plot(one["sizes"][-1], change[-1], "o", color=end, markeredgecolor=COLOURS["blue"], markersize=6)
    ax.set(xlabel="labels given", ylabel="RMSE, change since none")
    return synthetic_note(figure) if synthetic else figure


def _upright(ax: Axes, place: float) -> None:
    """Mark an elbow; NaN marks none."""
    if np.isfinite(place):
        ax.axvline(place, color=COLOURS["grey"], linewidth=1, zorder=0)
        ax.annotate(
            "elbow", (place, 1), xycoords=("data", "axes fraction"), xytext=(2, -8),
            textcoords="offset points", fontsize=7.5, color="#5A5A5A",
        )  # fmt: skip


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
        ax.xaxis.set_major_locator(MaxNLocator(4))
    return synthetic_note(figure) if synthetic else figure


def _gains(ax: Axes, part: pd.DataFrame, names: Mapping[str, str] | None) -> None:
    place = np.arange(len(part))
    reach = part["smallest"].to_numpy()
    ax.use_sticky_edges = False  # keep a margin beside the bars
    ax.barh(place, 2 * reach, 0.62, left=-reach, color="#E4E4E4", zorder=1)
    spread = [part["gain"] - part["low"], part["high"] - part["gain"]]
    ax.errorbar(part["gain"], place, xerr=spread, fmt="o", color=COLOURS["blue"], capsize=3, zorder=3)
    ax.axvline(0, color=INK, linewidth=1, zorder=2)
    ax.set_yticks(place, list(names.values()) if names else [""] * len(part))
    ax.set_ylim(len(part) - 0.4, -0.6)
    ax.grid(axis="y", visible=False)
