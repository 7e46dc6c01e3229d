"""Losses for classes, and for distributions over them."""

import torch
from torch import Tensor
from torch.nn import functional as F


def soft_cross_entropy(
    logits: Tensor, target: Tensor, *, smoothing: float = 0.0, weight: Tensor | None = None
):
    r"""Cross-entropy against a distribution over the classes.

    .. math:: L = -\frac{1}{\sum_i w_i} \sum_i w_i \sum_k q_{ik} \log p_{ik}, \quad w_i = \sum_k w_k q_{ik}

    With one-hot targets this is the ordinary (weighted) cross-entropy.

    Args:
        logits: unnormalised scores, (B, K).
        target: rows of non-negative numbers that sum to 1, (B, K); or class numbers, (B,).
        smoothing: s in [0, 1); the target becomes (1 - s) q + s / K.
        weight: one weight a class, (K,); None weighs all alike.

    Returns:
        A scalar, at least the (weighted) mean entropy of the targets.

    Raises:
        ValueError: the shapes do not fit, or smoothing is out of range.

    Example:
        >>> logits = torch.tensor([[0.0, 0.0]])
        >>> round(soft_cross_entropy(logits, torch.tensor([[0.25, 0.75]])).item(), 4)  # log 2
        0.6931

    Reference:
        Barsoum et al. (2016) for vote distributions as targets. Chapters 04 and 12.
    """
    if not 0 <= smoothing < 1:
        raise ValueError(f"smoothing must be in [0, 1); got {smoothing}. 0 is no smoothing.")
    if target.ndim == 1 and not target.is_floating_point():
        target = F.one_hot(target, logits.shape[1]).to(logits.dtype)
    if logits.shape != target.shape:
        raise ValueError(
            f"target must be class numbers (B,) or rows (B, K) like logits; got {tuple(target.shape)} for "
            f"logits {tuple(logits.shape)}. Check the number of classes."
        )
    num_classes = logits.shape[1]
    weights = logits.new_ones(num_classes) if weight is None else weight.to(logits)
    row_weights = target @ weights  # (B,)
    soft = (1 - smoothing) * target + smoothing / num_classes
    losses = -(soft * torch.log_softmax(logits, dim=1)).sum(1)
    return (row_weights * losses).sum() / row_weights.sum()
