"""Two views of emotion at once: the plane, its parts, the fusions and what they bring (chapter 14)."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from fer_lib.affect import divide_va
from fer_lib.heads import JointHead
from fer_lib.views.embeddings import marks_of
from fer_lib.views.style import COLOURS, INK, new_figure, synthetic_note

_SHADES = (COLOURS["grey"], INK)  # of parts in turn: colours belong to expressions


def plane_of_expressions(labels: Any, va: Any, classes: Sequence[str], *, synthetic: bool = False) -> Figure:
    """Faces in the plane by expression, and the same faces by part of the eight (the thesis's Fig. 5.2.1).

    Args:
        labels: class numbers (N,).
        va: valence and arousal (N, 2).
        classes: their names, at most eight.
        synthetic: mark the figure as made with synthetic faces.
    """
    labels, va = np.asarray(labels), np.asarray(va, float)
    figure, (left, right) = new_figure(1, 2, height=3.9, sharex=True, sharey=True)
    for k, (name, (colour, mark)) in enumerate(zip(classes, marks_of(classes), strict=True)):
        mine = labels == k
        style: dict[str, Any] = {"c": COLOURS[colour], "marker": mark, "linewidths": 0}
        left.scatter(va[mine, 0], va[mine, 1], s=8, alpha=0.45, rasterized=True, **style)
        if mine.any():
            at = va[mine].mean(0)
            left.plot(*at, mark, color=COLOURS[colour], markersize=9, markeredgecolor="white", label=name)
    part = divide_va(va[:, 0].clip(-1, 1), va[:, 1].clip(-1, 1), 8)
    right.scatter(
        va[:, 0], va[:, 1], s=8, alpha=0.45, c=[_SHADES[p % 2] for p in part], linewidths=0, rasterized=True
    )
    for k in range(8):
        edge, middle = (2 * np.pi * (k + step) / 8 for step in (0, 0.5))
        right.plot([0, 1.55 * np.cos(edge)], [0, 1.55 * np.sin(edge)], color=INK, linewidth=0.7)
        right.text(
            1.22 * np.cos(middle), 1.22 * np.sin(middle), f"{k}: {(part == k).mean():.0%}", fontsize=7.5,
            ha="center", va="center", bbox={"boxstyle": "round,pad=0.12", "fc": "white", "ec": "none"},
        )  # fmt: skip
    for ax, title in ((left, "by expression (large: mean)"), (right, "by part of eight")):
        ax.set(title=title, xlim=(-1.45, 1.45), ylim=(-1.45, 1.45), aspect="equal", xlabel="valence")
        ax.set_xticks([-1, 0, 1])
        ax.set_yticks([-1, 0, 1])
        ax.grid(visible=False)
    left.set_ylabel("arousal")
    figure.legend(loc="outside lower center", ncols=4, fontsize=8)
    return synthetic_note(figure) if synthetic else figure


def news_bars(news: pd.DataFrame, *, synthetic: bool = False) -> Figure:
    """A bar a division: bits that the expression tells already, and bits that are news.

    Args:
        news: name, whole, news (both in bits).
        synthetic: mark the figure as made with synthetic faces.
    """
    figure, (ax,) = new_figure(height=2.4)
    at = np.arange(len(news))
    known = news["whole"] - news["news"]
    ax.barh(at, known, color=COLOURS["sky"], label="told by the expression")
    ax.barh(at, news["news"], left=known, color=COLOURS["orange"], label="news")
    for k, row in enumerate(news.itertuples()):
        ax.text(row.whole + 0.04, k, f"{row.whole:.1f}", va="center", fontsize=8)
    ax.set_yticks(at, news["name"])
    ax.set(
        ylim=(len(news) - 0.4, -0.6), xlabel="entropy of the part, bits", xlim=(0, news["whole"].max() + 0.35)
    )
    ax.grid(axis="y", visible=False)
    figure.legend(loc="outside upper right", ncols=2, fontsize=8)
    return synthetic_note(figure) if synthetic else figure


def fusion_diagrams(heads: Mapping[str, JointHead], shape: tuple[int, ...]) -> Figure:
    """The layers of decision layers and what each reads, sizes from the modules (the thesis's Fig. 5.2.3).

    Args:
        heads: title to a decision layer with an embedding and a second view.
        shape: (C, h, w) of the map that they read.

    Raises:
        ValueError: a layer without either.
    """
    figure, axes = new_figure(1, len(heads), height=2.9)
    for ax, (title, head) in zip(axes, heads.items(), strict=True):
        if head.regressor is None or isinstance(head.embed, torch.nn.Identity):
            raise ValueError(f"heads must have an embedding and a second view; {title!r} lacks one. Add it.")
        _diagram(ax, head, shape)
        ax.set_title(title, loc="center")
    return figure


def _diagram(ax: Axes, head: Any, shape: tuple[int, ...]) -> None:
    """Boxes from bottom to top: map, pooled features, dense layers, answers."""
    own = head.embed_affect is not None
    _box(ax, 0.5, 0.06, "map " + " × ".join(map(str, shape)), "#EFEFEF")
    _box(ax, 0.5, 0.30, f"{head.pool} over places: {_inputs(head.embed)}", "#EFEFEF")
    _arrow(ax, (0.5, 0.12), (0.5, 0.24))
    dense = ((0.25, head.embed), (0.75, head.embed_affect)) if own else ((0.5, head.embed),)
    for x, layer in dense:
        _box(ax, x, 0.56, f"dense, ReLU: {_units(layer)}", "#DCECF7")
        _arrow(ax, (0.5 if not own else 0.5 + 0.5 * (x - 0.5), 0.36), (x, 0.50))
    answers = ((0.25, "expression", head.classifier, "#FBE7C6"), (0.75, "affect", head.regressor, "#D5EFE3"))
    for x, name, layer, colour in answers:
        _box(ax, x, 0.92, f"{name}: {layer.out_features}\nreads {layer.in_features}", colour)
    _arrow(ax, (dense[0][0] - 0.04 * (not own), 0.62), (0.25, 0.83))
    _arrow(ax, (dense[-1][0] + 0.04 * (not own), 0.62), (0.75, 0.83))
    if head.fusion == "concatenate":
        _arrow(ax, (0.56, 0.92), (0.44, 0.92), COLOURS["red"])
    ax.set(xlim=(0, 1), ylim=(-0.06, 1.03))
    ax.set_axis_off()


def _units(layer: Any) -> int:
    return int(layer[0].out_features)


def _inputs(layer: Any) -> int:
    return int(layer[0].in_features)


def _box(ax: Axes, x: float, y: float, text: str, colour: str) -> None:
    lines = text.count("\n") + 1
    wide = 0.36 if lines > 1 else 0.023 * (len(text) + text.count("×")) + 0.06
    high = 0.07 + 0.055 * lines
    ax.add_patch(
        FancyBboxPatch(
            (x - wide / 2, y - high / 2), wide, high, boxstyle="round,pad=0.012", fc=colour, ec=INK, lw=0.8
        )
    )
    ax.text(x, y, text, ha="center", va="center", fontsize=7)


def _arrow(ax: Axes, start: tuple[float, float], end: tuple[float, float], colour: str = INK) -> None:
    ax.annotate("", end, start, arrowprops={"arrowstyle": "-|>", "color": colour, "lw": 1.3})


def gain_lines(
    gains: pd.DataFrame, *, published: Mapping[str, float] | None = None, seen: float | None = None,
    noise: float | None = None, xlabel: str = "points of mean class accuracy", synthetic: bool = False,
) -> Figure:  # fmt: skip
    """Differences to a baseline: over seeds (dot, dark), over faces (wide, pale), and as printed (diamond).

    Args:
        gains: model, mean, low, high, faces_low, faces_high, see ``fer_lib.trials.comparing.gains``.
        published: model to the same difference in a paper.
        seen: smallest difference that could have been seen; a grey band on either side of zero.
        noise: 95 % half-width of a printed difference by its faces alone; drawn at each diamond.
        xlabel: of the differences.
        synthetic: mark the figure as made with synthetic faces.
    """
    figure, (ax,) = new_figure(height=1.2 + 0.42 * len(gains))
    at = np.arange(len(gains))
    if seen is not None:
        ax.axvspan(-seen, seen, color="#EDEDED", zorder=0, label="too small for our seeds")
    ax.hlines(
        at,
        gains["faces_low"],
        gains["faces_high"],
        color=COLOURS["sky"],
        linewidth=7,
        alpha=0.55,
        label="over faces",
    )
    spread = np.abs(gains[["low", "high"]].to_numpy(float).T - gains["mean"].to_numpy(float))
    ax.errorbar(
        gains["mean"],
        at,
        xerr=spread,
        fmt="o",
        color=COLOURS["blue"],
        ecolor=INK,
        capsize=3,
        label="over seeds",
    )
    told = [(k, (published or {}).get(name, np.nan)) for k, name in enumerate(gains["model"])]
    told = [(k, value) for k, value in told if np.isfinite(value)]
    if told:
        k, value = np.array(told).T
        style: dict[str, Any] = {"color": "white", "markeredgecolor": INK, "ecolor": COLOURS["red"]}
        ax.errorbar(
            value, k + 0.24, xerr=noise, fmt="D", markersize=6, linewidth=0.9, label="printed", **style
        )
    ax.axvline(0, color=INK, linewidth=1)
    ax.set_yticks(at, gains["model"], fontsize=8.5)
    ax.set(ylim=(len(gains) - 0.4, -0.6), xlabel=xlabel)
    ax.grid(axis="y", visible=False)
    figure.legend(loc="outside upper right", ncols=4, fontsize=8)
    return synthetic_note(figure) if synthetic else figure


def pull_panels(pulls: pd.DataFrame, *, synthetic: bool = False) -> Figure:
    """How hard the second loss pulls beside the first, and whether both pull one way.

    Args:
        pulls: name, seed, moment, ratio, cosine, see ``fer_lib.trials.inside.pulls``.
        synthetic: mark the figure as made with synthetic faces.
    """
    figure, axes = new_figure(1, 2, height=2.6, sharey=True)
    names = list(dict.fromkeys(pulls["name"]))
    for ax, column, line, label in (
        (axes[0], "ratio", 1.0, "norm of the affect's gradient / expression's"),
        (axes[1], "cosine", 0.0, "cosine between the two"),
    ):
        for step, moment, colour, mark in ((-0.13, "start", "sky", "o"), (0.13, "end", "red", "s")):
            part = pulls[pulls["moment"] == moment]
            ax.plot(
                part[column], part["name"].map(names.index) + step, mark, color=COLOURS[colour], alpha=0.85,
                label=f"{moment} of training",
            )  # fmt: skip
        ax.axvline(line, color=INK, linewidth=1, linestyle="--")
        ax.set_xlabel(label, fontsize=9)
    axes[0].set_yticks(range(len(names)), names)
    axes[0].set(ylim=(len(names) - 0.4, -0.6), xscale="log")
    reach = max(0.5, 1.2 * pulls["cosine"].abs().max())  # so that a small cosine looks small
    axes[1].set_xlim(-reach, reach)
    low, high = axes[0].get_xlim()
    known = (0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)
    low = max([t for t in known if t <= low], default=low)  # so that a number stands at the left end
    ticks = [t for t in known if low <= t <= high]
    axes[0].set_xlim(left=low)
    axes[0].set_xticks(ticks, [f"{t:g}" for t in ticks])
    axes[0].set_xticks([], minor=True)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper right", ncols=2, fontsize=8)
    return synthetic_note(figure) if synthetic else figure
