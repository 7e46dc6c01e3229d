"""Chapter 07's drawings: what a regime costs and gives, decision layers, and what a search tried."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from matplotlib.ticker import EngFormatter, MaxNLocator

from fer_lib.adapt.prices import NAMES, unit_of
from fer_lib.views.faces import faces
from fer_lib.views.style import COLOURS, INK, new_figure, round_ticks, synthetic_note

COLOUR_OF = {"all": "blue", "last_conv": "green", "decision": "orange", "scratch": "red"}
MARK_OF = {"all": "o", "last_conv": "s", "decision": "D", "scratch": "X"}
ASIDE = {"all": 0.9, "scratch": 1.1}  # they cost the same: a little apart, so that both are seen
FILL = {"GRU": COLOURS["orange"], "dense": COLOURS["sky"], "output": COLOURS["green"]}


def corpora_faces(sets: Mapping[str, Any], *, count: int = 7) -> Figure:
    """A row of faces of each corpus, all at one size, the first of each row with the corpus's name.

    Args:
        sets: name to a FaceSet.
        count: faces of each.
    """
    from fer_lib.encoders import InputSpec
    from fer_lib.preprocess import prepare

    spec = InputSpec(64, 3, 0.0, 1.0)
    shown = [prepare(one.batch(np.arange(count) * len(one) // count), spec) for one in sets.values()]
    labels = [name if k == 0 else "" for name in sets for k in range(count)]
    images = np.concatenate([np.asarray(part) for part in shown])
    return faces(images, labels=labels, columns=count, synthetic=any(one.synthetic for one in sets.values()))


def decision_layers(sizes: pd.DataFrame, outputs: Mapping[str, str]) -> Figure:
    """The decision layer of each corpus as a chain of boxes, as high as their units on a logarithmic scale.

    Args:
        sizes: of ``fer_lib.adapt.prices.layer_sizes``.
        outputs: corpus to what its outputs are, such as "2 linear".
    """
    figure, axes = new_figure(1, len(sizes), height=2.6, sharey=True)
    for ax, row in zip(axes, sizes.to_dict("records"), strict=True):
        chain = [("GRU", int(row["GRU"]))] * (row["GRU"] > 0)
        chain += [("dense", int(units)) for units in row["dense"].split("+")]
        for k, (kind, units) in enumerate([*chain, ("output", int(row["outputs"]))]):
            _box(ax, k, kind, units)
        frames = f"{row['frames']} frames" if row["frames"] > 1 else "one picture"
        ax.text(0.5, -0.16, frames, transform=ax.transAxes, ha="center", fontsize=7)
        ax.text(0.5, -0.3, outputs[row["corpus"]], transform=ax.transAxes, ha="center", fontsize=7)
        ax.set_title(row["corpus"], fontsize=7.5, loc="center")
        ax.set(xlim=(-0.5, 2.5), ylim=(-0.5, 0.5))
        ax.set_axis_off()
    for kind, colour in FILL.items():
        axes[0].plot([], [], "s", color=colour, markeredgecolor=INK, markersize=8, label=kind)
    figure.legend(loc="outside upper center", ncols=3)
    return figure


def _box(ax: Axes, place: int, kind: str, units: int) -> None:
    height = 0.1 + 0.85 * np.log2(units + 1) / 10
    shape = "round,pad=0,rounding_size=0.08"
    ax.add_patch(
        FancyBboxPatch((place - 0.45, -height / 2), 0.9, height, boxstyle=shape, facecolor=FILL[kind],
                       edgecolor=INK, linewidth=0.8, clip_on=False)
    )  # fmt: skip
    ax.text(place, 0, str(units), ha="center", va="center", fontsize=6.5)


def price_panels(rows: pd.DataFrame, *, names: Mapping[str, str], synthetic: bool = False) -> Figure:
    """Score against what it costs: a column a corpus; above the numbers that learn, below the seconds.

    Args:
        rows: of ``fer_lib.adapt.prices.regime_rows``.
        names: corpus to its title.
        synthetic: mark the figure as made with synthetic faces.
    """
    corpora = list(dict.fromkeys(rows["corpus"]))
    figure, axes = new_figure(2, len(corpora), height=4.6, width=max(7.0, 1.6 * len(corpora)))
    for k, corpus in enumerate(corpora):
        part = rows[rows["corpus"] == corpus]
        for ax, cost in ((axes[k], "trained"), (axes[k + len(corpora)], "seconds")):
            _prices(ax, part, cost)
            if k == 0:
                ax.set_ylabel("score on test faces")
        axes[k].set_title(f"{names.get(corpus, corpus)}\n{unit_of(part['task'].iloc[0])}", fontsize=8.5)
    axes[0].set_xlabel("numbers that learn", loc="left")
    axes[len(corpora)].set_xlabel("seconds of training", loc="left")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels))
    return synthetic_note(figure) if synthetic else figure


def _prices(ax: Axes, part: pd.DataFrame, cost: str) -> None:
    from fer_lib.metrics import mean_interval

    for regime, runs in part.groupby("regime", sort=False):
        values = runs["score"].to_numpy(float)
        spread = None
        if len(values) > 1:
            over = mean_interval(values)
            spread = [[values.mean() - over.low], [over.high - values.mean()]]
        ax.errorbar(
            [runs[cost].mean() * ASIDE.get(regime, 1.0)], [values.mean()], yerr=spread,
            fmt=MARK_OF[regime], markersize=6, color=COLOURS[COLOUR_OF[regime]], ecolor=INK,
            elinewidth=1, capsize=2.5, label=NAMES[regime],
        )  # fmt: skip
    low, high = part[cost].min() / 2, part[cost].max() * 2
    ax.set(xscale="log", xlim=(low, high))
    ticks = round_ticks(low, high)
    ax.set_xticks(ticks, [EngFormatter(sep="")(tick) if tick >= 1 else f"{tick:g}" for tick in ticks])
    ax.set_xticks([], minor=True)
    ax.tick_params(labelsize=7)


def differences(frame: pd.DataFrame, *, names: Mapping[str, str], synthetic: bool = False) -> Figure:
    """What training all layers gains over the other regimes: a panel a rival, a line a corpus.

    Args:
        frame: of ``fer_lib.adapt.prices.gains``.
        names: corpus to its name.
        synthetic: mark the figure as made with synthetic faces.
    """
    rivals, corpora = list(dict.fromkeys(frame["against"])), list(dict.fromkeys(frame["corpus"]))
    figure, axes = new_figure(1, len(rivals), height=1.1 + 0.32 * len(corpora), sharex=True, sharey=True)
    for ax, rival in zip(axes, rivals, strict=True):
        part = frame[frame["against"] == rival].set_index("corpus").reindex(corpora)
        spread = [part["mean"] - part["low"], part["high"] - part["mean"]]
        at = np.arange(len(corpora))
        ax.errorbar(
            part["mean"], at, xerr=spread, fmt="o", color=COLOURS[COLOUR_OF[rival]], ecolor=INK, capsize=3
        )
        ax.axvline(0, color=INK, linewidth=1)
        ax.set_title(f"minus {NAMES[rival]}", fontsize=9)
        ax.set(ylim=(len(corpora) - 0.5, -0.5), xlabel="difference of scores")
    axes[0].set_yticks(range(len(corpora)), [names.get(one, one) for one in corpora], fontsize=8)
    return synthetic_note(figure) if synthetic else figure


def search_trials(
    trials: pd.DataFrame, *, ylabel: str, printed: float | None = None, synthetic: bool = False
) -> Figure:
    """What a search tried: learning rate against score, and the best so far over the trials.

    Args:
        trials: of ``fer_lib.adapt.Search``.
        ylabel: of the score.
        printed: the paper's learning rate, marked where given.
        synthetic: mark the figure as made with synthetic faces.
    """
    figure, (left, right) = new_figure(1, 2, height=2.9, width_ratios=[3, 2])
    done = trials.dropna(subset="score")
    floor = done["score"].min() - 0.06 * max(float(np.ptp(done["score"])), 0.05)
    for k, (optimizer, part) in enumerate(trials.groupby("optimizer", sort=True)):
        colour = COLOURS[("blue", "orange", "green")[k]]
        ended = part["score"].isna()
        left.plot(part["learning_rate"][~ended], part["score"][~ended], "o", color=colour,
                  label=str(optimizer).replace("_", " "))  # fmt: skip
        left.plot(part["learning_rate"][ended], [floor] * int(ended.sum()), "x", color=colour)
    left.plot([], [], "x", color=COLOURS["grey"], label="ended early")
    if printed is not None:
        left.axvline(printed, color=INK, linestyle=":", linewidth=1.2, label="Table 6")
    left.set(xscale="log", xlabel="learning rate", ylabel=ylabel)
    left.legend(fontsize=7.5, frameon=True, edgecolor="none", loc="best")
    right.plot(
        trials["trial"], trials["score"].cummax().ffill(), drawstyle="steps-post", color=COLOURS["red"]
    )
    right.plot(done["trial"], done["score"], "o", color=COLOURS["grey"], markersize=4)
    right.set(xlabel="trial", ylabel="best so far")
    right.xaxis.set_major_locator(MaxNLocator(integer=True))
    return synthetic_note(figure) if synthetic else figure


def costs_and_scores(
    rows: pd.DataFrame, *, by: str, order: Sequence[str], ylabel: str, synthetic: bool = False
) -> Figure:
    """Two panels of the same ways: each seed's score with the mean, and the mean seconds.

    Args:
        rows: with the columns ``by``, seed, score and seconds.
        by: column that names the way.
        order: of the ways.
        ylabel: of the score.
        synthetic: mark the figure as made with synthetic faces.
    """
    figure, (left, right) = new_figure(1, 2, height=2.7)
    table = rows.pivot(index="seed", columns=by, values="score")[list(order)]
    at = np.arange(len(order))
    for values in table.to_numpy():
        left.plot(at, values, "-o", color=COLOURS["blue"], alpha=0.4, linewidth=1, markersize=4)
    left.plot(at, table.mean(), "_", color=INK, markersize=24, markeredgewidth=2)
    left.set(ylabel=ylabel, xlim=(-0.5, len(order) - 0.5))
    seconds = rows.groupby(by)["seconds"].mean().reindex(order)
    right.barh(at, seconds, color=COLOURS["orange"], height=0.55)
    right.set(xlabel="seconds of training", ylim=(len(order) - 0.4, -0.6))
    right.grid(axis="y", visible=False)
    for ax, fix in ((left, left.set_xticks), (right, right.set_yticks)):
        fix(at, [name.replace(" ", "\n", 1) for name in order], fontsize=8)
        ax.tick_params(length=0)
    return synthetic_note(figure) if synthetic else figure
