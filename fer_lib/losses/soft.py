"""Losses against the distribution of classes at a face's place in the affect plane (chapter 12)."""

import torch
from torch import Tensor

from fer_lib.losses.reducing import reduced


def soft_label_loss(logits: Tensor, soft: Tensor, *, reduction: str = "mean") -> Tensor:
    r"""Cross-entropy against soft labels.

    .. math:: L_i = -\sum_c l_i^c \log p_{i,c}

    Args:
        logits: (B, K).
        soft: rows that sum to 1, (B, K), see ``fer_lib.affect.soft_labels``.
        reduction: "mean" over the faces, or "sum".

    Returns:
        A scalar, at least the mean entropy of the rows.

    Raises:
        ValueError: another shape than the logits', or an unknown reduction.

    Reference: Antoniadis (2021), eq. 3.4.1. Chapter 12.
    """
    _check(logits, soft)
    return reduced(-(soft.to(logits) * torch.log_softmax(logits, 1)).sum(1), reduction)


def logit_loss(logits: Tensor, soft: Tensor, *, reduction: str = "mean") -> Tensor:
    r"""Half the squared distance of the probabilities from soft labels.

    .. math:: L_i = \frac{1}{2} \sum_c (p_{i,c} - l_i^c)^2

    The thesis calls it the logit loss, and defines p as the probability: it is the Brier score, halved.
    Unlike cross-entropy it is bounded, and a class that is sure and wrong gets almost no gradient.

    Args:
        logits: (B, K).
        soft: rows that sum to 1, (B, K).
        reduction: "mean" over the faces, or "sum".

    Returns:
        A scalar in [0, 1].

    Raises:
        ValueError: another shape than the logits', or an unknown reduction.

    Example:
        >>> logit_loss(torch.zeros(1, 2), torch.tensor([[1.0, 0.0]])).item()
        0.25

    Reference: Antoniadis (2021), eq. 3.4.2. Chapter 12.
    """
    _check(logits, soft)
    return reduced((torch.softmax(logits, 1) - soft.to(logits)).square().sum(1) / 2, reduction)


def _check(logits: Tensor, soft: Tensor) -> None:
    if logits.ndim != 2 or not len(logits) or soft.shape != logits.shape:
        raise ValueError(
            f"soft must have the shape of logits, (B, K) with at least one row; got {tuple(soft.shape)} for "
            f"{tuple(logits.shape)}. Make it with soft_labels."
        )
