"""Features in two dimensions to look at, and numbers for what the picture seems to show (chapters 06-09)."""

import warnings
from typing import Any

import numpy as np
from torch import Tensor

METHODS = ("tsne", "umap")
COMPONENTS = 50  # principal components that the neighbour search reads
SMALLEST = 10  # points below which a picture of neighbourhoods means nothing


def embed(
    features: Any, method: str = "tsne", seed: int = 0, *, perplexity: float = 30.0, neighbours: int = 15
) -> np.ndarray:
    """Lay features out in the plane so that near ones stay near.

    Features are first brought to their 50 leading principal components, if they have more. The plane keeps
    neighbours, not distances: gaps between clusters, their sizes and their order mean little, and another
    seed gives another picture. So read :func:`separation`, taken on the features themselves, beside it.

    Args:
        features: (N, D) or (N, C, h, w), which is flattened; N >= 10.
        method: "tsne" or "umap", whose first call in a process compiles for some ten seconds.
        seed: of all that is drawn at random.
        perplexity: of t-SNE, about how many neighbours count; held below N / 3.
        neighbours: of UMAP; held below N.

    Returns:
        float32 (N, 2); the same seed gives the same points on one machine.

    Raises:
        ValueError: an unknown method, too few features, features that are not finite, or a perplexity or
            neighbours out of range.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> blobs = np.concatenate([rng.normal(0, 0.1, (15, 8)), rng.normal(5, 0.1, (15, 8))])
        >>> points = embed(blobs, seed=1)
        >>> points.shape, bool(separation(points, [0] * 15 + [1] * 15)["silhouette"] > 0.5)
        ((30, 2), True)

    Reference:
        van der Maaten and Hinton (2008) for t-SNE; McInnes, Healy and Melville (2018) for UMAP.
    """
    flat = _flat(features)
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}; got {method!r}. Choose one of them.")
    if len(flat) < SMALLEST:
        raise ValueError(f"features must be {SMALLEST} or more rows; got {len(flat)}. Take more faces.")
    if not perplexity > 0 or neighbours < 2:
        raise ValueError(
            f"perplexity must be above 0 and neighbours at least 2; got {perplexity} and {neighbours}. "
            "30 and 15 are usual."
        )
    leading = _leading(flat, seed)
    if method == "umap":
        return _umap(leading, seed, min(neighbours, len(flat) - 1))
    from sklearn.manifold import TSNE

    reach = min(perplexity, (len(flat) - 1) / 3)
    lay = TSNE(perplexity=reach, init="pca", learning_rate="auto", random_state=seed, n_jobs=1)
    return lay.fit_transform(leading).astype(np.float32)


def _flat(features: Any) -> np.ndarray:
    if isinstance(features, Tensor):
        features = features.detach().float().cpu()
    flat = np.asarray(features, dtype=np.float32)
    if flat.ndim < 2 or not np.isfinite(flat).all():
        rule = "(N, D) or (N, C, h, w) and finite"
        got = f"{flat.shape}" if flat.ndim < 2 else f"{(~np.isfinite(flat)).sum()} numbers that are not"
        raise ValueError(f"features must be {rule}; got {got}. Take the encoder's answers.")
    return flat.reshape(len(flat), -1)


def _leading(flat: np.ndarray, seed: int) -> np.ndarray:
    if min(flat.shape) <= COMPONENTS:
        return flat
    from sklearn.decomposition import PCA

    return PCA(COMPONENTS, random_state=seed).fit_transform(flat)


def _umap(leading: np.ndarray, seed: int, neighbours: int) -> np.ndarray:
    with warnings.catch_warnings():
        # a seed allows one thread only, and says so; parts of the neighbour graph that do not touch are
        # placed apart, as they should be
        warnings.filterwarnings("ignore", message=".*(n_jobs|not fully connected|[Ss]pectral).*")
        for kind in (FutureWarning, DeprecationWarning, ImportWarning):  # of its and its helpers' own code
            warnings.simplefilter("ignore", kind)
        import torch
        from umap import UMAP

        threads = torch.get_num_threads()
        try:
            lay = UMAP(n_neighbors=neighbours, random_state=seed, n_jobs=1)
            return np.asarray(lay.fit_transform(leading), dtype=np.float32)
        finally:  # numba shares OpenMP with torch, and would leave it with a thread for every core
            torch.set_num_threads(threads)


def separation(features: Any, labels: Any, *, neighbours: int = 5, groups: Any = None) -> dict[str, float]:
    """How well features tell labels apart, without any training: two numbers beside a picture.

    Args:
        features: (N, D) or (N, C, h, w); of the encoder. Points of a picture do as well, but they tell of the
            picture.
        labels: (N,) the classes; at least two.
        neighbours: that vote on each sample's class; a tie goes to the class of the nearest in it.
        groups: (N,) such as subjects or clips: nobody votes on their own group. Without it a frame's
            neighbours are the frames beside it, and clips score near 1 whatever the features are.

    Returns:
        ``silhouette``: mean over samples of (b - a) / max(a, b), where a is the mean distance to its own
        class and b that to the nearest other class: 1 far apart, 0 touching, below 0 mixed.
        ``knn_accuracy``: share of samples whose neighbours, the sample itself left out, name its class.
        ``chance``: share of the commonest class. ``n``: samples.

    Raises:
        ValueError: labels or groups that are not one a sample, a single class, or too few samples to vote.

    Example:
        >>> found = separation([[0.0], [1.0], [10.0], [11.0]], ["a", "a", "b", "b"], neighbours=1)
        >>> round(found["silhouette"], 4), found["knn_accuracy"]
        (0.8997, 1.0)

    Reference:
        Rousseeuw (1987) for the silhouette.
    """
    from scipy.spatial.distance import cdist
    from sklearn.metrics import silhouette_score

    flat = _flat(features).astype(float)
    classes = np.unique(np.asarray(labels), return_inverse=True)[1]
    mates = np.arange(len(flat)) if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
    _check_votes(flat, classes, mates, neighbours)
    guesses = np.concatenate(
        [
            _vote(cdist(flat[rows], flat), mates[rows, None] == mates, classes, neighbours)
            for rows in np.array_split(np.arange(len(flat)), -(-len(flat) // 512))
        ]
    )
    return {
        "silhouette": float(silhouette_score(flat, classes)),
        "knn_accuracy": float((guesses == classes).mean()),
        "chance": float(np.bincount(classes).max() / len(flat)),
        "n": float(len(flat)),
    }


def _check_votes(flat: np.ndarray, classes: np.ndarray, mates: np.ndarray, neighbours: int) -> None:
    if classes.shape != (len(flat),) or mates.shape != (len(flat),):
        raise ValueError(
            f"labels and groups must be one a sample, {len(flat)}; got {classes.shape} and {mates.shape}. "
            "Match them."
        )
    names = classes.max(initial=-1) + 1
    if not 2 <= names < len(flat):
        raise ValueError(
            f"labels must name two classes or more, fewer than the samples; got {names} for "
            f"{len(flat)}. Take more faces."
        )
    largest = np.bincount(mates).max()
    if not 1 <= neighbours <= len(flat) - largest:
        raise ValueError(
            f"neighbours must lie in 1-{len(flat) - largest}, what is left without the largest group; got "
            f"{neighbours}. Ask fewer."
        )


def _vote(apart: np.ndarray, barred: np.ndarray, classes: np.ndarray, neighbours: int) -> np.ndarray:
    """The class that the nearest of those who are not barred name, for distances (B, N)."""
    apart = np.where(barred, np.inf, apart)
    order = np.argsort(apart, axis=1, kind="stable")[:, :neighbours]
    votes = np.zeros((len(apart), classes.max() + 1))
    for place in range(neighbours):  # the nearer ones weigh a hair more, which settles ties
        votes[np.arange(len(apart)), classes[order[:, place]]] += 1 + 1e-6 * 0.5**place
    return votes.argmax(1)


def trustworthiness(features: Any, points: np.ndarray, *, neighbours: int = 5) -> float:
    """How far the neighbours in a picture are neighbours among the features, from 0 to 1 (random: about 0.5).

    Args:
        features: what was embedded, (N, D) or (N, C, h, w).
        points: (N, 2), as :func:`embed` gives them.
        neighbours: to compare, below N / 2.

    Raises:
        ValueError: features that are not finite, or too many neighbours.

    Reference:
        Venna and Kaski (2001).
    """
    from sklearn.manifold import trustworthiness as measure

    if not 1 <= neighbours < len(points) / 2:
        raise ValueError(
            f"neighbours must be at least 1 and below half of {len(points)} points; got {neighbours}. Try 5."
        )
    return float(measure(_flat(features), points, n_neighbors=neighbours))
