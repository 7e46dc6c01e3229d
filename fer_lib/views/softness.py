"""Weights, rungs, recalls, the plane's soft labels and the pull of three losses (chapter 12)."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fer_lib.views.faces import show_picture
from fer_lib.views.style import COLOURS, INK, new_figure, round_ticks, synthetic_note

_ORDER = ("blue", "red", "green", "purple", "orange")
_MARKS = ("o", "s", "^", "D", "v")
_DIAMOND: dict[str, Any] = {"color": "white", "markeredgecolor": INK, "markersize": 7, "linestyle": ""}


def counts_and_weights(
    counts: Sequence[int],
    classes: Sequence[str],
    weights: Mapping[str, Sequence[float]],
    *,
    synthetic: bool = False,
) -> Figure:
    """How many faces each class has, and how much one of its faces counts by several rules.

    Args:
        counts: faces of each class, (K,).
        classes: K names; drawn from the most to the least frequent.
        weights: name of a rule to the weights of the classes, (K,); those of 0 are not drawn.
        synthetic: mark the figure as made with synthetic faces.
    """
    order = np.argsort(-np.asarray(counts), kind="stable")
    figure, (left, right) = new_figure(1, 2, height=2.9, sharey=True)
    at = np.arange(len(order))
    left.barh(at, np.asarray(counts)[order], color=COLOURS["sky"])
    left.set(title="faces to learn from", xlabel="faces")
    left.set_yticks(at, [classes[k] for k in order])
    left.invert_yaxis()
    drawn = {name: np.where(np.asarray(values) > 0, values, np.nan) for name, values in weights.items()}
    for k, (name, values) in enumerate(drawn.items()):
        colour = COLOURS[_ORDER[k % len(_ORDER)]]
        right.plot(values[order], at, _MARKS[k % 5] + "-", color=colour, label=name, linewidth=1)
    every = np.stack(list(drawn.values()))
    low, high = np.nanmin(every) / 1.5, np.nanmax(every) * 1.5
    right.set(xscale="log", title="weight of one face", xlabel="weight", xlim=(low, high))
    ticks = round_ticks(low, high)
    right.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    right.set_xticks([], minor=True)
    figure.legend(*right.get_legend_handles_labels(), loc="outside upper right", ncols=4, fontsize=8)
    for ax in (left, right):
        ax.grid(axis="y", visible=False)
    return synthetic_note(figure) if synthetic else figure


def ladder_panels(
    levels: pd.DataFrame,
    steps: pd.DataFrame,
    losses: pd.DataFrame,
    *,
    guess: Sequence[float] | None = None,
    synthetic: bool = False,
) -> Figure:
    """The score of each rung, what it adds to the one below, and what the top loses without it.

    Args:
        levels: name, mean, low, high and published (nan for none), from the bottom of the ladder; per cent,
            so that intervals are drawn from 0 to 100 only.
        steps: the same, and faces_low and faces_high, the interval over the faces.
        losses: as steps, but for published.
        guess: score of guessing on each rung, a dotted line beside it.
        synthetic: mark the figure as made with synthetic faces.
    """
    figure, axes = new_figure(1, 3, height=1.3 + 0.34 * len(levels), sharey=True, width_ratios=[4, 3, 3])
    _dots(axes[0], levels.assign(low=levels["low"].clip(lower=0), high=levels["high"].clip(upper=100)))
    for ax, frame in zip(axes[1:], (steps, losses), strict=True):
        _dots(ax, frame.set_index("name").reindex(levels["name"]).reset_index())
        ax.axvline(0, color=INK, linewidth=1)
        ax.set_xlabel("points")
    if guess is not None:
        at = np.arange(len(levels))
        axes[0].vlines(list(guess), at - 0.5, at + 0.5, color=INK, linestyle=":", linewidth=1)
    axes[0].set(title="score", xlabel="mean class accuracy, %", ylim=(len(levels) - 0.5, -0.5))
    axes[1].set_title("what it adds", fontsize=10)
    axes[2].set_title("lost without it", fontsize=10)
    axes[0].set_yticks(range(len(levels)), levels["name"])
    handles, labels = axes[1].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=4, fontsize=8)
    return synthetic_note(figure) if synthetic else figure


def difference_dots(frame: pd.DataFrame, *, xlabel: str, synthetic: bool = False) -> Figure:
    """Differences to one model, a line each, with the interval over seeds and that over faces.

    Args:
        frame: name, mean, low, high, faces_low, faces_high, published (nan for none).
        xlabel: of the axis.
        synthetic: mark the figure as made with synthetic faces.
    """
    figure, (ax,) = new_figure(width=6.0, height=1.3 + 0.34 * len(frame))
    _dots(ax, frame)
    ax.axvline(0, color=INK, linewidth=1)
    ax.set(xlabel=xlabel, ylim=(len(frame) - 0.5, -0.5))
    ax.set_yticks(range(len(frame)), frame["name"])
    figure.legend(*ax.get_legend_handles_labels(), loc="outside upper center", ncols=4, fontsize=8)
    return synthetic_note(figure) if synthetic else figure


def _dots(ax: Axes, frame: pd.DataFrame) -> None:
    at = np.arange(len(frame))
    if "faces_low" in frame:
        ax.hlines(
            at, frame["faces_low"], frame["faces_high"], color=COLOURS["sky"], linewidth=6, alpha=0.6,
            label="interval over people",
        )  # fmt: skip
    spread = np.abs(frame[["low", "high"]].to_numpy(float).T - frame["mean"].to_numpy(float))
    ax.errorbar(
        frame["mean"], at, xerr=spread, fmt="o", color=COLOURS["blue"], ecolor=INK, capsize=3,
        label="ours, interval over seeds",
    )  # fmt: skip
    if "published" in frame:  # a little lower, so that equal numbers do not hide each other
        ax.plot(frame["published"], at + 0.22, "D", label="thesis", zorder=5, **_DIAMOND)
    ax.grid(axis="y", visible=False)


def recall_panels(
    recalls: pd.DataFrame, scores: pd.DataFrame, classes: Sequence[str], *, synthetic: bool = False
) -> Figure:
    """Left the share found of each class by several models, right the same models by two ways to average.

    Args:
        recalls: model, class, mean, low, high, as shares.
        scores: model, natural (accuracy where classes are as frequent as in training) and balanced (mean
            class accuracy), one row a seed.
        classes: names, in the order of the axis.
        synthetic: mark the figure as made with synthetic faces.
    """
    figure, (left, right) = new_figure(1, 2, height=3.3, width_ratios=[3, 2])
    models = list(dict.fromkeys(recalls["model"]))
    for k, model in enumerate(models):
        colour, mark = COLOURS[_ORDER[k % len(_ORDER)]], _MARKS[k % 5]
        part = recalls[recalls["model"] == model].set_index("class").reindex(list(classes))
        at = np.arange(len(classes)) + 0.14 * (k - (len(models) - 1) / 2)
        spread = np.abs(part[["low", "high"]].to_numpy(float).T - part["mean"].to_numpy(float))
        left.errorbar(at, part["mean"], yerr=spread, fmt=mark, color=colour, capsize=2, markersize=5,
                      elinewidth=1, label=model)  # fmt: skip
        own = scores[scores["model"] == model]
        right.plot(own["natural"], own["balanced"], mark, color=colour, fillstyle="none", markersize=5)
        right.plot([own["natural"].mean()], [own["balanced"].mean()], mark, color=colour, markersize=8)
    left.set(ylabel="share found", ylim=(-0.03, 1.03))
    left.set_xticks(range(len(classes)), classes, rotation=35, ha="right")
    left.grid(axis="x", visible=False)
    right.set(xlabel="accuracy at training shares", ylabel="mean class accuracy")
    figure.legend(*left.get_legend_handles_labels(), loc="outside upper center", ncols=4, fontsize=8)
    return synthetic_note(figure) if synthetic else figure


def plane_shares(
    shares: np.ndarray, counts: np.ndarray, classes: Sequence[str], *, synthetic: bool = False
) -> Figure:
    """P(class | square) of the affect plane, a panel a class, and how many faces each square holds.

    Args:
        shares: (bins, bins, K), rows by arousal upwards, nan in empty squares, which are grey.
        counts: (bins, bins).
        classes: K names.
        synthetic: mark the figure as made with synthetic faces.
    """
    panels = len(classes) + 1
    columns = min(4, panels)
    figure, axes = new_figure(
        -(-panels // columns), columns, height=1.95 * -(-panels // columns), sharex=True, sharey=True
    )
    box: dict[str, Any] = {"origin": "lower", "extent": (-1, 1, -1, 1)}
    for k, ax in enumerate(axes[:panels]):
        if k < len(classes):
            shown = ax.imshow(shares[:, :, k], vmin=0, vmax=1, cmap="Blues", **box)
            ax.set_title(classes[k], fontsize=9)
        else:
            seen = np.log(np.where(counts > 0, counts, np.nan).astype(float))
            ax.imshow(seen, vmin=-0.7, cmap="Oranges", **box)
            ax.set_title(f"faces, 1 to {counts.max()}", fontsize=9)
        ax.set_facecolor("#CFCFCF")
        ax.grid(visible=False)
        ax.set_xticks([-1, 0, 1])
        ax.set_yticks([-1, 0, 1])
    for ax in axes[panels:]:
        ax.set_axis_off()
    figure.colorbar(shown, ax=axes, location="right", shrink=0.5, label="share of the square", pad=0.01)
    figure.supxlabel("valence", fontsize=9)
    figure.supylabel("arousal", fontsize=9)
    return synthetic_note(figure) if synthetic else figure


def pulls(share: float = 0.7) -> Figure:
    """Loss and gradient of cross-entropy, soft and logit loss, by the logit of the first of two classes.

    Args:
        share: the first class's soft label, in [0, 1].
    """
    s = np.linspace(-8, 8, 400)
    p = 1 / (1 + np.exp(-s))
    curves = {
        "cross-entropy": (-np.log(p), p - 1),
        "soft loss": (-share * np.log(p) - (1 - share) * np.log1p(-p), p - share),
        "logit loss": ((p - share) ** 2, 2 * p * (1 - p) * (p - share)),
    }
    figure, (left, right) = new_figure(1, 2, height=2.9)
    for k, (name, (loss, slope)) in enumerate(curves.items()):
        style: dict[str, Any] = {"color": COLOURS[_ORDER[k]], "linestyle": ("-", "--", "-.")[k]}
        left.plot(s, loss, label=name, **style)
        right.plot(s, slope, **style)
    for ax in (left, right):
        ax.axvline(np.log(share / (1 - share)), color=INK, linestyle=":", linewidth=1)
        ax.set_xlabel("logit of the labelled class")
    right.axhline(0, color=INK, linewidth=0.8)
    left.set(ylabel="loss", ylim=(-0.1, 4))
    right.set_ylabel("slope")
    figure.legend(*left.get_legend_handles_labels(), loc="outside upper center", ncols=3)
    return figure


def readings(
    images: np.ndarray,
    answers: Mapping[str, np.ndarray],
    classes: Sequence[str],
    titles: Sequence[str],
    *,
    synthetic: bool = False,
) -> Figure:
    """Faces beside what several sources say of each: a group of bars a class.

    Args:
        images: (N, C, H, W) uint8.
        answers: name of a source to shares (N, K).
        classes: K names.
        titles: N lines, one over each face.
        synthetic: mark the figure as made with synthetic faces.
    """
    figure, axes = new_figure(len(images), 2, height=2.0 * len(images), width_ratios=[1, 3])
    wide = 0.8 / len(answers)
    for row, image in enumerate(images):
        face, ax = axes[2 * row], axes[2 * row + 1]
        show_picture(face, image)
        face.set_axis_off()
        face.set_title(titles[row], fontsize=8.5, loc="left")
        for k, (name, shares) in enumerate(answers.items()):
            at = np.arange(len(classes)) + (k - (len(answers) - 1) / 2) * wide
            ax.bar(at, shares[row], wide * 0.9, color=COLOURS[_ORDER[k]], label=name)
        ax.set_xticks(range(len(classes)), classes if row == len(images) - 1 else [""] * len(classes),
                      rotation=30, ha="right")  # fmt: skip
        ax.set(ylim=(0, 1), ylabel="share")
        ax.grid(axis="x", visible=False)
    figure.legend(*axes[1].get_legend_handles_labels(), loc="outside upper center", ncols=4, fontsize=8)
    return synthetic_note(figure) if synthetic else figure
