"""What the spread of a class is made of, and how much of it each loss leaves (chapter 13)."""

from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure

from fer_lib.views.embeddings import MARKS, marks_of, scatter_panels
from fer_lib.views.style import COLOURS, INK, new_figure, round_ticks, synthetic_note

if TYPE_CHECKING:
    import pandas as pd

SHADES = {
    "between": COLOURS["black"],
    "another feeling": COLOURS["orange"],
    "how it is shown": COLOURS["red"],
    "affect": COLOURS["red"],
    "pose": COLOURS["blue"],
    "light": COLOURS["sky"],
    "person": COLOURS["green"],
    "picture": COLOURS["purple"],
    "rest": "#D9D9D9",
}


def parts_bars(rows: "pd.DataFrame", *, synthetic: bool = False) -> Figure:
    """One bar a model: the whole variance of its embeddings, split in parts, mean over seeds.

    A part that is estimated below zero is not drawn; such a bar is as much longer than 100 per cent.

    Args:
        rows: model, seed, part, share, as ``trials.spreads.shares_of`` gives them.
        synthetic: mark the figure as made with synthetic faces.

    Raises:
        ValueError: a part that has no colour.
    """
    strange = [part for part in dict.fromkeys(rows["part"]) if part not in SHADES]
    if strange:
        raise ValueError(f"rows must hold known parts; got {strange}. Choose from {list(SHADES)}.")
    table = rows.pivot_table(index="model", columns="part", values="share", sort=False).clip(lower=0)
    figure, (ax,) = new_figure(height=0.34 * len(table) + 1.35)
    at, left = np.arange(len(table)), np.zeros(len(table))
    for part in table:
        ax.barh(
            at, 100 * table[part], left=left, color=SHADES[part], label=part, edgecolor="white", linewidth=0.5
        )
        left += 100 * table[part].to_numpy()
    ax.set_yticks(at, list(table.index), fontsize=8)
    ends = (0, max(100.0, float(left.max())))
    ax.set(xlabel="per cent of the variance of the embeddings", xlim=ends, ylim=(len(table) - 0.4, -0.6))
    ax.grid(visible=False)
    figure.legend(loc="outside upper center", ncols=4, fontsize=8, columnspacing=1)
    return synthetic_note(figure) if synthetic else figure


def left_panels(
    left: "pd.DataFrame", *, baseline: str, parts: Sequence[str], synthetic: bool = False
) -> Figure:
    """One panel a part: how much of it each model leaves, with intervals; a line marks the baseline.

    Args:
        left: model, part, mean, low, high, as ``trials.spreads.left_by`` gives them.
        baseline: the model that the line marks.
        parts: which.
        synthetic: mark the figure as made with synthetic faces.
    """
    models = list(dict.fromkeys(left["model"]))
    figure, axes = new_figure(1, len(parts), height=0.24 * len(models) + 1.1, sharey=True)
    for ax, part in zip(axes, parts, strict=True):
        own = left[left["part"] == part].set_index("model").loc[models]
        for k, line in enumerate(own.itertuples()):
            ax.plot([line.low, line.high], [k, k], color=INK, linewidth=1.3)
            ax.plot(line.mean, k, "o", color=SHADES[part], markersize=5)
        ax.axvline(own.loc[baseline, "mean"], color=INK, linewidth=0.8, linestyle="--")
        ax.set_yticks(range(len(models)), models, fontsize=7.5)
        low, high = min(0.0, own["low"].min()), max(1e-3, own["high"].max(), own["mean"].max())
        ends = [0, round_ticks(high / 20, high)[-1]]  # panels are narrow: two numbers fit
        if -low > 10 * high:  # a part that could not be measured: all lies below zero
            ends = [-round_ticks(-low / 20, -low)[-1], 0]
        ax.set_xticks(ends, [f"{end:g}" for end in ends])
        ax.set(xlim=(low, 1.08 * high), ylim=(len(models) - 0.5, -0.5))
        ax.set_title(fill(part, 9), fontsize=8)  # six narrow panels: a word a line
    figure.supxlabel("spread within classes, for each unit of spread between them", fontsize=9)
    return synthetic_note(figure) if synthetic else figure


def centered_panels(
    panels: Mapping[str, np.ndarray],
    labels: Any,
    centers: Mapping[str, tuple[np.ndarray, np.ndarray]],
    *,
    numbers: Mapping[str, Mapping[str, float]],
    **options: Any,
) -> Figure:
    """``scatter_panels``, with the centers of the classes as large squares, and short titles.

    Args:
        panels, labels: see ``fer_lib.views.embeddings.scatter_panels``.
        centers: title to points (M, 2) and their classes (M,); titles without any have no squares.
        numbers: title to what ``fer_lib.embedding.separation`` found.
        options: of ``scatter_panels``.
    """
    figure = scatter_panels(panels, labels, **options)
    for ax, title in zip(figure.axes, panels, strict=False):
        silhouette = f"{numbers[title]['silhouette']:.2f}".replace("-", "\N{MINUS SIGN}")
        right = f"{numbers[title]['knn_accuracy']:.0%}"
        ax.set_title(f"{title}\nsilhouette {silhouette}, k-NN {right}", fontsize=7)
        places, classes = centers.get(title, (np.zeros((0, 2)), ()))
        for place, k in zip(places, classes, strict=True):
            colour = COLOURS[MARKS[int(k)][0]]
            ax.plot(
                *place, "s", color=colour, markeredgecolor=INK, markersize=5.5, markeredgewidth=1, zorder=4
            )
    return figure


def affect_weights(
    labels: Any, va: np.ndarray, classes: Sequence[str], *, shown: str = "anger", synthetic: bool = False
) -> Figure:
    """Where the faces of a corpus lie in the affect plane, and how the VA-based loss weighs them.

    Args:
        labels: class numbers (N,).
        va: valence and arousal (N, 2).
        classes: names.
        shown: the class whose weights are drawn as contours.
        synthetic: mark the figure as made with synthetic faces.

    Raises:
        ValueError: ``shown`` is not one of the classes.
    """
    if shown not in classes:
        raise ValueError(f"shown must be one of {', '.join(classes)}; got {shown!r}. Choose one of them.")
    labels = np.asarray(labels)
    figure, (left, right) = new_figure(1, 2, height=3.6)
    means = {name: va[labels == k].mean(0) for k, name in enumerate(classes) if (labels == k).any()}
    for k, name in enumerate(classes):
        colour, marker = marks_of(classes)[k]
        mine = va[labels == k][:150]
        left.scatter(mine[:, 0], mine[:, 1], s=7, c=COLOURS[colour], marker=marker, alpha=0.5, linewidths=0)
        if name in means:
            left.plot(
                *means[name], marker, color=COLOURS[colour], markersize=9, markeredgecolor=INK, label=name
            )
    left.set_title("Faces, and the means of their classes", fontsize=9)
    left.legend(fontsize=6.5, ncols=2, loc="lower right", handletextpad=0.1, columnspacing=0.5)
    steps = np.linspace(-1, 1, 81)
    grid = np.stack(np.meshgrid(steps, steps), -1)
    weight = (2 * np.sqrt(2) - np.linalg.norm(grid - means[shown], axis=-1)) ** 2 / 4
    lines = right.contour(
        steps, steps, weight, levels=[0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75], colors=INK, linewidths=0.8
    )
    right.clabel(lines, fontsize=7)
    colour, marker = marks_of(classes)[list(classes).index(shown)]
    own = va[labels == list(classes).index(shown)]
    right.scatter(own[:, 0], own[:, 1], s=9, c=COLOURS[colour], marker=marker, alpha=0.7)
    right.set_title(f"Weights of {shown}", fontsize=9)
    for ax in (left, right):
        ax.set(xlim=(-1, 1), ylim=(-1, 1), xlabel="valence", ylabel="arousal", aspect="equal")
        ax.grid(visible=False)
    return synthetic_note(figure) if synthetic else figure
