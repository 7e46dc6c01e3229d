"""What a few known columns explain of many others, for people who were not fitted on (chapter 13)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

PENALTIES = tuple(10.0**k for k in range(-1, 5))
FOLDS = 5


def explained(residuals: Any, factors: Any, groups: Any = None, *, folds: int = FOLDS) -> float:
    r"""Share of the residuals' variance that factors predict for people they were not fitted on.

    Ridge regression of all D columns at once; the penalty is chosen inside each fold's fitting part, by
    generalised cross-validation.

    .. math:: R^2 = \max\Bigl(0, 1 - \sum_i \lVert r_i - \hat r_i \rVert^2 \Big/
        \sum_i \lVert r_i \rVert^2\Bigr)

    Args:
        residuals: (N, D), of mean 0.
        factors: (N, p); centred and scaled here.
        groups: (N,) such as people; nobody is predicted from their own other pictures. None: rows.
        folds: at least 2.

    Raises:
        ValueError: rows that do not pair up, or fewer groups than folds.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> f = rng.normal(size=(200, 3))
        >>> round(explained(f @ rng.normal(size=(3, 4)), f), 2), explained(rng.normal(size=(200, 4)), f)
        (1.0, 0.0)
    """
    r, f = np.asarray(residuals, float), np.asarray(factors, float)
    if len(r) != len(f):
        raise ValueError(f"factors must pair with {len(r)} residuals; got {len(f)} rows. Give a row a face.")
    return share_of(r, readers_of(f, groups, folds))


def share_of(residuals: np.ndarray, readers: Sequence["Reader"]) -> float:
    """`explained`, with the folds' decompositions at hand."""
    whole = float((residuals**2).sum())
    return max(0.0, float(gains_of(residuals, readers).sum()) / whole) if whole > 0 else 0.0


@dataclass(frozen=True)
class Reader:
    """One fold's factors, decomposed once for all residuals.

    Args:
        fitted: which rows are fitted, (N,).
        left, sizes: U and s of their factors, scaled.
        others: the other rows' factors times V.
    """

    fitted: np.ndarray
    left: np.ndarray
    sizes: np.ndarray
    others: np.ndarray


def readers_of(factors: np.ndarray, groups: Any, folds: int) -> list[Reader]:
    """Split the rows in folds that share no group, and decompose each; see `explained`.

    Raises:
        ValueError: groups that do not pair with the factors, or fewer than folds.
    """
    count = len(factors)
    groups = np.arange(count) if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
    if len(groups) != count or not 2 <= folds <= groups.max() + 1:
        raise ValueError(
            f"groups must be one a row, {count}, and at least as many as the {folds} folds; got "
            f"{len(groups)}, {groups.max() + 1} distinct. Give people, or None."
        )
    part = np.random.default_rng(0).permutation(groups.max() + 1)[groups] % folds
    found = []
    for fold in range(folds):
        fitted = part != fold
        mean, scale = factors[fitted].mean(0), factors[fitted].std(0)
        f = (factors - mean)[:, scale > 1e-9] / scale[scale > 1e-9]
        left, sizes, right = np.linalg.svd(f[fitted], full_matrices=False)
        found.append(Reader(fitted, left, sizes, f[~fitted] @ right.T))
    return found


def gains_of(residuals: np.ndarray, readers: Sequence[Reader]) -> np.ndarray:
    """By how much each row's squared length falls when what is predicted for it is taken away, (N,).

    Args:
        residuals: (N, D).
        readers: of `readers_of`, for the same rows.
    """
    gains = np.zeros(len(residuals))
    for one in readers:
        inside, outside = residuals[one.fitted], residuals[~one.fitted]
        mean = inside.mean(0)
        along, total = one.left.T @ (inside - mean), float(((inside - mean) ** 2).sum())
        kept = [one.sizes**2 / (one.sizes**2 + penalty) for penalty in PENALTIES]
        length = (along**2).sum(1)
        scores = [(total - (2 * k - k**2) @ length) / (len(inside) - k.sum()) ** 2 for k in kept]
        best = kept[int(np.argmin(scores))] / np.maximum(one.sizes, 1e-12)
        pred = mean + (one.others * best) @ along
        gains[~one.fitted] = (outside**2).sum(1) - ((outside - pred) ** 2).sum(1)
    return gains
