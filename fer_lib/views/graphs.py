"""The karate club, matrices between emotions, confusions and single faces, drawn (chapter 15)."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fer_lib.graph.karate import Club
from fer_lib.views.embeddings import MARKS, marks_of
from fer_lib.views.faces import show_picture
from fer_lib.views.style import COLOURS, INK, new_figure, synthetic_note


def club_panels(club: Club, embeddings: Mapping[str, np.ndarray]) -> Figure:
    """The club as a drawing of its ties, and beside it embeddings of its members, in the groups' colours.

    Args:
        club: see ``fer_lib.graph.karate``.
        embeddings: title to points (N, 2).
    """
    import networkx as nx

    graph = nx.from_numpy_array(club.adjacency)
    drawn = nx.kamada_kawai_layout(graph)
    panels = {"Who met whom": np.array([drawn[one] for one in graph])} | dict(embeddings)
    figure, axes = new_figure(1, len(panels), height=7 / len(panels) + 0.5)
    edges = np.argwhere(np.triu(club.adjacency) > 0)
    for k, (ax, (title, points)) in enumerate(zip(axes, panels.items(), strict=True)):
        for edge in edges:
            ax.plot(
                *points[edge].T, color=COLOURS["grey"], linewidth=0.6, alpha=0.8 if k == 0 else 0.2, zorder=1
            )
        for group in np.unique(club.groups):
            colour, marker = MARKS[group]
            mine = club.groups == group
            ax.scatter(
                points[mine, 0], points[mine, 1], s=30, c=COLOURS[colour], marker=marker, zorder=2,
                linewidths=0.4, edgecolors="white", label=f"group {group + 1}",
            )  # fmt: skip
        ax.set_title(title, fontsize=9)
        ax.set(xticks=[], yticks=[])
        ax.grid(visible=False)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return figure


def affect_of_classes(labels: Any, va: Any, classes: Sequence[str], *, synthetic: bool = False) -> Figure:
    """Where faces of each expression lie in the plane: points, and the mean of each (large).

    Args:
        labels: (N,) class numbers.
        va: (N, 2).
        classes: at most seven names.
        synthetic: mark the figure as made with synthetic faces.
    """
    labels, va = np.asarray(labels), np.asarray(va)
    figure, (ax,) = new_figure(width=5.6, height=4.2)
    for k, (name, (colour, marker)) in enumerate(zip(classes, marks_of(classes), strict=True)):
        points = va[labels == k]
        ax.scatter(points[:, 0], points[:, 1], s=7, c=COLOURS[colour], marker=marker, alpha=0.3, linewidths=0)
        if len(points):
            x, y = points.mean(0)
            ax.scatter(
                x, y, s=120, c=COLOURS[colour], marker=marker, edgecolors=INK, linewidths=1.2,
                label=name, zorder=3,
            )  # fmt: skip
    for line in (ax.axhline, ax.axvline):
        line(0, color=COLOURS["grey"], linewidth=0.8, zorder=1)
    ticks = [-1, -0.5, 0, 0.5, 1]
    ax.set(xlim=(-1.05, 1.05), ylim=(-1.05, 1.05), aspect="equal", xlabel="valence", ylabel="arousal")
    ax.set(xticks=ticks, yticks=ticks)
    figure.legend(loc="outside right upper")
    return synthetic_note(figure) if synthetic else figure


def matrix_panels(
    panels: Mapping[str, np.ndarray],
    names: Sequence[str],
    *,
    signed: bool = True,
    digits: int = 2,
    columns: int = 2,
    synthetic: bool = False,
) -> Figure:
    """Square matrices between emotions, each cell with its colour and its number.

    Args:
        panels: title to (N, N).
        names: of the rows.
        signed: colours from -1 to 1 around white; else from 0 to 1.
        digits: of the numbers; zeros stay empty.
        columns: panels in a row.
        synthetic: mark the figure as made with synthetic faces.

    Raises:
        ValueError: a matrix that is not one row a name.
    """
    if any(np.shape(one) != (len(names),) * 2 for one in panels.values()):
        got = {title: np.shape(one) for title, one in panels.items()}
        raise ValueError(f"panels must be ({len(names)}, {len(names)}); got {got}. Give a name a row.")
    columns = min(columns, len(panels))
    rows = -(-len(panels) // columns)
    figure, axes = new_figure(rows, columns, height=rows * (6.2 / columns + 0.55))
    short = [name[:4] for name in names]
    for k, ax in enumerate(axes):
        if k >= len(panels):
            ax.set_axis_off()
            continue
        title, values = list(panels.items())[k]
        _matrix(ax, np.asarray(values, dtype=float), signed, digits, 11.5 / columns if columns > 1 else 8)
        ax.set_xticks(range(len(names)), short, rotation=90, fontsize=7)
        ax.set_yticks(range(len(names)), names if k % columns == 0 else [""] * len(names), fontsize=7.5)
        ax.set_title(title, fontsize=9.5)
    return synthetic_note(figure) if synthetic else figure


def _matrix(ax: Axes, values: np.ndarray, signed: bool, digits: int, size: float) -> None:
    low = -1 if signed else 0
    ax.imshow(values, cmap="RdBu_r" if signed else "Blues", vmin=low, vmax=1)
    for i, j in np.ndindex(*values.shape):
        text = f"{values[i, j]:.{digits}f}"
        text = text.replace("-0.", "-.").removeprefix("0") if digits and abs(values[i, j]) < 1 else text
        if float(f"{values[i, j]:.{digits}f}"):
            colour = "white" if abs(values[i, j]) > 0.6 else INK
            ax.text(
                j,
                i,
                text.replace("-", "\N{MINUS SIGN}"),
                ha="center",
                va="center",
                fontsize=size,
                color=colour,
            )
    ax.grid(visible=False)


def confusion_panels(
    counts: Mapping[str, np.ndarray], classes: Sequence[str], *, synthetic: bool = False
) -> Figure:
    """Confusion matrices side by side: shares of each true class, in per cent.

    Args:
        counts: title to (K, K), true class down.
        classes: K names.
        synthetic: mark the figure as made with synthetic faces.
    """
    shares = {title: 100 * one / np.maximum(one.sum(1, keepdims=True), 1) for title, one in counts.items()}
    figure, axes = new_figure(1, len(shares), height=7 / len(shares) + 0.8)
    for k, (ax, (title, values)) in enumerate(zip(axes, shares.items(), strict=True)):
        ax.imshow(values, cmap="Blues", vmin=0, vmax=100)
        ax.grid(visible=False)
        for i, j in np.ndindex(*values.shape):
            colour = "white" if values[i, j] > 60 else INK
            ax.text(j, i, f"{values[i, j]:.0f}", ha="center", va="center", fontsize=6.5, color=colour)
        ax.set_xticks(range(len(classes)), [name[:4] for name in classes], rotation=90, fontsize=7)
        ax.set_yticks(range(len(classes)), classes if k == 0 else [""] * len(classes), fontsize=7.5)
        ax.set_title(title, fontsize=9.5)
    axes[0].set_ylabel("true class")
    return synthetic_note(figure) if synthetic else figure


def parameter_panels(frame: pd.DataFrame, *, synthetic: bool = False) -> Figure:
    """Table 6.2 as curves: a panel for tau and one for p, a line a number of layers; the paper's are dashed.

    Args:
        frame: table, row ("L=2"), column ("tau=0.1"), mean, low, high, published; see
            ``fer_lib.results.beside_paper``.
        synthetic: mark the figure as made with synthetic faces.
    """
    figure, axes = new_figure(1, 2, height=3.4, sharey=True)
    for ax, (label, table) in zip(axes, (("tau", "Table 6.2a"), ("p", "Table 6.2b")), strict=True):
        part = frame[frame["table"] == table]
        part = part.assign(at=part["column"].str.split("=").str[1].astype(float)).sort_values("at")
        at = part["at"]
        for k, deep in enumerate(sorted(part["row"].unique())):
            colour, marker = COLOURS[MARKS[k][0]], MARKS[k][1]
            mine = (part["row"] == deep).to_numpy()
            line, x = part[mine], at[mine] + (k - 1) * 0.004
            ours = line["mean"].notna().to_numpy()
            ax.plot(
                x, line["published"], "--", color=colour, linewidth=1, marker=marker, markersize=3, alpha=0.7
            )
            spread = [line["mean"] - line["low"], line["high"] - line["mean"]]
            spread = np.nan_to_num(np.array(spread, dtype=float)[:, ours])
            ax.errorbar(
                x[ours],
                line["mean"][ours],
                yerr=spread,
                fmt=f"-{marker}",
                color=colour,
                capsize=2.5,
                label=deep,
            )
        ax.set(xlabel=label, xticks=sorted(at.unique()))
    axes[0].set_ylabel("mean class accuracy, %")
    axes[0].set_ylim(bottom=max(0, axes[0].get_ylim()[0]))
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=3)
    return synthetic_note(figure) if synthetic else figure


def interval_list(frame: pd.DataFrame, *, xlabel: str, synthetic: bool = False) -> Figure:
    """Differences with their intervals, one below the other, and a line at none.

    Args:
        frame: name, mean, low, high; and ``kind``, which gives a colour each.
        xlabel: of the axis.
        synthetic: mark the figure as made with synthetic faces.
    """
    figure, (ax,) = new_figure(height=0.34 * len(frame) + 1.1)
    kinds = list(dict.fromkeys(frame["kind"]))
    for place, one in enumerate(frame.itertuples()):
        colour = COLOURS[MARKS[kinds.index(one.kind)][0]]
        ax.plot([one.low, one.high], [place] * 2, color=colour)
        ax.plot([one.mean], [place], MARKS[kinds.index(one.kind)][1], color=colour)
    for k, kind in enumerate(kinds):
        ax.plot([], [], f"-{MARKS[k][1]}", color=COLOURS[MARKS[k][0]], label=kind)
    ax.axvline(0, color=INK, linewidth=1)
    ax.set_yticks(range(len(frame)), frame["name"], fontsize=8.5)
    ax.set(xlabel=xlabel, ylim=(len(frame) - 0.5, -0.5))
    figure.legend(loc="outside upper center", ncols=len(kinds))
    return synthetic_note(figure) if synthetic else figure


def face_cards(
    images: np.ndarray, cards: Sequence[Sequence[tuple[str, str]]], *, synthetic: bool = False
) -> Figure:
    """Faces, each with lines beside it: what is true, and what networks said.

    Args:
        images: (N, C, H, W).
        cards: of each face its lines, (text, colour's name); "" for ink.
        synthetic: mark the figure as made with synthetic faces.

    Raises:
        ValueError: cards that are not one a face.
    """
    if len(images) != len(cards):
        raise ValueError(f"cards must be one a face, {len(images)}; got {len(cards)}. Match them.")
    rows = -(-len(images) // 2)
    figure, axes = new_figure(rows, 4, height=1.28 * rows + 0.2, width_ratios=[1, 2.1, 1, 2.1])
    for ax in axes:
        ax.set_axis_off()
    for k, (image, lines) in enumerate(zip(images, cards, strict=True)):
        picture, words = axes[4 * (k % rows) + 2 * (k // rows)], axes[4 * (k % rows) + 2 * (k // rows) + 1]
        show_picture(picture, image)
        for place, (text, colour) in enumerate(lines):
            words.text(
                0, 0.95 - place / max(len(lines), 1), text, fontsize=7.3, va="top",
                color=COLOURS.get(colour, INK), transform=words.transAxes,
            )  # fmt: skip
    return synthetic_note(figure) if synthetic else figure
