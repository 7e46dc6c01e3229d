"""Island losses: centers of different classes are pushed apart (chapter 13)."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from fer_lib.losses.centers import Centers, squared_distance
from fer_lib.losses.reducing import share_of


class IslandLoss(Centers):
    r"""Center loss, and a second term that keeps the centers of different classes apart.

    .. math:: L = L_c + \lambda_1 \sum_j \sum_{k \ne j}
        \left( \frac{c_j \cdot c_k}{\lVert c_j \rVert \lVert c_k \rVert} + 1 \right)

    or, ``euclidean``, :math:`\sum_j \sum_{k \ne j} \max(m - \lVert c_j - c_k \rVert, 0)^2`. Both sums run
    over ordered pairs: each pair counts twice. The second term does not know the faces. It moves the centers
    alone, and faces only when they follow these; under the "rule" by

    .. math:: \Delta c_j = \text{(Wen's)} + \frac{\lambda_1}{K - 1} \sum_{k \ne j}
        \left( \frac{c_k}{\lVert c_j \rVert \lVert c_k \rVert}
        - \frac{c_j \cdot c_k}{\lVert c_j \rVert^3 \lVert c_k \rVert} c_j \right)

    (eq. 4.3.2). The thesis prints no rule for the Euclidean one; its gradient takes the bracket's place,
    :math:`-2 \max(m - d_{jk}, 0) (c_j - c_k) / d_{jk}`.

    Args:
        num_classes, embedding_dim: K, at least 2, and D.
        alpha: rate of the centers, in (0, 1].
        weight: :math:`\lambda_1 \ge 0`, of the second term.
        euclidean: push by distance, not by angle.
        margin: m > 0, the distance from which centers are left alone; for ``euclidean`` alone.
        learn: "rule" or "gradient", see ``fer_lib.losses.centers.Centers``.

    Raises:
        ValueError: a number out of its range, a margin without ``euclidean``, or the other way round.

    Example:
        >>> island = IslandLoss(2, 2)
        >>> island.centers = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
        >>> island(torch.tensor([[1.0, 0.0]]), torch.tensor([0])).item()  # cosine 0, twice
        2.0

    Reference: Cai et al. (2018); Antoniadis (2021), eqs. 4.3.1-4.3.4. Chapter 13.
    """

    def __init__(
        self,
        num_classes: int,
        embedding_dim: int,
        alpha: float = 0.5,
        *,
        weight: float = 1.0,
        euclidean: bool = False,
        margin: float | None = None,
        learn: str = "rule",
    ) -> None:
        super().__init__(num_classes, embedding_dim, alpha=alpha, learn=learn)
        if num_classes < 2:
            raise ValueError(f"num_classes must be at least 2; got {num_classes}. One has nobody to avoid.")
        if not 0 <= weight < math.inf:
            raise ValueError(f"weight must be 0 or more; got {weight}. 0 is the center loss.")
        if euclidean != (margin is not None) or (margin is not None and not 0 < margin < math.inf):
            raise ValueError(
                f"margin must be above 0 with euclidean=True, and None without; got {margin}. The thesis "
                "takes 2 and 5."
            )
        self.weight, self.margin = weight, margin

    def forward(self, embeddings: Tensor, labels: Tensor, *, reduction: str = "mean") -> Tensor:
        """Loss of embeddings (B, D) with labels (B,); then the centers move.

        Args:
            embeddings, labels: the batch.
            reduction: "mean" or "sum" of the first term. The second is printed beside a sum over the faces;
                with "mean" it is divided by their number too.

        Raises:
            ValueError: other shapes, or an unknown reduction.
        """
        self.check(embeddings, labels)
        centers = self.centers.to(embeddings)
        share = share_of(len(labels), reduction)
        loss = squared_distance(embeddings, centers.index_select(0, labels), reduction)
        loss = loss + self.weight * share * between(centers, self.margin)
        self.follow(embeddings, labels, self._push() if self.moves else None)
        return loss

    @torch.no_grad()
    def _push(self) -> Tensor:
        """The second part of the centers' step, eq. 4.3.2."""
        centers = self.centers
        if self.margin is None:
            length = centers.norm(dim=1, keepdim=True).clamp_min(torch.finfo(centers.dtype).tiny)
            unit = centers / length
            others = unit.sum(0) - unit  # sum of the other classes' directions
            push = (others - (others * unit).sum(1, keepdim=True) * unit) / length
        else:
            away = centers[:, None] - centers  # (K, K, D)
            apart = away.norm(dim=2, keepdim=True)
            short = (self.margin - apart).clamp_min(0)
            push = -2 * (short * away / apart.clamp_min(torch.finfo(centers.dtype).tiny)).sum(1)
        return self.weight / (self.num_classes - 1) * push


def between(centers: Tensor, margin: float | None = None) -> Tensor:
    """Sum over ordered pairs of centers (K, D): cosine plus 1; with a margin, its squared shortfall."""
    if margin is None:
        unit = F.normalize(centers, dim=1)
        count = len(centers)
        return (unit @ unit.T).sum() - unit.square().sum() + count * (count - 1)
    first, second = torch.triu_indices(len(centers), len(centers), 1, device=centers.device)
    apart = (centers[first] - centers[second]).norm(dim=1)
    return 2 * (margin - apart).clamp_min(0).square().sum()
