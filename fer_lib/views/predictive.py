"""Figures of contrastive predictive coding: sequences, the bound against the truth, probes (chapter 06)."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from fer_lib.views.style import COLOURS, INK, new_figure, synthetic_note

_ORDER = ("blue", "orange", "green", "red", "purple", "sky", "black")
_MARKS = ("o", "s", "^", "D", "v", "P", "X")


def sequences(images: Any, titles: Sequence[str], *, observed: int, synthetic: bool = False) -> Figure:
    """A row a sequence: the faces observed, and behind a gap those to predict.

    Args:
        images: uint8 (R, T, C, H, W).
        titles: what the faces of each row share.
        observed: how many faces of a row are observed, in [1, T).
        synthetic: mark the figure as made with synthetic faces.

    Raises:
        ValueError: shapes or numbers that do not fit.
    """
    images = np.asarray(images)
    if images.ndim != 5 or len(titles) != len(images) or not 1 <= observed < images.shape[1]:
        raise ValueError(
            f"images must be (R, T, C, H, W) with R titles and observed in [1, T); got {images.shape}, "
            f"{len(titles)} titles and {observed}. Draw sequences first."
        )
    rows, length = images.shape[:2]
    widths = [1.0] * observed + [0.25] + [1.0] * (length - observed)
    figure, axes = new_figure(
        rows, length + 1, height=7.2 * rows / (length + 1.4) + 0.45, width_ratios=widths
    )
    for k, ax in enumerate(axes):
        row, column = divmod(k, length + 1)
        ax.set_axis_off()
        if column == observed:
            continue
        face = images[row, column - (column > observed)].transpose(1, 2, 0)
        ax.imshow(face.squeeze(), cmap="gray", vmin=0, vmax=255)
        if column == 0:
            ax.text(
                -0.08, 0.5, titles[row], transform=ax.transAxes, ha="right", va="center", rotation=90,
                fontsize=7.5,
            )  # fmt: skip
        if row == 0 and column in (0, observed + 1):
            ax.set_title("observed" if column == 0 else "to predict", fontsize=9.5)
    return synthetic_note(figure) if synthetic else figure


def against_truth(panels: Mapping[str, pd.DataFrame]) -> Figure:
    """One panel a critic: the bound over the true information, a curve a number of candidates.

    The diagonal is the truth; a dotted line marks log N, above which no bound can lie.

    Args:
        panels: title to a frame with columns name, candidates, x, y, low, high.

    Raises:
        ValueError: no panels, or a column is missing.
    """
    needed = {"name", "candidates", "x", "y", "low", "high"}
    if not panels or any(not needed <= set(frame) for frame in panels.values()):
        raise ValueError(
            f"panels must be frames with {sorted(needed)}; got {[list(f) for f in panels.values()]}. "
            "See fer_lib.pretrain.bound.bound_study."
        )
    figure, axes = new_figure(1, len(panels), height=3.3, sharey=True)
    for ax, (title, frame) in zip(axes, panels.items(), strict=True):
        top = frame["x"].max()
        ax.plot([0, top], [0, top], color=INK, linewidth=1, label="truth")
        for k, (name, part) in enumerate(frame.groupby("name", sort=False)):
            colour = COLOURS[_ORDER[k]]
            ax.plot(part["x"], part["y"], marker=_MARKS[k], markersize=4, color=colour, label=name)
            ax.fill_between(part["x"], part["low"], part["high"], color=colour, alpha=0.2, linewidth=0)
            ax.axhline(np.log(part["candidates"].iloc[0]), color=colour, linestyle=":", linewidth=1.2)
        ax.set(title=title, xlabel="mutual information (nats)")
    axes[0].set_ylabel("log N minus loss (nats)")
    axes[0].legend(loc="upper left", frameon=True, facecolor="white", edgecolor="none", framealpha=0.85)
    return figure


def probe_dots(rows: pd.DataFrame, *, xlabel: str = "score", synthetic: bool = False) -> Figure:
    """A line a property, a dot an encoder with its interval; a tick at what guessing would give.

    Args:
        rows: encoder, property, score, low, high, chance, as ``probe_rows`` gives them.
        xlabel: of the score.
        synthetic: mark the figure as made with synthetic faces.

    Raises:
        ValueError: a column is missing, or there are more encoders than marks.
    """
    needed = ["encoder", "property", "score", "low", "high", "chance"]
    lacking = [column for column in needed if column not in rows]
    if lacking:
        raise ValueError(f"rows must have the columns {lacking}; got {list(rows.columns)}. Rename them.")
    encoders, properties = (list(dict.fromkeys(rows[column])) for column in ("encoder", "property"))
    if len(encoders) > len(_MARKS):
        raise ValueError(
            f"rows must hold {len(_MARKS)} encoders or fewer; got {len(encoders)}. Show some of them."
        )
    figure, (ax,) = new_figure(height=0.5 * len(properties) + 1.3)
    for k, encoder in enumerate(encoders):
        part = rows[rows["encoder"] == encoder].set_index("property").reindex(properties)
        colour = COLOURS[_ORDER[k]]
        at = np.arange(len(properties)) + (k - (len(encoders) - 1) / 2) * 0.7 / len(encoders)
        spread = np.abs(part[["low", "high"]].to_numpy(float).T - part["score"].to_numpy(float))
        ax.errorbar(
            part["score"], at, xerr=spread, fmt=_MARKS[k], color=colour, ecolor=colour,
            elinewidth=1.1, capsize=2, markersize=5, label=encoder,
        )  # fmt: skip
    chance = rows.groupby("property", sort=False)["chance"].first()
    ax.vlines(chance, np.arange(len(chance)) - 0.4, np.arange(len(chance)) + 0.4, color=INK, linewidth=1)
    ax.set_yticks(np.arange(len(properties)), properties)
    ax.set(xlabel=xlabel, ylim=(len(properties) - 0.5, -0.5))
    ax.grid(axis="y", visible=False)
    figure.legend(
        loc="outside upper center",
        ncols=min(len(encoders), 5 if len(encoders) != 6 else 3),
        handletextpad=0.2,
        columnspacing=1,
    )
    return synthetic_note(figure) if synthetic else figure
