"""Which images make up each step, and how they reach the device."""

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

KEPT_BYTES = 2**30  # a set of up to 1 GiB stays on the accelerator, as uint8


class DeviceFaces:
    """A face set whose batches come to the device as they are stored, the whole set at once where it fits.

    Args:
        faces: a FaceSet, a SequenceSet, or a FeatureSet of cached features.
        where: the device.
    """

    def __init__(self, faces: Any, where: torch.device) -> None:
        self.faces, self.where = faces, where
        self.views = getattr(faces, "views", 1)
        rows = len(faces) * self.views
        small = rows * _item_bytes(faces) <= KEPT_BYTES
        self._kept = self._moved(faces.batch(np.arange(rows))) if where.type != "cpu" and small else None

    @cached_property
    def targets(self) -> Tensor:
        """The labels, on the device; faces without labels can be predicted all the same."""
        return self.faces.targets().to(self.where)

    def __len__(self) -> int:
        return len(self.faces)

    def images(self, index: Tensor, generator: torch.Generator | None = None) -> Any:
        """What is stored at a CPU index (B,): uint8 images (B, C, H, W), or cached features.

        Args:
            index: of the rows.
            generator: draws one of the stored views of each row; None takes the first.
        """
        if generator is not None and self.views > 1:
            index = index + len(self) * torch.randint(self.views, index.shape, generator=generator)
        if self._kept is None:
            return self._moved(self.faces.batch(index.numpy()))
        index = index.to(self.where)
        kept = self._kept
        return tuple(part[index] for part in kept) if isinstance(kept, tuple) else kept[index]

    def targets_of(self, index: Tensor) -> Tensor:
        """Targets of a CPU index (B,)."""
        return self.targets[index.to(self.where)]

    def _moved(self, batch: Any) -> Any:
        if isinstance(batch, tuple):
            return tuple(part.to(self.where, non_blocking=True) for part in batch)
        return batch.to(self.where, non_blocking=True)


def _item_bytes(faces: Any) -> int:
    """Bytes of one row."""
    if hasattr(faces, "item_bytes"):
        return faces.item_bytes
    return int(np.prod(faces.pixels.shape[1:]))


def class_weights(targets: Tensor, balance: float) -> Tensor:
    """Weight count^-balance of each image's class.

    Args:
        targets: class numbers (N,), or shares (N, K), whose largest is taken.
        balance: exponent in [0, 1].

    Returns:
        float64 (N,).

    Raises:
        ValueError: the targets are values, which have no classes.

    Example:
        >>> class_weights(torch.tensor([0, 0, 1]), 1.0)
        tensor([0.5000, 0.5000, 1.0000], dtype=torch.float64)
    """
    if targets.ndim == 2:
        targets = targets.argmax(1)
    counts = torch.bincount(targets.cpu())
    return counts[targets.cpu()].double() ** -balance


def epoch_order(targets: Tensor, *, balance: float, task: str, generator: torch.Generator) -> Tensor:
    """Indices of the images of one epoch, in the order of their use, (N,) on the CPU.

    Raises:
        ValueError: ``balance`` above 0 for a task without one class an image.
    """
    if not balance:
        return torch.randperm(len(targets), generator=generator)
    if task not in ("categorical", "distribution"):
        raise ValueError(f"balance must be 0 for the task {task!r}; got {balance}. It needs classes.")
    weights = class_weights(targets, balance)
    return torch.multinomial(weights, len(targets), replacement=True, generator=generator)


def steps_of(order: Tensor, batch_size: int, *, rank: int = 0, processes: int = 1) -> Iterator[Tensor]:
    """Cut an order into batches, and each batch among the processes.

    A batch that leaves a process fewer than two images is left out: BatchNorm and the CCC need two.
    """
    for batch in order.split(batch_size):
        if len(batch) >= 2 * processes:
            yield batch[rank::processes]


def count_steps(images: int, batch_size: int, processes: int = 1) -> int:
    """Number of batches that :func:`steps_of` gives.

    Example:
        >>> count_steps(129, 64), count_steps(130, 64)
        (2, 3)
    """
    full, rest = divmod(images, batch_size)
    return full * (batch_size >= 2 * processes) + (rest >= 2 * processes)
