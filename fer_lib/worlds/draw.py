"""Small drawing operations on batches of pixel fields: coverage, soft bumps, painting, tileable noise."""

import functools

import torch
from torch import Tensor
from torch.nn import functional as F


def cover(distance: Tensor, width: Tensor | float) -> Tensor:
    """How much of a pixel a shape covers, from the signed distance to its edge (negative inside).

    >>> cover(torch.tensor([-1.0, 0.0, 1.0]), 0.5).tolist()
    [1.0, 0.5, 0.0]
    """
    return (0.5 - distance / width).clamp(0, 1)


def ramp(value: Tensor, low: Tensor | float, high: Tensor | float) -> Tensor:
    """A smooth step: 0 where ``value`` is at ``low``, 1 at ``high`` (which may be the lower one)."""
    t = ((value - low) / (high - low)).clamp(0, 1)
    return t * t * (3 - 2 * t)


def bump(dx: Tensor, dy: Tensor, width: Tensor | float, height: Tensor | float) -> Tensor:
    """A Gaussian hill of height 1 at (0, 0)."""
    return gauss((dx / width) ** 2 + (dy / height) ** 2)


def gauss(squared: Tensor) -> Tensor:
    """exp(-squared); cut where it vanishes, because one that underflows takes ten times as long."""
    return squared.clamp(max=60.0).neg_().exp_()


def ellipse(dx: Tensor, dy: Tensor, a: Tensor | float, b: Tensor | float) -> Tensor:
    """Approximate signed distance to an ellipse with half axes ``a`` and ``b``: f / |gradient of f|."""
    p, q = dx / a, dy / b
    gradient = torch.sqrt((p / a) ** 2 + (q / b) ** 2 + 1e-8)
    return (p * p + q * q - 1) / (2 * gradient)


def paint(image: Tensor, mask: Tensor, colour: Tensor) -> Tensor:
    """Blend ``colour`` (B,3,...) into ``image`` (B,3,H,W) where ``mask`` (B,H,W) is 1."""
    return torch.lerp(image, colour.expand_as(image), mask.unsqueeze(1))


def tint(image: Tensor, mask: Tensor, factor: tuple[float, float, float]) -> Tensor:
    """Multiply the three colours by ``factor`` where ``mask`` (B,H,W) is 1, less where it is less."""
    change = torch.tensor(factor, dtype=image.dtype, device=image.device)[None, :, None, None] - 1
    return image * (1 + mask.unsqueeze(1) * change)


@functools.lru_cache(maxsize=4)
def noise_texture(device: torch.device, side: int = 128) -> Tensor:
    """A tileable texture (1, 3, side+1, side+1) with values near 0-1: white, medium and broad noise."""
    generator = torch.Generator().manual_seed(20260101)
    channels = []
    for cells in (side, side // 4, side // 16):
        coarse = torch.rand(1, 1, cells, cells, generator=generator)
        padded = F.pad(coarse, (2, 2, 2, 2), mode="circular")
        scale = side // cells
        fine = F.interpolate(padded, scale_factor=scale, mode="bicubic", align_corners=False)
        fine = fine[..., 2 * scale : 2 * scale + side, 2 * scale : 2 * scale + side]
        channels.append((fine - fine.mean()) / fine.std() * 0.25 + 0.5)
    texture = F.pad(torch.cat(channels, 1), (0, 1, 0, 1), mode="circular")
    return texture.to(device)


def noise(u: Tensor, v: Tensor) -> Tensor:
    """Look the noise texture up at (u, v), one tile a unit: (B,H,W) -> (3,B,H,W), mean 0.5, spread 0.25."""
    grid = torch.stack([u - u.floor(), v - v.floor()], -1).mul_(2).sub_(1)
    b, h, w = u.shape
    found = F.grid_sample(noise_texture(u.device), grid.view(1, b * h, w, 2), align_corners=True)
    return found.view(3, b, h, w)
