"""Grids of faces with a line of text under each."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fer_lib.views.style import new_figure, synthetic_note


def faces(
    images: np.ndarray,
    *,
    labels: Sequence[str] | None = None,
    columns: int = 8,
    title: str | None = None,
    synthetic: bool = False,
) -> Figure:
    """Show images in a grid, in reading order.

    Args:
        images: (N, C, H, W) uint8 or float in [0, 1]; C is 1 or 3. Tensors on the CPU do as well.
        labels: N strings, one under each image.
        columns: images in a row.
        title: over the grid.
        synthetic: mark the figure as made with synthetic faces.

    Returns:
        The figure, 7 inches wide.

    Raises:
        ValueError: images are no batch, none are given, or labels are not one an image.
    """
    images = np.asarray(images)
    if images.ndim != 4 or images.shape[1] not in (1, 3) or len(images) == 0:
        raise ValueError(
            f"images must be (N, 1 or 3, H, W) with N > 0; got {images.shape}. Add the missing axes."
        )
    if labels is not None and len(labels) != len(images):
        raise ValueError(
            f"labels must be one an image; got {len(labels)} for {len(images)}. Cut one of them."
        )
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    cell = 7.0 / columns
    extra = 0.2 if labels is not None else 0.04
    figure, axes = new_figure(
        rows, columns, height=rows * (cell * images.shape[2] / images.shape[3] + extra) + 0.1
    )
    for i, ax in enumerate(axes):
        ax.set_axis_off()
        if i < len(images):
            show_picture(ax, images[i])
            if labels is not None:
                ax.set_title(labels[i], fontsize=8, loc="center", y=-0.02, va="top", pad=0)
    if title:
        figure.suptitle(title, fontsize=11)
    return synthetic_note(figure) if synthetic else figure


def show_picture(ax: Axes, image: Any) -> None:
    """One picture on axes of its own, grey or colour, with its brightness as it is.

    Args:
        ax: where.
        image: (1 or 3, H, W), uint8 or in [0, 1].
    """
    picture = np.asarray(image).transpose(1, 2, 0)
    # Without fixed limits matplotlib would stretch the contrast of each grey picture on its own.
    top = 255 if picture.dtype == np.uint8 else 1
    ax.imshow(picture if picture.shape[2] == 3 else picture[..., 0], cmap="gray", vmin=0, vmax=top)
