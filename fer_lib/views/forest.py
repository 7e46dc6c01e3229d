"""Claims of several works on one axis, in units of what matters: forests, printed numbers, power."""

from collections.abc import Sequence
from textwrap import wrap

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fer_lib.scoreboard.answers import kind
from fer_lib.scoreboard.verdicts import FAILS, HOLDS
from fer_lib.views.page_scoreboard import WORKS
from fer_lib.views.scoreboard import work_mark
from fer_lib.views.style import COLOURS, INK, new_figure, synthetic_note

REACH = 60.0
"""Multiples of what matters that the axes show; what lies beyond ends in an arrow."""
TURNED_WORDS = "turned to the claim; of sameness: first less second"


def forest(shown: pd.DataFrame, *, heads: str = "theme", synthetic: bool = False) -> Figure:
    """Differences with their intervals under headings; colour and mark tell the work.

    Claims of another kind than a difference have it after their name: they hold within other bounds. The
    thick line is each interval alone, the thin one is corrected; a verdict that is decided is bold. Claims
    without a run are left out.

    Args:
        shown: of ``fer_lib.scoreboard.answers.effects``, or of ``by_question``.
        heads: the column of the headings: "theme" or "question".
        synthetic: mark the figure as made with synthetic faces.
    """
    ran = shown[shown["mean"].notna()]
    if ran.empty:
        return _empty("No claim has a pair of runs yet.")
    places, titles, at = [], [], 0
    groups = [part for _, part in ran.groupby(heads, sort=False)]
    for part in groups:
        titles.append((at, str(part[heads].iloc[0])))
        places += list(range(at + 1, at + 1 + len(part)))
        at += 1 + len(part)
    ran = pd.concat(groups)
    figure, (ax,) = new_figure(height=0.205 * at + 1.5)
    _units(ax)
    for place, one in zip(places, ran.itertuples(), strict=True):
        colour, mark = work_mark(one.paper)
        _line(ax, place, one.low, one.high, colour, 1.1)
        _line(ax, place, one.plain_low, one.plain_high, colour, 3.5)
        ax.plot(
            np.clip([one.mean], -REACH, REACH),
            [place],
            mark,
            color=colour,
            markersize=6,
            markeredgecolor="white",
        )
        ax.text(
            1.01, place, one.verdict, transform=ax.get_yaxis_transform(), va="center", fontsize=7.5,
            fontweight="bold" if one.verdict in (HOLDS, FAILS) else "normal",
        )  # fmt: skip
    for place, head in titles:
        ax.text(
            0.0, place, head, transform=ax.get_yaxis_transform(), va="center", fontsize=8.5,
            fontweight="bold", bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.2},
        )  # fmt: skip
    ax.set_yticks(places, _names(ran), fontsize=8)
    ax.set(ylim=(at - 0.4, -0.6), xlabel=f"difference / what matters ({TURNED_WORDS})")
    ax.tick_params(axis="y", length=0)
    _legend(figure, ran["paper"])
    return synthetic_note(figure) if synthetic else figure


def beside_printed(shown: pd.DataFrame, *, synthetic: bool = False) -> Figure:
    """Our differences beside those of the papers' own numbers, in units of what matters.

    Args:
        shown: of ``fer_lib.scoreboard.answers.effects``; only claims with both are drawn.
        synthetic: mark the figure as made with synthetic faces.
    """
    both = shown.dropna(subset=["mean", "printed"]).sort_values("printed", kind="stable")
    if both.empty:
        return _empty("No claim has both a pair of runs and printed numbers.")
    figure, (ax,) = new_figure(height=0.25 * len(both) + 1.6)
    _units(ax)
    for place, one in enumerate(both.itertuples()):
        side = np.sign(one.mean * one.printed) if kind(one.direction) == "difference" else 0
        colour = {1: COLOURS["blue"], -1: COLOURS["red"]}.get(side, COLOURS["grey"])
        ends = np.clip([one.mean, one.printed], -REACH, REACH)
        _line(ax, place, one.plain_low, one.plain_high, "#9A9A9A", 1)
        ax.plot(ends, [place] * 2, color=colour, linewidth=2.4, solid_capstyle="butt", alpha=0.45)
        ax.plot(ends[1:], [place], "o", markerfacecolor="white", markeredgecolor=INK, markersize=6)
        ax.plot(ends[:1], [place], "X" if side < 0 else "o", color=colour, markersize=6.5)
    ax.set_yticks(range(len(both)), _names(both), fontsize=8)
    for text, style in (("printed in the paper", ("o", "white", INK)),
                        ("ours, same direction", ("o", COLOURS["blue"], COLOURS["blue"])),
                        ("ours, other direction", ("X", COLOURS["red"], COLOURS["red"]))):  # fmt: skip
        ax.plot([], [], style[0], markerfacecolor=style[1], markeredgecolor=style[2], label=text)
    ax.set(ylim=(len(both) - 0.4, -0.6), xlabel=f"difference / what matters ({TURNED_WORDS})")
    figure.legend(loc="outside upper center", ncols=3)
    return synthetic_note(figure) if synthetic else figure


def power_figure(table: pd.DataFrame, *, runs: int, synthetic: bool = False) -> Figure:
    """Smallest difference that could have been seen, now and with more runs, against what matters.

    Args:
        table: of ``fer_lib.scoreboard.power.power_table``.
        runs: that were planned there.
        synthetic: mark the figure as made with synthetic faces.
    """
    if table.empty:
        return _empty("No claim has enough runs to tell their scatter.")
    order = table.assign(now=table["seen"] / table["smallest"], then=table["then"] / table["smallest"])
    order = order.sort_values("then", kind="stable")
    figure, (ax,) = new_figure(height=0.205 * len(order) + 1.7)
    ax.axvspan(1e-6, 1, color="#EFEBE1", zorder=0)
    ax.axvline(1, color=INK, linewidth=1)
    for place, one in enumerate(order.itertuples()):
        colour, mark = work_mark(one.paper)
        ax.plot([one.then, one.now], [place] * 2, color=colour, linewidth=1, alpha=0.6)
        ax.plot([one.now], [place], mark, color=colour, markersize=6)
        ax.plot([one.then], [place], mark, markerfacecolor="white", markeredgecolor=colour, markersize=6)
    every = order[["now", "then"]].to_numpy(float)
    ax.set_xscale("log")
    ax.set_xlim(min(0.5, 0.7 * np.nanmin(every)), max(3.0, 1.5 * np.nanmax(every)))
    ticks = [10.0**k for k in range(-2, 6) if ax.get_xlim()[0] <= 10.0**k <= ax.get_xlim()[1]]
    ax.set_xticks(ticks, [f"{tick:,g}" for tick in ticks])
    ax.set_yticks(range(len(order)), order["claim"], fontsize=8)
    ax.set(
        ylim=(len(order) - 0.4, -0.6),
        xlabel=f"what could be seen / what matters (filled: these runs; open: {runs} a corpus)",
    )
    _legend(figure, order["paper"])
    return synthetic_note(figure) if synthetic else figure


def _names(lines: pd.DataFrame) -> list[str]:
    """Ids of claims, with their kind where it is not a difference."""
    kinds = [kind(direction) for direction in lines["direction"]]
    return [
        name if one == "difference" else f"{name} ({one})"
        for name, one in zip(lines["claim"], kinds, strict=True)
    ]


def _units(ax: Axes) -> None:
    """Axes that are even within what matters and logarithmic beyond."""
    ax.axvspan(-1, 1, color="#EFEBE1", zorder=0)
    ax.axvline(0, color=INK, linewidth=1)
    ax.set_xscale("symlog", linthresh=1, linscale=0.7)
    ax.set_xlim(-REACH, REACH)
    ticks = [-30, -10, -3, -1, 0, 1, 3, 10, 30]
    ax.set_xticks(ticks, [f"{tick:+d}".replace("-", "\N{MINUS SIGN}") if tick else "0" for tick in ticks])
    ax.set_xticks([], minor=True)


def _line(ax: Axes, place: float, low: float, high: float, colour: str, width: float) -> None:
    if np.isnan(low) or np.isnan(high):
        return
    if low < REACH and high > -REACH:
        ends = np.clip([low, high], -REACH, REACH)
        ax.plot(ends, [place] * 2, color=colour, linewidth=width, solid_capstyle="butt", zorder=1.5)
    for beyond, at, side in ((low < -REACH, -REACH, "<"), (high > REACH, REACH, ">")):
        if beyond:
            ax.plot([at], [place], side, color=colour, markersize=4, clip_on=False)


def _legend(figure: Figure, papers: Sequence[str]) -> None:
    ax = figure.axes[0]
    for paper in sorted(set(papers), key=lambda one: list(WORKS).index(one) if one in WORKS else len(WORKS)):
        colour, mark = work_mark(paper)
        ax.plot([], [], mark, color=colour, label=WORKS.get(paper, paper))
    figure.legend(loc="outside upper center", ncols=5)


def _empty(words: str) -> Figure:
    """A figure that says why nothing is drawn."""
    figure, (ax,) = new_figure(height=1.2)
    ax.text(0.5, 0.5, "\n".join(wrap(words, 60)), ha="center", va="center", fontsize=10, color=INK)
    ax.set_axis_off()
    return figure
