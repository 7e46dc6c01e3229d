"""The valence-arousal plane."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fer_lib.views.style import COLOURS, new_figure, synthetic_note


def va_plane(
    valence: np.ndarray,
    arousal: np.ndarray,
    *,
    density: bool = False,
    title: str | None = None,
    synthetic: bool = False,
) -> Figure:
    """Show annotations on the plane, as points or as a joint density.

    Args:
        valence: (N,) in [-1, 1].
        arousal: (N,) in [-1, 1].
        density: a two-dimensional histogram of 20 x 20 cells on a logarithmic colour scale.
        title: over the panel.
        synthetic: mark the figure as made with synthetic faces.
    """
    figure, (ax,) = new_figure(width=4.6 if density else 4.0, height=4.0)
    draw_va_plane(ax, valence, arousal, density=density)
    if title:
        ax.set_title(title)
    return synthetic_note(figure) if synthetic else figure


def draw_va_plane(ax: Axes, valence: np.ndarray, arousal: np.ndarray, *, density: bool = False) -> None:
    """Draw what :func:`va_plane` shows into given axes."""
    valence, arousal = np.asarray(valence), np.asarray(arousal)
    if valence.shape != arousal.shape or valence.ndim != 1:
        raise ValueError(
            f"valence and arousal must both be (N,); got {valence.shape} and {arousal.shape}. Flatten them."
        )
    if density:
        from matplotlib.colors import LogNorm

        edges = np.linspace(-1, 1, 21)
        cells = ax.hist2d(valence, arousal, bins=[edges, edges], norm=LogNorm(vmin=1), cmap="YlGnBu")[3]
        ax.figure.colorbar(cells, ax=ax, label="images in a cell", shrink=0.8)
    else:
        ax.scatter(valence, arousal, s=8, alpha=0.5, color=COLOURS["blue"], linewidths=0)
    for line in (ax.axhline, ax.axvline):
        line(0, color=COLOURS["grey"], linewidth=0.8, zorder=1)
    ax.set(xlim=(-1.05, 1.05), ylim=(-1.05, 1.05), aspect="equal", xlabel="valence", ylabel="arousal")
    ax.set_xticks([-1, -0.5, 0, 0.5, 1])
    ax.set_yticks([-1, -0.5, 0, 0.5, 1])
