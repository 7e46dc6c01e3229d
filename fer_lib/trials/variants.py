"""One way to train, as plain data: which losses, which second view, which sampler, which graph."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fer_lib.affect import soft_labels
from fer_lib.graph import (
    AFFECTS,
    conditional_probability,
    emotion_adjacency,
    read_glove,
    spearman_correlation,
)
from fer_lib.graph.adjacency import MODES, SHARED, ordered
from fer_lib.graph.emotion_gcn import GraphHead
from fer_lib.heads.joint import AFFECTS as WAYS
from fer_lib.heads.joint import FUSIONS, PARTS, JointHead, ViewsHead, part_of
from fer_lib.heads.masked import MaskedHead, mask_targets
from fer_lib.losses import (
    CenterLoss,
    IslandLoss,
    SubclassLoss,
    center_local_loss,
    class_weights,
    focal_loss,
    logit_loss,
    pair_contrastive_loss,
    soft_label_loss,
    va_center_loss,
    weighted_cross_entropy,
)
from fer_lib.train.sides import SideTargets

SEPARATE = 128  # units of each task's own layer, where the plan has none; the thesis does not tell
CLASS_LOSSES = ("plain", "weighted", "printed", "focal")
SOFT_LOSSES = {"soft": soft_label_loss, "logit": logit_loss}
METRIC_LOSSES = ("center", "center_local", "island", "subclass", "va_center", "contrastive")
Options = tuple[tuple[str, Any], ...]


@dataclass(frozen=True)
class Graph:
    """The graph of a variant.

    Args:
        tau, p, mode: see ``emotion_adjacency``; p is a number as soon as the graph is made.
        hidden: units of each graph convolution but the last.
        between: add edges between expressions, from the soft labels of ``bins`` x ``bins`` squares.
        bins: for these.
        glove: file of word vectors; "" for one-hot.
    """

    tau: float = 0.1
    p: float | None = None
    mode: str = "paper"
    hidden: tuple[int, ...] = (512,)
    between: bool = False
    bins: int = 10
    glove: str = ""

    def __post_init__(self) -> None:
        _one_of("mode", self.mode, MODES)
        p = SHARED[self.mode] if self.p is None else self.p
        object.__setattr__(self, "p", p)  # a number, so that the key of a kept run tells it
        for name, value in (("tau", self.tau), ("p", p)):
            _holds(name, value, 0 <= value <= 1, "lie in [0, 1]", "The thesis has tau=0.1, p=0.7.")
        _holds("hidden", self.hidden, all(n >= 1 for n in self.hidden), "be units, 1 or more", "Try (512,).")
        _holds("bins", self.bins, self.bins >= 1, "be at least 1", "The thesis tries 5 and 10.")


@dataclass(frozen=True)
class Variant:
    """One way to train a decision layer and what the regime frees below it.

    Args:
        name: shown in tables and figures.
        class_loss: "plain", "weighted" (by ``class_weights``), "printed" (by the misprint) or "focal".
        gamma: of the focal loss.
        parts_loss: the same for the part of the plane, where ``affect`` divides it.
        soft: "soft" or "logit" adds that loss against the soft labels; "" for none.
        soft_weight, bins: its factor, and squares along each axis of the plane.
        affect, fusion: see ``fer_lib.heads.JointHead``; "none" is the expression alone.
        metric: one of `METRIC_LOSSES`; "" for none.
        metric_weight: its lambda.
        metric_options: of that loss, as pairs: ``(("k", 5), ("margin", 0.5))``; for "contrastive" its
            margin, for "va_center" its axes.
        mask: side of the picture of eyes and mouth that is learned beside; 0 for none.
        balance, balance_by: see ``fer_lib.train.Settings``.
        graph: makes it an Emotion-GCN; None for none.

    Raises:
        ValueError: an unknown name, a number out of its range, a loss of parts without parts, or things that
            are not tried together: a graph with fusion, metric or mask; a mask with a second view or soft
            labels.
    """

    name: str
    class_loss: str = "weighted"
    gamma: float = 2.0
    parts_loss: str = "plain"
    soft: str = ""
    soft_weight: float = 0.1
    bins: int = 10
    affect: str = "none"
    fusion: str = "classic"
    metric: str = ""
    metric_weight: float = 0.1
    metric_options: Options = ()
    mask: int = 0
    balance: float = 0.0
    balance_by: str = "class"
    graph: Graph | None = None

    def __post_init__(self) -> None:
        for name, value, known in (
            ("class_loss", self.class_loss, CLASS_LOSSES),
            ("parts_loss", self.parts_loss, CLASS_LOSSES),
            ("soft", self.soft, ("", *SOFT_LOSSES)),
            ("affect", self.affect, WAYS),
            ("fusion", self.fusion, FUSIONS),
            ("metric", self.metric, ("", *METRIC_LOSSES)),
        ):
            _one_of(name, value, known)
        for name, number, least in (
            ("gamma", self.gamma, 0), ("soft_weight", self.soft_weight, 0), ("bins", self.bins, 1),
            ("metric_weight", self.metric_weight, 0), ("mask", self.mask, 0),
        ):  # fmt: skip
            _holds(name, number, number >= least, f"be at least {least}", f"Change it in {self.name!r}.")
        _holds("balance", self.balance, 0 <= self.balance <= 1, "lie in [0, 1]", "0 turns it off.")
        if self.parts_loss != "plain" and self.affect not in PARTS:
            raise ValueError(
                f"parts_loss must be plain unless affect is one of {', '.join(PARTS)}; got "
                f"{self.parts_loss!r} in {self.name!r}. Divide the plane."
            )
        if self.graph is not None and (self.metric or self.mask or self.fusion != "classic"):
            raise ValueError(
                f"graph must be None with a metric loss, a mask or another fusion; got {self.name!r}. Try "
                "one at a time."
            )
        if self.mask and (self.affect != "none" or self.metric or self.soft):
            raise ValueError(
                f"mask must be 0 with affect, soft labels, metric loss; got {self.mask} in {self.name!r}. "
                "Try one at a time."
            )


def sides_of(variant: Variant, faces: SideTargets, train: SideTargets | None = None) -> SideTargets:
    """The targets that a variant needs beside the class: affect, then soft labels or masks.

    Args:
        variant: which.
        faces: whose targets.
        train: the training set, on which soft labels are counted: the classes of other faces have no part in
            their own; None where ``faces`` is that set.
    """
    parts = [faces.sides[:, :2].numpy()]
    if variant.soft:
        told = faces if train is None else train
        labels, va = told.targets().numpy(), told.sides[:, :2].numpy().clip(-1, 1)
        count = len(faces.classes)
        parts.append(soft_labels(labels, va, variant.bins, num_classes=count, at=parts[0].clip(-1, 1)))
    if variant.mask:
        parts = [mask_targets(faces.faces, variant.mask).reshape(len(faces), -1)]
    return SideTargets(faces.faces, np.concatenate(parts, 1))


def build_head(
    variant: Variant, train: SideTargets, feature_shape: tuple[int, int, int], *, embedding: int, pool: str
) -> ViewsHead:
    """Build the decision layer of a variant; everything counted is counted on the training set.

    Args:
        variant: which.
        train: the training set.
        feature_shape: (C, h, w) of the map.
        embedding: units of the dense layer before the classifiers; a graph has none, "separate" layers have
            `SEPARATE` where it is 0.
        pool: "max", "mean" or "flat"; a graph pools by "max".
    """
    classes = train.classes
    shared: dict[str, Any] = {"class_loss": _class_loss(variant, train), "side_loss": _soft_loss(variant)}
    if variant.graph is not None:
        graph = variant.graph
        words = words_of(graph, classes)
        return GraphHead(
            feature_shape, classes, adjacency_of(graph, train), words, hidden=graph.hidden,
            affect=variant.affect, **shared,
        )  # fmt: skip
    if variant.mask:
        return MaskedHead(
            feature_shape, len(classes), side=variant.mask, embedding=embedding, pool=pool, **shared
        )
    if variant.fusion == "separate":
        embedding = embedding or SEPARATE
    head = JointHead(
        feature_shape, len(classes), affect=variant.affect, fusion=variant.fusion, embedding=embedding,
        pool=pool, metric_weight=variant.metric_weight, parts_loss=_parts_loss(variant, train), **shared,
    )  # fmt: skip
    # Centers are drawn last, so that a seed gives the layers the same first weights with and without them.
    head.metric_loss = _metric_loss(variant, train, head.embedding_dim)
    return head


def words_of(graph: Graph, classes: tuple[str, ...]) -> Tensor | None:
    """Word vectors of the nodes, in their order; None for one-hot ones."""
    return read_glove(graph.glove, (*ordered(classes), *AFFECTS)) if graph.glove else None


def adjacency_of(graph: Graph, train: SideTargets) -> np.ndarray:
    """The adjacency matrix of a training set, nodes in the order of ``fer_lib.graph``."""
    labels, va = train.targets().numpy(), train.sides[:, :2].numpy()
    between = None
    if graph.between:
        soft = soft_labels(labels, va.clip(-1, 1), graph.bins, num_classes=len(train.classes))
        places = [train.classes.index(name) for name in ordered(train.classes)]
        between = conditional_probability(soft)[np.ix_(places, places)]
    size = spearman_correlation(labels, va, train.classes)
    return emotion_adjacency(size, tau=graph.tau, p=graph.p, mode=graph.mode, between=between)


def _one_of(name: str, value: str, known: Any) -> None:
    if value not in known:
        raise ValueError(f"{name} must be one of {', '.join(known)}; got {value!r}. Choose one.")


def _holds(name: str, value: Any, good: bool, rule: str, fix: str) -> None:
    if not good:
        raise ValueError(f"{name} must {rule}; got {value}. {fix}")


def _class_loss(variant: Variant, train: SideTargets) -> Any:
    return _loss_of(variant.class_loss, train.targets(), len(train.classes), variant.gamma)


def _parts_loss(variant: Variant, train: SideTargets) -> Any:
    if variant.affect not in PARTS:
        return None
    count = PARTS[variant.affect]
    return _loss_of(variant.parts_loss, part_of(train.sides[:, :2], count), count, variant.gamma)


def _loss_of(name: str, labels: Tensor, count: int, gamma: float) -> Any:
    """One of `CLASS_LOSSES`, weighed by how often each label occurs in training."""
    if name == "plain":
        return weighted_cross_entropy
    if name == "focal":
        return partial(focal_loss, gamma=gamma)
    weights = class_weights(torch.bincount(labels, minlength=count), as_printed=name == "printed")
    return partial(weighted_cross_entropy, weights=weights)


def _soft_loss(variant: Variant) -> Any:
    if not variant.soft:
        return None
    loss, weight = SOFT_LOSSES[variant.soft], variant.soft_weight

    def side(logits: Tensor, targets: Tensor) -> Tensor:
        return weight * loss(logits, targets[:, 3 : 3 + logits.shape[1]])

    return side


class _VACenter(nn.Module):
    """``va_center_loss`` as a metric loss of a decision layer: it asks for the affect."""

    needs_sides = True
    class_va: Tensor

    def __init__(self, class_va: Tensor, **options: Any) -> None:
        super().__init__()
        self.register_buffer("class_va", class_va)
        self.options = options

    def forward(self, embeddings: Tensor, labels: Tensor, targets: Tensor) -> Tensor:
        return va_center_loss(embeddings, labels, targets[:, 1:3], self.class_va, **self.options)


def _metric_loss(variant: Variant, train: SideTargets, embedding: int) -> Any:
    options, count = dict(variant.metric_options), len(train.classes)
    if variant.metric == "center":
        return CenterLoss(count, embedding, **options)
    if variant.metric == "island":
        return IslandLoss(count, embedding, **options)
    if variant.metric == "subclass":
        return SubclassLoss(count, embedding_dim=embedding, **options)
    if variant.metric == "center_local":
        return center_local_loss
    if variant.metric == "va_center":
        members = F.one_hot(train.targets(), count).float()
        means = members.T @ train.sides[:, :2] / members.sum(0)[:, None].clamp_min(1)
        return _VACenter(means, **options)
    if variant.metric == "contrastive":
        return lambda x, labels: sum(pair_contrastive_loss(x, labels, **options))
    return None
