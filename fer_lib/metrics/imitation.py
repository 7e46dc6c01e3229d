"""Predictions with a prescribed fault, for experiments about metrics."""

from typing import Any

import numpy as np

from fer_lib.metrics.checks import as_array


def imitate(
    target: Any, *, precision: float, scale: float = 1.0, shift: float = 0.0, seed: int = 0
) -> np.ndarray:
    """Predictions that have exactly these parts with the target: the inverse of `ccc_parts`.

    The noise is drawn from a normal distribution, freed of its mean and of every trace of the target, and
    stretched to its length; so the parts hold for the sample itself, not only on average.

    Args:
        target: (N,) not constant, N >= 3.
        precision: correlation with the target, in [-1, 1].
        scale: spread of the predictions over spread of the target, above 0.
        shift: mean of the predictions less mean of the target, over the geometric mean of the spreads.
        seed: of the noise.

    Returns:
        (N,) float64; values may leave [-1, 1].

    Raises:
        ValueError: a target that is constant or shorter than 3, a precision outside [-1, 1], no scale.

    Example:
        >>> from fer_lib.metrics import ccc
        >>> round(ccc(imitate([0.1, 0.5, 0.2, 0.9], precision=0.8), [0.1, 0.5, 0.2, 0.9]), 6)
        0.8

    Reference:
        Lin 1989, section 2, solved for the prediction; chapter 02.
    """
    target = as_array(target).astype(np.float64)
    if target.ndim != 1 or len(target) < 3 or np.ptp(target) == 0:
        raise ValueError(f"target must be (N,) with N >= 3 and vary; got {target.shape}. Give more rows.")
    if not -1 <= precision <= 1:
        raise ValueError(f"precision must lie in [-1, 1]; got {precision}. It is a correlation.")
    if not scale > 0:
        raise ValueError(f"scale must be above 0; got {scale}. A constant has no precision.")
    spread = target.std()
    z = (target - target.mean()) / spread
    noise = np.random.default_rng(seed).normal(size=len(z))
    noise -= noise.mean()
    noise -= (noise * z).mean() * z
    noise /= noise.std()
    form = precision * z + np.sqrt(1 - precision**2) * noise  # mean 0, deviation 1, correlation as asked
    return target.mean() + shift * np.sqrt(scale) * spread + scale * spread * form
