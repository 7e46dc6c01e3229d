"""What the metrics accept: arrays, lists or tensors, all finite, with equal shapes."""

from typing import Any

import numpy as np


def as_array(values: Any) -> np.ndarray:
    """A NumPy array of an array, list or tensor; a tensor leaves its graph and device."""
    if hasattr(values, "detach"):  # a tensor, without importing torch
        values = values.detach().cpu()
        values = values.float() if "bfloat16" in str(values.dtype) else values
    return np.asarray(values)


def real_pair(pred: Any, target: Any) -> tuple[np.ndarray, np.ndarray]:
    """Both as float64 of one shape, (N,) or (N, D), with N > 0 and no nan or infinity."""
    pair = [as_array(pred).astype(np.float64), as_array(target).astype(np.float64)]
    same_rows(*pair)
    for name, values in zip(("pred", "target"), pair, strict=True):
        bad = int((~np.isfinite(values)).sum())
        if bad:
            raise ValueError(f"{name} must be finite; got {bad} nan or infinite values. Drop those rows.")
    return pair[0], pair[1]


def same_rows(pred: np.ndarray, target: np.ndarray) -> None:
    """Refuse unequal shapes (which would broadcast), no rows, and more than two axes."""
    if pred.shape != target.shape:
        raise ValueError(
            f"pred must have the shape of target, {target.shape}; got {pred.shape}. Reshape one of them."
        )
    if target.ndim not in (1, 2) or target.size == 0:
        raise ValueError(
            f"pred and target must be (N,) or (N, D) with N > 0; got {target.shape}. Give at least one row."
        )


def unwrap(values: np.ndarray) -> Any:
    """A float of a 0-d result, the array otherwise."""
    return float(values) if np.ndim(values) == 0 else values


def check_confidence(confidence: float) -> None:
    """Refuse what is no probability strictly between 0 and 1, such as 95."""
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1; got {confidence}. Write .95 for 95 %.")
