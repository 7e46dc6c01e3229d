"""InfoNCE as a bound of mutual information, where the truth is known (chapter 06)."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from fer_lib.losses import info_nce

if TYPE_CHECKING:
    import pandas as pd

CRITICS = ("optimal", "bilinear")


def gaussian_information(correlation: float, dimensions: int) -> float:
    r"""Mutual information of two Gaussian vectors, in nats: -D/2 log(1 - rho^2).

    Args:
        correlation: of each coordinate of x with the same one of y, in (-1, 1); others are independent.
        dimensions: D, at least 1.

    Example:
        >>> round(gaussian_information(0.8, 2), 4)
        1.0217
    """
    if not -1 < correlation < 1:
        raise ValueError(f"correlation must lie in (-1, 1); got {correlation}. At 1 it is infinite.")
    return -dimensions / 2 * math.log1p(-(correlation**2))


def gaussian_correlation(information: float, dimensions: int) -> float:
    """The correlation at which two Gaussian vectors share so much information; see above.

    Example:
        >>> round(gaussian_correlation(1.0217, 2), 3)
        0.8
    """
    if information < 0:
        raise ValueError(f"information must be at least 0 nats; got {information}. 0 is independence.")
    return math.sqrt(-math.expm1(-2 * information / dimensions))


def gaussian_pairs(
    correlation: float, *, dimensions: int, pairs: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Draw x and y, both float64 (pairs, D), each standard normal, with this correlation."""
    x, noise = torch.randn(2, pairs, dimensions, generator=generator, dtype=torch.float64)
    return x, correlation * x + math.sqrt(1 - correlation**2) * noise


def queries_and_keys(x: Tensor, y: Tensor, correlation: float, critic: str) -> tuple[Tensor, Tensor]:
    r"""Vectors whose scalar product is the critic of a pair.

    The optimal critic is log p(y|x)/p(y), up to what depends on x alone and cancels in the softmax:
    (rho x y - rho^2 y^2 / 2) / (1 - rho^2). The second term depends on y alone; the bilinear critic x W y of
    the papers has no place for it.

    Args:
        x, y: (N, D).
        correlation: in (-1, 1).
        critic: one of `CRITICS`.

    Returns:
        Queries and keys, (N, D) or, with the term of y, (N, D + 1).
    """
    if critic not in CRITICS:
        raise ValueError(f"critic must be one of {', '.join(CRITICS)}; got {critic!r}. Choose one.")
    scale = correlation / (1 - correlation**2)
    if critic == "bilinear":
        return scale * x, y
    own = -correlation / 2 * (y * y).sum(1, keepdim=True)
    return scale * torch.cat([x, torch.ones_like(own)], 1), torch.cat([y, own], 1)


def bound_study(
    informations: Sequence[float],
    candidates: Sequence[int],
    *,
    dimensions: int = 16,
    pairs: int = 1024,
    critic: str = "optimal",
    seed: int = 0,
) -> "pd.DataFrame":
    """Estimate log N - L for Gaussian vectors whose information is known.

    The bilinear critic gets the best of several factors, chosen on other draws.

    Args:
        informations: true values, nats.
        candidates: N, at least 2; each batch of N pairs serves as each other's rivals.
        dimensions: of both vectors.
        pairs: drawn for each point, in batches of N.
        critic: one of `CRITICS`.
        seed: of the draws.

    Returns:
        A row a point: name ("N = 64"), candidates, x (truth), y (bound), low, high (95 % over batches).
    """
    import pandas as pd

    rows = []
    for count in candidates:
        generator = torch.Generator().manual_seed(seed)
        for truth in informations:
            rho = gaussian_correlation(truth, dimensions)
            several = max(4, pairs // count)
            drawn = [
                queries_and_keys(
                    *gaussian_pairs(rho, dimensions=dimensions, pairs=count, generator=generator), rho, critic
                )
                for _ in range(several)
            ]
            factor = 1.0 if critic == "optimal" else _best_factor(drawn[: several // 2])
            kept = drawn if critic == "optimal" else drawn[several // 2 :]
            bounds = [math.log(count) - info_nce(factor * q, k).item() for q, k in kept]
            half = 1.96 * np.std(bounds, ddof=1) / math.sqrt(len(bounds))
            mean = float(np.mean(bounds))
            rows.append(
                {"name": f"N = {count}", "candidates": count, "x": truth, "y": mean}
                | {"low": mean - half, "high": mean + half}
            )
    return pd.DataFrame(rows)


def _best_factor(drawn: Sequence[tuple[Tensor, Tensor]]) -> float:
    factors = [2.0**k for k in np.arange(-5, 1.5, 0.5)]
    losses = [sum(info_nce(f * q, k).item() for q, k in drawn) for f in factors]
    return factors[int(np.argmin(losses))]


def label_bound(shares: Sequence[float] | np.ndarray, candidates: int) -> float:
    r"""The highest log N - L that a code can reach which knows the label, and where nothing else is shared.

    .. math:: \log N - \sum_y p_y \, E \log (1 + m_y), \quad m_y \sim \mathrm{Binomial}(N - 1, p_y)

    Among the N candidates m_y rivals carry the positive's label by chance; nothing tells them apart. As N
    grows this rises to the entropy of the label and never above it.

    Args:
        shares: probability of each label; sums to 1.
        candidates: N, at least 2, all drawn from the same faces.

    Returns:
        Nats.

    Example:
        >>> round(label_bound([0.5, 0.5], 2), 4)  # log 2 - log(2) / 2
        0.3466
    """
    shares = np.asarray(shares, dtype=np.float64)
    if candidates < 2 or not np.isclose(shares.sum(), 1) or (shares < 0).any():
        raise ValueError(
            f"shares must sum to 1 and candidates be at least 2; got {shares.sum():g} and {candidates}. "
            "Divide the counts by their sum."
        )
    from scipy.stats import binom

    rivals = np.arange(candidates)
    share, count = np.unique(shares, return_counts=True)  # many labels may be equally frequent
    chances = binom.pmf(rivals[None, :], candidates - 1, share[:, None])
    return float(math.log(candidates) - (share * count) @ (chances @ np.log1p(rivals)))
