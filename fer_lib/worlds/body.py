"""Ears, neck, and shoulders in their clothes."""

from dataclasses import dataclass

import torch
from torch import Tensor

from fer_lib.worlds.draw import bump, cover, ellipse, noise, paint, ramp
from fer_lib.worlds.geometry import Frame, Pose, field
from fer_lib.worlds.light import Light, brightness
from fer_lib.worlds.people import People
from fer_lib.worlds.scene import Scene


@dataclass(frozen=True)
class Ears:
    """Both ears, in the rows that may show them: colour, and coverage of the near and of the far one."""

    rows: slice
    tone: Tensor
    near: Tensor
    far: Tensor

    def paint(self, colour: Tensor, mask: Tensor) -> Tensor:
        """The picture with one of the masks painted in."""
        painted = paint(colour[:, :, self.rows], mask, self.tone)
        return torch.cat([colour[:, :, : self.rows.start], painted, colour[:, :, self.rows.stop :]], 2)


def ears(people: People, frame: Frame, pose: Pose, light: Light, *, shown: Tensor) -> Ears:
    """Shape the ears: the far one goes behind the head, the near one over it; ``shown`` is 0 under hair."""
    rows = slice(rows_below(frame, -0.45), frame.x.shape[1] - rows_above(frame, 0.65))
    x, y = frame.view_x[:, rows], frame.view_y[:, rows]
    turn = torch.sin(field(pose.yaw))
    side = (x >= 0).to(x.dtype) * 2 - 1
    is_near = ((side * turn) < 0).to(x.dtype)
    size = field(people["ear"])
    dx = x.abs() - field(people["width"]) * 0.985 * torch.cos(field(pose.yaw)) - 0.035
    dy = y - 0.10 + 0.30 * torch.sin(field(pose.pitch)) + 0.2 * dx
    wide, tall = (0.070 + 0.10 * turn.abs() * is_near) * size, 0.170 * size
    mask = cover(ellipse(dx, dy, wide, tall), frame.pixel) * shown
    across, down = dx / wide, dy / tall
    rim = ramp(across * across + down * down, 0.30, 0.85)
    bowl = bump(across + 0.25, down + 0.10, 0.42, 0.50)
    lit = brightness(light, 0.75 * side, 0 * dx, 0.62 + 0 * dx) * (0.60 + 0.32 * rim - 0.30 * bowl)
    skin = people["skin"] * people["skin"].new_tensor([1.0, 0.90, 0.88])
    return Ears(rows, skin[:, :, None, None] * lit.unsqueeze(1), mask * is_near, mask * (1 - is_near))


def rows_below(frame: Frame, height: float) -> int:
    """The first row of the pictures of which any pixel lies lower than ``height`` in any of them."""
    low = (frame.view_y > height).any(2).any(0)
    return int(low.to(torch.uint8).argmax()) if bool(low.any()) else low.shape[0]


def rows_above(frame: Frame, height: float) -> int:
    """How many rows at the bottom of the pictures lie lower than ``height`` in all of them."""
    return int((frame.view_y > height).all(2).all(0).sum())


def upright(pose: Pose, x: Tensor, y: Tensor) -> Tensor:
    """x (B,H,W) in the picture plane of a body that stays upright while the head tilts on it."""
    return x - 0.75 * torch.tan(field(pose.roll)) * (y - 0.8).clamp_min(0)


def paint_body(
    people: People, frame: Frame, pose: Pose, light: Light, scene: Scene, colour: Tensor
) -> tuple[Tensor, Tensor]:
    """Shoulders and clothes: shirt, open collar, suit with a tie, roll-neck. Returns also their coverage."""
    mask = torch.zeros_like(frame.x)
    first = rows_below(frame, 0.85)
    if first == mask.shape[1]:
        return colour, mask
    y = frame.view_y[:, first:]
    x = upright(pose, frame.view_x[:, first:], y)
    ax = x.abs()
    roll_neck = field((scene.attire[:, 0] < 0.08).to(x.dtype))
    edge = 1.26 + 0.16 * ax * ax + 0.12 * (ax - 0.35).clamp_min(0) - 0.05 * field(people["male"])
    neckline = edge + ramp(ax, 0.45, 0.0) * (0.16 - 0.30 * roll_neck)
    mask[:, first:] = cover(neckline - y, 2 * frame.pixel)
    folds = noise(x * 0.35 + field(people["texture"]), y * 0.25)
    nx = (x * 0.5).clamp(-0.9, 0.9)
    lit = brightness(light, nx, torch.full_like(x, -0.25), torch.sqrt(0.94 - 0.9 * nx * nx))
    lit = lit * (1 + 0.5 * (folds[2] - 0.5) + 0.35 * (folds[1] - 0.5))
    lit = lit * (0.5 + 0.5 * ramp(y - edge, 0.0, 0.25))
    clothes = _clothes(scene, x, y - edge, lit, mask[:, first:], colour[:, :, first:])
    return torch.cat([colour[:, :, :first], clothes], 2), mask


def _clothes(scene: Scene, x: Tensor, down: Tensor, lit: Tensor, mask: Tensor, colour: Tensor) -> Tensor:
    """Cloth, and what is at the neck; ``down`` is measured from the shoulders' edge."""
    ax = x.abs()
    kind, second, pattern = (field(scene.attire[:, k]) for k in range(3))
    suit, collar = (kind > 0.72).to(x.dtype), ((kind > 0.45) & (kind <= 0.72)).to(x.dtype)
    stripe = 1 + 0.5 * ((pattern - 0.6) * 2).clamp_min(0) * torch.sin(x * (30 + 60 * second)) * (1 - suit)
    main, bright = scene.cloth[:, :, None, None], lit.unsqueeze(1)
    colour = paint(colour, mask, main * (lit * stripe * (1 - 0.75 * suit)).unsqueeze(1))
    inner = cover(ax - 0.34 + 0.42 * down, 0.03) * mask * suit  # the shirt between a suit's lapels
    shirt = (0.45 + 0.4 * second).unsqueeze(1) * bright
    colour = paint(colour, inner, shirt.expand_as(colour))
    tie = cover(ax - 0.05 - 0.06 * down, 0.02) * cover(-down - 0.08, 0.03) * inner * (pattern > 0.35)
    colour = paint(colour, tie, scene.cloth[:, [2, 0, 1], None, None] * 1.5 * bright)
    leaf = cover((ax - 0.20 - 0.5 * (down + 0.12)).abs() - 0.09, 0.03)
    leaf = leaf * cover(down - 0.20 + 0.3 * ax, 0.03) * cover(-down - 0.16, 0.03) * (collar + suit)
    return paint(colour, leaf, (main * 1.15 * collar.unsqueeze(1) + shirt * suit.unsqueeze(1)) * bright)


def paint_neck(people: People, frame: Frame, pose: Pose, light: Light, colour: Tensor) -> Tensor:
    """The neck, dark under the chin."""
    first = rows_below(frame, 0.4)
    if first == colour.shape[2]:
        return colour
    y = frame.view_y[:, first:]
    x = upright(pose, frame.view_x[:, first:], y)
    chin, male, child = field(people["chin"]), field(people["male"]), field(people["child"])
    half = (
        field(people["width"]) * (0.58 + 0.15 * male) * (1 - 0.15 * child) + 0.30 * ramp(y, 1.05, 1.55) ** 2
    )
    mask = cover(x.abs() - half, 1.5 * frame.pixel) * cover(0.4 - y, frame.pixel)
    mask = mask * cover(y - 1.42 + 0.7 * x * x, 0.1)
    nx = (x / half).clamp(-0.97, 0.97)
    lit = brightness(light, nx, torch.full_like(x, 0.12), torch.sqrt(1 - nx * nx))
    below = ramp(y - 0.45 * x * x, chin - 0.02, chin + 0.40)
    shadow = 0.24 + 0.66 * below * ramp(x.abs(), 1.05 * half, 0.55 * half)
    cords = 1 - 0.10 * cover((x.abs() - 0.30 + 0.35 * (y - 1.0)).abs() - 0.02, 0.08)
    warm = people["skin"].new_tensor([1.04, 0.93, 0.88])  # light that has gone through skin
    tone = (people["skin"] * warm)[:, :, None, None] * (lit * shadow * cords).unsqueeze(1)
    return torch.cat([colour[:, :, :first], paint(colour[:, :, first:], mask, tone)], 2)
