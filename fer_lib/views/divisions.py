"""Divisions of the valence-arousal plane."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from fer_lib.affect import divide_va
from fer_lib.views.style import COLOURS, INK, new_figure, synthetic_note

_CYCLE = [COLOURS[name] for name in ("blue", "orange", "green", "red")]  # neighbours always differ


def va_divisions(
    valence: Any,
    arousal: Any,
    *,
    divisions: Sequence[int] = (2, 4, 8, 12),
    neutral_radius: float = 0.0,
    synthetic: bool = False,
) -> Figure:
    """One panel a division: rows coloured by their part; number and share of each part around the rim.

    Args:
        valence: (N,) in [-1, 1].
        arousal: (N,) in [-1, 1].
        divisions: numbers of parts.
        neutral_radius: of the disc that becomes a part of its own, drawn in grey.
        synthetic: mark the figure as made with synthetic faces.
    """
    valence, arousal = np.asarray(valence, float), np.asarray(arousal, float)
    figure, axes = new_figure(1, len(divisions), height=6.4 / len(divisions) + 0.55, sharex=True, sharey=True)
    for ax, parts in zip(axes, divisions, strict=True):
        part = divide_va(valence, arousal, parts, neutral_radius=neutral_radius)
        colours = np.array([_CYCLE[k % len(_CYCLE)] for k in range(parts)] + [COLOURS["grey"]])
        ax.scatter(valence, arousal, s=4, c=colours[part], alpha=0.5, linewidths=0, rasterized=True)
        start = -np.pi / 2 if parts == 2 else 0.0
        for k in range(parts):
            edge, middle = (start + 2 * np.pi * (k + step) / parts for step in (0, 0.5))
            ax.plot([0, 1.6 * np.cos(edge)], [0, 1.6 * np.sin(edge)], color=INK, linewidth=0.7)
            ax.text(
                1.22 * np.cos(middle), 1.22 * np.sin(middle), f"{k}\n{(part == k).mean():.0%}",
                ha="center", va="center", fontsize=6, linespacing=0.9,
                bbox={"boxstyle": "round,pad=0.1", "fc": "white", "ec": "none", "alpha": 0.8},
            )  # fmt: skip
        ax.set(title=f"{parts} parts", xlim=(-1.5, 1.5), ylim=(-1.5, 1.5), aspect="equal")
        ax.set_xticks([-1, 0, 1])
        ax.set_yticks([-1, 0, 1])
        ax.grid(visible=False)
        ax.set(xlabel="valence", ylabel="arousal")
        ax.label_outer()
    return synthetic_note(figure) if synthetic else figure
