"""Drawings of claims and verdicts: the rule, one claim from runs to verdict, and the matrix for print."""

import dataclasses
import math
from collections.abc import Sequence
from textwrap import wrap

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fer_lib.scoreboard.answers import leaning
from fer_lib.scoreboard.claims import Claim
from fer_lib.scoreboard.verdicts import FAILS, HOLDS, UNDECIDED, UNTESTED, judge
from fer_lib.views.page_scoreboard import SIGNS, WORKS
from fer_lib.views.style import COLOURS, INK, new_figure, synthetic_note

TINTS = {HOLDS: COLOURS["blue"], FAILS: COLOURS["red"], UNDECIDED: COLOURS["grey"], UNTESTED: "white"}
LEANING = {1: "#C6DDEC", -1: "#F3D5C3", 0: "#E4E4E4"}
"""Grounds of undecided cells whose mean speaks for the claim, against it, or neither."""
MARKS = {
    "face-stn": ("blue", "o"),
    "ciao": ("orange", "s"),
    "p-affmem": ("green", "^"),
    "personalised-transfer": ("purple", "D"),
    "emotion-gcn": ("black", "v"),
}


def work_mark(paper: str) -> tuple[str, str]:
    """Colour and mark of a work; another paper than the five is a grey cross."""
    colour, mark = MARKS.get(paper, ("grey", "X"))
    return COLOURS[colour], mark


def rule_figure(
    cases: Sequence[tuple[float, float]] = (
        (0.4, 2.8), (1.2, 2.0), (0.15, 0.7), (-0.4, 0.6), (-2.2, -1.2), (-1.4, 1.6),
    ),
) -> Figure:  # fmt: skip
    """Intervals in units of what matters, with the verdicts of the three kinds of claims.

    Args:
        cases: ends of the intervals, from the top.
    """
    figure, panels = new_figure(1, 3, height=0.36 * len(cases) + 1.25, sharey=True)
    blank = Claim("rule", "", "", "", "", "", "", {}, {}, "higher", 1.0)
    titles = {"higher": "a difference", "not lower": "not worse", "same": "the same"}
    for ax, (direction, title) in zip(panels, titles.items(), strict=True):
        claim = dataclasses.replace(blank, direction=direction)
        _zone(ax)
        for place, (low, high) in enumerate(cases):
            verdict = judge(claim, low, high)
            ax.plot([low, high], [place] * 2, color=TINTS[verdict], linewidth=4, solid_capstyle="butt")
            ax.text(3.1, place, verdict, va="center", fontsize=9, color=INK)
        ax.set(
            title=title, xlabel="difference / what matters", yticks=[], xlim=(-2.4, 6.2),
            ylim=(len(cases) - 0.5, -0.5),
        )  # fmt: skip
        ax.set_xticks([-2, -1, 0, 1, 2, 3])
    return figure


def claim_figure(
    pairs: pd.DataFrame, lines: pd.DataFrame, claim: Claim, *, synthetic: bool = False
) -> Figure:
    """One claim, corpus by corpus and together: a dot a paired run, the means with their intervals.

    Args:
        pairs: of ``fer_lib.scoreboard.verdicts.differences``: dataset, seed, difference.
        lines: the claim's lines of ``fer_lib.scoreboard.verdicts``.
        claim: which.
        synthetic: mark the figure as made with synthetic faces.
    """
    figure, (ax,) = new_figure(height=0.42 * len(lines) + 1.5)
    _zone(ax, claim.smallest)
    reach = _reach(pairs["difference"], lines[["plain_low", "plain_high"]], claim.smallest)
    for place, one in enumerate(lines.itertuples()):
        colour = TINTS[one.verdict] if one.verdict != UNTESTED else INK
        _interval(ax, place, one, colour, reach)
        runs = pairs.loc[pairs["dataset"] == one.dataset, "difference"]
        ax.plot(runs, [place - 0.22] * len(runs), "o", color=INK, alpha=0.55, markersize=4)
        ax.plot([one.mean], [place], "D", color=colour, markersize=6)
        ax.text(1.01, place, one.verdict, transform=ax.get_yaxis_transform(), va="center", fontsize=8.5)
    names = [name.replace("world:", "") or "all together" for name in lines["dataset"]]
    ax.set_yticks(range(len(lines)), names)
    turned = "first less second" if claim.direction == "same" else "in the claim's direction"
    ax.set(xlabel=f"difference, {turned}", xlim=(-reach, reach), ylim=(len(lines) - 0.5, -0.6))
    ax.set_title("\n".join(wrap(claim.sentence, 78)), fontsize=10)
    return synthetic_note(figure) if synthetic else figure


def matrix(claims: Sequence[Claim], found: pd.DataFrame, *, synthetic: bool = False) -> Figure:
    """Claims by corpora: a sign and a ground a verdict; undecided cells lean to where their mean lies.

    Args:
        claims: in the order to show, those of a theme together under its name.
        found: of ``fer_lib.scoreboard.verdicts``, for these claims.
        synthetic: mark the figure as made with synthetic faces.
    """
    themes = list(dict.fromkeys(claim.theme for claim in claims))
    claims = sorted(claims, key=lambda claim: themes.index(claim.theme))
    corpora = ["", *sorted({name for name in found["dataset"] if name})]
    cells = found.set_index(["claim", "dataset"])
    places, titles, at = [], [], 0.0
    for k, claim in enumerate(claims):
        if k == 0 or claim.theme != claims[k - 1].theme:
            titles.append((at, claim.theme))
            at += 1
        places.append(at)
        at += 1
    figure, (ax,) = new_figure(height=0.185 * at + 1.5)
    for place, claim in zip(places, claims, strict=True):
        for column, dataset in enumerate(corpora):
            if (claim.id, dataset) in cells.index:
                _cell(ax, column, place, cells.loc[(claim.id, dataset)], claim)
    ax.set_yticks(places, [claim.id for claim in claims], fontsize=7.5)
    for place, theme in titles:
        ax.text(
            -0.5, place, theme, fontsize=8, fontweight="bold", va="center", color=INK,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.0},
        )  # fmt: skip
    names = [name.replace("world:", "") or "all" for name in corpora]
    ax.set_xticks(range(len(corpora)), names, rotation=90, fontsize=8)
    ax.xaxis.tick_top()
    ax.axvline(0.5, color=INK, linewidth=0.8)
    ax.set(xlim=(-0.5, len(corpora) - 0.5), ylim=(at - 0.5, -0.5))
    ax.grid(visible=False)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return synthetic_note(figure) if synthetic else figure


def counts_by_work(claims: Sequence[Claim], found: pd.DataFrame) -> pd.DataFrame:
    """How many claims of each work have each verdict over all corpora: work, a column a verdict, claims.

    Args:
        claims: which.
        found: of ``fer_lib.scoreboard.verdicts``, for these claims.
    """
    whole = found[found["dataset"] == ""].set_index("claim")["verdict"]
    lines = []
    for paper in dict.fromkeys(claim.paper for claim in claims):
        own = [whole[claim.id] for claim in claims if claim.paper == paper]
        about: dict[str, object] = {"work": WORKS.get(paper, paper)}
        lines.append(about | {verdict: own.count(verdict) for verdict in TINTS} | {"claims": len(own)})
    table = pd.DataFrame(lines)
    total = table.drop(columns="work").sum().to_dict() | {"work": "all"}
    return pd.concat([table, pd.DataFrame([total])], ignore_index=True)


def _cell(ax: Axes, column: int, place: float, one: pd.Series, claim: Claim) -> None:
    verdict = one["verdict"]
    ground = TINTS[verdict]
    if verdict == UNDECIDED:
        ground = LEANING[leaning(claim.direction, one["mean"], claim.smallest)]
    ax.fill_between([column - 0.47, column + 0.47], place - 0.45, place + 0.45, color=ground, linewidth=0)
    ink = "white" if verdict in (HOLDS, FAILS) else "#5A5A5A"
    ax.text(column, place, SIGNS[verdict], ha="center", va="center", fontsize=8, color=ink)


def _zone(ax: Axes, matters: float = 1.0) -> None:
    """A line at none, and the ground of differences that do not matter."""
    ax.axvspan(-matters, matters, color="#EFEBE1", zorder=0)
    ax.axvline(0, color=INK, linewidth=1)


def _interval(ax: Axes, place: float, one: object, colour: str, reach: float) -> None:
    """The corrected interval, thin, with an arrow where it leaves the axes, and the plain one, thick."""
    for low, high, width in (("low", "high", 1.2), ("plain_low", "plain_high", 4)):
        ends = getattr(one, low), getattr(one, high)
        if math.isnan(ends[0]):
            continue
        shown = np.clip(ends, -reach, reach)
        if shown[0] < shown[1]:
            ax.plot(shown, [place] * 2, color=colour, linewidth=width, solid_capstyle="butt")
        for beyond, at, side in ((ends[0] < -reach, -reach, "<"), (ends[1] > reach, reach, ">")):
            if beyond:
                ax.plot([at], [place], side, color=colour, markersize=4, clip_on=False)


def _reach(differences: pd.Series, ends: pd.DataFrame, matters: float) -> float:
    """Half the width of an axis that shows all runs, and the intervals unless they are far wider."""
    runs = max(2 * matters, 1.15 * float(np.abs(differences).max()))
    widest = float(np.nanmax(np.abs(ends.to_numpy(float)), initial=0))
    return min(max(runs, 1.1 * widest), 3 * runs)
