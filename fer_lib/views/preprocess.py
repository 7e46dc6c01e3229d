"""Chapter 03's pictures: boxes and points on faces, and where the eyes of many faces lie."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from fer_lib.views.faces import show_picture
from fer_lib.views.style import COLOURS, INK, new_figure, synthetic_note


def annotated(
    images: Sequence[np.ndarray],
    *,
    boxes: Mapping[int, Sequence[float]] | None = None,
    points: Mapping[int, np.ndarray] | None = None,
    labels: Sequence[str] | None = None,
    columns: int = 6,
    synthetic: bool = False,
) -> Figure:
    """Pictures in a grid, some with a box or with points drawn on them.

    Args:
        images: (C, H, W) each, uint8 or float in [0, 1]; sizes may differ.
        boxes: number of a picture to left, top, width, height in pixels.
        points: number of a picture to (P, 2) pixels, x then y.
        labels: a line under each picture.
        columns: pictures in a row.
        synthetic: mark the figure as made with synthetic faces.

    Raises:
        ValueError: no picture, or labels that are not one a picture.
    """
    if not len(images) or (labels is not None and len(labels) != len(images)):
        raise ValueError(
            f"labels must be one a picture; got {len(labels or [])} for {len(images)}. Match them."
        )
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    figure, axes = new_figure(rows, columns, height=rows * (7.0 / columns + 0.25) + 0.05)
    for i, ax in enumerate(axes):
        ax.set_axis_off()
        if i >= len(images):
            continue
        show_picture(ax, images[i])
        if boxes and i in boxes:
            left, high, width, height = boxes[i]
            frame = Rectangle(
                (left - 0.5, high - 0.5), width, height, fill=False, color=COLOURS["orange"], linewidth=1.8
            )
            ax.add_patch(frame)
        if points and i in points:
            at = np.asarray(points[i])
            ax.plot(at[:, 0], at[:, 1], ".", color=COLOURS["sky"], markersize=3 if len(at) > 2 else 7)
        rows_of, columns_of = np.shape(images[i])[1:]
        ax.set(xlim=(-0.5, columns_of - 0.5), ylim=(rows_of - 0.5, -0.5))
        if labels is not None:
            ax.set_title(labels[i], fontsize=8.5, loc="center", y=-0.02, va="top", pad=0)
    return synthetic_note(figure) if synthetic else figure


def eye_clouds(eyes: Mapping[str, np.ndarray], *, synthetic: bool = False) -> Figure:
    """One panel a set: a dot for each eye, in shares of the picture's side.

    Args:
        eyes: title to (N, 2, 2): the eyes of N faces as shares of the side, x then y, the image's left first.
        synthetic: mark the figure as made with synthetic faces.

    Raises:
        ValueError: another shape.
    """
    for title, found in eyes.items():
        if found.ndim != 3 or found.shape[1:] != (2, 2):
            raise ValueError(
                f"eyes must be (N, 2, 2); got {found.shape} in {title!r}. Give two points a face."
            )
    figure, axes = new_figure(1, len(eyes), height=7.0 / len(eyes) + 0.4, sharex=True, sharey=True)
    for k, (ax, (title, found)) in enumerate(zip(axes, eyes.items(), strict=True)):
        for side, colour in ((0, "blue"), (1, "red")):
            at = found[:, side]
            ax.plot(at[:, 0], at[:, 1], ".", color=COLOURS[colour], markersize=3, alpha=0.5)
            middle = np.nanmean(at, 0)
            ax.plot(*middle, "+", color=INK, markersize=9)
        ax.set_title(title, loc="left")
        ax.set(xlim=(0, 1), ylim=(1, 0), aspect="equal", xlabel="share of the width")
        if k == 0:
            ax.set_ylabel("share of the height")
    return synthetic_note(figure) if synthetic else figure
