"""A decision layer for two views of emotion: the expression, and where it lies in the affect plane."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import cache
from math import prod
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fer_lib.losses import ccc_loss, weighted_cross_entropy

FUSIONS = ("classic", "concatenate", "separate")
PARTS = {"half": 2, "quarter": 4, "eight": 8, "twelve": 12}
AFFECTS = ("none", "mse", "ccc", "half_mse", *PARTS)
POOLS = ("max", "mean", "flat")

ClassLoss = Callable[[Tensor, Tensor], Tensor]
"""Of logits (B, K) and class numbers (B,)."""
SideLoss = Callable[[Tensor, Tensor], Tensor]
"""Of logits (B, K) and the whole targets (B, 1 + E)."""


class ViewsHead(nn.Module, ABC):
    """What all decision layers for two views share: losses and predictions of their raw outputs.

    Raw outputs are the expression's K logits and, behind them, what the affect's way asks for. Targets are
    class numbers (N,), or what ``fer_lib.train.sides.SideTargets`` gives: (N, 1 + E) with valence and arousal
    in columns 1 and 2.

    Args:
        classes: K, at least 2.
        affect: one of `AFFECTS`, see `JointHead`.
        pool: what becomes of the map: "max" and "mean" over its places, or "flat".
        class_loss: of the expression; None is cross-entropy.
        side_loss: a further loss of the logits that sees the whole targets, such as soft labels; or None.
        affect_weight: factor on the affect's loss.
        parts_loss: of the part of the plane, where it is classified; None is cross-entropy.
        metric_loss, metric_weight: see `JointHead`.

    Raises:
        ValueError: an unknown option, or a number out of its range.
    """

    kind = "softmax"

    def __init__(
        self,
        classes: int,
        *,
        affect: str,
        pool: str = "max",
        class_loss: ClassLoss | None = None,
        side_loss: SideLoss | None = None,
        affect_weight: float = 1.0,
        parts_loss: ClassLoss | None = None,
        metric_loss: Callable[..., Tensor] | None = None,
        metric_weight: float = 0.1,
    ) -> None:
        super().__init__()
        for name, value, known in (("affect", affect, AFFECTS), ("pool", pool, POOLS)):
            if value not in known:
                raise ValueError(f"{name} must be one of {', '.join(known)}; got {value!r}. Choose one.")
        if classes < 2 or not (affect_weight >= 0 and metric_weight >= 0):
            raise ValueError(
                f"classes must be at least 2, weights at least 0; got {classes}, {affect_weight}, "
                f"{metric_weight}. Weights of 1 and 0.1 are usual."
            )
        self.classes, self.affect, self.pool = classes, affect, pool
        self.class_loss = weighted_cross_entropy if class_loss is None else class_loss
        self.side_loss = side_loss
        self.parts_loss = F.cross_entropy if parts_loss is None else parts_loss
        self.affect_weight, self.metric_loss, self.metric_weight = affect_weight, metric_loss, metric_weight
        self.answers = {"none": 0, "half_mse": 1}.get(affect, PARTS.get(affect, 2))

    def pooled(self, features: Tensor) -> Tensor:
        """Features (B, D) from a map (B, C, h, w)."""
        if self.pool == "flat" or features.ndim < 4:
            return features.flatten(1)
        return features.amax((2, 3)) if self.pool == "max" else features.mean((2, 3))

    def embeddings(self, features: Tensor) -> Tensor:
        """What the expression's classifier reads of a map, (B, D); metric losses shape it."""
        return self.pooled(features)

    @abstractmethod
    def outputs_of(self, features: Tensor, shared: Tensor) -> Tensor:
        """Raw outputs (B, K + answers) of maps and their embeddings."""

    def forward(self, features: Tensor) -> Tensor:
        """Map features (B, C, h, w) to raw outputs (B, K + answers)."""
        return self.outputs_of(features, self.embeddings(features))

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """The expression's loss and the affect's, of raw outputs; a scalar, in float32."""
        outputs = outputs.float()
        loss = self.class_loss(outputs[:, : self.classes], labels_of(targets))
        if self.side_loss is not None:
            loss = loss + self.side_loss(outputs[:, : self.classes], targets)
        if not self.answers:
            return loss
        answers = outputs[:, self.classes :]
        return loss + self.affect_weight * affect_loss(self.affect, answers, targets, self.parts_loss)

    def training_loss(self, features: Tensor, targets: Tensor) -> Tensor:
        """:meth:`loss`, and the metric loss of the embeddings."""
        shared = self.embeddings(features)
        loss = self.loss(self.outputs_of(features, shared), targets)
        if self.metric_loss is None:
            return loss
        more = (targets,) if getattr(self.metric_loss, "needs_sides", False) else ()
        return loss + self.metric_weight * self.metric_loss(shared.float(), labels_of(targets), *more)

    def predict(self, outputs: Tensor) -> Tensor:
        """Probabilities of the expressions, (B, K)."""
        return torch.softmax(outputs[:, : self.classes].float(), dim=1)

    def predict_affect(self, outputs: Tensor) -> Tensor:
        """Valence and arousal (B, 2), as they are regressed.

        Raises:
            ValueError: this layer has no regression of both.
        """
        if self.affect not in ("mse", "ccc"):
            raise ValueError(
                f"affect must be mse or ccc to predict values; got {self.affect}. Train another layer."
            )
        return outputs[:, self.classes :].float()


class JointHead(ViewsHead):
    """Expression and affect from one map, joined in one of three ways; chapter 13's losses may shape between.

    Args:
        feature_shape: (C, h, w) of the map, or any shape behind the batch.
        classes: K.
        affect: "none"; "mse" or "ccc" regress valence and arousal; "half", "quarter", "eight" and "twelve"
            classify the part of the plane (``fer_lib.affect.divide_va``), "half_mse" regresses which half.
        fusion: "classic" reads both from the same features; "concatenate" shows the affect's outputs to the
            expression's classifier as well; "separate" has a dense layer of its own for each task.
        embedding: units of the dense layer (with ReLU) before the classifiers; 0 for none. "separate" needs
            one.
        pool: what becomes of the map: "max" and "mean" over its places, or "flat".
        class_loss: of logits (B, K) and class numbers (B,); None is cross-entropy.
        side_loss: a further loss, of the logits and the whole targets (B, 1 + E); None for none.
        affect_weight: factor on the affect's loss; 1 in the thesis.
        parts_loss: of logits (B, parts) and part numbers (B,), where a part is classified; None is
            cross-entropy.
        metric_loss: called with the embeddings (B, D) and labels (B,), and with the whole targets where its
            attribute ``needs_sides`` is true; None for none.
        metric_weight: its factor lambda.

    Raises:
        ValueError: an unknown option, a number out of its range, or "separate" without an embedding.

    Example:
        >>> head = JointHead((8, 4, 4), 7, affect="eight", fusion="concatenate", embedding=16)
        >>> head(torch.zeros(2, 8, 4, 4)).shape
        torch.Size([2, 15])

    Reference: Antoniadis (2021), sections 5.1 and 5.2. Chapters 12-14.
    """

    def __init__(
        self,
        feature_shape: tuple[int, ...],
        classes: int,
        *,
        affect: str = "ccc",
        fusion: str = "classic",
        embedding: int = 128,
        **options: Any,
    ) -> None:
        super().__init__(classes, affect=affect, **options)
        if fusion not in FUSIONS:
            raise ValueError(f"fusion must be one of {', '.join(FUSIONS)}; got {fusion!r}. Choose one.")
        if embedding < (fusion == "separate"):
            raise ValueError(
                f"embedding must be 0 or more, and at least 1 for separate layers; got {embedding}. Try 128."
            )
        self.fusion = fusion
        flat = self.pool == "flat" or len(feature_shape) < 3
        wide = prod(feature_shape) if flat else feature_shape[0]
        self.embed = _dense(wide, embedding)
        self.embed_affect = _dense(wide, embedding) if fusion == "separate" else None
        self.embedding_dim = embedding or wide
        seen = self.embedding_dim + self.answers * (fusion == "concatenate")
        self.classifier = nn.Linear(seen, classes)
        self.regressor = nn.Linear(self.embedding_dim, self.answers) if self.answers else None

    def embeddings(self, features: Tensor) -> Tensor:
        return self.embed(self.pooled(features))

    def outputs_of(self, features: Tensor, shared: Tensor) -> Tensor:
        if self.regressor is None:
            return self.classifier(shared)
        own = shared if self.embed_affect is None else self.embed_affect(self.pooled(features))
        answers = self.regressor(own)
        seen = torch.cat([shared, answers], 1) if self.fusion == "concatenate" else shared
        return torch.cat([self.classifier(seen), answers], 1)


def labels_of(targets: Tensor) -> Tensor:
    """Class numbers (B,) of targets (B,), or (B, 1 + E) with the class in the first column."""
    return targets if targets.ndim == 1 else targets[:, 0].long()


def affect_loss(
    affect: str, answers: Tensor, targets: Tensor, parts_loss: ClassLoss = F.cross_entropy
) -> Tensor:
    """Loss of the affect's outputs, see `JointHead` for the ways.

    Args:
        affect: one of `AFFECTS` but "none".
        answers: (B, 2), (B, 1) or (B, parts).
        targets: (B, 1 + E), with valence and arousal in columns 1 and 2.
        parts_loss: of the part of the plane, where it is classified.

    Raises:
        ValueError: targets without them.
    """
    if targets.ndim != 2 or targets.shape[1] < 3:
        raise ValueError(
            f"targets must hold class, valence and arousal for affect={affect!r}; got {tuple(targets.shape)}."
            " Train on fer_lib.train.sides.both_views(faces)."
        )
    va = targets[:, 1:3].float()
    if affect == "mse":
        return (answers - va).square().sum(1).mean() / 2  # eq. 5.1.5
    if affect == "ccc":
        return ccc_loss(answers, va)  # eq. 5.2.2
    parts = part_of(va, PARTS["half" if affect == "half_mse" else affect])
    if affect == "half_mse":
        return (answers[:, 0] - parts.float()).square().mean() / 2
    return parts_loss(answers, parts)


def part_of(va: Tensor, parts: int) -> Tensor:
    """Part of the plane of each row (B, 2), int64 (B,): ``divide_va`` without leaving the device.

    Turned into the half plane after the first edge, a row lies behind as many edges as it passes. A cross
    product tells the side, exactly so on the axes and diagonals, where annotators like to stop.
    """
    rows = va.detach().double().clamp(-1, 1)
    rows = torch.where((rows == 0).all(1, keepdim=True), rows.new_tensor([1.0, 0.0]), rows)
    edges = _edges(parts).to(rows.device)  # (parts / 2, 2)
    side = rows[:, 1:] * edges[:, 0] - rows[:, :1] * edges[:, 1]  # (B, parts / 2), >= 0 behind an edge
    second = (side[:, 0] < 0) | ((side[:, 0] == 0) & (rows @ edges[0] < 0))
    passed = torch.where(second[:, None], -side, side)[:, 1:] >= 0
    return passed.sum(1) + second * (parts // 2)


@cache
def _edges(parts: int) -> Tensor:
    """Directions of the first half of the edges between parts, (parts / 2, 2)."""
    start = -np.pi / 2 if parts == 2 else 0.0
    angle = start + 2 * np.pi * np.arange(parts // 2) / parts
    return torch.from_numpy(np.stack([np.cos(angle), np.sin(angle)], 1).round(12))


def _dense(wide: int, units: int) -> nn.Module:
    return nn.Sequential(nn.Linear(wide, units), nn.ReLU()) if units else nn.Identity()
