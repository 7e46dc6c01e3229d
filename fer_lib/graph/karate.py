"""Zachary's karate club, and what a graph network that nobody trained makes of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from fer_lib.graph.adjacency import normalised_adjacency


@dataclass(frozen=True)
class Club:
    """A graph of people, with groups that were found in it.

    Args:
        adjacency: float64 (N, N), 1 where two met outside the club.
        groups: int64 (N,), communities; numbered by their first member.
        factions: int64 (N,), whom each followed when the club split: 0 the teacher, 1 the officer.
    """

    adjacency: np.ndarray
    groups: np.ndarray
    factions: np.ndarray


def karate_club() -> Club:
    """The 34 members of Zachary's club, their 78 ties, and the four communities of greatest modularity.

    Ties are counted as there or not there. The communities are the best of a few runs of Louvain's method;
    their modularity of .4198 is the greatest that there is (Brandes et al. 2007), whose colours the thesis
    shows.

    Example:
        >>> club = karate_club()
        >>> len(club.groups), int(club.adjacency.sum()) // 2, np.bincount(club.groups).tolist()
        (34, 78, [11, 5, 12, 6])

    Reference: Zachary (1977); Antoniadis (2021), Fig. 6.1.1. Chapter 15.
    """
    import networkx as nx

    graph = nx.karate_club_graph()
    drawn = [nx.community.louvain_communities(graph, weight=None, seed=seed) for seed in range(12)]
    found = max(drawn, key=lambda parts: nx.community.modularity(graph, parts, weight=None))
    groups = np.empty(len(graph), dtype=np.int64)
    for number, members in enumerate(sorted(found, key=min)):
        groups[list(members)] = number
    factions = np.array([int(graph.nodes[one]["club"] != "Mr. Hi") for one in graph])
    return Club(nx.to_numpy_array(graph, weight=None), groups, factions)


def modularity(adjacency: Any, groups: Any) -> float:
    r"""How many more ties lie within groups than chance would put there.

    .. math:: Q = \frac{1}{2m} \sum_{ij} \left( A_{ij} - \frac{k_i k_j}{2m} \right) [g_i = g_j]

    Args:
        adjacency: (N, N), symmetric.
        groups: (N,).

    Example:
        >>> club = karate_club()
        >>> round(modularity(club.adjacency, club.groups), 4)
        0.4198

    Reference: Brandes et al. (2007). Chapter 15.
    """
    ties, groups = np.asarray(adjacency, dtype=np.float64), np.asarray(groups)
    degree = ties.sum(1)
    same = groups[:, None] == groups
    return float(((ties - np.outer(degree, degree) / ties.sum()) * same).sum() / ties.sum())


def untrained_gcn(
    adjacency: Any,
    *,
    sizes: tuple[int, ...] = (4, 4, 2),
    nodes: Any = None,
    seed: int = 0,
    activation: Callable[[np.ndarray], np.ndarray] = np.tanh,
) -> list[np.ndarray]:
    r"""Send nodes through graph convolutions with random weights.

    .. math:: H' = \tanh( \hat D^{-1/2} \hat A \hat D^{-1/2} H W )

    Weights are uniform in :math:`\pm \sqrt{6 / (F + F')}` (Glorot and Bengio).

    Args:
        adjacency: (N, N), symmetric, without self-loops; see ``normalised_adjacency``. All 0: no graph.
        sizes: features behind each layer.
        nodes: features before the first, (N, F); None is the identity: nothing is known of a node but which
            it is.
        seed: of the weights.
        activation: behind each layer.

    Returns:
        Features behind each layer, float64 (N, F').

    Raises:
        ValueError: no layer, or nodes that do not fit.

    Reference: Kipf and Welling (2017), appendix A; Antoniadis (2021), section 6.1.2. Chapter 15.
    """
    spread = normalised_adjacency(adjacency)
    features = np.eye(len(spread)) if nodes is None else np.asarray(nodes, dtype=np.float64)
    if not sizes or features.ndim != 2 or len(features) != len(spread):
        raise ValueError(
            f"sizes must name a layer, and nodes be ({len(spread)}, F); got {sizes}, {features.shape}. Give "
            "a row a node."
        )
    generator, found = np.random.default_rng(seed), []
    for wide in sizes:
        reach = np.sqrt(6 / (features.shape[1] + wide))
        weight = generator.uniform(-reach, reach, (features.shape[1], wide))
        features = activation(spread @ features @ weight)
        found.append(features)
    return found


def rewired(adjacency: Any, *, seed: int = 0, swaps: int = 400) -> np.ndarray:
    """The same graph with its ties exchanged at random: everybody keeps as many, but not with whom.

    Args:
        adjacency: (N, N) of 0 and 1, symmetric.
        seed: of the draws.
        swaps: pairs of ties that exchange their ends.

    Returns:
        float64 (N, N).

    Example:
        >>> club = karate_club()
        >>> (rewired(club.adjacency).sum(1) == club.adjacency.sum(1)).all()
        np.True_

    Reference: Maslov and Sneppen (2002). Chapter 15.
    """
    import networkx as nx

    graph = nx.from_numpy_array(np.asarray(adjacency))
    nx.double_edge_swap(graph, nswap=swaps, max_tries=100 * swaps, seed=seed)
    return nx.to_numpy_array(graph, nodelist=range(len(graph)), weight=None)


def spectral_embedding(adjacency: Any, *, dimensions: int = 2) -> np.ndarray:
    """The eigenvectors of the normalised adjacency behind its first: what many linear layers converge to.

    Args:
        adjacency: (N, N), symmetric.
        dimensions: how many.

    Returns:
        float64 (N, dimensions), the largest eigenvalue first; the sign of each is arbitrary.
    """
    _, vectors = np.linalg.eigh(normalised_adjacency(adjacency))
    return vectors[:, -2 : -2 - dimensions : -1]


def sameness(nodes: Any) -> float:
    """Mean cosine between the features of all pairs of nodes: 1 where all point in one direction.

    Args:
        nodes: (N, F), N >= 2. A node without any feature has cosine 0 with all.

    Returns:
        A number in [-1, 1].

    Example:
        >>> sameness([[1.0, 0.0], [2.0, 0.0]]), sameness(np.eye(3))
        (1.0, 0.0)
    """
    rows = np.asarray(nodes, dtype=np.float64)
    rows = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), np.finfo(float).tiny)
    pairs = np.triu_indices(len(rows), 1)
    return float((rows @ rows.T)[pairs].mean())
