"""The sculpted face on its canvas: depth, normals, cast shadows, hollows, and the light that falls on it.

All that does not depend on where the camera stands is worked out here once and looked up by the pixels.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from fer_lib.worlds.geometry import Frame, HeadShape, Pose
from fer_lib.worlds.light import Light, dot, irradiance, shine, to_face
from fer_lib.worlds.sculpt import Canvas, Strokes, blur, canvas_for, look_up, places

HIGHEST, LOWEST = 0.26, -0.10  # nothing stands further out of the smooth head, or lies deeper in it
SHADOW_STEPS = (0.045, 0.085, 0.13, 0.19, 0.27)
Vector = tuple[Tensor, Tensor, Tensor]


@dataclass(frozen=True)
class Surface:
    """A batch of sculpted faces.

    Attributes:
        canvas: the grid of all maps.
        height: above the smooth head (B,h,w).
        normal: in face coordinates, three (B,h,w).
        hollow: how open a place is to the surroundings, 1 on an even face, less in hollows (B,h,w).
        depth: z of the skin (B,h,w).
    """

    canvas: Canvas
    height: Tensor
    normal: Vector
    hollow: Tensor
    depth: Tensor


def build(strokes: Strokes, shape: HeadShape, size: int) -> Surface:
    """Lay the strokes on the smooth head."""
    canvas = canvas_for(size, shape.width.device)
    height = strokes.on(canvas)
    y, x = canvas.y[None, :, None], canvas.x[None, None, :]
    straight, rest, slope = shape.section(y.expand(len(height), -1, -1))
    root = torch.sqrt(rest.clamp_min(0.01))
    sine = (x / (straight * root)).clamp(-0.985, 0.985)
    cosine = torch.sqrt(1 - sine * sine)
    half, centre = shape.depth(y, root)
    bend = (-0.28 * slope * straight / (2 * root)).clamp(-1.5, 1.2)
    dx, dy = _slopes(height, canvas)
    nx = 0.86 * sine - cosine * dx
    ny = bend - cosine * dy
    length = torch.rsqrt(nx * nx + ny * ny + cosine * cosine)
    hollow = _openness(height, canvas)
    return Surface(
        canvas, height, (nx * length, ny * length, cosine * length), hollow, centre + half * cosine + height
    )


def _slopes(height: Tensor, canvas: Canvas) -> tuple[Tensor, Tensor]:
    step_x, step_y = canvas.steps
    dx, dy = torch.zeros_like(height), torch.zeros_like(height)
    torch.sub(height[:, :, 2:], height[:, :, :-2], out=dx[:, :, 1:-1]).mul_(0.5 / step_x)
    torch.sub(height[:, 2:], height[:, :-2], out=dy[:, 1:-1]).mul_(0.5 / step_y)
    return dx.clamp_(-2.2, 2.2), dy.clamp_(-2.2, 2.2)


def _openness(height: Tensor, canvas: Canvas) -> Tensor:
    """What lies lower than its neighbourhood sees less of the surroundings; two sizes of neighbourhood."""
    near, far = blur(height, canvas, 0.045), blur(height, canvas, 0.13)
    sunk = 22 * (near - height) + 13 * (far - height)
    return torch.exp(-sunk.clamp(-0.28, 1.8))


def cast_shadow(surface: Surface, direction: Vector) -> Tensor:
    """How much of a lamp reaches each place of the canvas (B,h,w): soft shadows of nose, brows, cheeks."""
    canvas = surface.canvas
    x, y = canvas.x[None, None, :], canvas.y[None, :, None]
    lx, ly, lz = direction
    blocked = torch.zeros_like(surface.depth)
    for step in SHADOW_STEPS:
        grid = places((x + step * lx).expand_as(blocked), (y + step * ly).expand_as(blocked))
        there = look_up(surface.depth.unsqueeze(1), grid).squeeze(1)
        excess = there.sub_(surface.depth).sub_(step * lz).sub_(0.010)
        blocked = torch.maximum(blocked, excess.mul_(0.9 / (0.25 * step + 0.02)))
    return 1 - blur(blocked.clamp(0, 1), canvas, 0.022)


def trace(frame: Frame, pose: Pose, surface: Surface, *, steps: int = 7) -> None:
    """Move the frame's x and y from the smooth head to the sculpted skin that each pixel sees, in place.

    Each line of sight comes from outside and stops at the first place that is as far out as the line;
    so a turned nose hides the cheek behind it.
    """
    along_x, along_y, towards = to_face(
        pose, torch.tensor([[0.0, 0.0, 1.0]]).to(frame.x).expand(len(frame.x), 3)
    )
    along_x, along_y = along_x / towards, along_y / towards
    top = HIGHEST + 0.30 * (along_x.abs() + 0.5 * along_y.abs())  # a slanted line passes more of the face
    stride = (top - LOWEST) / steps
    x0, y0 = frame.x, frame.y
    smooth = look_up((surface.depth - surface.height).unsqueeze(1), places(x0, y0)).squeeze(1)
    maps = surface.depth.unsqueeze(1)
    level, last = LOWEST + torch.zeros_like(x0), torch.full_like(x0, 0.1)
    air = torch.ones_like(x0)
    for k in range(steps + 1):
        h = top - k * stride
        gap = (smooth + h).sub_(look_up(maps, places(x0 + h * along_x, y0 + h * along_y)).squeeze(1))
        hit = (gap <= 0).to(x0.dtype) * air
        share = last / (last - gap).clamp_min(1e-5)
        level = torch.lerp(level, h + (1 - share) * stride, hit)
        air = air - hit
        last = gap.clamp_min(1e-4)
    frame.x, frame.y = x0 + level * along_x, y0 + level * along_y


def illuminate(surface: Surface, light: Light, pose: Pose, gloss: Tensor) -> Tensor:
    """The light on the skin (B,4,h,w): red, green and blue that fall on it, and its mirrored shine.

    Light that enters skin leaves it a little further on, red furthest: shadows have soft, warm edges.
    """
    key = to_face(pose, light.direction)
    view = to_face(pose, torch.tensor([[0.0, 0.0, 1.0]]).to(light.key).expand_as(light.key))
    up = to_face(pose, torch.tensor([[0.0, -1.0, 0.0]]).to(light.key).expand_as(light.key))
    reach = cast_shadow(surface, key)
    lit = irradiance(light.key, surface.normal, key, reach * (0.35 + 0.65 * surface.hollow.clamp(max=1)))
    glint = shine(light.key, surface.normal, key, view) * reach
    if light.second is not None and light.second_direction is not None:
        other = to_face(pose, light.second_direction)
        lit = lit + irradiance(light.second, surface.normal, other, surface.hollow.clamp(max=1))
        glint = glint + shine(light.second, surface.normal, other, view)
    sky = 0.80 + 0.20 * dot(surface.normal, up)
    lit = lit + light.ambient[:, :, None, None] * (sky * surface.hollow).unsqueeze(1)
    soft = torch.stack(
        [blur(lit[:, k], surface.canvas, radius) for k, radius in enumerate((0.016, 0.009, 0.005))], 1
    )
    return torch.cat([soft, (glint * gloss * surface.hollow.clamp(max=1)).unsqueeze(1)], 1)
