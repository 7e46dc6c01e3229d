"""Features laid out in the plane, coloured by what they show (chapters 06-09)."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from fer_lib.affect import VOCABULARIES
from fer_lib.views.style import COLOURS, new_figure, synthetic_note

# colour and marker together tell twelve classes apart, and each alone most of them
MARKS = (
    ("blue", "o"), ("orange", "s"), ("green", "^"), ("red", "D"), ("purple", "v"), ("sky", "P"),
    ("black", "X"), ("grey", "*"), ("blue", "<"), ("orange", ">"), ("green", "p"), ("red", "h"),
)  # fmt: skip


def marks_of(classes: Sequence[str]) -> list[tuple[str, str]]:
    """Colour's name and marker of each class: an expression has the same ones in all pictures of the seven.

    Args:
        classes: names; those that are no expression of the thesis's take what is left, in their order.

    Raises:
        ValueError: more classes than marks.

    Example:
        >>> marks_of(("happiness", "neutral", "contempt"))
        [('orange', 's'), ('blue', 'o'), ('grey', '*')]
    """
    own = dict(zip(VOCABULARIES["affectnet7"], MARKS, strict=False))
    others = [name for name in dict.fromkeys(classes) if name not in own]
    left = MARKS[len(own) :]
    if len(others) > len(left):
        raise ValueError(
            f"classes must have at most {len(left)} names beside the seven expressions; got {len(others)}. "
            "Show some of them."
        )
    own |= dict(zip(others, left, strict=False))
    return [own[name] for name in classes]


def scatter_panels(
    panels: Mapping[str, np.ndarray],
    labels: Any,
    *,
    names: Sequence[str] | None = None,
    numbers: Mapping[str, Mapping[str, float]] | None = None,
    columns: int = 3,
    synthetic: bool = False,
) -> Figure:
    """One panel a setting: its points, each class in a colour and a marker of its own; the legend outside.

    Axes have no ticks: directions, units and the gaps between clusters mean nothing in such pictures.

    Args:
        panels: title to points (N, 2), as ``fer_lib.embedding.embed`` gives them.
        labels: (N,) the class of each point, the same in all panels; or a mapping, title to its own (N,).
        names: of the classes 0, 1, ...; None shows the labels as they are.
        numbers: title to what ``fer_lib.embedding.separation`` found; written under the title.
        columns: panels in a row, at most.
        synthetic: mark the figure as made with synthetic faces.

    Raises:
        ValueError: no panels, points that are not in the plane, labels that are not one a point, or more
            classes than marks.
    """
    own = {title: np.asarray(labels[title] if isinstance(labels, Mapping) else labels) for title in panels}
    _check(panels, own)
    classes = sorted({one for part in own.values() for one in part.tolist()})
    if len(classes) > len(MARKS):
        raise ValueError(
            f"labels must name {len(MARKS)} classes or fewer; got {len(classes)}. Show some of them."
        )
    columns = min(columns, len(panels))
    rows = -(-len(panels) // columns)
    figure, axes = new_figure(rows, columns, height=rows * (6.4 / columns + 0.45) + 0.4)
    for ax, (title, points) in zip(axes, panels.items(), strict=False):
        size = float(np.clip(4000 / max(len(points), 1), 7, 36))
        for k, one in enumerate(classes):
            mine = own[title] == one
            colour, marker = MARKS[k]
            text = str(names[one] if names is not None else one)
            ax.scatter(
                points[mine, 0], points[mine, 1], s=size, c=COLOURS[colour], marker=marker, label=text,
                alpha=0.75, linewidths=0.3, edgecolors="white",
            )  # fmt: skip
        ax.set_title(_titled(title, None if numbers is None else numbers.get(title)), fontsize=8.5)
    for k, ax in enumerate(axes):
        ax.set(xticks=[], yticks=[])
        ax.grid(visible=False)
        ax.set_axis_on() if k < len(panels) else ax.set_axis_off()
    _legend(figure, *axes[0].get_legend_handles_labels())
    return synthetic_note(figure) if synthetic else figure


def _legend(figure: Figure, handles: Sequence[Any], texts: Sequence[str]) -> None:
    legend = figure.legend(
        handles,
        texts,
        loc="outside lower center",
        ncols=-(-len(texts) // -(-len(texts) // 6)),
        columnspacing=1,
        handletextpad=0.2,
    )
    for handle in legend.legend_handles:
        handle.set_sizes([30])  # type: ignore[union-attr]
        handle.set_alpha(1)  # type: ignore[union-attr]


def _titled(title: str, found: Mapping[str, float] | None) -> str:
    if found is None:
        return title
    silhouette = f"{found['silhouette']:.2f}".replace("-", "\N{MINUS SIGN}")
    right, chance = f"{found['knn_accuracy']:.0%}", f"{found['chance']:.0%}"
    return f"{title}\nsilhouette {silhouette}\nneighbours {right} right (chance {chance})"


def _check(panels: Mapping[str, np.ndarray], labels: Mapping[str, np.ndarray]) -> None:
    shapes = {title: (np.shape(points), labels[title].shape) for title, points in panels.items()}
    if not panels or any(len(p) != 2 or p[1] != 2 or (p[0],) != c for p, c in shapes.values()):
        raise ValueError(
            f"panels must be points (N, 2) with one label each; got {shapes}. Embed the features first."
        )
