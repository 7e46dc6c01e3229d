"""Plots of the face world: action units one by one, faces over the plane, landmarks, corpora side by side."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fer_lib.views.faces import faces
from fer_lib.views.style import COLOURS, new_figure, synthetic_note
from fer_lib.worlds import NAMES, NUMBERS, REGIONS, People, Scene, express, from_intensities, render

_REGION_COLOURS = ("blue", "green", "orange", "red")


def _picture(image: torch.Tensor) -> np.ndarray:
    return image.permute(1, 2, 0).numpy()


def _show(ax: Axes, picture: np.ndarray) -> None:
    ax.set_axis_off()
    ax.imshow(picture[..., 0] if picture.shape[2] == 1 else picture, cmap="gray", vmin=0, vmax=_top(picture))


def _top(picture: np.ndarray) -> float:
    return 255 if picture.dtype == np.uint8 else 1.0


def unit_sheet(person: People, scene: Scene, *, size: int = 112) -> Figure:
    """One person at rest, then with each action unit alone at full intensity.

    Args:
        person: one person.
        scene: one scene.
        size: side of each face in pixels.

    Raises:
        ValueError: more than one person.
    """
    if len(person) != 1:
        raise ValueError(f"person must be one person; got {len(person)}. Use people.take.")
    rows = [{}, *({number: 1.0} for number in NUMBERS)]
    units = torch.cat([from_intensities(row) for row in rows])
    same = torch.zeros(len(rows), dtype=torch.long)
    images = render(person.take(same), units, scene.take(same), size=size).images
    labels = ["at rest", *(f"{number} {NAMES[number]}" for number in NUMBERS)]
    figure = faces(images.numpy(), labels=labels, columns=7, synthetic=True)
    for ax in figure.axes:
        ax.title.set_fontsize(6)
    return figure


def affect_sheet(person: People, scene: Scene, *, steps: int = 7, size: int = 72) -> Figure:
    """One person over the valence-arousal plane: a face in every cell whose centre lies in the unit disc.

    Args:
        person: one person.
        scene: one scene.
        steps: cells a side, an odd number puts a face at the centre.
        size: side of each face in pixels.
    """
    ticks = torch.linspace(-1, 1, steps).tolist()
    cells = [(v, a) for a in ticks for v in ticks if v * v + a * a <= 1.02]
    units = express(torch.tensor([c[0] for c in cells]), torch.tensor([c[1] for c in cells]))
    figure, (ax,) = new_figure(width=6.4, height=6.2)
    half = 1 / (steps - 1)
    same = torch.zeros(len(cells), dtype=torch.long)
    painted = render(person.take(same), units, scene.take(same), size=size).images
    for (v, a), image in zip(cells, painted, strict=True):
        ax.imshow(_picture(image), extent=(v - half, v + half, a - half, a + half), interpolation="bilinear")
    ax.set(xlim=(-1 - half, 1 + half), ylim=(-1 - half, 1 + half), xlabel="valence", ylabel="arousal")
    ax.set_aspect("equal")
    ax.grid(False)
    return synthetic_note(figure)


def anatomy(images: torch.Tensor, points: torch.Tensor, regions: torch.Tensor) -> Figure:
    """Faces with their landmarks, and below with their region masks.

    Args:
        images: (B,3,S,S) in [0, 1].
        points: (B,68,2) landmarks in pixels.
        regions: (B,4,S,S) coverage of eyes, brows, nose, mouth.
    """
    count = len(images)
    figure, axes = new_figure(2, count, height=2 * 7.0 / count + 0.5)
    for i in range(count):
        _show(axes[i], _picture(images[i]))
        across, down = points[i].numpy().T
        axes[i].scatter(across, down, s=2.2, color="white", edgecolors="black", linewidths=0.25)
        grey = _picture(images[i]).mean(-1, keepdims=True).repeat(3, -1)
        for region, colour in zip(regions[i].numpy(), _REGION_COLOURS, strict=True):
            rgb = np.array([int(COLOURS[colour][k : k + 2], 16) / 255 for k in (1, 3, 5)])
            grey = grey + 0.65 * region[..., None] * (rgb - grey)
        _show(axes[count + i], grey)
    handles = [axes[0].scatter([], [], marker="s", color=COLOURS[c]) for c in _REGION_COLOURS]
    figure.legend(handles, REGIONS, loc="outside lower center", ncols=4, frameon=False, fontsize=8)
    return synthetic_note(figure)


def corpus_rows(rows: Mapping[str, np.ndarray], *, synthetic: bool = True) -> Figure:
    """A row of faces for each corpus, its name at the left.

    Args:
        rows: name -> (N,C,H,W) pictures; sizes and channels may differ, N must not.
        synthetic: mark the figure.

    Raises:
        ValueError: rows of unequal length.
    """
    lengths = {len(images) for images in rows.values()}
    if len(lengths) != 1:
        raise ValueError(f"rows must have equally many pictures; got {sorted(lengths)}. Cut the longer ones.")
    columns = lengths.pop()
    figure, axes = new_figure(len(rows), columns, width=7.6, height=len(rows) * (6.5 / columns) + 0.2)
    for i, (name, images) in enumerate(rows.items()):
        for j in range(columns):
            ax = axes[i * columns + j]
            _show(ax, np.asarray(images[j]).transpose(1, 2, 0))
        first = axes[i * columns]
        first.text(-0.1, 0.5, name, transform=first.transAxes, ha="right", va="center", fontsize=8)
    return synthetic_note(figure) if synthetic else figure


def different_people(identities: Sequence[object], count: int) -> np.ndarray:
    """Rows (count,) that show as many different people as there are, spread over all.

    Args:
        identities: (N,) who each row shows, at least ``count`` rows.
        count: how many rows to choose.

    >>> different_people(["a", "a", "b", "b", "c"], 3).tolist()
    [0, 2, 4]
    """
    if len(identities) < count:
        raise ValueError(f"identities must be {count} or more; got {len(identities)}. Load more faces.")
    first = np.sort(np.unique(np.asarray(identities), return_index=True)[1])
    if len(first) < count:  # fewer people than places: some appear again
        others = np.setdiff1d(np.arange(len(identities)), first)
        more = others[np.linspace(0, len(others) - 1, count - len(first)).round().astype(int)]
        return np.sort(np.concatenate([first, more]))
    return first[np.linspace(0, len(first) - 1, count).round().astype(int)]


def matrix(
    values: np.ndarray,
    rows: Sequence[str],
    columns: Sequence[str],
    *,
    xlabel: str = "",
    ylabel: str = "",
    low: np.ndarray | None = None,
    high: np.ndarray | None = None,
    synthetic: bool = False,
) -> Figure:
    """A table of numbers as a heat map, each written into its cell with its interval below.

    Args:
        values: (R,C) in [0, 1].
        rows, columns: names.
        xlabel, ylabel: of the axes.
        low, high: (R,C) interval ends, or None.
        synthetic: mark the figure.

    Raises:
        ValueError: names that do not fit the values.
    """
    values = np.asarray(values, dtype=float)
    if values.shape != (len(rows), len(columns)):
        wanted = (len(rows), len(columns))
        raise ValueError(f"values must be {wanted}, one row a name; got {values.shape}. Transpose them.")
    figure, (ax,) = new_figure(width=1.6 + 0.78 * len(columns), height=1.1 + 0.5 * len(rows))
    ax.imshow(values, cmap="YlGnBu", vmin=0, vmax=max(1e-9, np.nanmax(values)), aspect="auto")
    for i, j in np.ndindex(*values.shape):
        text = f"{values[i, j]:.2f}"
        if low is not None and high is not None:
            text += f"\n[{low[i, j]:.2f}, {high[i, j]:.2f}]"
        colour = "white" if values[i, j] > 0.62 * np.nanmax(values) else "black"
        ax.text(j, i, text, ha="center", va="center", fontsize=7.5, color=colour)
    ax.set_xticks(range(len(columns)), columns, rotation=25, ha="right", rotation_mode="anchor")
    ax.set_yticks(range(len(rows)), rows)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    ax.grid(False)
    return synthetic_note(figure) if synthetic else figure
