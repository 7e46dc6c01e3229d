"""Which images make up each step, and how they reach the device."""

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from fer_lib.processes import Share

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
        """What the loss compares with, on the device; faces without labels can be predicted all the same.

        A set that has ``training_targets``, see ``fer_lib.train.sides``, gives those.
        """
        targets = getattr(self.faces, "training_targets", self.faces.targets)
        return targets().to(self.where)

    def __len__(self) -> int:
        return len(self.faces)

    def images(
        self, index: Tensor, generator: torch.Generator | None = None, share: Share | None = None
    ) -> Any:
        """What is stored at a CPU index (B,): uint8 images (B, C, H, W), or cached features.

        Args:
            index: of the rows.
            generator: draws one of the stored views of each row; None takes the first.
            share: which rows of a batch these are; None where they are all.
        """
        if generator is not None:
            index = self.rows(index, generator, share)
        if self._kept is None:
            return self._moved(self.faces.batch(index.numpy()))
        index = index.to(self.where, non_blocking=True)
        kept = self._kept
        return tuple(part[index] for part in kept) if isinstance(kept, tuple) else kept[index]

    def rows(self, index: Tensor, generator: torch.Generator, share: Share | None = None) -> Tensor:
        """Rows of what is stored at a CPU index (B,): one of the views of each, see :meth:`images`."""
        if self.views == 1:
            return index
        share = share or Share(len(index))
        view = torch.randint(self.views, (share.whole,), generator=generator)[share.rows]
        return index + len(self) * view

    def targets_of(self, index: Tensor) -> Tensor:
        """Targets of a CPU index (B,)."""
        return self.targets[index.to(self.where, non_blocking=True)]

    def _moved(self, batch: Any) -> Any:
        if isinstance(batch, tuple):
            return tuple(part.to(self.where, non_blocking=True) for part in batch)
        return batch.to(self.where, non_blocking=True)


def _item_bytes(faces: Any) -> int:
    """Bytes of one row."""
    if hasattr(faces, "item_bytes"):
        return faces.item_bytes
    return int(np.prod(faces.pixels.shape[1:]))


def groups_of(faces: Any, by: str = "class") -> Tensor:
    """The group of each image that sampling evens out, integers (N,).

    Args:
        faces: a FaceSet, or a FeatureSet or SideTargets of one.
        by: "class" (of votes the class with most), or a column of the table or of a world's truth, such as
            "age": numbers are put in tens, anything else by its value.

    Raises:
        ValueError: a task without one class an image, no such column, or one that puts all in one group.

    Example:
        >>> from types import SimpleNamespace
        >>> import pandas as pd
        >>> groups_of(SimpleNamespace(table=pd.DataFrame({"age": [8.0, 31.0, 39.9]}), truth=None), "age")
        tensor([0, 1, 1])
    """
    if by == "class":
        if faces.task not in ("categorical", "distribution"):
            raise ValueError(
                f"balance must be 0 for the task {faces.task!r}, or balance_by a column; it needs classes."
            )
        targets = faces.targets().cpu()
        return targets.argmax(1) if targets.ndim == 2 else targets
    while hasattr(faces, "faces"):
        faces = faces.faces
    for table in (faces.table, faces.truth):
        if table is not None and by in table:
            column = table[by].to_numpy()
            values = np.floor(column / 10) if np.issubdtype(column.dtype, np.number) else column.astype(str)
            names, number = np.unique(values, return_inverse=True)
            if len(names) < 2:
                raise ValueError(
                    f"balance_by must name a column that makes two groups or more; got {by!r}, which makes "
                    f"one of {faces.name}. Numbers are put in tens: write kinds as text."
                )
            return torch.from_numpy(number.astype(np.int64))
    raise ValueError(
        f'balance_by must be "class" or a column of the table or the truth; got {by!r}, which '
        f"{faces.name} lacks. Add the column."
    )


def epoch_order(groups: Tensor, *, balance: float, generator: torch.Generator) -> Tensor:
    """Indices of the images of one epoch, in the order of their use, (N,) on the CPU.

    Args:
        groups: of each image, integers (N,), see :func:`groups_of`.
        balance: 0 takes every image once; else images are drawn with weights count^-balance of their group.
        generator: draws.
    """
    if not balance:
        return torch.randperm(len(groups), generator=generator)
    weights = torch.bincount(groups)[groups].double() ** -balance
    return torch.multinomial(weights, len(groups), replacement=True, generator=generator)


def steps_of(order: Tensor, batch_size: int, *, rank: int = 0, processes: int = 1) -> Iterator[Tensor]:
    """Cut an order into batches, and each batch among the processes.

    A batch of a single image is left out, for BatchNorm and the CCC need two; so is one that has not an image
    for each process.
    """
    for batch in order.split(batch_size):
        if len(batch) >= max(2, processes):
            yield batch[rank::processes]


def count_steps(images: int, batch_size: int, processes: int = 1) -> int:
    """Number of batches that :func:`steps_of` gives.

    Example:
        >>> count_steps(129, 64), count_steps(130, 64)
        (2, 3)
    """
    full, rest = divmod(images, batch_size)
    least = max(2, processes)
    return full * (batch_size >= least) + (rest >= least)
