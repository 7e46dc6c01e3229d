"""Networks that grow: states of the plane, on the page and on paper; habituation; a memory along a video."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from fer_lib.memory.watching import State
from fer_lib.views import live
from fer_lib.views.style import COLOURS, INK, new_figure, synthetic_note

WIDE, HIGH, EDGE = 600, 360, 24  # of the page's drawing
AXES = ("valence", "arousal")
_ORDER = ("blue", "orange", "green", "red", "purple", "sky", "black")


@dataclass(frozen=True)
class PageGrowth:
    """Shows itself on a page; ``data`` is all that the page draws."""

    data: dict[str, Any]

    def _repr_html_(self) -> str:
        return self.fragment()

    def __repr__(self) -> str:
        return "A network that grows, which moves on the page."

    def fragment(self) -> str:
        """Style, states and script in one piece; it asks no server for anything."""
        without = "This picture moves with JavaScript only; the figure below needs none."
        return live.fragment("growth", self.data, scripts=("growth",), without=without)

    def page(self) -> str:
        """A whole page with nothing else on it, to keep or to send."""
        return live.whole_page(self.fragment(), title="A network that grows", width_rem=44)


def page_growth(
    states: Sequence[State], inputs: np.ndarray, *, dense: int = 40, every: int = 4
) -> PageGrowth:
    """The states of a network in the plane, for the page: the first ones all, later ones every few.

    A state with a birth is always shown.

    Args:
        states: of ``fer_lib.memory.watch``.
        inputs: (N, 2), in order.
        dense: so many states at the beginning are all shown.
        every: of the later ones each so many-th.

    Raises:
        ValueError: inputs that are not points of a plane.
    """
    inputs = np.asarray(inputs, dtype=float)
    if inputs.ndim != 2 or inputs.shape[1] != 2:
        raise ValueError(f"inputs must be points of a plane, (N, 2); got {inputs.shape}. Give two columns.")
    low, high = inputs.min(0), inputs.max(0)
    scale = min((WIDE - 2 * EDGE) / (high[0] - low[0]), (HIGH - 2 * EDGE) / (high[1] - low[1]))
    middle = np.array([WIDE, HIGH]) / 2

    def placed(points: np.ndarray) -> np.ndarray:
        return (middle + (points - (low + high) / 2) * scale * [1, -1]).round(1)

    shown = [s for k, s in enumerate(states) if k < dense or k % every == 0 or s.did.inserted]
    shown += [] if shown[-1] is states[-1] else [states[-1]]
    return PageGrowth(
        {
            "label": "Points of a plane, and a network of nodes and edges that grows over them.",
            "inputs": placed(inputs).tolist(),
            "states": [
                {
                    "step": state.step,
                    "nodes": np.column_stack([placed(state.nodes), state.habituation.round(2)]).tolist(),
                    "edges": state.edges.tolist(),
                    "winner": state.did.winner,
                    "inserted": state.did.inserted,
                    "activity": round(state.did.activity, 3),
                }
                for state in shown
            ],
        }
    )


def growth_panels(states: Sequence[State], inputs: np.ndarray, steps: Sequence[int]) -> Figure:
    """The network after some of its inputs, a panel each: seen inputs grey, nodes by habituation.

    Args:
        states: of ``fer_lib.memory.watch``.
        inputs: (N, 2), in order.
        steps: after how many inputs.
    """
    found = {state.step: state for state in states}
    columns = 2
    figure, axes = new_figure(-(-len(steps) // columns), columns, height=3.6, sharex=True, sharey=True)
    for ax in axes[len(steps) :]:
        ax.set_visible(False)
    for ax, step in zip(axes, steps, strict=False):
        state = found[step]
        ax.scatter(inputs[:step, 0], inputs[:step, 1], s=5, color=COLOURS["grey"], alpha=0.55, linewidth=0)
        for i, j in state.edges:
            ax.plot(*state.nodes[[i, j]].T, color=INK, linewidth=1, zorder=2)
        drawn = ax.scatter(
            state.nodes[:, 0], state.nodes[:, 1], c=state.habituation, cmap="cividis", vmin=0, vmax=1, s=42,
            zorder=3, edgecolor="white", linewidth=0.7,
        )  # fmt: skip
        ax.set(title=f"{step} inputs, {len(state.nodes)} nodes", aspect="equal", xlabel="x", ylabel="y")
        ax.label_outer()
        ax.grid(visible=False)
    figure.colorbar(drawn, ax=axes, label="habituation counter", aspect=30)
    return synthetic_note(figure, "synthetic points")


def habituation_curves(curves: Mapping[str, np.ndarray], *, threshold: float) -> Figure:
    """Counters by number of wins, with the threshold below which a node is habituated.

    Args:
        curves: name to the counter before the first win and after each.
        threshold: t_h.
    """
    figure, (ax,) = new_figure(height=3.0)
    dashes = ("-", "--", "-.", ":")
    for k, (name, values) in enumerate(curves.items()):
        ax.plot(values, dashes[k % 4], marker=".", color=COLOURS[_ORDER[k]], label=name)
    ax.axhline(threshold, color=COLOURS["grey"], linewidth=1)
    ax.text(
        0.01,
        threshold,
        "habituated below this line",
        ha="left",
        va="top",
        fontsize=8,
        transform=ax.get_yaxis_transform(),
    )
    ax.axhline(0, color=INK, linewidth=1)
    ax.set(xlabel="wins", ylabel="counter h")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.legend(loc="upper right")
    return figure


def along_video(
    rows: pd.DataFrame,
    agreement: pd.DataFrame,
    *,
    others: Mapping[str, pd.DataFrame] | None = None,
    synthetic: bool = False,
) -> Figure:
    """One video: answers against the truth above, agreement so far in the middle, activity and size below.

    Args:
        rows: frames in order: second, utterance, truth, prior and memory of an axis (``true_valence``,
            ``prior_valence``, ``valence``), activity and size.
        agreement: second, and by name the CCC of all frames so far.
        others: further memories of the same video, by name, for the upper panels.
        synthetic: mark the figure as made with synthetic faces.
    """
    figure, axes = new_figure(4, 1, height=6.4, sharex=True, height_ratios=[1.3, 1.3, 1.2, 1])
    for ax, axis in zip(axes[:2], AXES, strict=True):
        ax.plot(rows["second"], rows[f"true_{axis}"], color=INK, linewidth=1.4, label="truth")
        ax.plot(
            rows["second"],
            rows[f"prior_{axis}"],
            color=COLOURS["blue"],
            linewidth=1,
            alpha=0.8,
            label="prior",
        )
        ax.plot(rows["second"], rows[axis], color=COLOURS["red"], linewidth=1, label="memory")
        for colour, (name, other) in zip(("purple", "orange"), (others or {}).items(), strict=False):
            ax.plot(
                other["second"], other[axis], color=COLOURS[colour], linewidth=0.9, label=name, zorder=1.5
            )
        ax.set(ylabel=axis, ylim=(-1.08, 1.08))
    axes[0].legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=4)
    for axis, dash in zip(AXES, ("-", "--"), strict=True):
        for name, colour in (("prior", "blue"), ("memory", "red")):
            axes[2].plot(
                agreement["second"],
                agreement[f"{name}_{axis}"],
                dash,
                color=COLOURS[colour],
                linewidth=1.3,
                label=f"{name}, {axis}",
            )
    axes[2].axhline(0, color=INK, linewidth=0.8)
    axes[2].set(ylabel="CCC so far")
    axes[2].legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=4, fontsize=8, columnspacing=1)
    axes[3].plot(rows["second"], rows["activity"], color=COLOURS["green"], linewidth=1)
    axes[3].set(ylabel="activity", xlabel="seconds of video", ylim=(0, 1.02))
    _utterances(axes, rows)
    return synthetic_note(figure) if synthetic else figure


def _utterances(axes: Sequence[Axes], rows: pd.DataFrame) -> None:
    for second in rows.groupby("utterance")["second"].min()[1:]:
        for ax in axes:
            ax.axvline(second, color="#D0D0D0", linewidth=0.8, zorder=0)


def gains_panel(gains: pd.DataFrame, *, synthetic: bool = False) -> Figure:
    """What each memory adds to its prior: dots with intervals, a panel an axis.

    Args:
        gains: setting, axis, mean, low, high.
        synthetic: mark the figure as made with synthetic faces.
    """
    figure, axes = new_figure(1, 2, height=2.9, sharey=True)
    for ax, axis in zip(axes, AXES, strict=True):
        part = gains[gains["axis"] == axis].reset_index(drop=True)
        spread = [part["mean"] - part["low"], part["high"] - part["mean"]]
        ax.errorbar(
            part["mean"], part.index, xerr=spread, fmt="o", color=COLOURS["red"], ecolor=INK, capsize=3
        )
        ax.axvline(0, color=INK, linewidth=1)
        ax.set_yticks(part.index, part["setting"])
        ax.set(title=axis, xlabel="CCC minus the prior's", ylim=(len(part) - 0.5, -0.5))
        ax.xaxis.set_major_locator(MaxNLocator(5))
    return synthetic_note(figure) if synthetic else figure


def growth_in_time(rows: pd.DataFrame, *, synthetic: bool = False) -> Figure:
    """Nodes and activity over a long video, a line a setting.

    Args:
        rows: setting, second, size, activity.
        synthetic: mark the figure as made with synthetic faces.
    """
    figure, axes = new_figure(1, 2, height=2.9)
    for k, (name, part) in enumerate(rows.groupby("setting", sort=False)):
        minutes, colour = part["second"] / 60, COLOURS[_ORDER[k]]
        axes[0].plot(minutes, part["size"], color=colour, label=name)
        smooth = part["activity"].rolling(50, min_periods=10).mean()
        axes[1].plot(minutes, smooth, color=colour, label=name)
    axes[0].set(xlabel="minutes of video", ylabel="nodes")
    axes[1].set(xlabel="minutes of video", ylabel="activity, mean of 50 frames")
    axes[0].legend(loc="best")
    return synthetic_note(figure) if synthetic else figure
