"""Agreement of real numbers: concordance, its two factors, correlation, root mean squared error."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from fer_lib.metrics.checks import as_array, real_pair, unwrap

Estimator = Literal[0, 1, "mixed"]


def ccc(pred: Any, target: Any, *, ddof: Estimator = 0, group: Any = None) -> Any:
    r"""Concordance correlation coefficient, 2 s_xy / (s_x^2 + s_y^2 + (m_x - m_y)^2).

    Three estimators circulate; they differ in what the sums are divided by:

    - ``ddof=0`` (default): N throughout. Lin's estimator, and the OMG challenge's script.
    - ``ddof=1``: N - 1 throughout.
    - ``ddof="mixed"``: covariance over N, variances over N - 1, as in the training code of Emotion-GCN. A
      perfect prediction then scores (N - 1) / N, which is .971 for a batch of 35.

    A constant against something that varies scores 0. Two constants score 1 when they are equal and 0
    otherwise, with every estimator, so that ``ccc(x, x)`` is 1 for the first two even if x never moves.

    Args:
        pred: (N,) or (N, D), any real numbers.
        target: the same shape.
        ddof: the estimator.
        group: (N,) labels of clips or people; the result is then the mean of the groups' CCCs.

    Returns:
        A float in [-1, 1] for (N,), an array (D,) for (N, D).

    Raises:
        ValueError: unequal shapes, no rows, values that are not finite, an unknown estimator, or fewer than
            two rows (in a group) with an estimator that divides by N - 1.

    Example:
        >>> ccc([1, 2, 3, 4], [2, 3, 4, 5])
        0.7142857142857143

    Reference:
        Lin 1989, eq. 2.1 and section 3; chapter 02.
    """
    pred, target = real_pair(pred, target)
    if ddof not in (0, 1, "mixed"):
        raise ValueError(f'ddof must be 0, 1 or "mixed"; got {ddof!r}. 0 is Lin\'s estimator.')
    if group is None:
        return unwrap(_ccc(pred, target, ddof))
    group = as_array(group)
    if group.shape != pred.shape[:1]:
        raise ValueError(f"group must be one label a row, ({len(pred)},); got {group.shape}. Give N labels.")
    _, index = np.unique(group, return_inverse=True)
    rows = np.split(np.argsort(index, kind="stable"), np.cumsum(np.bincount(index))[:-1])
    return unwrap(np.mean([_ccc(pred[r], target[r], ddof) for r in rows], axis=0))


def _ccc(pred: np.ndarray, target: np.ndarray, ddof: Estimator) -> np.ndarray:
    n = len(pred)
    if ddof != 0 and n < 2:
        raise ValueError(f"ddof must be 0 where there is one row; got {ddof!r}. N - 1 is 0 there.")
    over = {0: (n, n), 1: (n - 1, n - 1), "mixed": (n, n - 1)}[ddof]  # of the covariance, of the variances
    x, y = pred - pred.mean(0), target - target.mean(0)
    covariance = (x * y).sum(0) / over[0]
    spread = ((x * x).sum(0) + (y * y).sum(0)) / over[1] + (pred.mean(0) - target.mean(0)) ** 2
    still = _constant(pred) | _constant(target) | (spread == 0)
    equal = (pred == target).all(0)
    value = np.clip(2 * covariance / np.where(still, 1.0, spread), -1, 1)
    return np.where(still, np.where(equal, 1.0, 0.0), value)


def _constant(values: np.ndarray) -> np.ndarray:
    # Rounding leaves a constant with a variance of about 1e-34, so constants are told by their range.
    return np.ptp(values, axis=0) == 0


@dataclass(frozen=True)
class CCCParts:
    """The two factors of a CCC, and the two mistakes that lower the second."""

    ccc: Any  #: precision times accuracy
    precision: Any  #: Pearson's correlation, [-1, 1]: how near the points are to SOME line
    accuracy: Any  #: Lin's bias correction C_b, (0, 1]: how near that line is to the diagonal
    scale: Any  #: s_pred / s_target; below 1 the predictions are shrunk
    shift: Any  #: (m_pred - m_target) / sqrt(s_pred s_target), in standard deviations


def ccc_parts(pred: Any, target: Any) -> CCCParts:
    """Split a CCC (ddof=0) into precision and accuracy: rho_c = rho C_b, C_b = 2 / (v + 1/v + u^2).

    Args:
        pred: (N,) or (N, D), not constant.
        target: the same shape, not constant.

    Returns:
        The parts, floats for (N,) and arrays (D,) for (N, D).

    Raises:
        ValueError: as `ccc`, and for a constant, whose correlation does not exist.

    Example:
        >>> parts = ccc_parts([1, 2, 3, 4], [2, 3, 4, 5])
        >>> round(parts.precision, 3), round(parts.accuracy, 3), round(parts.shift, 3)
        (1.0, 0.714, -0.894)

    Reference:
        Lin 1989, section 2; chapter 02.
    """
    pred, target = real_pair(pred, target)
    for name, values in (("pred", pred), ("target", target)):
        if (_constant(values) | (values.std(0) == 0)).any():
            raise ValueError(f"{name} must vary; got a constant. Its correlation does not exist; use ccc.")
    s_pred, s_target = pred.std(0), target.std(0)
    v, u = s_pred / s_target, (pred.mean(0) - target.mean(0)) / np.sqrt(s_pred * s_target)
    c_b = 2 / (v + 1 / v + u**2)
    rho = as_array(pearson(pred, target))
    return CCCParts(unwrap(rho * c_b), unwrap(rho), unwrap(c_b), unwrap(v), unwrap(u))


def pearson(pred: Any, target: Any) -> Any:
    """Pearson's correlation; 0 where either side is constant, so that it never exceeds what is known.

    Args:
        pred: (N,) or (N, D).
        target: the same shape.

    Returns:
        A float in [-1, 1] for (N,), an array (D,) for (N, D).

    Example:
        >>> round(pearson([1, 2, 3], [2, 2, 5]), 4)
        0.866
    """
    pred, target = real_pair(pred, target)
    x, y = pred - pred.mean(0), target - target.mean(0)
    length = np.sqrt((x * x).sum(0)) * np.sqrt((y * y).sum(0))
    still = _constant(pred) | _constant(target) | (length == 0)
    rho = np.clip((x * y).sum(0) / np.where(still, 1.0, length), -1, 1)
    return unwrap(np.where(still, 0.0, rho))


def rmse(pred: Any, target: Any) -> Any:
    """Root mean squared error, a float for (N,) and an array (D,) for (N, D).

    Example:
        >>> rmse([0.0, 0.0, 0.0, 0.0], [0.1, -0.1, 0.1, -0.1])
        0.1
    """
    pred, target = real_pair(pred, target)
    return unwrap(np.sqrt(((pred - target) ** 2).mean(0)))


def rater_agreement(ratings: Any, statistic: Callable[[Any, Any], float] = ccc) -> np.ndarray:
    """Each rater against the mean of all others: how well a human does on the test a model takes.

    Args:
        ratings: (N, R) real numbers, one column a rater, R >= 2.
        statistic: takes (pred, target).

    Returns:
        (R,) the statistic of each rater.

    Raises:
        ValueError: fewer than two raters.

    Example:
        >>> rater_agreement([[0.1, 0.2, 0.0], [0.5, 0.4, 0.6], [0.9, 0.9, 0.8]]).round(3)
        array([0.996, 0.919, 0.913])
    """
    ratings = as_array(ratings).astype(np.float64)
    if ratings.ndim != 2 or ratings.shape[1] < 2:
        raise ValueError(f"ratings must be (N, R) with R >= 2; got {ratings.shape}. One column a rater.")
    raters = ratings.shape[1]
    others = (ratings.sum(1, keepdims=True) - ratings) / (raters - 1)
    return np.array([statistic(ratings[:, r], others[:, r]) for r in range(raters)])
