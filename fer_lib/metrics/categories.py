"""Agreement of categories: accuracy, mean class accuracy, macro F1."""

from typing import Any

import numpy as np

from fer_lib.metrics.checks import as_array, same_rows


def accuracy(pred: Any, target: Any) -> float:
    """Share of rows whose class is right.

    Args:
        pred: (N,) class indices, or (N, K) scores, of which the largest counts (the first of equal ones).
        target: (N,) class indices, or (N, K) label distributions, whose largest counts.

    Returns:
        A number in [0, 1].

    Raises:
        TypeError: one-dimensional labels that are not integers.
        ValueError: unequal lengths, no rows, or a negative label (a row without a class).

    Example:
        >>> accuracy([0, 1, 1, 1], [0, 0, 0, 1])
        0.5
    """
    pred, target = _labels(pred, target)
    return float((pred == target).mean())


def confusion(pred: Any, target: Any, *, num_classes: int | None = None) -> np.ndarray:
    """Counts (K, K) of rows: true class down, predicted class across. Arguments as in `accuracy`.

    Example:
        >>> confusion([0, 1, 1, 1], [0, 0, 0, 1])
        array([[1, 2],
               [0, 1]])
    """
    pred, target = _labels(pred, target)
    needed = int(max(pred.max(), target.max())) + 1
    size = needed if num_classes is None else num_classes
    if size < needed:
        raise ValueError(
            f"num_classes must be above the largest label; got {size}, label {needed - 1}. Raise it."
        )
    return np.bincount(target * size + pred, minlength=size * size).reshape(size, size)


def class_recall(pred: Any, target: Any, *, num_classes: int | None = None) -> np.ndarray:
    """Share found of each true class, (K,); nan for a class without a row in the target.

    Example:
        >>> class_recall([0, 1, 1, 1], [0, 0, 0, 1]).round(3)
        array([0.333, 1.   ])
    """
    counts = confusion(pred, target, num_classes=num_classes)
    rows = counts.sum(1)
    return np.where(rows > 0, np.diag(counts) / np.maximum(rows, 1), np.nan)


def mean_class_accuracy(pred: Any, target: Any) -> float:
    """Mean over the classes of the share found: every class weighs the same, however rare.

    Classes without a row in the target are left out of the mean. On a test set with equally many rows of each
    class it equals `accuracy`; it is also called balanced accuracy or unweighted average recall.

    Returns:
        A number in [0, 1]; 1 / K for a classifier that always names one of K classes.

    Example:
        >>> round(mean_class_accuracy([0, 1, 1, 1], [0, 0, 0, 1]), 3)
        0.667
    """
    return float(np.nanmean(class_recall(pred, target)))


def macro_f1(pred: Any, target: Any, *, threshold: float = 0.5) -> float:
    """Mean over the classes of F1 = 2 TP / (2 TP + FP + FN).

    A one-dimensional target holds one class a row. A target (N, K) of zeros and ones holds several states a
    row; F1 is then taken for each state (column), as for EmoReact and ElderReact. A class that neither occurs
    nor is predicted has no F1 and is left out of the mean; without any such class the result is 0.

    Args:
        pred: (N,) class indices or (N, K) scores for one class a row; (N, K) zeros and ones, or
            probabilities, for several states a row.
        target: (N,) class indices, or (N, K) zeros and ones.
        threshold: probabilities from here on count as present (several states a row only).

    Returns:
        A number in [0, 1].

    Raises:
        TypeError: one-dimensional labels that are not integers.
        ValueError: unequal shapes, no rows, a negative label, or a two-dimensional target that is not 0 or 1.

    Example:
        >>> round(macro_f1([0, 1, 1, 1], [0, 0, 0, 1]), 3)
        0.5
        >>> macro_f1([[0.9, 0.2], [0.4, 0.7]], [[1, 0], [1, 1]])
        0.8333333333333333
    """
    if as_array(target).ndim == 2:
        found, named, true = _states(pred, target, threshold)
    else:
        counts = confusion(pred, target)
        found, named, true = np.diag(counts), counts.sum(0), counts.sum(1)
    known = (named + true) > 0
    return float((2 * found[known] / (named + true)[known]).mean()) if known.any() else 0.0


def _states(pred: Any, target: Any, threshold: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    pred, target = as_array(pred), as_array(target)
    same_rows(pred, target)
    if not np.isin(target, (0, 1)).all():
        raise ValueError(
            f"target must hold 0 or 1 where it has two axes; got {target.min()} to {target.max()}. "
            "For one class a row give indices (N,)."
        )
    if not ((pred >= 0) & (pred <= 1)).all():
        raise ValueError(
            f"pred must lie in [0, 1]; got {pred.min()} to {pred.max()}. Apply the sigmoid to logits first."
        )
    named, true = pred >= threshold, target == 1
    return (named & true).sum(0), named.sum(0), true.sum(0)


def _labels(pred: Any, target: Any) -> tuple[np.ndarray, np.ndarray]:
    pair = []
    for name, values in (("pred", as_array(pred)), ("target", as_array(target))):
        if values.ndim == 2 and values.size and np.isnan(values).any():
            raise ValueError(f"{name} must be finite; got nan in {values.shape}. Drop those rows.")
        values = values.argmax(1) if values.ndim == 2 and values.size else values
        if values.size and values.dtype.kind not in "iub":
            raise TypeError(
                f"{name} must hold class indices; got {values.dtype}. Give integers, or scores (N, K)."
            )
        if values.size and values.min() < 0:
            bad = int((values < 0).sum())
            raise ValueError(
                f"{name} must be 0 or more; got {bad} negative labels. Drop rows without a class."
            )
        pair.append(values.astype(np.int64))
    same_rows(*pair)
    return pair[0], pair[1]
