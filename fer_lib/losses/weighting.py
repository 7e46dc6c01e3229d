"""Cross-entropy that weighs classes: rare ones up, or easy faces down (chapters 12 and 14)."""

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from fer_lib.losses.reducing import check_labels, readable, reduced


def class_weights(counts: Any, as_printed: bool = False) -> Tensor:
    r"""Weights that make every class count alike, however many faces it has.

    .. math:: w_i = \frac{f_{min}}{f_i} \cdot s, \qquad s: \sum_i f_i w_i = \sum_i f_i

    The thesis prints :math:`w_i = f_i / f_{min}`, which makes common classes count still more, and says the
    opposite in the text beside it; ``as_printed=True`` gives the printed one, to see what it does.

    Args:
        counts: faces of each class, (K,); a class with none weighs 0.
        as_printed: the misprint.

    Returns:
        float32 (K,). The mean over all faces is 1 (not where ``as_printed``: there the rarest class has 1).

    Raises:
        ValueError: not one row of counts, a negative count, or no faces at all.

    Example:
        >>> class_weights([10, 30]), class_weights([10, 30], as_printed=True)
        (tensor([2.0000, 0.6667]), tensor([1., 3.]))

    Reference: Antoniadis (2021), eqs. 3.3.4 and 5.1.3. Chapter 12.
    """
    found = torch.as_tensor(counts, dtype=torch.float64)
    if found.ndim != 1 or not (found >= 0).all() or not 0 < found.sum() < math.inf:
        raise ValueError(
            f"counts must be faces of each class, 0 or more and at least one; got {found.tolist()}. Count "
            "the training set: torch.bincount(faces.targets())."
        )
    seen = found > 0
    if as_printed:
        return (found / found[seen].min()).float()
    weights = torch.where(seen, 1 / found.clamp_min(1), 0)
    return (weights * found.sum() / (found * weights).sum()).float()


def weighted_cross_entropy(
    logits: Tensor, labels: Tensor, weights: Tensor | None = None, *, reduction: str = "mean"
) -> Tensor:
    r"""Cross-entropy in which a face counts as much as its class weighs.

    .. math:: L = -\frac{1}{\sum_i w_{y_i}} \sum_i w_{y_i} \log p_{i, y_i}

    Args:
        logits: (B, K).
        labels: class numbers, (B,).
        weights: of the classes, (K,), see :func:`class_weights`; None weighs all alike.
        reduction: "mean" divides by the weights of this batch, as PyTorch does; "sum" does not divide.

    Returns:
        A scalar >= 0. "mean" is 0 for a batch whose classes all weigh 0.

    Raises:
        ValueError: shapes that do not fit, weights below 0 or not finite (not read on an accelerator), or an
            unknown reduction.

    Reference: Antoniadis (2021), eqs. 3.3.3 and 5.1.2. Chapter 12.
    """
    check_labels("logits", logits, labels, logits.shape[-1])
    weights = logits.new_ones(logits.shape[1]) if weights is None else weights.to(logits)
    if weights.shape != logits.shape[1:]:
        raise ValueError(
            f"weights must be one a class, ({logits.shape[1]},); got {tuple(weights.shape)}. Count with "
            "minlength."
        )
    if readable(weights) and not ((weights >= 0) & weights.isfinite()).all():
        raise ValueError(f"weights must be finite and 0 or more; got {weights.tolist()}. See class_weights.")
    each = F.cross_entropy(logits, labels, reduction="none") * weights[labels]
    total = reduced(each, "sum" if reduction == "mean" else reduction)
    if reduction == "sum":
        return total
    return total / weights[labels].sum().clamp_min(torch.finfo(logits.dtype).tiny)


def focal_loss(
    logits: Tensor,
    labels: Tensor,
    *,
    gamma: float,
    alpha: Tensor | None = None,
    reduction: str = "mean",
) -> Tensor:
    r"""Cross-entropy that forgets faces which are classified well.

    .. math:: L_i = -\alpha_{y_i} (1 - p_{i, y_i})^\gamma \log p_{i, y_i}

    The papers write it for two classes; p is the softmax's probability of the true class here.

    Args:
        logits: (B, K).
        labels: class numbers, (B,).
        gamma: >= 0; 0 is cross-entropy. With 2, a face at p = .9 counts a hundredth.
        alpha: weights of the classes, (K,); None weighs all alike.
        reduction: "mean" over the faces, or "sum".

    Raises:
        ValueError: a negative gamma, shapes that do not fit, or an unknown reduction.

    Example:
        >>> logits = torch.tensor([[math.log(9.0), 0.0]])  # p = .9
        >>> label = torch.tensor([0])
        >>> round((focal_loss(logits, label, gamma=0.0) / focal_loss(logits, label, gamma=2.0)).item())
        100

    Reference: Lin et al. (2017); Antoniadis (2021), eqs. 5.4.1 and 5.4.2. Chapter 14.
    """
    check_labels("logits", logits, labels, logits.shape[-1])
    if not 0 <= gamma < math.inf:
        raise ValueError(f"gamma must be 0 or more; got {gamma}. 0 is cross-entropy, 2 is usual.")
    log_p = torch.log_softmax(logits, 1).gather(1, labels[:, None])[:, 0]
    each = -log_p
    if gamma:
        missing = (-torch.expm1(log_p)).clamp_min(torch.finfo(log_p.dtype).tiny)  # 1 - p, also close to p = 1
        each = each * missing**gamma
    if alpha is not None:
        each = each * alpha.to(logits)[labels]
    return reduced(each, reduction)
