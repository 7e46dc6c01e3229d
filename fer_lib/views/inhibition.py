"""Chapter 09: what the contrastive loss does to a few points, and what CIAO's mask does to faces."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fer_lib.losses import supervised_contrastive_loss
from fer_lib.views.decisions import label_texts
from fer_lib.views.faces import faces as show_faces
from fer_lib.views.style import COLOURS, INK, new_figure, synthetic_note

if TYPE_CHECKING:
    from fer_lib.adapt.ciao import MaskParts

ANGLES_DEG = (20.0, 75.0, 140.0, 60.0, 165.0, 230.0, 250.0, 310.0)
CLASSES = (0, 0, 0, 1, 1, 1, 2, 2)
_COLOURS = ("blue", "orange", "green", "red", "purple", "sky")
_MARKERS = "os^Dv"


def contrastive_forces(temperature: float = 0.5) -> Figure:
    """Eight points of three classes on a circle: where each is driven to, by either denominator.

    The third panel follows one pair of the same class while it closes: the derivative of its loss by its
    cosine, which is what pulls it together.

    Args:
        temperature: of the loss.
    """
    figure, (left, middle, right) = new_figure(1, 3, height=2.9, width_ratios=[1, 1, 1.15])
    for ax, denominator in ((left, "all"), (middle, "negatives")):
        _circle(ax, denominator, temperature)
        ax.set_title(f"Denominator: {denominator}", fontsize=9)
    cosines = np.linspace(-0.95, 0.95, 39)
    for denominator, colour in (("all", "blue"), ("negatives", "red")):
        pulls = [pull_of_a_pair(c, temperature, denominator) for c in cosines]
        right.plot(cosines, pulls, color=COLOURS[colour], label=denominator)
    right.set(xlabel="cosine of a positive pair", ylabel="pull towards each other", ylim=(0, None))
    right.set_title("Does the pull let go?", fontsize=9)
    right.legend(fontsize=8)
    return figure


def pull_of_a_pair(cosine: float, temperature: float, denominator: str) -> float:
    """By how much the loss falls as a positive pair's cosine grows, with two negatives at right angles.

    Args:
        cosine: of the pair, in (-1, 1).
        temperature: of the loss.
        denominator: "all" or "negatives".

    Returns:
        The sum over the pair of minus the derivative of its loss by the cosine, >= 0.

    Example:
        >>> round(pull_of_a_pair(0.0, 0.5, "all"), 3)  # (1 - 1/3) / 0.5, twice, over two anchors
        1.333
        >>> pull_of_a_pair(0.9, 0.5, "negatives")
        2.0
    """
    c = torch.tensor(cosine, dtype=torch.float64, requires_grad=True)
    nil, one = torch.zeros_like(c), torch.ones_like(c)
    pair = [torch.stack([one, nil, nil, nil]), torch.stack([c, (1 - c * c).sqrt(), nil, nil])]
    others = list(torch.eye(4, dtype=torch.float64)[2:])  # of two other classes
    loss = supervised_contrastive_loss(
        torch.stack(pair + others), torch.tensor([0, 0, 1, 2]), temperature, denominator=denominator
    )
    (slope,) = torch.autograd.grad(loss, c)
    return round(-slope.item(), 12)


def _circle(ax: Axes, denominator: str, temperature: float) -> None:
    angle = torch.deg2rad(torch.tensor(ANGLES_DEG, dtype=torch.float64)).requires_grad_()
    labels = torch.tensor(CLASSES)
    z = torch.stack([angle.cos(), angle.sin()], 1)
    loss = supervised_contrastive_loss(z, labels, temperature, denominator=denominator, reduction="sum")
    (slope,) = torch.autograd.grad(loss, angle)
    place, force = z.detach().numpy(), -slope.numpy()
    along = np.stack([-place[:, 1], place[:, 0]], 1) * force[:, None]
    turn = np.linspace(0, 2 * np.pi, 181)
    ax.plot(np.cos(turn), np.sin(turn), color="#B0B0B0", linewidth=0.8)
    for k in range(3):
        mine = labels.numpy() == k
        colour = COLOURS[_COLOURS[k]]
        ax.plot(*place[mine].T, _MARKERS[k], color=colour, markersize=6)
        ax.quiver(
            *place[mine].T,
            *along[mine].T,
            color=colour,
            angles="xy",
            scale_units="xy",
            scale=4.0,
            width=0.012,
        )
    ax.set(xlim=(-1.75, 1.75), ylim=(-1.75, 1.75), aspect="equal", xticks=[], yticks=[])
    ax.grid(visible=False)
    for spine in ax.spines.values():
        spine.set_visible(False)


def label_sets(sets: Mapping[str, Any], *, synthetic: bool = False) -> Figure:
    """A column a label set: two of its faces, with their labels.

    Args:
        sets: name to a FaceSet of at least two pictures, all of one size.
        synthetic: mark the figure as made with synthetic faces.
    """
    pictures, labels = [], []
    for row in (0, 1):
        for name, faces in sets.items():
            picture = np.asarray(faces.images[row])
            pictures.append(np.broadcast_to(picture, (3, *picture.shape[1:])))
            text = label_texts(faces, [row])[0]
            labels.append(f"{name}\n{text}" if row == 0 else text)
    return show_faces(np.stack(pictures), labels=labels, columns=len(sets), synthetic=synthetic)


def mask_rows(
    faces: Mapping[str, np.ndarray], parts: Mapping[str, "MaskParts"], *, synthetic: bool = False
) -> Figure:
    """A row a corpus: its mean face, and the means over faces and channels of u, I, I / u and M.

    Before any training I = u everywhere, and the fourth column would be 1 throughout. Each column has one
    scale for all corpora.

    Args:
        faces: corpus to (N, 1 or 3, H, W) uint8.
        parts: corpus to u, I and M of those faces, each (N, C, h, w).
        synthetic: mark the figure as made with synthetic faces.

    Raises:
        ValueError: faces and parts of other corpora, or none.
    """
    if not parts or set(faces) != set(parts):
        raise ValueError(
            f"parts must be of the same corpora as faces; got {list(parts)} and {list(faces)}. Match them."
        )
    means = {name: mean_parts(part) for name, part in parts.items()}
    heads = ("mean face", "drive u", "inhibition I", "I ÷ u", "masked M")
    figure, axes = new_figure(len(parts), len(heads), height=0.5 + 1.32 * len(parts))
    table = np.array(axes).reshape(len(parts), len(heads))
    for row, name in zip(table, parts, strict=True):
        _mean_face(row[0], faces[name])
        row[0].set_ylabel(name, fontsize=8)
    for column, head in enumerate(heads):
        table[0, column].set_title(head, fontsize=9, loc="center")
        if column:
            _heat_column(figure, list(table[:, column]), [maps[column - 1] for maps in means.values()])
    for ax in axes:
        ax.set(xticks=[], yticks=[])
        ax.grid(visible=False)
    return synthetic_note(figure) if synthetic else figure


def mean_parts(parts: "MaskParts") -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Means over faces and channels of u, I, I / u (the ratio of the means) and M, each (h, w)."""
    u, inhibition, masked = (part.detach().float().mean((0, 1)).cpu().numpy() for part in parts)
    ratio = np.divide(inhibition, u, out=np.zeros_like(u), where=u > 0)
    return u, inhibition, ratio, masked


def _mean_face(ax: Axes, faces: np.ndarray) -> None:
    picture = faces.astype(np.float32).mean((0, 1)) / 255
    ax.imshow(picture, cmap="gray", vmin=0, vmax=1)


def _heat_column(figure: Figure, axes: list[Axes], maps: list[np.ndarray]) -> None:
    low, high = min(one.min() for one in maps), max(one.max() for one in maps)
    for ax, one in zip(axes, maps, strict=True):
        shown = ax.imshow(one, cmap="cividis", vmin=low, vmax=high)
    bar = figure.colorbar(shown, ax=axes, location="bottom", fraction=0.06, pad=0.03, aspect=12)
    bar.ax.tick_params(labelsize=7)
    bar.ax.locator_params(nbins=3)


def gain_dots(
    gains: pd.DataFrame,
    *,
    published: pd.DataFrame | None = None,
    xlabel: str = "change by CIAO",
    synthetic: bool = False,
) -> Figure:
    """A panel an encoder: paired differences with their intervals, a line a label set and metric.

    Args:
        gains: encoder, name, mean, low, high.
        published: encoder, name, value: the same differences in a paper, as diamonds.
        xlabel: of the differences.
        synthetic: mark the figure as made with synthetic faces.

    Raises:
        ValueError: no differences.
    """
    if gains.empty:
        raise ValueError("gains must hold one difference or more; got none. Run more of the grid.")
    encoders, names = list(dict.fromkeys(gains["encoder"])), list(dict.fromkeys(gains["name"]))
    height = 1.1 + 0.34 * len(names)
    figure, axes = new_figure(1, len(encoders), height=height, sharey=True, sharex=True)
    place = {name: k for k, name in enumerate(names)}
    for ax, encoder in zip(axes, encoders, strict=True):
        part = gains[gains["encoder"] == encoder]
        at = part["name"].map(place)
        spread = np.abs(part[["low", "high"]].to_numpy(float).T - part["mean"].to_numpy(float))
        ax.errorbar(
            part["mean"], at, xerr=spread, fmt="o", color=COLOURS["blue"], ecolor=INK, capsize=3, label="ours"
        )
        if published is not None:
            told = published[(published["encoder"] == encoder) & published["name"].isin(names)]
            style: dict[str, Any] = {"color": "white", "markeredgecolor": INK, "markersize": 7}
            ax.plot(told["value"], told["name"].map(place), "D", label="published", zorder=5, **style)
        ax.axvline(0, color=INK, linewidth=1)
        ax.set(title=encoder, xlabel=xlabel)
    axes[0].set_yticks(range(len(names)), names)
    axes[0].set_ylim(len(names) - 0.5, -0.5)
    if published is not None:
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper right", fontsize=8)
    return synthetic_note(figure) if synthetic else figure


def trained_numbers(frame: pd.DataFrame, *, settings: Sequence[str]) -> Figure:
    """How many numbers learn, on a logarithmic axis: a panel an encoder, a bar a setting (CIAO's Fig. 4).

    Args:
        frame: encoder, setting, numbers.
        settings: in the order of the bars.
    """
    encoders = list(dict.fromkeys(frame["encoder"]))
    figure, axes = new_figure(1, len(encoders), height=2.8, sharex=True, sharey=True)
    for ax, encoder in zip(axes, encoders, strict=True):
        values = frame[frame["encoder"] == encoder].set_index("setting")["numbers"].reindex(list(settings))
        colours = [COLOURS["orange" if name.endswith("ciao") else "blue"] for name in settings]
        ax.barh(range(len(settings)), values, color=colours, log=True)
        for k, value in enumerate(values):
            ax.text(value * 1.1, k, _short(value), va="center", fontsize=7.5)
        ax.set(title=encoder, xlabel="numbers that learn", ylim=(len(settings) - 0.5, -0.5))
        ax.set_xlim(frame["numbers"].min() / 2, frame["numbers"].max() * 6)
        ax.grid(axis="y", visible=False)
    names = [name.replace("_", " ").replace("+ciao", " + CIAO") for name in settings]
    axes[0].set_yticks(range(len(settings)), names)
    return figure


def _short(value: float) -> str:
    return f"{value / 1e6:.1f} M" if value >= 1e6 else f"{value / 1e3:.0f} k"
