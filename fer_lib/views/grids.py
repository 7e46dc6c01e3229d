"""Where a Face-STN looks: its grid drawn over faces, and whether it undoes a known motion (chapter 08)."""

from collections.abc import Mapping, Sequence
from textwrap import wrap
from typing import Any

import numpy as np
import pandas as pd
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fer_lib.adapt.face_stn import affine_grid, sample
from fer_lib.metrics import mean_interval
from fer_lib.views.faces import show_picture
from fer_lib.views.style import COLOURS, INK, new_figure, synthetic_note

UNITS = {
    "angle_deg": "angle undone, degrees",
    "zoom": "zoom undone",
    "right": "shift undone, share of side",
}
STILL = {"angle_deg": 0.0, "zoom": 1.0, "right": 0.0, "down": 0.0}


def lattice(theta: Any, cells: tuple[int, int], side: int, *, points: int = 9) -> list[np.ndarray]:
    """The borders of a map's cells, moved by theta, in pixels of the picture.

    Args:
        theta: (2, 3), see ``fer_lib.adapt.FaceSTN``.
        cells: (h, w) of the map.
        side: of the picture.
        points: along each line.

    Returns:
        h + 1 lines across and w + 1 lines down, each (points, 2) in x, y: -0.5 is the left edge of the
        picture, side - 0.5 the right one.
    """
    matrix = np.asarray(theta, float)
    along = np.linspace(-1, 1, points)
    across = [np.stack([along, np.full(points, y)]) for y in np.linspace(-1, 1, cells[0] + 1)]
    down = [np.stack([np.full(points, x), along]) for x in np.linspace(-1, 1, cells[1] + 1)]
    moved = [matrix[:, :2] @ line + matrix[:, 2:] for line in across + down]
    return [((line + 1) * side / 2 - 0.5).T for line in moved]


def grids_over_faces(
    images: Sequence[np.ndarray],
    thetas: Any,
    cells: tuple[int, int],
    *,
    labels: Sequence[str] | None = None,
    columns: int = 6,
    synthetic: bool = False,
) -> Figure:
    """Faces with the cells of their map (thin, blue) and where the plug-in looks instead (orange).

    Args:
        images: N pictures (C, S, S) uint8, grey or colour.
        thetas: (N, 2, 3).
        cells: (h, w) of the map.
        labels: one over each face.
        columns: faces in a row.
        synthetic: mark the figure as made with synthetic faces.

    Raises:
        ValueError: thetas or labels are not one a face.
    """
    thetas = np.asarray(thetas, float)
    if thetas.shape != (len(images), 2, 3) or (labels is not None and len(labels) != len(images)):
        raise ValueError(
            f"thetas and labels must be one a face, {len(images)}; got {thetas.shape} and "
            f"{None if labels is None else len(labels)}. Match them."
        )
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    figure, axes = new_figure(rows, columns, height=rows * (6.6 / columns + 0.1) + 0.2)
    for k, ax in enumerate(axes):
        ax.set_axis_off()
        if k < len(images):
            _face(ax, images[k])
            _lines(ax, np.eye(2, 3), cells, images[k].shape[-1], COLOURS["sky"], 0.7)
            _lines(ax, thetas[k], cells, images[k].shape[-1], COLOURS["orange"], 1.6)
            if labels is not None:
                ax.set_title(labels[k], fontsize=8, loc="center")
    return synthetic_note(figure) if synthetic else figure


def _face(ax: Axes, image: np.ndarray, *, beyond: float = 0.27) -> None:
    """Draw a face with room around it, a share of its side."""
    show_picture(ax, image)
    side = image.shape[-1]
    margin = beyond * side
    ax.set(xlim=(-margin, side + margin), ylim=(side + margin, -margin))


def _lines(ax: Axes, theta: Any, cells: tuple[int, int], side: int, colour: str, width: float) -> None:
    for line in lattice(theta, cells, side):
        ax.plot(*line.T, color=colour, linewidth=width, solid_capstyle="round")


def moved_maps(
    image: np.ndarray, values: Any, thetas: Mapping[str, Any], *, synthetic: bool = False
) -> Figure:
    """One face and one map of it under several thetas: above where is looked, below what is found.

    Args:
        image: (C, S, S) uint8.
        values: (h, w), one channel of its map.
        thetas: title to (2, 3).
        synthetic: mark the figure as made with synthetic faces.
    """
    plane = torch.as_tensor(np.asarray(values), dtype=torch.float32)
    cells = (plane.shape[0], plane.shape[1])
    figure, axes = new_figure(2, len(thetas), height=4.0)
    for k, (title, theta) in enumerate(thetas.items()):
        above, below = axes[k], axes[k + len(thetas)]
        _face(above, image, beyond=0.6)
        _lines(above, np.eye(2, 3), cells, image.shape[-1], COLOURS["sky"], 0.7)
        _lines(above, theta, cells, image.shape[-1], COLOURS["orange"], 1.8)
        above.set_title(title, fontsize=9, loc="center")
        grid = affine_grid(torch.as_tensor(np.asarray(theta), dtype=torch.float32)[None], *cells)
        found = sample(plane[None, None], grid)[0, 0].numpy()
        below.imshow(found, vmin=0, vmax=float(plane.max()))
        for ax in (above, below):
            ax.set_axis_off()
    return synthetic_note(figure) if synthetic else figure


def recovered(
    values: pd.DataFrame, truths: Mapping[str, tuple[str, float]], *, synthetic: bool = False
) -> Figure:
    """A panel a motion: what each setting's theta undoes, beside what was done.

    Args:
        values: motion, setting, reading, seed, value, as ``fer_lib.adapt.looking.recovery`` gives them.
        truths: motion to the reading that it changes, and by how much.
        synthetic: mark the figure as made with synthetic faces.

    Returns:
        A figure with a small ring a seed, the mean with its 95 % interval, a solid line at the truth and a
        dashed one where nothing is moved. What lies beyond the panel is an arrow at its edge.

    Raises:
        ValueError: a motion without rows.
    """
    figure, axes = new_figure(1, len(truths), height=3.2)
    for k, (ax, (motion, (reading, truth))) in enumerate(zip(axes, truths.items(), strict=True)):
        part = values[(values["motion"] == motion) & (values["reading"] == reading)]
        if part.empty:
            raise ValueError(
                f"truths must name motions of the values; got {motion!r}. Choose among their motions."
            )
        ax.axvline(truth, color=COLOURS["green"], linewidth=2)
        ax.axvline(STILL[reading], color=INK, linewidth=1, linestyle="--")
        reach = 1.3 * abs(truth - STILL[reading])
        ends = (min(truth, STILL[reading]) - reach, max(truth, STILL[reading]) + reach)
        settings = list(dict.fromkeys(part["setting"]))
        for place, setting in enumerate(settings):
            _one_setting(ax, part.loc[part["setting"] == setting, "value"].to_numpy(float), place, ends)
        names = ["\n".join(wrap(name, 16)) for name in settings]
        ax.set_yticks(range(len(settings)), names if k == 0 else [""] * len(settings), fontsize=8)
        ax.set(title=motion, ylim=(len(settings) - 0.4, -0.6), xlim=ends)
        ax.set_xlabel(UNITS.get(reading, reading), fontsize=9)
    return synthetic_note(figure) if synthetic else figure


def _one_setting(ax: Axes, values: np.ndarray, place: float, ends: tuple[float, float]) -> None:
    inside = (values >= ends[0]) & (values <= ends[1])
    rings: dict[str, Any] = {"color": COLOURS["sky"], "markersize": 4.5, "linestyle": ""}
    ax.plot(values[inside], np.full(inside.sum(), place + 0.18), "o", fillstyle="none", **rings)
    for end, mark, beyond in ((ends[0], "<", values < ends[0]), (ends[1], ">", values > ends[1])):
        if beyond.any():  # an empty line that is not clipped would upset the layout
            ax.plot([end] * beyond.sum(), [place + 0.18] * beyond.sum(), mark, clip_on=False, **rings)
    if ends[0] <= values.mean() <= ends[1]:
        if len(values) > 1:
            found = mean_interval(values)
            across = [max(found.low, ends[0]), min(found.high, ends[1])]
            ax.plot(across, [place, place], color=INK, linewidth=1.4)
        ax.plot([values.mean()], [place], "o", color=COLOURS["blue"])
