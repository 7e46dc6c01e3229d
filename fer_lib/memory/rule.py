"""One step of a network that grows when required: who wins, is a node needed, what moves (chapter 10)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.spatial.distance import cdist

from fer_lib.memory.graph import Graph

if TYPE_CHECKING:
    from fer_lib.memory.gwr import GrowWhenRequired


@dataclass(frozen=True)
class Step:
    """What one input did to the network.

    Args:
        winner: index of the best-matching unit before anything was inserted or removed.
        number: of the winner in the order of birth, as in ``ids_``; it holds when indices change.
        distance: Euclidean, between input and winner.
        activity: of the network, in [0, 1].
        habituation: counter of the winner after the step, in [0, 1].
        inserted: whether a node was added.
        removed: nodes taken away because their last edge had grown too old.
    """

    winner: int
    number: int
    distance: float
    activity: float
    habituation: float
    inserted: bool
    removed: int = 0


def learn(net: "GrowWhenRequired", graph: Graph, x: np.ndarray, label: np.ndarray | None = None) -> Step:
    """Let a graph learn one input.

    Args:
        net: whose parameters to take.
        graph: is changed.
        x: (D,).
        label: (L,), or None for an input that only moves prototypes.

    Returns:
        See `Step`. One of the first two nodes wins itself, at no distance.
    """
    if graph.size < 2:
        return begin(net, graph, x, label)
    squares = cdist(x[None], graph.weights, "sqeuclidean")[0]
    b = int(squares.argmin())
    nearest, squares[b] = squares[b], np.inf
    s = int(squares.argmin())
    squares[b] = nearest
    activity = float(activity_of(nearest, squared=net.squared))
    graph.connect(b, s)
    inserts = (
        activity < net.activity_threshold
        and bool(graph.habituation[b] < net.habituation_threshold)
        and graph.size < net.max_nodes
    )
    if inserts:
        new = graph.add((graph.weights[b] + x) / 2, graph.labels[b] if label is None else label)
        graph.disconnect(b, s)
        graph.connect(new, b)
        graph.connect(new, s)
    else:
        adapt(net, graph, x, b, squares)
        if label is not None:
            relabel(graph, b, label, net.gamma)
    number, habituation = int(graph.ids[b]), float(graph.habituation[b])
    removed = graph.age(b, net.max_age)
    return Step(b, number, float(np.sqrt(nearest)), activity, habituation, inserts, removed)


def begin(net: "GrowWhenRequired", graph: Graph, x: np.ndarray, label: np.ndarray | None) -> Step:
    """Make the first two inputs that differ the first two nodes."""
    if graph.size and np.array_equal(graph.weights[0], x):
        if label is not None:
            relabel(graph, 0, label, net.gamma)
        return Step(0, int(graph.ids[0]), 0.0, 1.0, float(graph.habituation[0]), inserted=False)
    node = graph.add(x, np.nan if label is None else label)
    if node:
        graph.connect(0, node)
    return Step(node, int(graph.ids[node]), 0.0, 1.0, 1.0, inserted=True)


def adapt(net: "GrowWhenRequired", graph: Graph, x: np.ndarray, b: int, squares: np.ndarray) -> None:
    """Habituate winner and neighbours, then move them (eq. 8).

    Args:
        b: the winner.
        squares: (n,) squared distance of each node from x.
    """
    rows = np.array([b, *graph.neighbours[b]])
    others = len(rows) - 1
    tau, eps = np.array([net.tau_b] + [net.tau_n] * others), np.array([net.eps_b] + [net.eps_n] * others)
    h = graph.habituation[rows]
    h += tau * (net.kappa * (1 - h) - 1)
    graph.habituation[rows] = h
    rate = eps * h
    if net.modulated:
        rate *= 1 - activity_of(squares[rows], squared=net.squared)
    w = graph.weights.take(rows, 0)
    w += rate[:, None] * (x - w)
    graph.weights[rows] = w


def relabel(graph: Graph, node: int, label: np.ndarray, gamma: float) -> None:
    """Move a node's label towards a given one; one that has none takes it."""
    old = graph.labels[node]  # all of it is known, or none
    graph.labels[node] = label if np.isnan(old[0]) else old + gamma * (label - old)


def activity_of(squares: Any, *, squared: bool = False) -> Any:
    """Activity in [0, 1] of squared distances: exp(-d), or the printed exp(-d^2)."""
    return np.exp(-squares) if squared else np.exp(-np.sqrt(squares))
