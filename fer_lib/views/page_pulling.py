"""Embeddings that move under a metric loss, for a page without a kernel: computed by the reader's browser.

The script steps as ``views.fields.walk`` does, which uses the library's losses; a test compares the two.
"""

from dataclasses import dataclass
from typing import Any

import torch

from fer_lib.losses import CenterLoss, va_center_loss
from fer_lib.views import live
from fer_lib.views.fields import CLASSES, RECIPES, K, Scene, scene


@dataclass(frozen=True)
class PagePulling:
    """Shows itself on a page; ``data`` is all that the page computes with."""

    data: dict[str, Any]

    def _repr_html_(self) -> str:
        return self.fragment()

    def __repr__(self) -> str:
        return "Faces of a plane that follow a metric loss, on the page."

    def fragment(self) -> str:
        """Style, start and script in one piece; it asks no server for anything."""
        without = "This picture moves with JavaScript only; the figure above needs none."
        return live.fragment("pulling", self.data, scripts=("pulling",), without=without)

    def page(self) -> str:
        """A whole page with nothing else on it, to keep or to send."""
        return live.whole_page(self.fragment(), title="Metric losses at work", width_rem=44)


def page_pulling(drawn: Scene | None = None, *, first: str = "center") -> PagePulling:
    """The moving picture: where all begins, and the losses that move it.

    Args:
        drawn: the scene; None takes the usual one.
        first: which of ``views.fields.RECIPES`` is shown at the beginning.

    Raises:
        ValueError: an unknown loss.

    Example:
        >>> [recipe["name"] for recipe in page_pulling().data["recipes"]][:3]
        ['center', 'center_local', 'va_center']
    """
    if first not in RECIPES:
        raise ValueError(f"first must be one of {', '.join(RECIPES)}; got {first!r}. Choose one.")
    drawn = drawn or scene()
    recipes = [
        {"name": name, "title": one.title, "kind": one.kind, "options": dict(one.options), "rate": one.rate}
        for name, one in RECIPES.items()
    ]
    lists = {
        name: getattr(drawn, name).tolist()
        for name in ("points", "labels", "centers", "subcenters", "reader")
    }
    return PagePulling(
        lists
        | {
            "classes": list(CLASSES),
            "each": K,
            "alpha": CenterLoss(1, 1).alpha,
            "weights": weights(drawn).tolist(),
            "recipes": recipes,
            "first": first,
        }
    )


def weights(drawn: Scene) -> torch.Tensor:
    """The VA-based loss's weight of each face, (N,), asked of the loss itself.

    Two faces at -1 and 1 have the local loss (w_1 + w_2) / 2; the second one's weight is known to be 2.
    """
    found = []
    pair = torch.tensor([[-1.0], [1.0]], dtype=torch.float64)
    for label, va in zip(drawn.labels.tolist(), drawn.va, strict=True):
        middle = drawn.class_va[label]
        both = va_center_loss(
            pair, torch.zeros(2, dtype=torch.int64), torch.stack([va, middle]), middle[None], reduction="sum"
        )
        found.append(2 * both - 2)
    return torch.stack(found)
