"""Things in front of a face: a hand at the chin or cheek, a microphone, a cup, a strand of hair.

Hands and things are made of a few capsules (thick line segments), each lit as a round body and throwing a
little shadow on what it covers. Lengths are in face units; a thing is placed at a landmark, moves and tilts
with the head, and is mirrored in half of the pictures.
"""

import functools

import torch
from torch import Tensor

from fer_lib.worlds.draw import cover, paint, ramp
from fer_lib.worlds.geometry import Frame, Pose, field
from fer_lib.worlds.hair import Flow
from fer_lib.worlds.light import Light, brightness
from fer_lib.worlds.people import People
from fer_lib.worlds.scene import OCCLUDERS, Scene

SKIN, DARK, COLOURED, METAL = range(4)
# ends (x, y to x, y), radius, material; y down from the landmark; painted in this order
_FINGERS = tuple(
    (0.22, -0.10 + 0.088 * k, -0.16 + 0.03 * k, -0.14 + 0.092 * k, 0.056, SKIN) for k in range(4)
)
_UP = tuple(
    (0.34 + 0.082 * k, -0.12, 0.29 + 0.088 * k, -0.58 + 0.03 * (k - 1) ** 2, 0.052, SKIN) for k in range(4)
)
_ROUND = tuple((0.24, 0.20 + 0.085 * k, -0.10, 0.19 + 0.085 * k, 0.048, SKIN) for k in range(4))
_GRIP = tuple((0.34 + 0.03 * k, 0.66 + 0.08 * k, 0.06, 0.62 + 0.08 * k, 0.05, SKIN) for k in range(3))
_MUG = ((0.0, 0.26, 0.0, 0.48, 0.205, COLOURED), (-0.13, 0.085, 0.13, 0.085, 0.035, DARK))
_THINGS: dict[str, tuple[int, tuple[tuple[float, ...], ...]]] = {
    "hand at the chin": (
        8,
        ((0.32, 0.25, 0.62, 1.4, 0.19, SKIN), (0.20, 0.06, 0.24, 0.18, 0.20, SKIN), *_FINGERS),
    ),
    "hand at the cheek": (
        8,
        ((0.50, 0.10, 0.72, 1.2, 0.19, SKIN), (0.46, -0.08, 0.50, 0.08, 0.19, SKIN), *_UP),
    ),
    "microphone": (
        57,
        (
            (0.10, 0.30, 0.42, 1.5, 0.075, DARK),
            (0.05, 0.13, 0.075, 0.20, 0.150, METAL),
            (0.07, 0.27, 0.10, 0.34, 0.120, DARK),
            *_GRIP,
        ),
    ),
    "cup": (57, ((0.40, 0.45, 0.66, 1.4, 0.18, SKIN), *_MUG, *_ROUND)),
}
_MOST = max(len(parts) for _, parts in _THINGS.values())


@functools.lru_cache(maxsize=4)
def _tables(device: torch.device) -> tuple[Tensor, Tensor]:
    """By kind of ``OCCLUDERS``: capsules (K,P,6), radius 0 where there is none; and the landmark (K,)."""
    capsules, anchors = torch.zeros(len(OCCLUDERS), _MOST, 6), torch.zeros(len(OCCLUDERS), dtype=torch.long)
    for name, (anchor, parts) in _THINGS.items():
        kind = OCCLUDERS.index(name)
        capsules[kind, : len(parts)], anchors[kind] = torch.tensor(parts), anchor
    return capsules.to(device), anchors.to(device)


def is_thing(kind: Tensor) -> Tensor:
    """Which pictures (B,) show a hand or thing that ``paint_things`` paints."""
    return torch.tensor([name in _THINGS for name in OCCLUDERS], device=kind.device)[kind]


def paint_things(
    people: People, scene: Scene, frame: Frame, pose: Pose, light: Light, points: Tensor, colour: Tensor
) -> Tensor:
    """Paint the hands and things of pictures that all have one."""
    capsules, anchors = _tables(colour.device)
    parts = capsules[scene.occluder]
    anchor = points[torch.arange(len(points), device=points.device), anchors[scene.occluder]]
    x, y = _around(anchor, frame, pose, scene.occluder_place, colour.shape[-1])
    for k in range(_MOST):
        colour = _capsule(parts[:, k], people, scene, light, x, y, frame.pixel, colour)
    return colour


def _around(anchor: Tensor, frame: Frame, pose: Pose, place: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Coordinates in face units round a landmark, tilted with the head and a little more, and mirrored."""
    line = torch.arange(size, device=anchor.device, dtype=anchor.dtype)
    dx = (line[None, None, :] - anchor[:, 0, None, None]) * frame.pixel
    dy = (line[None, :, None] - anchor[:, 1, None, None]) * frame.pixel
    angle = field(pose.roll + (place[:, 2] - 0.5) * 0.5)
    c, s = torch.cos(angle), torch.sin(angle)
    mirror = field((place[:, 0] < 0.5) * 2.0 - 1.0)
    x, y = c * dx + s * dy, c * dy - s * dx
    return x * mirror - 0.05, y - 0.14 * field(place[:, 1]) + 0.02


def _capsule(
    part: Tensor,
    people: People,
    scene: Scene,
    light: Light,
    x: Tensor,
    y: Tensor,
    pixel: Tensor,
    colour: Tensor,
) -> Tensor:
    """One round bar over the picture, with the shadow that it throws on what lies behind."""
    ax, ay, bx, by, radius, material = (field(part[:, k]) for k in range(6))
    ux, uy = bx - ax, by - ay
    along = (((x - ax) * ux + (y - ay) * uy) / (ux * ux + uy * uy + 1e-9)).clamp(0, 1)
    dx, dy = x - ax - along * ux, y - ay - along * uy
    distance = torch.sqrt(dx * dx + dy * dy + 1e-9)
    there = (radius > 0).to(x.dtype)
    r = radius.clamp_min(1e-3)
    shadow = ramp(distance, r + 0.07, r - 0.02) * there
    colour = colour * (1 - 0.40 * shadow).unsqueeze(1)
    nx, ny = (dx / r).clamp(-1, 1), (dy / r).clamp(-1, 1)
    nz = torch.sqrt((1 - nx * nx - ny * ny).clamp_min(0.04))
    mirror = field((scene.occluder_place[:, 0] < 0.5) * 2.0 - 1.0)
    lit = brightness(light, nx * mirror, ny, nz) * (0.45 + 0.55 * nz)
    mesh = 1 + 0.5 * torch.sin(dx * 130) * torch.sin(dy * 130) * (material == METAL) * (pixel < 0.03)
    tone = _materials(people, scene, material) * (lit * mesh).unsqueeze(1)
    return paint(colour, cover(distance - r, torch.maximum(pixel, 0.02 + 0 * pixel)) * there, tone)


def _materials(people: People, scene: Scene, material: Tensor) -> Tensor:
    """Linear colours (B,3,1,1) of one material a picture."""
    seen = (people["skin"].mean(1) / 0.4).clamp(0.15, 1)[:, None]  # as the exposure has it
    skin = people["skin"] * people["skin"].new_tensor([0.95, 0.82, 0.78])
    thing = (0.55 * (1 - scene.occluder_place[:, 1:2]) + scene.cloth[:, [1, 2, 0]]) * seen
    grey = torch.ones_like(skin) * seen
    colours = torch.stack([skin, 0.025 * grey, thing, 0.10 * grey], 1)
    index = material.long().view(-1, 1, 1).expand(-1, 1, 3)
    return colours.gather(1, index)[:, 0, :, None, None]


def has_strand(scene: Scene) -> Tensor:
    """Which pictures (B,) show a strand of hair over the face."""
    return scene.occluder == OCCLUDERS.index("strand of hair")


def strand_mask(scene: Scene, frame: Frame, grain: Flow) -> Tensor:
    """Coverage (B,H,W) of a strand of hair that falls over one eye; 0 in pictures without one."""
    falls = field(has_strand(scene).to(frame.x.dtype))
    side, bend, thick = (field(scene.occluder_place[:, k]) for k in range(3))
    side = (side < 0.5) * 2.0 - 1.0
    down = (frame.y + 0.75) / 1.3
    middle = 0.02 + 0.42 * down.clamp_min(0).sqrt() + 0.08 * (bend - 0.5) * torch.sin(down * 5)
    wide = (0.055 + 0.06 * thick) * (1.1 - 0.7 * down.clamp(0, 1))
    off = (frame.x * side - middle).abs() - wide + 0.10 * grain.lock + 0.10 * grain.strand
    return falls * ramp(off, 0.035, -0.035) * ramp(frame.y, 0.62, 0.40) * 0.92
