"""Which emotions speak to which: correlation of labels, and the adjacency matrix made of it."""

from collections.abc import Sequence
from typing import Any

import numpy as np

EXPRESSIONS = ("neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger")
AFFECTS = ("valence", "arousal")
MODES = ("paper", "code")
SHARED = {"paper": 0.7, "code": 0.5}
"""What a node gives to its neighbours, p: in the thesis, and in the authors' program."""


def spearman_correlation(labels: Any, va: Any, classes: Sequence[str] = EXPRESSIONS) -> np.ndarray:
    r"""Spearman's rank correlation of all expressions (as 0 and 1) and both affects, over a set of faces.

    .. math:: c_{xy} = \frac{\sum_k \bar x_{k,r} \bar y_{k,r}}
        {\sqrt{\sum_k \bar x_{k,r}^2 \sum_k \bar y_{k,r}^2}}

    The bars are ranks LESS THEIR MEAN, equal values sharing their mean rank. The thesis prints the ranks as
    they are (eq. 6.3.3), which makes nearly every pair correlate above .7.

    Args:
        labels: class numbers, (N,), N >= 2. Of the training set.
        va: valence and arousal, (N, 2).
        classes: names behind the numbers. Rows come in the order of `EXPRESSIONS`, then other classes as they
            stand, then valence and arousal.

    Returns:
        float64 (K + 2, K + 2), symmetric, 1 on the diagonal; (9, 9) for the seven. What never changes, such
        as an absent class, correlates 0 with all else.

    Raises:
        ValueError: shapes that do not fit, unknown class numbers, or values that are not finite.

    Example:
        >>> va = [[0.9, 0.3], [0.7, 0.2], [-0.6, 0.1], [-0.8, 0.4]]
        >>> found = spearman_correlation([0, 0, 1, 1], va, ("happiness", "sadness"))
        >>> found.shape, round(float(found[0, 2]), 3)
        ((4, 4), 0.894)

    Reference: Spearman (1904); Antoniadis (2021), eq. 6.3.3. Chapter 15.
    """
    from scipy.stats import rankdata

    labels, va = np.asarray(labels), np.asarray(va, dtype=np.float64)
    if labels.ndim != 1 or len(labels) < 2 or va.shape != (len(labels), 2) or not np.isfinite(va).all():
        raise ValueError(
            f"labels must be (N,) with N >= 2, and va (N, 2) and finite; got {labels.shape}, {va.shape}. "
            "Leave out faces that lack one of them."
        )
    if labels.min() < 0 or labels.max() >= len(classes):
        raise ValueError(
            f"labels must lie in [0, {len(classes)}); got {labels.min()} to {labels.max()}. Give the classes."
        )
    columns = [labels == classes.index(name) for name in ordered(classes)]
    ranks = np.stack([rankdata(column) for column in (*columns, va[:, 0], va[:, 1])])
    ranks -= ranks.mean(1, keepdims=True)
    lengths = np.sqrt((ranks**2).sum(1))
    found = ranks @ ranks.T / np.maximum(np.outer(lengths, lengths), np.finfo(float).tiny)
    np.fill_diagonal(found, 1.0)
    return found


def ordered(classes: Sequence[str]) -> tuple[str, ...]:
    """Class names in the order of the graph's nodes.

    Example:
        >>> ordered(("anger", "neutral", "contempt"))
        ('neutral', 'anger', 'contempt')
    """
    return tuple(n for n in EXPRESSIONS if n in classes) + tuple(n for n in classes if n not in EXPRESSIONS)


def emotion_adjacency(
    correlation: Any, *, tau: float = 0.1, p: float | None = None, mode: str = "paper", between: Any = None
) -> np.ndarray:
    r"""The weights with which every node takes in its neighbours.

    Edges join expressions with affects alone, where their correlation is at least tau in size:

    .. math:: A'_{ij} = [\, |c_{ij}| \ge \tau \,], \qquad
        A''_{ij} = \frac{p}{\sum_{k \ne i} A'_{ik}} A'_{ij} \ (i \ne j), \qquad A''_{ii} = 1 - p

    so that each row sums to 1: a node keeps 1 - p of itself and shares p among its neighbours. A node without
    any keeps all of itself.

    Args:
        correlation: (K + 2, K + 2), see :func:`spearman_correlation`.
        tau: in [0, 1]; 0 joins every expression with both affects.
        p: in [0, 1]; large values smooth the nodes. None is the mode's own, see `SHARED`.
        mode: "paper" as above; "code" gives its transpose, which the authors' program multiplies with:
            columns then sum to 1, and a node with many neighbours takes in more.
        between: conditional probabilities of expressions, (K, K); adds edges between expressions where they
            are at least tau (section 6.4.3). None has no such edges.

    Returns:
        float64 (K + 2, K + 2).

    Raises:
        ValueError: another shape, or a number out of its range.

    Example:
        >>> emotion_adjacency([[1, 0.3, 0.8], [0.3, 1, 0], [0.8, 0, 1]], p=0.5).tolist()
        [[0.5, 0.25, 0.25], [0.5, 0.5, 0.0], [0.5, 0.0, 0.5]]

    Reference: Antoniadis (2021), eqs. 6.3.2, 6.3.4 and 6.3.5; Chen et al. (2019) for the weights. Chapter 15.
    """
    size = np.asarray(correlation, dtype=np.float64)
    if size.ndim != 2 or size.shape[0] != size.shape[1] or len(size) < 3 or not np.isfinite(size).all():
        raise ValueError(
            f"correlation must be (K + 2, K + 2) and finite, K >= 1; got {size.shape}. See "
            "spearman_correlation."
        )
    if mode not in MODES:
        raise ValueError(f"mode must be one of {', '.join(MODES)}; got {mode!r}. Choose one.")
    p = SHARED[mode] if p is None else p
    for name, value in (("tau", tau), ("p", p)):
        if not 0 <= value <= 1:
            raise ValueError(f"{name} must lie in [0, 1]; got {value}. The thesis takes tau=0.1 and p=0.7.")
    edges = _edges(size, tau, between)
    degree = edges.sum(1, keepdims=True)
    weights = np.where(edges, p / np.maximum(degree, 1), 0.0)
    np.fill_diagonal(weights, np.where(degree[:, 0] > 0, 1 - p, 1.0))
    return weights if mode == "paper" else weights.T.copy()


def _edges(size: np.ndarray, tau: float, between: Any) -> np.ndarray:
    """Which nodes are joined, bool (K + 2, K + 2), eq. 6.3.4; no node with itself."""
    count = len(size) - 2
    edges = np.zeros(size.shape, dtype=bool)
    edges[:count, count:] = np.abs(size[:count, count:]) >= tau
    edges[count:, :count] = np.abs(size[count:, :count]) >= tau
    if between is not None:
        between = np.asarray(between, dtype=np.float64)
        if between.shape != (count, count):
            raise ValueError(
                f"between must be ({count}, {count}); got {between.shape}. Leave out the affects."
            )
        edges[:count, :count] = between >= tau
    np.fill_diagonal(edges, False)
    return edges


def conditional_probability(shares: Any) -> np.ndarray:
    r"""How much of one class is there where another is, from faces that may show several.

    .. math:: P_{ij} = \frac{\sum_n s_{ni} s_{nj}}{\sum_n s_{ni}}

    With 0 and 1 this is ML-GCN's count of pairs. Faces with one class each give the identity: they tell
    nothing about pairs. Take votes, or the soft labels of chapter 12.

    Args:
        shares: (N, K), >= 0.

    Returns:
        float64 (K, K); a class that nobody shows has zeros in its row.

    Raises:
        ValueError: another shape or negative numbers.

    Reference: Chen et al. (2019), section 3.3; Antoniadis (2021), section 6.4.3. Chapter 15.
    """
    shares = np.asarray(shares, dtype=np.float64)
    if shares.ndim != 2 or not len(shares) or not (shares >= 0).all():
        raise ValueError(f"shares must be (N, K) and 0 or more; got {shares.shape}. One-hot the classes.")
    return shares.T @ shares / np.maximum(shares.sum(0), np.finfo(float).tiny)[:, None]


def normalised_adjacency(adjacency: Any, *, self_loops: bool = True) -> np.ndarray:
    r"""Kipf and Welling's symmetric normalisation.

    .. math:: \hat D^{-1/2} \hat A \hat D^{-1/2}, \quad \hat A = A + I, \quad \hat D_{ii} = \sum_j \hat A_{ij}

    Args:
        adjacency: (N, N), symmetric and >= 0.
        self_loops: add I.

    Returns:
        float64 (N, N) with eigenvalues in [-1, 1]. A node without edges and loop has zeros.

    Raises:
        ValueError: not square and symmetric, or negative numbers.

    Reference: Kipf and Welling (2017); Antoniadis (2021), eq. 6.1.3, without its minus. Chapter 15.
    """
    found = np.asarray(adjacency, dtype=np.float64)
    if found.ndim != 2 or found.shape[0] != found.shape[1] or not np.array_equal(found, found.T):
        raise ValueError(f"adjacency must be square and symmetric; got {found.shape}. Use A + A.T.")
    if not (found >= 0).all():
        raise ValueError(f"adjacency must be 0 or more; got {found.min()}. Take absolute values.")
    found = found + np.eye(len(found)) if self_loops else found
    degree = found.sum(1)
    scale = np.divide(1, np.sqrt(degree), out=np.zeros_like(degree), where=degree > 0)
    return scale[:, None] * found * scale
