"""A training for two tasks from inside: which loss pulls how hard, and which mask a face is given."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from torch import Tensor

from fer_lib.heads import FaceModel
from fer_lib.heads.joint import ViewsHead, affect_loss, labels_of
from fer_lib.heads.masked import mask_targets
from fer_lib.train.batches import DeviceFaces
from fer_lib.train.device import device
from fer_lib.trials.runs import trained, untrained
from fer_lib.trials.setups import Setup
from fer_lib.trials.variants import Variant

if TYPE_CHECKING:
    import pandas as pd


def pulls(
    variants: Mapping[str, Variant], setup: Setup, seeds: Sequence[int], *, batches: int = 8
) -> "pd.DataFrame":
    """Compare the gradients of the two losses on the map that both tasks read, batch by batch.

    Args:
        variants: name to a training with a second view.
        setup: see ``fer_lib.trials.usual``.
        seeds: of the trainings.
        batches: of the plan's size, the first of the training faces.

    Returns:
        A row a name, seed and moment ("start" before, "end" after the training): ratio, the norm of the
        affect's gradient over that of the expression's, and the cosine between the two; means over batches.

    Raises:
        ValueError: a variant without a second view.
    """
    import pandas as pd

    lines = []
    for name, variant in variants.items():
        if variant.affect == "none":
            raise ValueError(f"variants must have a second view; {name!r} has none. Choose an affect.")
        for seed in seeds:
            for moment, model in (
                ("start", _new(variant, seed, setup)),
                ("end", _trained(variant, seed, setup)),
            ):
                ratio, cosine = _two_pulls(model, setup, batches)
                lines.append((name, seed, moment, ratio, cosine))
    return pd.DataFrame(lines, columns=["name", "seed", "moment", "ratio", "cosine"])


def two_gradients(head: ViewsHead, features: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Gradients of the expression's loss and of the affect's by a map.

    Args:
        head: with a second view.
        features: the map, (B, C, h, w).
        targets: (B, 1 + E), class, valence and arousal first.

    Returns:
        Two tensors of the map's shape; the affect's holds its factor ``affect_weight``.
    """
    features = features.detach().requires_grad_(True)
    outputs = head(features).float()
    own = head.class_loss(outputs[:, : head.classes], labels_of(targets))
    affect = affect_loss(head.affect, outputs[:, head.classes :], targets, head.parts_loss)
    (first,) = torch.autograd.grad(own, features, retain_graph=True)
    (second,) = torch.autograd.grad(head.affect_weight * affect, features)
    return first, second


def masks_seen(variant: Variant, setup: Setup, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Train with masks of eyes and mouth, and predict those of the reported faces.

    Args:
        variant: with a mask.
        setup: see ``fer_lib.trials.usual``.
        seed: of the training.

    Returns:
        Probabilities and targets, both (N, side, side).

    Raises:
        ValueError: a variant without a mask.
    """
    if not variant.mask:
        raise ValueError(f"variant must have a mask; {variant.name!r} has none. Give mask=16.")
    model: Any = _trained(variant, seed, setup)
    faces: Any = setup.parts.test
    batches, found = DeviceFaces(faces, device()), []
    with torch.no_grad():
        for index in torch.arange(len(faces)).split(256):
            outputs = model.head(_map_of(model, batches.images(index)))
            found.append(model.head.predict_mask(outputs).cpu())
    return torch.cat(found).numpy(), mask_targets(faces.faces, variant.mask)


def has_landmarks(faces: Any) -> bool:
    """Whether a corpus tells where eyes and mouth are on every face."""
    try:
        mask_targets(faces, 4)
    except ValueError:
        return False
    return True


def beyond_average(pred: Any, target: Any, average: Any) -> float:
    """Share of what an average mask leaves unexplained that predicted masks explain, at most 1.

    Args:
        pred, target: masks, (N, side, side).
        average: (side, side), of other faces.

    Example:
        >>> beyond_average([[[1.0, 0.5]]], [[[1.0, 0.0]]], [[0.5, 0.5]])
        0.5
    """
    pred, target, average = (np.asarray(one, float) for one in (pred, target, average))
    return float(1 - ((pred - target) ** 2).sum() / ((average - target) ** 2).sum())


def overlap(pred: Any, target: Any) -> float:
    """Intersection over union of two masks, cut at one half, over all faces together.

    Example:
        >>> overlap([[0.9, 0.8, 0.1]], [[1.0, 0.0, 0.0]])
        0.5
    """
    first, second = np.asarray(pred) > 0.5, np.asarray(target) > 0.5
    return float((first & second).sum() / max((first | second).sum(), 1))


def _new(variant: Variant, seed: int, setup: Setup) -> FaceModel:
    """The model of a training before its first step."""
    return untrained(variant, seed, setup.plan, setup.parts, setup.encoder).eval().to(device())


def _trained(variant: Variant, seed: int, setup: Setup) -> FaceModel:
    return trained(variant, seed, setup.plan, setup.parts, setup.encoder).to(device())


def _two_pulls(model: FaceModel, setup: Setup, batches: int) -> tuple[float, float]:
    faces, size = cast(Any, setup.parts.train), setup.plan.settings.batch_size
    images, told = DeviceFaces(faces, device()), faces.training_targets().to(device())
    ratios, cosines = [], []
    for index in torch.arange(min(len(faces), batches * size)).split(size):
        if len(index) < 2:
            continue
        with torch.no_grad():
            features = _map_of(model, images.images(index))
        first, second = (g.flatten() for g in two_gradients(model.head, features, told[index]))
        ratios.append((second.norm() / first.norm()).item())
        cosines.append(torch.nn.functional.cosine_similarity(first, second, dim=0).item())
    return float(np.mean(ratios)), float(np.mean(cosines))


def _map_of(model: FaceModel, images: Tensor) -> Tensor:
    features: Tensor = model.features(model.prepare(images))
    return features
