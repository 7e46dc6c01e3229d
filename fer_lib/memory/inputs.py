"""What a network can learn from: labels of many inputs, and one input with its label (chapter 10)."""

from typing import Any

import numpy as np
from sklearn.utils import check_array, check_consistent_length


def check_labels(y: Any, X: np.ndarray, known: int) -> np.ndarray:
    """Labels (N, L) of inputs (N, D), with NaN in rows that have none.

    Args:
        y: (N,) or (N, L).
        X: inputs.
        known: L of labels seen before; 0 where there were none.

    Raises:
        ValueError: a row with infinity or with NaN beside numbers, or another L than before.
    """
    y = check_array(y, ensure_2d=False, ensure_all_finite="allow-nan", dtype=np.float64, input_name="y")
    check_consistent_length(X, y)
    y = y.reshape(len(y), -1)
    broken = np.flatnonzero(np.isnan(y).any(1) != np.isnan(y).all(1))
    if broken.size:
        raise ValueError(
            f"y must hold numbers, or NaN alone where a row has no label; got {y[broken[0]]} in row "
            f"{broken[0]}. Mend or blank that row."
        )
    if known and known != y.shape[1]:
        raise ValueError(f"y must have {known} columns as before; got {y.shape[1]}. Give the same labels.")
    return y


def check_one(name: str, values: Any, length: int) -> np.ndarray:
    """One vector of finite float64; any length where ``length`` is 0.

    Raises:
        ValueError: another shape, or a number that is not finite.
    """
    values = np.asarray(values, dtype=np.float64)
    if values.ndim != 1 or (length and len(values) != length) or not np.isfinite(values).all():
        told = f"shape {values.shape}" if values.ndim != 1 or np.isfinite(values).all() else values
        raise ValueError(
            f"{name} must be {length or 'some'} finite numbers, shape ({length or 'L'},); got {told}. "
            "Leave this one out or mend what made it."
        )
    return values
