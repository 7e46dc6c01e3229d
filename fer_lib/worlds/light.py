"""Light on skin: a key light, a sky, a soft shine, and the red edge that light leaves inside skin."""

from dataclasses import dataclass

import torch
from torch import Tensor

from fer_lib.worlds.geometry import field

WRAP = (0.32, 0.18, 0.13)  # how far light creeps round into the shadow, for red, green, blue


@dataclass(frozen=True)
class Light:
    """Direction to the key light (B,3) of length 1, its colour (B,3) and the surroundings' (B,3)."""

    direction: Tensor
    key: Tensor
    ambient: Tensor


def shade(light: Light, normal: tuple[Tensor, Tensor, Tensor], albedo: Tensor, gloss: Tensor) -> Tensor:
    """Linear colour (B,3,H,W) that leaves a surface towards the camera; ``gloss`` (B,H,W) is its shine."""
    nx, ny, nz = normal
    lx, ly, lz = (field(light.direction[:, k]) for k in range(3))
    facing = nx * lx + ny * ly + nz * lz
    sky = 0.78 - 0.22 * ny
    out = []
    for channel, wrap in enumerate(WRAP):
        lit = ((facing + wrap) / (1 + wrap)).clamp_min(0)
        power = field(light.key[:, channel]) * lit + field(light.ambient[:, channel]) * sky
        out.append(albedo[:, channel] * power)
    hx, hy, hz = lx, ly, lz + 1
    scale = torch.rsqrt(hx * hx + hy * hy + hz * hz)
    shine = (nx * hx * scale + ny * hy * scale + nz * hz * scale).clamp_min(0)
    for _ in range(4):  # to the 16th power
        shine = shine * shine
    shine = shine * gloss * 0.10
    return torch.stack([out[c] + shine * field(light.key[:, c]) for c in range(3)], 1)


def brightness(light: Light, nx: Tensor, ny: Tensor, nz: Tensor) -> Tensor:
    """Plain grey light on a matte surface (B,H,W): for hair, cloth and neck."""
    lx, ly, lz = (field(light.direction[:, k]) for k in range(3))
    lit = ((nx * lx + ny * ly + nz * lz + 0.3) / 1.3).clamp_min(0)
    return field(light.key.mean(1)) * lit + field(light.ambient.mean(1)) * (0.78 - 0.22 * ny)
