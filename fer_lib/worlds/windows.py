"""Windows: the part of each picture that holds some features, so that they are painted only there.

Every picture of a batch has its own place and all windows have one size, so the work stays vectorised.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Window:
    """Places of a (B,h,w) window in (B,H,W) fields: ``index`` (B,h*w) into the flattened picture."""

    index: Tensor
    height: int
    width: int

    def take(self, field: Tensor) -> Tensor:
        """(B,H,W) or (B,C,H,W) -> the same with the window's height and width."""
        flat = field.flatten(-2)
        index = self.index if field.dim() == 3 else self.index[:, None].expand(-1, field.shape[1], -1)
        return flat.gather(-1, index).unflatten(-1, (self.height, self.width))

    def put(self, field: Tensor, patch: Tensor) -> Tensor:
        """A copy of ``field`` with ``patch`` in the window's place."""
        index = self.index if field.dim() == 3 else self.index[:, None].expand(-1, field.shape[1], -1)
        return field.flatten(-2).scatter(-1, index, patch.flatten(-2)).view_as(field)


def window_around(points: Tensor, margin: Tensor, size: int) -> Window:
    """The smallest windows of one size that hold each picture's points and a margin around them.

    Args:
        points: (B,P,2) pixels, x then y.
        margin: (B,) pixels.
        size: side of the pictures.

    >>> window = window_around(torch.tensor([[[10.0, 20.0], [14.0, 22.0]]]), torch.tensor([2.0]), 64)
    >>> window.height, window.width
    (7, 9)
    """
    low = (points.amin(1) - margin[:, None]).floor()
    high = (points.amax(1) + margin[:, None]).ceil()
    width, height = (min(size, math.ceil(float(extent)) + 1) for extent in (high - low).amax(0))
    left = low[:, 0].clamp(0, size - width).long()
    top = low[:, 1].clamp(0, size - height).long()
    rows = top[:, None] + torch.arange(height, device=points.device)
    columns = left[:, None] + torch.arange(width, device=points.device)
    index = rows[:, :, None] * size + columns[:, None, :]
    return Window(index.flatten(1), height, width)
