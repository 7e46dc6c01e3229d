"""Weisfeiler and Lehman's refinement: nodes get the colours that their neighbours' colours give them."""

from typing import Any

import numpy as np


def refine(adjacency: Any, colours: Any = None, *, rounds: int | None = None) -> list[np.ndarray]:
    """Colour nodes by what they see, round by round.

    In each round a node's new colour stands for its old one together with the old ones of its neighbours,
    each counted as often as it occurs; nodes get the same new colour when these agree. Colours therefore
    split and never merge. (The thesis prints the hash of the neighbours' SUM, without the node itself: a sum
    of numbers does not tell 1 + 3 from 2 + 2.)

    Args:
        adjacency: (N, N), symmetric; what is not 0 is an edge.
        colours: of the nodes at first, (N,) whole numbers; None gives all the same.
        rounds: stop after so many; None goes on until a round splits nothing.

    Returns:
        Colours before the first round and after each, int64 (N,); 0, 1, ... in the order of what they stand
        for, so that the same graph with its nodes in another order gets the same colours.

    Raises:
        ValueError: an adjacency that is not square and symmetric, or colours that are not one a node.

    Example:
        >>> path = np.array([[0, 1, 0, 0], [1, 0, 1, 0], [0, 1, 0, 1], [0, 0, 1, 0]])
        >>> [found.tolist() for found in refine(path)]
        [[0, 0, 0, 0], [0, 1, 1, 0]]

    Reference: Weisfeiler and Lehman (1968); Antoniadis (2021), section 6.1.2. Chapter 15.
    """
    edges = np.asarray(adjacency)
    if edges.ndim != 2 or edges.shape[0] != edges.shape[1] or not np.array_equal(edges, edges.T):
        raise ValueError(f"adjacency must be square and symmetric; got {edges.shape}. Use A + A.T.")
    start = np.zeros(len(edges), dtype=np.int64) if colours is None else np.asarray(colours)
    if start.shape != (len(edges),) or not np.issubdtype(start.dtype, np.integer):
        raise ValueError(
            f"colours must be whole numbers, ({len(edges)},); got {start.dtype} {start.shape}. Number them."
        )
    neighbours = [np.flatnonzero(row) for row in edges]
    found = [_numbered([int(one) for one in start])]
    while rounds is None or len(found) <= rounds:
        before = found[-1]
        after = _numbered([(before[k], *sorted(before[seen])) for k, seen in enumerate(neighbours)])
        if rounds is None and after.max(initial=0) == before.max(initial=0):
            break
        found.append(after)
    return found


def may_be_equal(first: Any, second: Any) -> bool:
    """Could two graphs be one, up to the order of their nodes? What the refinement knows about it.

    Args:
        first, second: adjacency matrices.

    Returns:
        False when they surely differ. True when the refinement cannot tell them apart, as it cannot a ring
        of six from two rings of three.

    Example:
        >>> ring = lambda n: np.eye(n, k=1) + np.eye(n, k=-1) + np.eye(n, k=n - 1) + np.eye(n, k=1 - n)
        >>> two = np.kron(np.eye(2), ring(3))
        >>> may_be_equal(ring(6), two), may_be_equal(ring(6), ring(5))
        (True, False)
    """
    one, other = np.asarray(first), np.asarray(second)
    if one.shape != other.shape:
        return False
    both = np.zeros((2 * len(one), 2 * len(one)))
    both[: len(one), : len(one)], both[len(one) :, len(one) :] = one, other
    colours = refine(both)[-1]  # together, so that a colour means the same in both
    return bool(np.array_equal(np.sort(colours[: len(one)]), np.sort(colours[len(one) :])))


def _numbered(signs: list[Any]) -> np.ndarray:
    place = {sign: number for number, sign in enumerate(sorted(set(signs)))}
    return np.array([place[sign] for sign in signs], dtype=np.int64)
