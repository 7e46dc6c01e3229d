"""Masks of eyes and mouth, faces by age, and the focal loss (chapter 14)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure

from fer_lib.losses import focal_loss
from fer_lib.views.embeddings import marks_of
from fer_lib.views.faces import show_picture
from fer_lib.views.style import COLOURS, INK, new_figure, synthetic_note

_SHADES = ("black", "sky", "green", "orange", "red")
_DASHES = ("-", (0, (6, 2)), (0, (3, 1.5)), (0, (6, 1.5, 1, 1.5)), (0, (1, 1.2)))


def mask_rows(
    images: Sequence[np.ndarray], wanted: np.ndarray, found: np.ndarray, *, synthetic: bool = False
) -> Figure:
    """A face a column: picture, mask of eyes and mouth, and the mask that a model predicts (Fig. 5.1.2).

    Args:
        images: N pictures (C, S, S) uint8.
        wanted, found: (N, side, side) in [0, 1].
        synthetic: mark the figure as made with synthetic faces.
    """
    figure, axes = new_figure(3, len(images), height=3 * 7.0 / len(images) + 0.2)
    for k, image in enumerate(images):
        show_picture(axes[k], image)
        for row, mask in ((1, wanted[k]), (2, found[k])):
            axes[row * len(images) + k].imshow(mask, cmap="gray", vmin=0, vmax=1)
    for ax in axes:
        ax.set_axis_on()
        ax.set(xticks=[], yticks=[])
        ax.grid(visible=False)
        for side in ax.spines.values():
            side.set_visible(False)
    for row, name in enumerate(("face", "target", "predicted")):
        axes[row * len(images)].set_ylabel(name, fontsize=9)
    return synthetic_note(figure) if synthetic else figure


def age_panels(
    shares: pd.DataFrame, accuracy: pd.DataFrame, *, chance: float, synthetic: bool = False
) -> Figure:
    """Expressions by age, and how often a model is right by age (the thesis's Fig. 5.3.1).

    Args:
        shares: a row a group, a column a class, and ``faces``, see ``fer_lib.trials.ages.shares_by_age``.
        accuracy: group, mean, low, high, see ``accuracy_by_age``.
        chance: a dashed line.
        synthetic: mark the figure as made with synthetic faces.
    """
    figure, (left, right) = new_figure(1, 2, height=3.3)
    classes, base = [name for name in shares if name != "faces"], np.zeros(len(shares))
    for k, (name, (colour, _)) in enumerate(zip(classes, marks_of(classes), strict=True)):
        values = shares[name].to_numpy(float)
        left.bar(
            range(len(shares)), values, bottom=base, color=COLOURS[colour], edgecolor="white",
            linewidth=0.6, hatch="//" if k % 2 else None, label=name,
        )  # fmt: skip
        base = base + values
    for k, count in enumerate(shares["faces"]):
        left.text(k, 1.01, f"{count}", ha="center", fontsize=7)
    left.set_xticks(range(len(shares)), shares.index, fontsize=8)
    left.set(xlabel="age", ylabel="share of the expressions", ylim=(0, 1.07))
    left.grid(visible=False)
    spread = np.abs(accuracy[["low", "high"]].to_numpy(float).T - accuracy["mean"].to_numpy(float))
    right.bar(range(len(accuracy)), accuracy["mean"], color=COLOURS["sky"], yerr=spread, capsize=3)
    right.axhline(chance, color=INK, linewidth=1, linestyle="--")
    right.set_xticks(range(len(accuracy)), accuracy["group"], fontsize=8)
    right.set(xlabel="age", ylabel="share named rightly")
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize=8)
    return synthetic_note(figure) if synthetic else figure


def focal_curves(gammas: Sequence[float] = (0.0, 0.5, 1.0, 2.0, 5.0)) -> Figure:
    """Focal loss by the true class's probability, and its share of the plain one, from ``focal_loss``."""
    figure, (left, right) = new_figure(1, 2, height=3.0, sharex=True)
    p = torch.linspace(0.01, 0.99, 99, dtype=torch.float64)
    logits = torch.stack([torch.logit(p), torch.zeros_like(p)], 1)
    label = torch.tensor([0])
    plain = None
    for k, gamma in enumerate(gammas):
        style: dict[str, Any] = {"color": COLOURS[_SHADES[k % 5]], "linestyle": _DASHES[k % 5]}
        loss = torch.stack([focal_loss(row[None], label, gamma=gamma) for row in logits]).numpy()
        plain = loss if plain is None else plain
        left.plot(p, loss, label=f"γ = {gamma:g}", **style)
        right.plot(p, loss / plain, **style)
    left.set(xlabel="probability of the true class", ylabel="loss", ylim=(0, 5))
    right.set(xlabel="probability of the true class", ylabel="share of the first curve", yscale="log")
    right.set_ylim(1e-5, 2)
    left.legend(handlelength=3.2)  # long enough to show the dashes
    return figure
