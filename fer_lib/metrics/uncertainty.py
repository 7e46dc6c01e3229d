"""How far a number can be trusted: bootstrap over rows or groups, intervals and differences over seeds."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import stdtr, stdtrit  # the t distribution, without the slow import of scipy.stats

from fer_lib.metrics.checks import as_array, check_confidence, unwrap


@dataclass(frozen=True)
class Interval:
    """A value with the ends of its interval; arrays where the statistic gives an array."""

    value: Any
    low: Any
    high: Any
    confidence: float
    standard_error: Any
    n: int  #: rows, groups or seeds that were independent

    @property
    def mean(self) -> Any:
        """The value, under the name that tables of means use."""
        return self.value

    @property
    def width(self) -> Any:
        """high - low."""
        return self.high - self.low

    def __str__(self) -> str:
        """``0.512 [0.480, 0.543]``."""
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


@dataclass(frozen=True)
class PairedDifference:
    """Mean of a - b over pairs, its t interval, and how large it is against its own scatter."""

    mean: float
    low: float
    high: float
    confidence: float
    effect_size: float  #: mean / standard deviation of the differences (Cohen's d_z)
    p_value: float  #: two-sided, of the paired t test
    n: int

    def __str__(self) -> str:
        """``+0.021 [+0.010, +0.032]``."""
        return f"{self.mean:+.3f} [{self.low:+.3f}, {self.high:+.3f}]"


def bootstrap_interval(
    statistic: Callable[..., Any],
    *arrays: Any,
    confidence: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
    groups: Any = None,
) -> Interval:
    """Percentile bootstrap: draw as many rows as there are, with replacement, and compute again.

    Rows of all arrays are drawn together, so a prediction keeps its target. With ``groups`` whole groups are
    drawn instead of rows: frames of one clip resemble each other, and only clips are independent.

    Args:
        statistic: takes the arrays (as NumPy), returns a number or an array.
        arrays: of equal length N, for example ``pred, target``.
        confidence: in (0, 1).
        resamples: how many times; 1000 leaves an end uncertain by about 2 % of the width.
        seed: of the draws.
        groups: (N,) labels of clips or people.

    Returns:
        The statistic on all rows, with the interval's ends and the standard error.

    Raises:
        ValueError: no array, unequal lengths, fewer than two rows or groups, a bad confidence or resamples.

    Example:
        >>> from fer_lib.metrics import ccc
        >>> x = np.linspace(-1, 1, 50)
        >>> print(bootstrap_interval(ccc, x + 0.3 * np.sin(9 * x), x, seed=1))
        0.943 [0.919, 0.958]

    Reference:
        Efron and Tibshirani 1993, chapter 13; chapter 02.
    """
    check_confidence(confidence)
    arrays = tuple(as_array(a) for a in arrays)
    members = _members(arrays, groups)
    if resamples < 2:
        raise ValueError(f"resamples must be 2 or more; got {resamples}. 1000 is usual.")
    rng = np.random.default_rng(seed)
    draws = []
    for _ in range(resamples):
        drawn = rng.integers(0, len(members), len(members))
        rows = drawn if groups is None else np.concatenate([members[i] for i in drawn])
        draws.append(statistic(*(a[rows] for a in arrays)))
    tail = (1 - confidence) / 2
    low, high = np.quantile(draws, [tail, 1 - tail], axis=0)
    error = np.std(draws, axis=0, ddof=1)
    return Interval(statistic(*arrays), unwrap(low), unwrap(high), confidence, unwrap(error), n=len(members))


def _members(arrays: tuple[np.ndarray, ...], groups: Any) -> list[np.ndarray] | range:
    if not arrays:
        raise ValueError("arrays must be at least one; got none. Give pred and target after the statistic.")
    lengths = [len(a) for a in arrays]
    labels = None if groups is None else as_array(groups)
    if labels is not None and labels.ndim == 1:
        lengths.append(len(labels))
    if len(set(lengths)) > 1 or (labels is not None and labels.ndim != 1):
        raise ValueError(f"arrays and groups must have equal lengths; got {lengths}. Rows belong together.")
    members: list[np.ndarray] | range = range(lengths[0])
    if labels is not None:
        _, index = np.unique(labels, return_inverse=True)
        members = np.split(np.argsort(index, kind="stable"), np.cumsum(np.bincount(index))[:-1])
    if len(members) < 2:
        raise ValueError(f"arrays must have 2 or more rows or groups; got {len(members)}. Nothing can vary.")
    return members


def mean_interval(values: Any, *, confidence: float = 0.95) -> Interval:
    """Mean over independent runs with its t interval, mean +- t s / sqrt(n).

    Args:
        values: (n,) one result a seed, n >= 2.
        confidence: in (0, 1).

    Example:
        >>> print(mean_interval([0.50, 0.52, 0.54]))
        0.520 [0.470, 0.570]
    """
    check_confidence(confidence)
    values = _finite(values, "values")
    n = len(values)
    error = values.std(ddof=1) / np.sqrt(n)
    reach = stdtrit(n - 1, 0.5 + confidence / 2) * error
    mean = float(values.mean())
    return Interval(mean, float(mean - reach), float(mean + reach), confidence, float(error), n)


def paired_difference(a: Any, b: Any, *, confidence: float = 0.95) -> PairedDifference:
    """Difference a - b of two methods run with the same seeds, pair by pair.

    What a seed does to both (the split, the initial weights, the order of the batches) cancels in the pair.

    Args:
        a: (n,) results of the first method, one a seed, n >= 2.
        b: (n,) results of the second, in the same order of seeds.
        confidence: in (0, 1).

    Returns:
        Mean difference with its t interval, effect size and p value. Differences that are all equal give an
        interval of no width, with effect size infinite and p = 0, or, when they are 0, effect 0 and p = 1.

    Raises:
        ValueError: unequal lengths, fewer than two pairs, values that are not finite, a bad confidence.

    Example:
        >>> print(paired_difference([0.52, 0.55, 0.49], [0.50, 0.52, 0.48]))
        +0.020 [-0.005, +0.045]

    Reference:
        Student's t on the differences; chapter 02.
    """
    a, b = _finite(a, "a"), _finite(b, "b")
    if a.shape != b.shape:
        raise ValueError(f"a and b must pair up; got {len(a)} and {len(b)} values. Keep the seeds both have.")
    difference = a - b
    over = mean_interval(difference, confidence=confidence)
    if np.ptp(difference) == 0:
        effect = float(np.sign(over.value)) * np.inf if over.value else 0.0
        value = float(difference[0])
        return PairedDifference(value, value, value, confidence, effect, float(value == 0), over.n)
    effect = over.value / float(difference.std(ddof=1))
    p = 2 * float(stdtr(over.n - 1, -abs(effect) * np.sqrt(over.n)))
    return PairedDifference(over.value, over.low, over.high, confidence, effect, p, over.n)


def _finite(values: Any, name: str) -> np.ndarray:
    values = as_array(values).astype(np.float64)
    if values.ndim != 1 or len(values) < 2:
        raise ValueError(f"{name} must be (n,) with n >= 2; got {values.shape}. One run has no scatter.")
    if not np.isfinite(values).all():
        raise ValueError(f"{name} must be finite; got {values[~np.isfinite(values)][0]}. Drop failed runs.")
    return values
