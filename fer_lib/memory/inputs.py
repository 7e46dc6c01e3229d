"""What a memory can learn from: labels of many inputs, one input with its label, pictures (chapter 10)."""

from typing import Any

import numpy as np
import torch
from sklearn.utils import check_array, check_consistent_length
from torch import Tensor

LARGEST = 1e150


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


def check_size(name: str, values: np.ndarray) -> np.ndarray:
    """The same numbers, if squares of their differences can be numbers.

    Raises:
        ValueError: a number beyond that.
    """
    most = max(values.max(initial=0.0), -values.min(initial=0.0))
    if most > LARGEST:
        raise ValueError(f"{name} must be within {LARGEST:g} of 0; got {most:g}. Scale it.")
    return values


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


def as_pictures(faces: np.ndarray | Tensor) -> np.ndarray | Tensor:
    """Pictures (N, C, H, W), or one (C, H, W), as (N, C, H, W).

    Raises:
        ValueError: something else.
    """
    if not isinstance(faces, np.ndarray | Tensor):
        raise ValueError(f"faces must be an array or a tensor; got {type(faces).__name__}. Stack the frames.")
    faces = faces[None] if faces.ndim == 3 else faces
    if faces.ndim != 4 or faces.dtype not in (torch.uint8, np.uint8) or 0 in faces.shape[1:]:
        raise ValueError(
            f"faces must be uint8 pictures (N, C, H, W); got {faces.dtype} {tuple(faces.shape)}. "
            "Give them as a FaceSet's batch() does."
        )
    if faces.shape[1] not in (1, 3):
        raise ValueError(
            f"faces must have 1 or 3 colours, before height and width; got {tuple(faces.shape)}. A camera's "
            "(H, W, 3), blue first, becomes picture[..., ::-1].transpose(2, 0, 1)."
        )
    return faces
