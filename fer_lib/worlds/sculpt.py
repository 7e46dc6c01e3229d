"""Sculpting with strokes: sums of upright Gaussian hills and valleys, laid on a canvas of face coordinates.

Gaussians separate into a factor of x and a factor of y, so hundreds of strokes with places of their own for
every face cost one product of matrices; the canvas is then looked up at each pixel of the picture.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from fer_lib.worlds.draw import gauss

REACH_X = 0.78  # the canvas spans x from -REACH_X to REACH_X,
TOP_Y, LOW_Y = -1.04, 1.36  # and y between these: a face with its mouth wide open

Value = Tensor | float


@dataclass(frozen=True)
class Canvas:
    """A grid over the face: ``x`` (w,), ``y`` (h,) and the distance of its points along each."""

    x: Tensor
    y: Tensor

    @property
    def steps(self) -> tuple[float, float]:
        """Distance of neighbouring points along x and along y."""
        return 2 * REACH_X / (len(self.x) - 1), (LOW_Y - TOP_Y) / (len(self.y) - 1)


def canvas_for(size: int, device: torch.device, *, coarse: int = 1) -> Canvas:
    """About as fine as a picture of ``size`` pixels that the face fills; ``coarse`` times fewer points."""
    width, height = max(24, round(0.80 * size / coarse)), max(36, round(1.24 * size / coarse))
    return Canvas(
        torch.linspace(-REACH_X, REACH_X, width, device=device),
        torch.linspace(TOP_Y, LOW_Y, height, device=device),
    )


class Strokes:
    """A list of strokes for each face of a batch, (B,K) in the end.

    Args:
        like: a tensor (B,...) whose batch, type and device the strokes share.
    """

    def __init__(self, like: Tensor) -> None:
        self.like = like
        self.side = torch.tensor([-1.0, 1.0], dtype=like.dtype, device=like.device)[None, :, None]
        self.parts: list[list[Tensor]] = []

    def add(self, amount: Value, x: Value, y: Value, wide: Value, tall: Value) -> None:
        """Strokes on the middle line or anywhere: numbers, (B,1) or (B,K)."""
        values = [torch.as_tensor(v, dtype=self.like.dtype, device=self.like.device) for v in
                  (amount, x, y, wide, tall)]  # fmt: skip
        shape = torch.broadcast_shapes((len(self.like), 1), *(v.shape for v in values))
        self.parts.append([v.expand(shape).flatten(1) for v in values])

    def pair(self, amount: Value, x: Value, y: Value, wide: Value, tall: Value) -> None:
        """Strokes on both sides at +-x: numbers, (B,2), or (B,2,n) for chains of n strokes a side."""
        values = [torch.as_tensor(v, dtype=self.like.dtype, device=self.like.device) for v in
                  (amount, x, y, wide, tall)]  # fmt: skip
        values = [v.unsqueeze(-1) if v.dim() == 2 else v for v in values]
        values[1] = values[1] * self.side
        shape = torch.broadcast_shapes((len(self.like), 2, 1), *(v.shape for v in values))
        self.parts.append([v.expand(shape).flatten(1) for v in values])

    def packed(self) -> list[Tensor]:
        """Amounts, places and widths of all strokes, five (B,K)."""
        return [torch.cat(column, 1) for column in zip(*self.parts, strict=True)]

    def factors(self, canvas: Canvas) -> tuple[Tensor, Tensor, Tensor]:
        """Amounts (B,K), profiles (B,K,w) and (B,K,h); finer strokes than the canvas shows fade."""
        amount, x, y, wide, tall = self.packed()
        step_x, step_y = canvas.steps
        broad = torch.sqrt(wide * wide + (0.55 * step_x) ** 2)
        high = torch.sqrt(tall * tall + (0.55 * step_y) ** 2)
        amount = amount * (wide * tall) / (broad * high)
        across = gauss(((canvas.x - x[:, :, None]) / broad[:, :, None]) ** 2)
        down = gauss(((canvas.y - y[:, :, None]) / high[:, :, None]) ** 2)
        return amount, across, down

    def on(self, canvas: Canvas) -> Tensor:
        """The sum of all strokes on the canvas (B,h,w)."""
        amount, across, down = self.factors(canvas)
        return torch.bmm((down * amount[:, :, None]).transpose(1, 2), across)

    def at(self, x: Tensor, y: Tensor) -> Tensor:
        """The sum of all strokes at points (B,P,1); a few faces at a time, as each meets all strokes."""
        pieces = []
        for some in zip(x.split(64), y.split(64), *(v.split(64) for v in self.packed()), strict=True):
            px, py, amount, x0, y0, wide, tall = (v if k < 2 else v[:, None] for k, v in enumerate(some))
            hills = amount * gauss(((px - x0) / wide) ** 2 + ((py - y0) / tall) ** 2)
            pieces.append(hills.sum(-1, keepdim=True))
        return torch.cat(pieces)


def places(x: Tensor, y: Tensor) -> Tensor:
    """The grid (B,H,W,2) that looks the canvas up at face coordinates (B,H,W)."""
    grid = torch.empty(*x.shape, 2, dtype=x.dtype, device=x.device)
    torch.mul(x, 1 / REACH_X, out=grid[..., 0])
    torch.add(y, -(TOP_Y + LOW_Y) / 2, out=grid[..., 1]).mul_(2 / (LOW_Y - TOP_Y))
    return grid


def look_up(maps: Tensor, grid: Tensor) -> Tensor:
    """Values (B,C,H,W) of maps (B,C,h,w) at ``places``; the edge goes on for ever."""
    return F.grid_sample(maps, grid, mode="bilinear", padding_mode="border", align_corners=True)


def blur(values: Tensor, canvas: Canvas, radius: float) -> Tensor:
    """Gaussian blur of (B,h,w) by ``radius`` in face units, as two products of matrices."""
    down, across = (_smoother(line, radius) for line in (canvas.y, canvas.x))
    return down @ values @ across.T


def _smoother(line: Tensor, radius: float) -> Tensor:
    weights = gauss(((line[:, None] - line[None]) / radius) ** 2)
    return weights / weights.sum(1, keepdim=True)
