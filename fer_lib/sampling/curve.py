"""Where a learning curve bends, and whether further labels are worth their price (chapter 11)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from sklearn.isotonic import isotonic_regression


@dataclass(frozen=True)
class Advice:
    """Whether to go on labelling.

    Args:
        stop: whether more labels promise little.
        elbow: number of labels at the bend of the curve; None where none is seen yet.
        gain: by how much the error fell, per label, behind the elbow, as a share of its fall before it.
        reason: a sentence for the person who labels.
    """

    stop: bool
    elbow: int | None
    gain: float
    reason: str


def elbow(sizes: ArrayLike, errors: ArrayLike) -> int | None:
    """The size at which a falling learning curve bends most.

    The errors are first made to fall steadily (isotonic regression). With both axes brought to [0, 1], the
    elbow is the point farthest below the straight line from the first to the last point.

    Args:
        sizes: (M,) whole numbers of labels, rising; M >= 3.
        errors: (M,) finite errors at these sizes; lower is better.

    Returns:
        One of the sizes, or None where the curve does not fall or lies nowhere below the line.

    Raises:
        ValueError: fewer than three points, sizes that do not rise or are shares, or values that are not
            finite.
    """
    sizes, errors = _checked(sizes, errors)
    smooth = isotonic_regression(errors, increasing=False)
    if not _falls(smooth):
        return None
    fall = smooth[0] - smooth[-1]
    along = (sizes - sizes[0]) / (sizes[-1] - sizes[0])
    below = (1 - along) - (smooth - smooth[-1]) / fall
    best = int(below.argmax())
    return int(sizes[best]) if below[best] > 1e-9 else None


def advise(sizes: ArrayLike, errors: ArrayLike, *, least_gain: float = 0.1) -> Advice:
    """Suggest to stop when labels behind the elbow bring little against those before it.

    Args:
        sizes, errors: as for `elbow`; errors measured on labelled frames that were not trained on.
        least_gain: stop when a label behind the elbow lowers the error by less than this share of what a
            label before it did; in (0, 1).
    """
    if not 0 < least_gain < 1:
        raise ValueError(f"least_gain must be in (0, 1); got {least_gain}. 0.1 is usual.")
    if len(np.atleast_1d(sizes)) < 4:
        return Advice(False, None, 1.0, "Fewer than four points of the curve: go on.")
    sizes, errors = _checked(sizes, errors)
    bend = elbow(sizes, errors)
    smooth = isotonic_regression(errors, increasing=False)
    if bend is None:
        told = "The curve shows no bend yet" if _falls(smooth) else "The error has not fallen yet"
        return Advice(False, None, 1.0, f"{told}: go on.")
    at = int(np.flatnonzero(sizes == bend)[0])
    if len(sizes) - 1 - at < 2:
        return Advice(False, bend, 1.0, f"A bend at {bend} labels, too near the end to be sure: go on.")
    before = (smooth[0] - smooth[at]) / (sizes[at] - sizes[0])
    behind = (smooth[at] - smooth[-1]) / (sizes[-1] - sizes[at])
    gain = float(behind / before)
    stop = gain < least_gain
    told = f"Behind {bend} labels a label brings {gain:.0%} of what one brought before: "
    return Advice(stop, bend, gain, told + ("stop." if stop else "go on."))


def _falls(smooth: np.ndarray) -> bool:
    """Whether steadied errors fall by more than rounding."""
    return bool(smooth[0] - smooth[-1] > 1e-12 * max(1.0, abs(smooth[0])))


def _checked(sizes: ArrayLike, errors: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    sizes, errors = np.asarray(sizes, dtype=np.float64), np.asarray(errors, dtype=np.float64)
    if sizes.ndim != 1 or sizes.shape != errors.shape or len(sizes) < 3:
        raise ValueError(
            f"sizes and errors must be two rows of at least three numbers; got shapes {sizes.shape} and "
            f"{errors.shape}. Give one error a size."
        )
    if not (np.isfinite(sizes).all() and np.isfinite(errors).all() and (np.diff(sizes) > 0).all()):
        raise ValueError("sizes must rise and all values be finite; got others. Sort them and drop NaN.")
    shares = sizes[sizes % 1 != 0]
    if shares.size:
        raise ValueError(f"sizes must be whole numbers of labels; got {shares[0]}. Count labels, not shares.")
    return sizes, errors
