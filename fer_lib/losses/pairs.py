"""The contrastive loss of pairs: like a Siamese network's, over all pairs of a batch (chapter 13)."""

import math
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from fer_lib.losses.reducing import REDUCTIONS, check_labels


def pair_contrastive_loss(
    embeddings: Tensor, labels: Tensor, *, margin: float, reduction: str = "mean"
) -> tuple[Tensor, Tensor]:
    r"""How far pairs of one class are apart, and how much nearer than a margin pairs of different classes.

    .. math:: L_{pos} = \frac{1}{2 |C_{pos}|} \sum_{i<j} \delta(y_i = y_j) \lVert x_i - x_j \rVert^2, \qquad
        L_{neg} = \frac{1}{2 |C_{neg}|} \sum_{i<j} \delta(y_i \ne y_j)
        \max(0, m - \lVert x_i - x_j \rVert)^2

    Args:
        embeddings: (B, D).
        labels: (B,).
        margin: m >= 0; pairs of different classes farther apart than that are left alone.
        reduction: "mean" over the pairs of each kind, as printed, or "sum".

    Returns:
        (positive, negative), two scalars >= 0; 0 where the batch has no such pair.

    Raises:
        ValueError: other shapes, a negative margin, or an unknown reduction.

    Example:
        >>> import torch
        >>> x, y = torch.tensor([[0.0], [2.0], [3.0]]), torch.tensor([0, 0, 1])
        >>> [part.item() for part in pair_contrastive_loss(x, y, margin=2.0)]  # 4 / 2; (0 + 1) / (2 * 2)
        [2.0, 0.25]

    Reference: Hadsell et al. (2006); Antoniadis (2021), eqs. 4.4.1 and 4.4.2. Chapter 13.
    """
    check_labels("embeddings", embeddings, labels, 1 + int(labels.max()) if labels.numel() else 1)
    if not 0 <= margin < math.inf:
        raise ValueError(f"margin must be 0 or more; got {margin}. 0 leaves the negative part out.")
    if reduction not in REDUCTIONS:
        raise ValueError(f"reduction must be one of {', '.join(REDUCTIONS)}; got {reduction!r}. Choose one.")
    squares = _SquaredDistances.apply(embeddings)
    alike = labels[:, None] == labels
    positive = (squares * alike).sum() / 4  # each pair stands there twice
    apart_at_all = (
        squares > 0
    )  # the root has no gradient at 0: such a pair gets none, as there is no way apart
    apart = squares.masked_fill(~apart_at_all, 1.0).sqrt() * apart_at_all
    negative = ((margin - apart).clamp_min(0) * ~alike).square().sum() / 4
    if reduction == "sum":
        return positive, negative
    count = len(labels)
    pairs = (alike.sum() - count) / 2
    others = count * (count - 1) / 2 - pairs
    return positive / pairs.clamp_min(1), negative / others.clamp_min(1)


class _SquaredDistances(torch.autograd.Function):
    """Squared distances of all rows (B, D) from all, (B, B), by one product, and another for the gradient.

    Each pair pulls with 2 (x_i - x_j); PyTorch's own way through the product would take each pair twice.
    """

    @staticmethod
    def forward(ctx: Any, embeddings: Tensor) -> Tensor:
        z = embeddings - embeddings.mean(0)  # so that little is lost to rounding far from the origin
        lengths = z.square().sum(1)
        ctx.save_for_backward(z)
        return (lengths[:, None] + lengths - 2 * z @ z.T).clamp_min(0)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:  # type: ignore[override]
        (z,) = ctx.saved_tensors
        both = gradient + gradient.T
        return 2 * (both.sum(1, keepdim=True) * z - both @ z)
