"""Light on skin: lamps, the surroundings, a soft shine, and the red edge that light leaves inside skin."""

from dataclasses import dataclass

import torch
from torch import Tensor

from fer_lib.worlds.geometry import Pose, field

WRAP = (0.26, 0.17, 0.13)  # how far light creeps round into the shadow, for red, green, blue
Vector = tuple[Tensor, Tensor, Tensor]


@dataclass(frozen=True)
class Light:
    """Direction to the key light (B,3) of length 1, its colour (B,3) and the surroundings' (B,3).

    A second lamp has its own direction and colour (B,3), zeros for pictures with one lamp only.
    """

    direction: Tensor
    key: Tensor
    ambient: Tensor
    second_direction: Tensor | None = None
    second: Tensor | None = None


def to_face(pose: Pose, direction: Tensor) -> Vector:
    """A direction (B,3) as the camera has it -> as the turned head has it, three (B,1,1)."""
    x, y, z = (field(direction[:, k]) for k in range(3))
    c, s = torch.cos(field(pose.roll)), torch.sin(field(pose.roll))
    x, y = c * x + s * y, c * y - s * x
    c, s = torch.cos(field(pose.pitch)), torch.sin(field(pose.pitch))
    y, z = c * y + s * z, c * z - s * y
    c, s = torch.cos(field(pose.yaw)), torch.sin(field(pose.yaw))
    return c * x - s * z, y, c * z + s * x


def dot(a: Vector, b: Vector) -> Tensor:
    """The inner product of two fields of vectors."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def irradiance(colour: Tensor, normal: Vector, direction: Vector, reach: Tensor) -> Tensor:
    """Light (B,3,h,w) of one lamp on skin; ``reach`` (B,h,w) is the share that nothing blocks."""
    facing = dot(normal, direction)
    out = [
        ((facing + wrap) * (1 / (1 + wrap))).clamp_min(0) * reach * field(colour[:, k])
        for k, wrap in enumerate(WRAP)
    ]
    return torch.stack(out, 1)


def shine(colour: Tensor, normal: Vector, direction: Vector, view: Vector) -> Tensor:
    """A lamp's mirror image on skin (B,h,w): a broad lobe, and a narrow one where skin is oily."""
    half = (direction[0] + view[0], direction[1] + view[1], direction[2] + view[2])
    mirrored = (dot(normal, half) * torch.rsqrt(dot(half, half) + 1e-6)).clamp_min(0)
    broad = mirrored.square().square().square()
    narrow = broad.square().square()
    return (0.35 * broad + 0.65 * narrow) * field(colour.mean(1))


def brightness(light: Light, nx: Tensor, ny: Tensor, nz: Tensor) -> Tensor:
    """Plain grey light on a matte surface (B,H,W): for hair, cloth and neck."""
    lx, ly, lz = (field(light.direction[:, k]) for k in range(3))
    lit = ((nx * lx + ny * ly + nz * lz + 0.3) / 1.3).clamp_min(0)
    return field(light.key.mean(1)) * lit + field(light.ambient.mean(1)) * (0.78 - 0.22 * ny)
