"""Which images make up each step, and how they reach the device."""

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

KEPT_BYTES = 2**30  # a set of up to 1 GiB stays on the accelerator, as uint8


class DeviceFaces:
    """A face set whose batches come to the device as uint8, the whole set at once where it fits.

    Args:
        faces: a FaceSet.
        where: the device.
    """

    def __init__(self, faces: Any, where: torch.device) -> None:
        self.faces, self.where = faces, where
        small = len(faces) * int(np.prod(faces.pixels.shape[1:])) <= KEPT_BYTES
        self._kept = faces.batch(np.arange(len(faces))).to(where) if where.type != "cpu" and small else None

    @cached_property
    def targets(self) -> Tensor:
        """The labels, on the device; faces without labels can be predicted all the same."""
        return self.faces.targets().to(self.where)

    def __len__(self) -> int:
        return len(self.faces)

    def images(self, index: Tensor) -> Tensor:
        """uint8 images (B, C, H, W) of a CPU index (B,)."""
        if self._kept is not None:
            return self._kept[index.to(self.where)]
        return self.faces.batch(index.numpy()).to(self.where, non_blocking=True)

    def targets_of(self, index: Tensor) -> Tensor:
        """Targets of a CPU index (B,)."""
        return self.targets[index.to(self.where)]


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
