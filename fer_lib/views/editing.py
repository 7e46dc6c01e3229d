"""Painted faces: reconstructions, squares of edits beside the truth, ablations, and how even codes lie."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fer_lib.views.style import COLOURS, INK, new_figure, synthetic_note


def face_rows(
    rows: Mapping[str, np.ndarray], *, titles: Sequence[str] | None = None, synthetic: bool = False
) -> Figure:
    """Rows of faces, each named at its left: originals above what was made of them.

    Args:
        rows: name to uint8 (K, 3, S, S), the same K in all.
        titles: one above each column.
        synthetic: mark the figure as made with synthetic faces.

    Raises:
        ValueError: rows of different lengths, or titles not one a column.
    """
    columns = _one_length(rows, titles)
    cell = 6.2 / columns
    figure, axes = new_figure(len(rows), columns, width=7.0, height=len(rows) * (cell + 0.04) + 0.25)
    for ax in axes:
        _bare(ax)
    for r, (name, images) in enumerate(rows.items()):
        axes[r * columns].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=8.5)
        for k, image in enumerate(images):
            axes[r * columns + k].imshow(image.transpose(1, 2, 0))
    for k, title in enumerate(titles or ()):
        axes[k].set_title(title, fontsize=8.5, loc="center")
    return synthetic_note(figure) if synthetic else figure


def edit_squares(squares: Mapping[str, np.ndarray], *, radius: float, synthetic: bool = False) -> Figure:
    """Squares of one person's face over valence (across) and arousal (up), side by side.

    Args:
        squares: title to uint8 (n * n, 3, S, S), in the order of ``evidence.editing.grid``.
        radius: largest valence and arousal asked for.
        synthetic: mark the figure as made with synthetic faces.

    Raises:
        ValueError: a number of faces that is no square.
    """
    figure, axes = new_figure(1, len(squares), height=7.0 / max(len(squares), 2) + 0.45)
    for ax, (title, images) in zip(axes, squares.items(), strict=True):
        side = round(len(images) ** 0.5)
        if side * side != len(images):
            raise ValueError(f"squares must hold n * n faces; got {len(images)} in {title!r}. Use grid(n).")
        tiles = images.reshape(side, side, *images.shape[1:]).transpose(0, 3, 1, 4, 2)
        edge = radius * side / max(side - 1, 1)
        picture = tiles.reshape(side * images.shape[2], side * images.shape[3], 3)
        ax.imshow(picture, extent=(-edge, edge, -edge, edge))
        ticks = [round(v, 2) for v in (-radius, 0.0, radius)]
        ax.set(title=title, xlabel="valence", xticks=ticks, yticks=ticks if ax is axes[0] else [])
        ax.grid(visible=False)
    axes[0].set_ylabel("arousal")  # once: the squares are wider for it
    return synthetic_note(figure) if synthetic else figure


def variant_rows(
    pictures: Mapping[str, np.ndarray],
    maps: Mapping[str, np.ndarray],
    *,
    titles: Sequence[str],
    synthetic: bool = False,
) -> Figure:
    """One row a model: its pictures, each with what the encoder's last map answers to it at its right.

    Args:
        pictures: name to uint8 (K, 3, S, S).
        maps: name to (K, h, w), any scale; each is drawn from its own lowest to its highest value.
        titles: one above each picture.
        synthetic: mark the figure as made with synthetic faces.

    Raises:
        ValueError: rows of different lengths, maps of other models, or titles not one a picture.
    """
    columns = _one_length(pictures, titles)
    if {name: len(value) for name, value in maps.items()} != {n: len(v) for n, v in pictures.items()}:
        raise ValueError(
            f"maps must be one a picture; got those of {list(maps)}. Make them from the pictures."
        )
    cell = 5.4 / (2 * columns)
    figure, axes = new_figure(
        len(pictures), 2 * columns, width=7.0, height=len(pictures) * (cell + 0.03) + 0.3
    )
    for ax in axes:
        _bare(ax)
    for r, (name, images) in enumerate(pictures.items()):
        first = r * 2 * columns
        axes[first].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=7.5)
        for k, image in enumerate(images):
            axes[first + 2 * k].imshow(image.transpose(1, 2, 0))
            axes[first + 2 * k + 1].imshow(maps[name][k], cmap="cividis", interpolation="nearest")
    for k, title in enumerate(titles):
        axes[2 * k].set_title(title, fontsize=8, loc="left")
    return synthetic_note(figure) if synthetic else figure


def code_laws(
    codes: Mapping[str, np.ndarray], distances: Mapping[str, np.ndarray], *, synthetic: bool = False
) -> Figure:
    """How even codes lie: a histogram of all their values a model, and each dimension's distance, in order.

    Args:
        codes: name to (N, D) in [-1, 1].
        distances: name to (D,) Kolmogorov-Smirnov distances from the uniform law.
        synthetic: mark the figure as made with synthetic faces.

    Raises:
        ValueError: other names in the one than in the other.
    """
    if set(codes) != set(distances):
        raise ValueError(
            f"distances must be those of {list(codes)}; got {list(distances)}. Measure the same."
        )
    figure, axes = new_figure(1, 2, height=3.0, width=7.0)
    for k, (name, values) in enumerate(codes.items()):
        word, dash = (("blue", "-"), ("red", "--"), ("green", "-."))[k % 3]
        colour, flat, ordered = COLOURS[word], values.ravel(), np.sort(distances[name])
        bins = np.linspace(-1, 1, 42).tolist()
        axes[0].hist(
            flat, bins=bins, density=True, histtype="step", label=name, linewidth=1.8, color=colour, ls=dash
        )
        axes[1].plot(np.arange(1, len(ordered) + 1), ordered, dash, label=name, color=colour)
    axes[0].axhline(0.5, color=INK, linewidth=1, label="uniform")
    axes[0].set(xlabel="value of z", ylabel="density")
    axes[1].set(xlabel="dimension of z, in order", ylabel="distance from uniform", ylim=(0, None))
    axes[0].legend(loc="best")
    return synthetic_note(figure) if synthetic else figure


def _one_length(rows: Mapping[str, np.ndarray], titles: Sequence[str] | None) -> int:
    lengths = {len(images) for images in rows.values()}
    if len(lengths) != 1:
        raise ValueError(f"rows must hold the same number of faces; got {sorted(lengths)}. Cut the longer.")
    columns = lengths.pop()
    if titles is not None and len(titles) != columns:
        raise ValueError(f"titles must be one a column, {columns}; got {len(titles)}. Match them.")
    return columns


def _bare(ax: Axes) -> None:
    ax.set(xticks=[], yticks=[])
    ax.grid(visible=False)
    for spine in ax.spines.values():
        spine.set_visible(False)
