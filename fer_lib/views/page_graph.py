"""The graph between expressions and affects on a page without a kernel, its threshold and weights at hand."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fer_lib.graph import AFFECTS
from fer_lib.views import live


@dataclass(frozen=True)
class PageGraph:
    """Shows itself on a page; ``data`` is all that the page computes with."""

    data: dict[str, Any]

    def _repr_html_(self) -> str:
        return self.fragment()

    def __repr__(self) -> str:
        return "The graph of emotions, which is weighted on the page."

    def fragment(self) -> str:
        """Style, data and script in one piece; it asks no server for anything."""
        without = "The sliders need JavaScript; the figure above needs none."
        return live.fragment("emotion-graph", self.data, scripts=("emotion-graph",), without=without)

    def page(self) -> str:
        """A whole page with nothing else on it, to keep or to send."""
        return live.whole_page(self.fragment(), title="The graph of emotions", width_rem=46)


def page_graph(
    correlation: Any, names: Sequence[str], *, tau: float = 0.1, p: float = 0.7, layers: int = 1
) -> PageGraph:
    """Correlations, for a page that makes the adjacency matrix of them as ``emotion_adjacency`` does.

    Args:
        correlation: (K + 2, K + 2), of ``spearman_correlation``.
        names: of the expressions, in its order.
        tau, p: where the sliders start.
        layers: how often the matrix is applied at first; the page shows its power.

    Raises:
        ValueError: names that are not one an expression, or a start out of its range.
    """
    size = np.abs(np.asarray(correlation, dtype=np.float64))
    if size.shape != (len(names) + 2,) * 2:
        raise ValueError(
            f"names must be one an expression, {len(size) - 2}; got {len(names)}. Leave out the affects."
        )
    if not (0 <= tau <= 1 and 0 <= p <= 1 and 1 <= layers <= 8):
        raise ValueError(
            f"tau and p must lie in [0, 1] and layers in 1-8; got {tau}, {p}, {layers}. Start at 0.1, 0.7, 1."
        )
    return PageGraph(
        {
            "names": [*names, *AFFECTS],
            "size": size.tolist(),
            "start": {"tau": tau, "p": p, "layers": layers},
        }
    )
