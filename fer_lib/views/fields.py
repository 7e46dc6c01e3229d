"""Where metric losses drive the faces of a small plane: forces, fields, and steps (chapter 13)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from fer_lib.losses import (
    CenterLoss,
    IslandLoss,
    SubclassLoss,
    center_local_loss,
    pair_contrastive_loss,
    va_center_loss,
)
from fer_lib.losses.centers import Centers
from fer_lib.views.style import COLOURS, INK, new_figure

CLASSES = ("anger", "disgust", "happiness")
PALETTE = ("blue", "red", "green")
MARKERS = ("o", "^", "D")
REACH = (4.2, 3.2)  # half the plane's width and height
K = 2  # subclass centers of each class


@dataclass(frozen=True)
class Scene:
    """Faces of a made-up network with two features, so that everything can be drawn.

    Args:
        points: embeddings, float64 (N, 2).
        labels: int64 (N,).
        va: valence and arousal, (N, 2).
        centers, subcenters: where the learned centers start, (3, 2) and (3 K, 2).
        reader: weights (3, 2) of a linear classifier, where it starts.
    """

    points: Tensor
    labels: Tensor
    va: Tensor
    centers: Tensor
    subcenters: Tensor
    reader: Tensor

    @property
    def class_va(self) -> Tensor:
        """Mean affect of each class, (3, 2)."""
        return torch.stack([self.va[self.labels == k].mean(0) for k in range(len(self.centers))])


@dataclass(frozen=True)
class Recipe:
    """One loss as it is drawn.

    Args:
        title: for people.
        kind: "center", "center_local", "va_center", "island", "subclass" or "pairs".
        options: of the loss.
        rate: of its steps.
    """

    title: str
    kind: str
    options: Mapping[str, Any] = field(default_factory=dict)
    rate: float = 0.05


RECIPES = {
    "center": Recipe("Center", "center"),
    "center_local": Recipe("Center local", "center_local"),
    "va_center": Recipe("VA-based center local", "va_center"),
    "island": Recipe("Island (cosine)", "island", {"weight": 1.0}),
    "euclidean": Recipe("Island (Euclidean)", "island", {"weight": 1.0, "euclidean": True, "margin": 3.5}),
    "subclass": Recipe("Subclass, no margin", "subclass"),
    "subclass_margin": Recipe("Subclass with margin", "subclass", {"weight": 0.2, "margin": 1.0}),
    "pairs": Recipe("Pairs (contrastive)", "pairs", {"margin": 5.0}),
}


def scene(seed: int = 3) -> Scene:
    """Twenty-four faces of three classes: anger shown in two ways, one of them beside disgust.

    Example:
        >>> drawn = scene()
        >>> drawn.points.shape, drawn.labels.bincount().tolist()
        (torch.Size([24, 2]), [8, 8, 8])
    """
    rng = np.random.default_rng(seed)
    # class, middle of the clump, faces in it, its mean affect
    clumps = (
        (0, (-2.6, 0.9), 4, (-0.6, 0.7)),
        (0, (-0.6, -0.5), 4, (-0.6, 0.2)),
        (1, (0.3, -1.4), 5, (-0.6, 0.2)),
        (1, (-1.3, -2.2), 3, (-0.4, -0.2)),
        (2, (2.2, 0.4), 5, (0.7, 0.2)),
        (2, (1.2, 1.9), 3, (0.8, 0.6)),
    )
    points = np.concatenate([rng.normal(at, 0.42, (n, 2)) for _, at, n, _ in clumps])
    va = np.concatenate([rng.normal(mean, 0.12, (n, 2)) for _, _, n, mean in clumps]).clip(-1, 1)
    labels = np.concatenate([np.full(n, k) for k, _, n, _ in clumps])
    return Scene(
        torch.tensor(points.round(2)),
        torch.tensor(labels),
        torch.tensor(va.round(2)),
        torch.tensor([[-0.6, 1.6], [0.9, 0.2], [0.6, 0.9]], dtype=torch.float64),
        torch.tensor(
            [
                [-3.2, -0.6],
                [-0.4, 1.4],
                [3.6, -2.7],
                [-0.6, -1.4],
                [3.2, 2.4],
                [1.4, -0.6],
            ],  # the third is dead
            dtype=torch.float64,
        ),
        torch.tensor([[-0.4, 0.2], [0.0, -0.4], [0.4, 0.2]], dtype=torch.float64),
    )


def make(recipe: Recipe, drawn: Scene) -> Callable[..., Tensor]:
    """The library's loss for a recipe, with centers where the scene has them.

    Returns:
        Called with points (N, 2), labels and va, it gives the printed sum over the faces; pairs give their
        two means times N. A loss with centers has them as its attribute ``module``.

    Raises:
        ValueError: an unknown kind.
    """
    count, options = len(drawn.centers), dict(recipe.options)
    if recipe.kind == "center_local":
        return lambda x, y, va: center_local_loss(x, y, reduction="sum")
    if recipe.kind == "va_center":
        return lambda x, y, va: va_center_loss(x, y, va, drawn.class_va, reduction="sum", **options)
    if recipe.kind == "pairs":
        return lambda x, y, va: sum(pair_contrastive_loss(x, y, **options), x.new_zeros(())) * len(x)
    if recipe.kind not in ("center", "island", "subclass"):
        raise ValueError(f"kind must be one of the drawn losses; got {recipe.kind!r}. See RECIPES.")
    module: Centers = {
        "center": lambda: CenterLoss(count, 2, **options),
        "island": lambda: IslandLoss(count, 2, **options),
        "subclass": lambda: SubclassLoss(count, K, 2, **options),
    }[recipe.kind]()
    module.centers = (drawn.subcenters if recipe.kind == "subclass" else drawn.centers).clone()

    def loss(x: Tensor, y: Tensor, va: Tensor) -> Tensor:
        return module(x, y, reduction="sum")

    loss.module = module  # type: ignore[attr-defined]
    return loss


def pull(loss: Callable[..., Tensor], points: Tensor, labels: Tensor, va: Tensor) -> Tensor:
    """Where the loss drives each point, minus its gradient (N, 2); learned centers move, if they train."""
    x = points.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(loss(x, labels, va), x)
    return -gradient


def walk(
    recipe: Recipe, drawn: Scene, steps: int, *, weight: float = 1.0, entropy: bool = False
) -> tuple[list[Tensor], list[Tensor]]:
    """Let the points go, as if each were free: x moves by its rate times the pull, step by step.

    Args:
        recipe, drawn: the loss, and where all begins.
        steps: how many.
        weight: lambda, of the metric loss.
        entropy: add the cross-entropy of a linear classifier without biases, which learns at the same rate.

    Returns:
        The points after each step, and the centers (empty where there are none); the first are the start.

    Example:
        >>> path, _ = walk(RECIPES["center_local"], scene(), 30)
        >>> round(float(path[-1][:8].var(0).sum() / path[0][:8].var(0).sum()), 3)  # 0.95 ** 60
        0.046
    """
    loss, x, reader = make(recipe, drawn), drawn.points, drawn.reader.clone()
    module = getattr(loss, "module", None)
    path, moved = [x], [] if module is None else [module.centers]
    for _ in range(steps):
        force = weight * pull(loss, x, drawn.labels, drawn.va)
        if entropy:
            wrong = torch.softmax(x @ reader.T, 1) - torch.nn.functional.one_hot(drawn.labels)
            force, reader = force - wrong @ reader, reader - recipe.rate * wrong.T @ x
        x = x + recipe.rate * force
        path.append(x)
        if module is not None:
            moved.append(module.centers)
    return path, moved


def fields_figure(drawn: Scene | None = None, *, names: tuple[str, ...] = tuple(RECIPES)) -> Figure:
    """One panel a loss: grey, where a further face of anger would be driven; dark, where the faces are.

    Squares are learned centers (small: means of the batch), and arrows at them their next step.

    Args:
        drawn: the scene; None takes the usual one.
        names: of `RECIPES`.
    """
    drawn = drawn or scene()
    columns = min(4, len(names))
    rows = -(-len(names) // columns)
    figure, axes = new_figure(rows, columns, width=9.6, height=2.3 * rows + 0.3, sharex=True, sharey=True)
    for ax in axes[len(names) :]:
        ax.set_axis_off()
    for ax, name in zip(axes, names, strict=False):
        _field(ax, RECIPES[name], drawn)
        ax.set_title(RECIPES[name].title, fontsize=9)
    handles = [
        ax.plot([], [], MARKERS[k], color=COLOURS[PALETTE[k]], label=CLASSES[k])[0]
        for k in range(len(CLASSES))
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=3, fontsize=8)
    return figure


def field_at(recipe: Recipe, drawn: Scene, places: Tensor) -> Tensor:
    """Where one further face of class 0, with that class's mean affect, is driven at each place (M, 2)."""
    labels = torch.cat([drawn.labels, drawn.labels.new_zeros(1)])
    va = torch.cat([drawn.va, drawn.class_va[:1]])
    loss = _still(recipe, drawn)
    return torch.stack([pull(loss, torch.cat([drawn.points, p[None]]), labels, va)[-1] for p in places])


def _still(recipe: Recipe, drawn: Scene) -> Callable[..., Tensor]:
    loss = make(recipe, drawn)
    if hasattr(loss, "module"):
        loss.module.eval()
    return loss


def _field(ax: Axes, recipe: Recipe, drawn: Scene) -> None:
    xs, ys = np.linspace(-3.9, 3.9, 14), np.linspace(-2.9, 2.9, 11)
    places = torch.tensor([(x, y) for x in xs for y in ys])
    driven = field_at(recipe, drawn, places).numpy()
    ax.quiver(*places.numpy().T, *driven.T, color="#B9B9B9", angles="xy", scale=45, width=0.004)
    forces = pull(_still(recipe, drawn), drawn.points, drawn.labels, drawn.va).numpy()
    ax.quiver(
        *drawn.points.numpy().T, *forces.T, color=INK, angles="xy", scale_units="xy", scale=4, width=0.006
    )
    for k in range(len(CLASSES)):
        mine = (drawn.labels == k).numpy()
        ax.plot(*drawn.points[mine].numpy().T, MARKERS[k], color=COLOURS[PALETTE[k]], markersize=4)
    _centers(ax, recipe, drawn)
    ax.set(xlim=(-REACH[0], REACH[0]), ylim=(-REACH[1], REACH[1]), xticks=[], yticks=[], aspect="equal")
    ax.grid(visible=False)


def _centers(ax: Axes, recipe: Recipe, drawn: Scene) -> None:
    loss = make(recipe, drawn)
    if not hasattr(loss, "module"):
        if recipe.kind != "pairs":
            for k in range(len(CLASSES)):
                middle = drawn.points[drawn.labels == k].mean(0)
                ax.plot(*middle, "s", color=COLOURS[PALETTE[k]], markeredgecolor=INK, markersize=4)
        return
    before = loss.module.centers
    loss(drawn.points, drawn.labels, drawn.va)
    step = (loss.module.centers - before).numpy()
    colours = [COLOURS[PALETTE[j // loss.module.per_class]] for j in range(len(before))]
    ax.quiver(*before.numpy().T, *step.T, color=colours, angles="xy", scale_units="xy", scale=1, width=0.012)
    for place, colour in zip(before.numpy(), colours, strict=True):
        ax.plot(*place, "s", color=colour, markeredgecolor=INK, markersize=7)


def changed(name: str, **options: Any) -> Recipe:
    """One of `RECIPES` with other options.

    >>> changed("pairs", margin=1.0).options["margin"]
    1.0
    """
    recipe = RECIPES[name]
    return replace(recipe, options={**recipe.options, **options})
