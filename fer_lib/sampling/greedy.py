"""Which samples to label first: spread over features, over predictions, or over both (chapter 11).

All three are one loop. The next pick is the sample whose distance to the nearest pick so far is the largest;
they differ in what distance is.
"""

import math
from numbers import Real

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial.distance import cdist

STARTS = ("centroid", "medoid")
NEAR = 1e-9  # relative; samples this close to the farthest are compared again by differences
FEW = 8  # columns, up to which differences are taken at once
HUGE = 100  # powers of two; far larger or smaller values are scaled, for their squares must be numbers
CHUNK = 2**22  # numbers of a block of distances, at most


def gsx(features: ArrayLike, k: int, *, start: str = "centroid", labelled: ArrayLike = ()) -> np.ndarray:
    """Greedy sampling in the space of the features: looks at no label and no model.

    Args:
        features: (N, D), or (N, ...) which are flattened; finite.
        k: how many to pick, 1 <= k <= N - number of labelled.
        start: the first pick where nothing is labelled: nearest to the mean of all ("centroid", as printed),
            or with the least mean distance to all others ("medoid", which takes N^2 distances).
        labelled: rows that have a label already; picks keep away from them.

    Returns:
        (k,) rows, the first pick first. Of samples equally far the lowest row is taken.

    Raises:
        ValueError: no samples, NaN, k out of its range, an unknown start, or labelled rows out of range.

    Example:
        >>> gsx([[0.0], [1.0], [10.0], [4.0]], 3)
        array([3, 2, 0])

    Reference: Wu, Lin and Huang (2019); Rescigno et al. (2020), Table 2. Chapter 11.
    """
    features = _rows_of(features, "features")
    return _greedy((features,), features, k, start, labelled)


def gsy(predictions: ArrayLike, k: int, *, start: str = "centroid", labelled: ArrayLike = ()) -> np.ndarray:
    """Greedy sampling in the space of what a trained model predicts.

    Args:
        predictions: (N,) or (N, L), of one model; finite.
        k, start, labelled: as for `gsx`.

    Returns:
        (k,) rows, the first pick first.

    Reference: Rescigno et al. (2020), Table 2: reduced, for the model is not fitted anew between picks.
    """
    predictions = _rows_of(predictions, "predictions")
    return _greedy((predictions,), predictions, k, start, labelled)


def igs(
    features: ArrayLike, predictions: ArrayLike, k: int, *, start: str = "centroid", labelled: ArrayLike = ()
) -> np.ndarray:
    """Greedy sampling in both spaces: distance is the product of the distances in features and predictions.

    A sample is near a labelled one where it is near in either space: of all candidates the one is picked
    whose least product over the labelled is the largest.

    Args:
        features: (N, D) or (N, ...); finite.
        predictions: (N,) or (N, L); finite.
        k, labelled: as for `gsx`.
        start: as for `gsx`, but in the space of the predictions, as printed.

    Returns:
        (k,) rows, the first pick first.

    Reference: Wu, Lin and Huang (2019); Rescigno et al. (2020), Table 3.
    """
    features, predictions = _rows_of(features, "features"), _rows_of(predictions, "predictions")
    if len(features) != len(predictions):
        raise ValueError(
            f"features and predictions must have as many rows; got {len(features)} and {len(predictions)}. "
            "Give both for the same samples."
        )
    return _greedy((features, predictions), predictions, k, start, labelled)


def _greedy(
    spaces: tuple[np.ndarray, ...], first_in: np.ndarray, k: int, start: str, labelled: ArrayLike
) -> np.ndarray:
    """Farthest-first traversal under the product of the distances in all spaces."""
    taken = _check(len(first_in), k, start, labelled)
    if taken.size:
        known = taken.tolist()
    else:
        known = [_medoid(first_in) if start == "medoid" else _most_central(first_in)]
    nearest = _Nearest(spaces)
    for row in known:
        nearest.add(row)
    while len(known) < int(k) + len(taken):
        row = nearest.farthest()
        known.append(row)
        nearest.add(row)
    return np.array(known[len(taken) :], dtype=np.int64)


class _Nearest:
    """Of every row, the least product of squared distances to what is known.

    Squares come by products of matrix and vector, which is fast, but rounds. Rows that may be the farthest
    for all that is known are compared again by differences. Where that would cost more than to take
    differences for all rows, as with many ties or tight clusters, this is what is done from there on.
    """

    def __init__(self, spaces: tuple[np.ndarray, ...]) -> None:
        self.spaces, self.columns = spaces, [_Squares(space) for space in spaces]
        self.known: list[int] = []
        self.least = np.full(len(spaces[0]), np.inf)
        self.spent = 0  # pairs of rows compared by differences
        self.doubt = np.zeros(len(spaces[0]))  # of the product, from what each factor may be off
        for column in self.columns:
            others = [4 * other.norms.max() for other in self.columns if other is not column]
            self.doubt += column.doubt * math.prod(others)

    def add(self, row: int) -> None:
        """Take one more row as known."""
        self.known.append(row)
        squares = self.columns[0].to(row)
        for column in self.columns[1:]:
            squares *= column.to(row)
        np.minimum(self.least, squares, out=self.least)
        self.least[row] = -np.inf

    def farthest(self) -> int:
        """The row with the largest distance; of equals the lowest."""
        if all(column.exact for column in self.columns):
            return int(self.least.argmax())
        sure = (self.least * (1 - NEAR) - self.doubt).max()
        rows = np.flatnonzero(self.least * (1 + NEAR) + self.doubt >= sure)
        if len(rows) == 1:
            return int(rows[0])
        self.spent += len(rows) * len(self.known)
        if self.spent > len(self.least) * len(self.known):
            for column in self.columns:
                column.exact = True
            self.least = self._by_differences(np.arange(len(self.least)))
            self.least[self.known] = -np.inf
            return int(self.least.argmax())
        return int(rows[self._by_differences(rows).argmax()])

    def _by_differences(self, rows: np.ndarray) -> np.ndarray:
        parts = _parts(rows, len(self.known))
        return np.concatenate([_exact(part, self.known, self.spaces) for part in parts])


class _Squares:
    """Squared distances from all rows to one, by a product of matrix and vector, or by differences."""

    def __init__(self, rows: np.ndarray) -> None:
        self.given, self.exact = rows, rows.shape[1] <= FEW
        self.rows = rows - rows.mean(0)  # distances are the same, and rounding is less
        self.norms = np.einsum("nd,nd->n", self.rows, self.rows)
        precision = 0.0 if self.exact else 16 * np.finfo(np.float64).eps * rows.shape[1]
        self.doubt = precision * self.norms  # bound of rounding beyond a share `NEAR` of the distance

    def to(self, row: int) -> np.ndarray:
        """(N,)."""
        if self.exact:
            return cdist(self.given, self.given[row : row + 1], "sqeuclidean")[:, 0]
        squares = self.norms + self.norms[row]
        squares -= 2 * (self.rows @ self.rows[row])
        return np.maximum(squares, 0.0, out=squares)


def _exact(rows: np.ndarray, known: list[int], spaces: tuple[np.ndarray, ...]) -> np.ndarray:
    distances = np.ones((len(rows), len(known)))
    for space in spaces:
        distances *= cdist(space[rows], space[known], "sqeuclidean")
    return distances.min(1)


def _parts(rows: np.ndarray, width: int) -> list[np.ndarray]:
    return np.array_split(rows, max(1, -(-len(rows) * width // CHUNK)))


def _most_central(rows: np.ndarray) -> int:
    """Row nearest to the mean; N times the difference, so that ties of whole numbers stay ties."""
    away = rows * len(rows) - rows.sum(0)
    return int(np.einsum("nd,nd->n", away, away).argmin())


def _medoid(rows: np.ndarray) -> int:
    """Row with the least mean distance to all."""
    sums = [cdist(rows[part], rows).sum(1) for part in _parts(np.arange(len(rows)), len(rows))]
    whole = np.concatenate(sums)
    return int(np.flatnonzero(whole <= whole.min() * (1 + 1e-12))[0])  # sums in another order round apart


def _rows_of(values: ArrayLike, name: str) -> np.ndarray:
    rows = np.asarray(values, dtype=np.float64)
    if rows.ndim == 0 or not len(rows):
        raise ValueError(f"{name} must hold at least one row; got shape {rows.shape}. Give an array (N, D).")
    rows = rows.reshape(len(rows), -1)
    broken = np.flatnonzero(~np.isfinite(rows).all(1))
    if broken.size:
        raise ValueError(
            f"{name} must be finite; got {broken.size} rows with NaN or infinity, first row {broken[0]}. "
            "Drop or mend these rows."
        )
    exponent = int(np.frexp(max(rows.max(initial=0.0), -rows.min(initial=0.0)))[1])
    return np.ascontiguousarray(np.ldexp(rows, -exponent) if abs(exponent) > HUGE else rows)


def check_picks(count: int, k: int, labelled: ArrayLike) -> np.ndarray:
    """The labelled rows, int64, if they are rows and k of the others may be picked.

    Raises:
        ValueError: rows that do not exist or stand twice, or k out of its range.
    """
    given = np.asarray(labelled).reshape(-1)
    if given.size and not np.issubdtype(given.dtype, np.integer):
        raise ValueError(f"labelled must hold rows as whole numbers; got {given.dtype}. Use np.flatnonzero.")
    taken = given.astype(np.int64)
    if taken.size and (taken.min() < 0 or taken.max() >= count or len(np.unique(taken)) < len(taken)):
        raise ValueError(f"labelled must be distinct rows in [0, {count}); got {taken.tolist()}. Mend them.")
    free = count - len(taken)
    if not free:
        raise ValueError(f"labelled must leave a sample to pick; got all {count}. Everything is labelled.")
    if isinstance(k, bool) or not isinstance(k, Real) or k % 1 != 0 or not 1 <= k <= free:
        raise ValueError(
            f"k must be a whole number from 1 to {free}, the samples without a label; got {k!r}. "
            "Pick fewer, or give more samples."
        )
    return taken


def _check(count: int, k: int, start: str, labelled: ArrayLike) -> np.ndarray:
    if start not in STARTS:
        raise ValueError(f"start must be one of {', '.join(STARTS)}; got {start!r}. Choose one of these.")
    return check_picks(count, k, labelled)
