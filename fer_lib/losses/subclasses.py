"""The subclass loss: several centers a class, and each face is drawn to the nearest (chapter 13)."""

import math

import torch
from torch import Tensor

from fer_lib.losses.centers import Centers, squared_distance
from fer_lib.losses.reducing import share_of


class SubclassLoss(Centers):
    r"""Half the squared distance of each face from the nearest of its class's k centers.

    .. math:: L = \frac{1}{2} \sum_i \lVert x_i - c^{min}_{y_i} \rVert^2
        + \lambda_1 \sum_j \sum_a \sum_{b \ne a} \max(\lVert c_j^a - c_j^b \rVert - m, 0)^2

    The second term is there with a margin: centers of ONE class are kept within m of each other, since a
    center that is far away is never the nearest, and then never moves. It counts ordered pairs. Centers that
    no face is nearest to stay where they are, but for that term. With k = 1 this is the center loss.

    Args:
        num_classes, k, embedding_dim: classes, centers of each, and D.
        margin: m >= 0; None leaves the second term out.
        alpha: rate of the centers, in (0, 1].
        weight: :math:`\lambda_1 \ge 0`.
        learn: "rule" (eq. 4.3.7 with the second term's gradient over k - 1, as the island loss divides its
            own) or "gradient", see ``fer_lib.losses.centers.Centers``.

    Raises:
        ValueError: a number out of its range.

    Example:
        >>> loss = SubclassLoss(1, 2, 1)
        >>> loss.centers = torch.tensor([[0.0], [10.0]])
        >>> loss(torch.tensor([[2.0], [9.0]]), torch.tensor([0, 0]), reduction="sum").item()
        2.5

    Reference: Luo et al. (2018); Antoniadis (2021), eqs. 4.3.5-4.3.8. Chapter 13.
    """

    def __init__(
        self,
        num_classes: int,
        k: int,
        embedding_dim: int,
        margin: float | None = None,
        *,
        alpha: float = 0.5,
        weight: float = 1.0,
        learn: str = "rule",
    ) -> None:
        super().__init__(num_classes, embedding_dim, per_class=k, alpha=alpha, learn=learn)
        if margin is not None and not 0 <= margin < math.inf:
            raise ValueError(f"margin must be 0 or more, or None; got {margin}. The thesis takes 0.5.")
        if not 0 <= weight < math.inf:
            raise ValueError(f"weight must be 0 or more; got {weight}. 0 leaves the margin out.")
        self.margin, self.weight = margin, weight

    def forward(self, embeddings: Tensor, labels: Tensor, *, reduction: str = "mean") -> Tensor:
        """Loss of embeddings (B, D) with labels (B,); then the centers move.

        Args:
            embeddings, labels: the batch.
            reduction: "mean" or "sum" of the first term; the second, printed beside the sum, is divided by
                the faces too with "mean".

        Raises:
            ValueError: other shapes, or an unknown reduction.
        """
        self.check(embeddings, labels)
        centers = self.centers.to(embeddings)
        nearest = self.nearest(embeddings, labels)
        loss = squared_distance(embeddings, centers.index_select(0, nearest), reduction)
        if self.margin is not None and self.per_class > 1:
            loss = loss + self.weight * share_of(len(labels), reduction) * self._spread(centers)
        self.follow(embeddings, nearest, self._push() if self.moves else None)
        return loss

    @torch.no_grad()
    def nearest(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Row of ``centers``, (B,), that is the nearest of each face's class; the first of equals."""
        centers = self.centers.to(embeddings)
        gains = centers.square().sum(1) - 2 * embeddings @ centers.T  # squared distances but for |x|^2
        own = gains.unflatten(1, (self.num_classes, self.per_class))[torch.arange(len(labels)), labels]
        return labels * self.per_class + own.argmin(1)

    def _away(self, centers: Tensor) -> tuple[Tensor, Tensor]:
        """Differences of the centers of each class, (K, k, k, D), and their lengths, (K, k, k, 1)."""
        groups = centers.unflatten(0, (self.num_classes, self.per_class))
        away = groups[:, :, None] - groups[:, None]
        same = torch.eye(self.per_class, dtype=torch.bool, device=centers.device)[None, :, :, None]
        squares = away.square().sum(3, keepdim=True)
        return away, squares.masked_fill(same, 1.0).sqrt().masked_fill(same, 0.0)  # no gradient of 0 ** .5

    def _spread(self, centers: Tensor) -> Tensor:
        assert self.margin is not None
        return (self._away(centers)[1] - self.margin).clamp_min(0).square().sum()

    @torch.no_grad()
    def _push(self) -> Tensor | None:
        if self.margin is None or self.per_class == 1:
            return None
        away, apart = self._away(self.centers)
        over = (apart - self.margin).clamp_min(0)
        push = 2 * (over * away / apart.clamp_min(torch.finfo(apart.dtype).tiny)).sum(2).flatten(0, 1)
        return self.weight / (self.per_class - 1) * push
