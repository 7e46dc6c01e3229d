"""Metric losses, forward and backward at a batch of 512 and 1,024 features, against their published forms.

``make bench`` or ``python -m bench metric_losses``. Both sides give the same loss and gradient of the
features, which is checked. Of the losses with learned centers ours also moves the centers by Wen's rule; the
other side has them as parameters, whose gradient it computes instead.

Ratios on one thread of a busy machine, least and greatest of five runs: center 2.5 to 3.4, center local 2.9
to 10, va center 2.5 to 3.4, island 3.2 to 6.0, Euclidean island 2.5 to 3.2, subclass 4.0 to 8.2 against a
tensor of all own centers and 1.5 against masked distances, pairs 1.2 to 1.4.
"""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor
from torch.nn import functional as F

from bench._clock import rates
from fer_lib.losses import (
    CenterLoss,
    IslandLoss,
    SubclassLoss,
    center_local_loss,
    pair_contrastive_loss,
    va_center_loss,
)

BATCH, WIDTH, CLASSES, MANY = 512, 1024, 7, 5
ROUNDS = 20
Loss = Callable[[Tensor], Tensor]


def masked_distances(centers: Tensor, labels: Tensor) -> Loss:
    """Center loss as it is commonly published: distances of all faces to all centers, and a mask."""

    def loss(x: Tensor) -> Tensor:
        squares = x.pow(2).sum(1, keepdim=True).expand(BATCH, CLASSES)
        squares = squares + centers.pow(2).sum(1)
        squares = torch.addmm(squares, x, centers.T, alpha=-2)
        mask = labels[:, None] == torch.arange(CLASSES)
        return (squares * mask).sum() / 2 / BATCH

    return loss


def class_by_class(labels: Tensor, weights: Tensor | None = None) -> Loss:
    """Local center loss as it is printed: class after class."""

    def loss(x: Tensor) -> Tensor:
        total = x.new_zeros(())
        for k in range(CLASSES):
            mine = x[labels == k]
            squares = (mine - mine.mean(0)).pow(2).sum(1)
            total = total + (squares if weights is None else weights[labels == k] * squares).sum()
        return total / 2 / BATCH

    return loss


def with_islands(centers: Tensor, labels: Tensor, margin: float | None) -> Loss:
    """The same with the pairwise term, as a matrix of cosines or distances."""
    first = masked_distances(centers, labels)
    others = ~torch.eye(CLASSES, dtype=torch.bool)

    def loss(x: Tensor) -> Tensor:
        if margin is None:
            pairs = F.cosine_similarity(centers[:, None], centers, dim=2)[others] + 1
        else:
            apart = (centers[:, None] - centers)[others].norm(dim=1)
            pairs = (margin - apart).clamp_min(0).pow(2)
        return first(x) + pairs.sum() / BATCH

    return loss


def nearest_of_own(centers: Tensor, labels: Tensor) -> Loss:
    """Subclass loss: distances to all centers of the face's class, and the least."""
    groups = centers.unflatten(0, (CLASSES, MANY))

    def loss(x: Tensor) -> Tensor:
        squares = (x[:, None] - groups[labels]).pow(2).sum(2)
        return squares.min(1).values.sum() / 2 / BATCH

    return loss


def nearest_of_all(centers: Tensor, labels: Tensor) -> Loss:
    """The same by distances of all faces to all centers, and a mask over other classes."""
    others = torch.arange(CLASSES).repeat_interleave(MANY) != labels[:, None]

    def loss(x: Tensor) -> Tensor:
        squares = x.pow(2).sum(1, keepdim=True) + centers.pow(2).sum(1)
        squares = torch.addmm(squares, x, centers.T, alpha=-2)
        return squares.masked_fill(others, torch.inf).min(1).values.sum() / 2 / BATCH

    return loss


def all_pairs(labels: Tensor, margin: float) -> Loss:
    """Contrastive loss on a matrix of distances."""
    alike = labels[:, None] == labels
    upper = torch.ones(BATCH, BATCH, dtype=torch.bool).triu(1)
    near, far = (alike & upper).sum(), (~alike & upper).sum()

    def loss(x: Tensor) -> Tensor:
        apart = torch.cdist(x, x)
        positive = (apart.pow(2) * (alike & upper)).sum() / 2 / near
        negative = ((margin - apart).clamp_min(0).pow(2) * (~alike & upper)).sum() / 2 / far
        return positive + negative

    return loss


def run() -> Iterator[dict]:
    """One line a loss."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(BATCH, WIDTH, generator=generator)
    labels = torch.randint(0, CLASSES, (BATCH,), generator=generator)
    va = torch.rand(BATCH, 2, generator=generator) * 2 - 1
    class_va = torch.rand(CLASSES, 2, generator=generator) - 0.5
    weights = (8**0.5 - (va - class_va[labels]).norm(dim=1)).square() / 4
    margin = 1.05 * torch.cdist(x, x).mean().item()  # some pairs of different classes are nearer, some not

    modules: list[torch.nn.Module] = []

    def learned(loss, other: Callable[..., Loss], *more) -> tuple[Loss, Loss]:
        modules.append(loss.eval())
        centers = loss.centers.clone().requires_grad_(True)
        return lambda z: loss(z, labels), other(centers, labels, *more)

    cases: dict[str, tuple[Loss, Loss, str]] = {
        "center": (*learned(CenterLoss(CLASSES, WIDTH), masked_distances), "masked distances"),
        "center local": (lambda z: center_local_loss(z, labels), class_by_class(labels), "class by class"),
        "va center": (
            lambda z: va_center_loss(z, labels, va, class_va),
            class_by_class(labels, weights),
            "class by class",
        ),
        "island": (*learned(IslandLoss(CLASSES, WIDTH), with_islands, None), "matrix of cosines"),
        "Euclidean island": (
            *learned(IslandLoss(CLASSES, WIDTH, euclidean=True, margin=2.0), with_islands, 2.0),
            "matrix of distances",
        ),
        "subclass, k=5": (
            *learned(SubclassLoss(CLASSES, MANY, WIDTH), nearest_of_own),
            "all own centers",
        ),
        "subclass, k=5, masked": (
            *learned(SubclassLoss(CLASSES, MANY, WIDTH), nearest_of_all),
            "masked distances",
        ),
        "pair contrastive": (
            lambda z: sum(pair_contrastive_loss(z, labels, margin=margin)),  # type: ignore[return-value,arg-type]
            all_pairs(labels, margin),
            "cdist of all pairs",
        ),
    }
    for ours, theirs, _ in cases.values():
        _same(ours, theirs, x)
    for module in modules:
        module.train()  # from here on the centers move
    for name, (ours, theirs, named) in cases.items():
        fast, slow = rates(_repeated(ours, x), _repeated(theirs, x))
        yield {"what": f"{name} loss (batches)", "ours": fast, "alternative": slow, "named": named}


def _same(ours: Loss, theirs: Loss, x: Tensor) -> None:
    found = []
    for loss in (ours, theirs):
        z = x.clone().requires_grad_(True)
        value = loss(z)
        value.backward()
        found.append((value.detach(), z.grad))
    torch.testing.assert_close(found[0], found[1], rtol=1e-3, atol=1e-5)


def _repeated(loss: Loss, x: Tensor) -> Callable[[], int]:
    def work() -> int:
        for _ in range(ROUNDS):
            loss(x.detach().requires_grad_(True)).backward()
        return ROUNDS

    return work
