"""Center losses: features are drawn to a point of their class (chapter 13)."""

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from fer_lib.losses.reducing import check_labels, readable, share_of

LEARNING = ("rule", "gradient")
AXES = ("both", "valence", "arousal")


class Centers(nn.Module):
    """What the losses with learned centers share: the centers, and how they move.

    Args:
        num_classes, embedding_dim: K and D, at least 1.
        per_class: centers of each class, at least 1.
        alpha: rate of the rule, in (0, 1].
        learn: "rule" moves the centers by the printed update, after each call in training mode: they are
            buffers, and the loss seen is that before the move. "gradient" makes them parameters of the
            optimiser; alpha then has no part. Where several processes train together, all see the whole
            batch and move their centers alike.

    Raises:
        ValueError: a number out of its range, or an unknown way to learn.
    """

    centers: Tensor

    def __init__(
        self, num_classes: int, embedding_dim: int, *, per_class: int = 1, alpha: float, learn: str
    ) -> None:
        super().__init__()
        for name, value in (("num_classes", num_classes), ("embedding_dim", embedding_dim), ("k", per_class)):
            if value < 1 or value != int(value):
                raise ValueError(f"{name} must be at least 1 and whole; got {value}. Give a whole number.")
        if not 0 < alpha <= 1:
            raise ValueError(f"alpha must lie in (0, 1]; got {alpha}. Wen et al. take 0.5.")
        if learn not in LEARNING:
            raise ValueError(f"learn must be one of {', '.join(LEARNING)}; got {learn!r}. Choose one.")
        self.num_classes, self.per_class, self.alpha, self.learn = num_classes, per_class, alpha, learn
        first = torch.randn(int(num_classes * per_class), int(embedding_dim)) / math.sqrt(embedding_dim)
        if learn == "rule":
            self.register_buffer("centers", first)
        else:
            self.centers = nn.Parameter(first)

    def check(self, embeddings: Tensor, labels: Tensor) -> None:
        """Refuse embeddings and labels that do not fit the centers."""
        check_labels("embeddings", embeddings, labels, self.num_classes)
        if embeddings.shape[1] != self.centers.shape[1]:
            raise ValueError(
                f"embeddings must have {self.centers.shape[1]} columns, as the centers; got "
                f"{embeddings.shape[1]}. Make the loss with embedding_dim={embeddings.shape[1]}."
            )

    @property
    def moves(self) -> bool:
        """Whether the rule is at work: in training mode, where no optimiser has the centers."""
        return self.learn == "rule" and self.training

    @torch.no_grad()
    def follow(self, embeddings: Tensor, nearest: Tensor, push: Tensor | None = None) -> None:
        r"""Move the centers, eqs. 4.2.2 and 4.3.3: :math:`c_j \leftarrow c_j - \alpha \Delta c_j`,

        .. math:: \Delta c_j = \frac{\sum_i \delta(n_i = j) (c_j - x_i)}{1 + \sum_i \delta(n_i = j)} + push_j

        Args:
            embeddings: x, (B, D).
            nearest: n, the center of each, (B,).
            push: a further part of the step, of the centers' shape.
        """
        if not self.moves:
            return
        counts, sums = class_sums(embeddings, nearest, len(self.centers))
        step = (counts * self.centers - sums) / (1 + counts)
        moved = self.centers - self.alpha * (step if push is None else step + push)
        self.centers = moved.to(self.centers)  # not in place: the loss of this batch still needs the old ones


def class_sums(embeddings: Tensor, labels: Tensor, classes: int) -> tuple[Tensor, Tensor]:
    """How many rows each class has, (K, 1), and their sums, (K, D); in float32 at least.

    Half precision rounds counts beyond 256 (bfloat16), and its sums end at 65,504 (float16).
    """
    wide = embeddings.to(torch.promote_types(embeddings.dtype, torch.float32))
    counts = wide.new_zeros(classes, 1).index_add(0, labels, wide.new_ones(len(labels), 1))
    return counts, wide.new_zeros(classes, wide.shape[1]).index_add(0, labels, wide)


def squared_distance(embeddings: Tensor, centers: Tensor, reduction: str) -> Tensor:
    """Half the squared distances of rows (B, D) from centers (B, D), summed over all or their mean."""
    return F.mse_loss(embeddings, centers, reduction="sum") * (share_of(len(embeddings), reduction) / 2)


class CenterLoss(Centers):
    r"""Half the squared distance of each face from the center of its class.

    .. math:: L_c = \frac{1}{2} \sum_i \lVert x_i - c_{y_i} \rVert^2, \qquad
        \frac{\partial L_c}{\partial x_i} = x_i - c_{y_i}

    The centers follow their classes, see :meth:`Centers.follow`; a class that is absent from a batch stays.

    Args:
        num_classes, embedding_dim: K and D.
        alpha: rate of the centers, in (0, 1].
        learn: "rule" (Wen's) or "gradient", see :class:`Centers`.

    Example:
        >>> loss = CenterLoss(2, 3, alpha=0.5)
        >>> loss.centers = torch.zeros(2, 3)
        >>> loss(torch.tensor([[2.0, 0.0, 0.0]]), torch.tensor([1])).item()
        2.0
        >>> loss.centers[1].tolist()  # half of (0 - 2) / (1 + 1)
        [0.5, 0.0, 0.0]

    Reference: Wen et al. (2016); Antoniadis (2021), eqs. 4.2.1 and 4.2.2. Chapter 13.
    """

    def __init__(
        self, num_classes: int, embedding_dim: int, alpha: float = 0.5, *, learn: str = "rule"
    ) -> None:
        super().__init__(num_classes, embedding_dim, alpha=alpha, learn=learn)

    def forward(self, embeddings: Tensor, labels: Tensor, *, reduction: str = "mean") -> Tensor:
        """Loss of embeddings (B, D) with labels (B,), "mean" or printed "sum"; then the centers move.

        Raises:
            ValueError: other shapes, or an unknown reduction.
        """
        self.check(embeddings, labels)
        loss = squared_distance(embeddings, self.centers.to(embeddings).index_select(0, labels), reduction)
        self.follow(embeddings, labels)
        return loss


def center_local_loss(embeddings: Tensor, labels: Tensor, *, reduction: str = "mean") -> Tensor:
    r"""Half the squared distance of each face from the mean of its class in this batch.

    .. math:: c_j = \frac{\sum_i \delta(y_i = j) x_i}{\sum_i \delta(y_i = j)}

    Nothing is learned or kept. A class with one face in the batch has no loss.

    Args:
        embeddings: (B, D).
        labels: (B,).
        reduction: "mean" over the faces, or the printed "sum".

    Raises:
        ValueError: other shapes, or an unknown reduction.

    Example:
        >>> center_local_loss(torch.tensor([[0.0], [2.0], [7.0]]), torch.tensor([0, 0, 1]), reduction="sum")
        tensor(1.)

    Reference: Hayale et al. (2019); Antoniadis (2021), eq. 4.2.4. Chapter 13.
    """
    check_labels("embeddings", embeddings, labels, _classes(labels))
    with torch.no_grad():  # exact: the gradients that pass through a mean cancel, sum_i (x_i - c) = 0
        centers = _means(embeddings, labels)
    return squared_distance(embeddings, centers.index_select(0, labels), reduction)


def va_center_loss(
    embeddings: Tensor,
    labels: Tensor,
    va: Tensor,
    class_va: Tensor | None = None,
    *,
    axes: str = "both",
    reduction: str = "mean",
) -> Tensor:
    r"""The local center loss, for faces whose affect is that of their class more than for others.

    .. math:: L = \frac{1}{2} \sum_i w_i \lVert x_i - c_{y_i} \rVert^2, \qquad
        w_i = \frac{(d_{max} - d_i)^2}{4}

    d is the distance of the face's valence and arousal from its class's, and :math:`d_{max}` the largest
    there can be: :math:`2 \sqrt 2` for both, as printed. For one of them, which the thesis tries without a
    formula, we take 2. So w falls from 2 (or 1) to 0.

    Args:
        embeddings: (B, D).
        labels: (B,).
        va: valence and arousal of the faces, (B, 2), in [-1, 1].
        class_va: those of the classes, (K, 2), the means of the training set; None takes the means of this
            batch (eq. 4.5.2).
        axes: "both", "valence" alone or "arousal" alone.
        reduction: "mean" over the faces, or the printed "sum".

    Raises:
        ValueError: other shapes, affect outside [-1, 1] (on an accelerator it is not read, which would wait
            for it), unknown axes or reduction.

    Reference: Antoniadis (2021), eqs. 4.5.1-4.5.3. Chapter 13.
    """
    check_labels("embeddings", embeddings, labels, _classes(labels) if class_va is None else len(class_va))
    if axes not in AXES:
        raise ValueError(f"axes must be one of {', '.join(AXES)}; got {axes!r}. Choose one.")
    if va.shape != (len(labels), 2):
        raise ValueError(f"va must be ({len(labels)}, 2), a row a face; got {tuple(va.shape)}. Match them.")
    if class_va is not None and class_va.shape[1:] != (2,):
        raise ValueError(f"class_va must be (K, 2), a row a class; got {tuple(class_va.shape)}. Give means.")
    for name, values in (("va", va), ("class_va", class_va)):
        if values is not None and readable(values) and not (values.abs() <= 1 + 1e-6).all():
            raise ValueError(
                f"{name} must lie in [-1, 1]; got {values.min().item():g} to {values.max().item():g}. Leave "
                "out faces without affect."
            )
    chosen = {"both": [0, 1], "valence": [0], "arousal": [1]}[axes]
    va = va.to(embeddings)[:, chosen]
    middle = (_means(va, labels) if class_va is None else class_va.to(embeddings)[:, chosen])[labels]
    apart = (va - middle).square().sum(1).sqrt()
    weights = _nearness(apart, 2 * math.sqrt(len(chosen)))
    total = _WeightedSpread.apply(embeddings, labels, weights)
    return total * (share_of(len(labels), reduction) / 2)


def _nearness(apart: Tensor, most: float) -> Tensor:
    """Weights of eq. 4.5.3; 0 beyond the largest distance, where the square would grow again."""
    return (most - apart).clamp_min(0).square() / 4


class _WeightedSpread(torch.autograd.Function):
    r"""Sum of :math:`w_i \lVert x_i - c_{y_i} \rVert^2` about the means c of each class.

    Each face also moves its mean: :math:`\partial / \partial x_i = 2 (w_i d_i - \sum_k w_k d_k / n)` over the
    n faces k of its class, d = x - c. Written out it takes a third of the passes over the features.
    """

    @staticmethod
    def forward(ctx: Any, embeddings: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
        counts, sums = class_sums(embeddings, labels, _classes(labels))
        counts = counts.clamp_min(1)
        away = embeddings - (sums / counts).to(embeddings).index_select(0, labels)
        ctx.save_for_backward(away, labels, counts, weights)
        return torch.linalg.vecdot(away, away) @ weights

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:  # type: ignore[override]
        away, labels, counts, weights = ctx.saved_tensors
        pull = away * (2 * gradient * weights)[:, None]
        means = class_sums(pull, labels, len(counts))[1] / counts
        return pull.sub_(means.to(pull).index_select(0, labels)), None, None


def _classes(labels: Tensor) -> int:
    """Classes up to the largest in a batch."""
    return int(labels.max()) + 1 if labels.numel() else 1


def _means(values: Tensor, labels: Tensor) -> Tensor:
    """Mean of the rows of each class, (K, D); 0 for a class without any."""
    counts, sums = class_sums(values, labels, _classes(labels))
    return (sums / counts.clamp_min(1)).to(values)
