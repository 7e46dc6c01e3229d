"""Twin networks: one reads valence, one arousal; each has convolutions and dense layers of its own.

Both are trained in the wild. Then the convolutions stay as they are, and the dense layers alone learn one
person (``fer_lib.sampling.personal``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import prod
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fer_lib.encoders import make_encoder
from fer_lib.heads import FaceModel
from fer_lib.metrics import rmse
from fer_lib.preprocess import prepare
from fer_lib.sampling.many import Descent
from fer_lib.train.batches import DeviceFaces
from fer_lib.train.device import device
from fer_lib.train.randomness import epoch_seed, seeded

DIMENSIONS = ("valence", "arousal")
OPTIMIZERS = ("sgd", "adamw")


class OneValue(nn.Module):
    """Dense layers as AlexNet's, with dropout behind each hidden one; the last gives one number, linearly.

    Args:
        feature_shape: (C, h, w) of the encoder's map, or (D,).
        hidden: units of each hidden layer; AlexNet has (4096, 4096).
        dropout: rate behind each hidden layer, in [0, 1).

    Raises:
        ValueError: a rate out of its range.

    Example:
        >>> head = OneValue((256, 6, 6), hidden=(4096, 4096))
        >>> sum(p.numel() for p in head.parameters())  # of the 61 million of AlexNet
        54538241
    """

    kind = "valence_arousal"

    def __init__(
        self, feature_shape: Sequence[int], *, hidden: Sequence[int] = (4096, 4096), dropout: float = 0.5
    ) -> None:
        super().__init__()
        if not 0 <= dropout < 1:
            raise ValueError(f"dropout must be in [0, 1); got {dropout}. 0 turns it off.")
        sizes = (prod(feature_shape), *hidden)
        layers: list[nn.Module] = [nn.Flatten()]
        for narrow, wide in pairwise(sizes):
            layers += [nn.Linear(narrow, wide), nn.ReLU(), nn.Dropout(dropout)]
        self.layers = nn.Sequential(*layers, nn.Linear(sizes[-1], 1))

    def forward(self, features: Tensor) -> Tensor:
        """Map features (B, ...) to one number each, (B, 1)."""
        return self.layers(features)

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Mean squared error of (B, 1) against (B,) or (B, 1)."""
        return F.mse_loss(outputs.float().flatten(), targets.flatten())

    def predict(self, outputs: Tensor) -> Tensor:
        """The numbers themselves, which may leave [-1, 1]."""
        return outputs.float()


@dataclass(frozen=True)
class Twins:
    """Two networks of one shape that share nothing.

    Args:
        valence: reads valence.
        arousal: reads arousal.
    """

    valence: FaceModel
    arousal: FaceModel

    def of(self, dimension: str) -> FaceModel:
        """The one that reads a dimension of `DIMENSIONS`."""
        if dimension not in DIMENSIONS:
            known = " or ".join(DIMENSIONS)
            raise ValueError(f"dimension must be {known}; got {dimension!r}. Choose one of the two.")
        return self.valence if dimension == "valence" else self.arousal


def make_twins(
    encoder: str, *, hidden: Sequence[int] = (4096, 4096), dropout: float = 0.5, seed: int = 0, **options: Any
) -> Twins:
    """Build untrained twins.

    Args:
        encoder: a key of ``fer_lib.encoders.ENCODERS``.
        hidden, dropout: see :class:`OneValue`.
        seed: of the weights; the two start apart.
        **options: of the encoder, such as ``width=0.25``.
    """
    return Twins(
        *(one_network(encoder, of, hidden=hidden, dropout=dropout, seed=seed, **options) for of in DIMENSIONS)
    )


def one_network(
    encoder: str, dimension: str, *, hidden: Sequence[int], dropout: float, seed: int, **options: Any
) -> FaceModel:
    """Build one untrained twin; see :func:`make_twins`."""
    with seeded(epoch_seed(seed, 0, f"{dimension} weights")):
        trunk = make_encoder(encoder, **options)
        return FaceModel(trunk, OneValue(trunk.feature_shape, hidden=hidden, dropout=dropout))


def learn(
    model: FaceModel,
    faces: Any,
    dimension: str,
    *,
    rows: np.ndarray | None = None,
    descent: Descent,
    seed: int,
    optimizer: str = "sgd",
    watch: Any = None,
) -> list[dict[str, float]]:
    """Train a whole network on pictures: mini-batches, squared error.

    Args:
        model: trained in place, and left in evaluation mode on ``fer_lib.train.device``.
        faces: a FaceSet with valence and arousal.
        dimension: which of the two it learns.
        rows: of the faces; None for all.
        descent: how; its dropout is not used, for the network has its own.
        seed: of order and dropout.
        optimizer: "sgd" with Nesterov momentum, as printed, or "adamw", which small networks need to get away
            from the mean in a few epochs. Its rate falls to 0 along a cosine.
        watch: a FaceSet; the weights of the epoch with the least RMSE on it are kept. None keeps the last.

    Raises:
        ValueError: an unknown dimension or optimizer.

    Returns:
        One record an epoch: epoch, train_loss, and, where it is watched, rmse.
    """
    where, column = device(), DIMENSIONS.index(dimension)
    model.to(where).to(memory_format=torch.channels_last)
    source = DeviceFaces(faces, where)
    index = torch.arange(len(faces)) if rows is None else torch.as_tensor(rows)
    steps = descent.epochs * -(-len(index) // descent.batch_size)
    descending, falling = _optimizer(model, optimizer, descent, steps)
    history: list[dict[str, float]] = []
    best: tuple[float, dict[str, Tensor]] | None = None
    for epoch in range(descent.epochs):
        with seeded(epoch_seed(seed, epoch, f"{dimension} order")):
            loss = _epoch(
                model, source, index[torch.randperm(len(index))], column, descending, falling, descent
            )
        history.append({"epoch": epoch, "train_loss": loss})
        if watch is not None:
            error = float(rmse(read(model, watch), watch.targets()[:, column].numpy()))
            history[-1]["rmse"] = error
            if best is None or error < best[0]:
                best = error, {name: value.clone() for name, value in model.state_dict().items()}
    if best is not None:
        model.load_state_dict(best[1])
    model.eval()
    return history


def _optimizer(model: nn.Module, name: str, descent: Descent, steps: int) -> tuple[Any, Any]:
    if name not in OPTIMIZERS:
        known = " or ".join(OPTIMIZERS)
        raise ValueError(f"optimizer must be {known}; got {name!r}. 'sgd' is as printed.")
    rate, momentum = descent.learning_rate, descent.momentum
    if name == "sgd":
        nesterov = momentum > 0
        return torch.optim.SGD(model.parameters(), lr=rate, momentum=momentum, nesterov=nesterov), None
    adamw = torch.optim.AdamW(model.parameters(), lr=rate)
    return adamw, torch.optim.lr_scheduler.CosineAnnealingLR(adamw, steps)


def _epoch(
    model: FaceModel, source: DeviceFaces, order: Tensor, column: int, optimizer: Any, falling: Any,
    descent: Descent,
) -> float:  # fmt: skip
    model.train()
    total = 0.0
    for part in order.split(descent.batch_size):
        if len(part) < 2 and len(order) > 1:
            continue  # BatchNorm has no spread of one
        optimizer.zero_grad(set_to_none=True)
        images = prepare(source.images(part), model.encoder.input_spec)
        loss = model.loss(model(images), source.targets_of(part)[:, column])
        loss.backward()
        optimizer.step()
        if falling is not None:
            falling.step()
        total += float(loss.detach()) * len(part)
    return total / len(order)


@torch.no_grad()
def read(model: FaceModel, faces: Any, rows: np.ndarray | None = None) -> np.ndarray:
    """What a twin answers, (N,); the network is left in evaluation mode."""
    model.eval()
    source = DeviceFaces(faces, next(model.parameters()).device)
    index = torch.arange(len(faces)) if rows is None else torch.as_tensor(rows)
    spec = model.encoder.input_spec
    answers = [model(prepare(source.images(part), spec)) for part in index.split(128)]
    return torch.cat(answers).float().flatten().cpu().numpy()
