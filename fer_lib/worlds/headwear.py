"""Caps, knitted hats and headscarves."""

import torch
from torch import Tensor

from fer_lib.worlds.draw import cover, noise, paint, ramp
from fer_lib.worlds.geometry import Frame, Pose, field
from fer_lib.worlds.light import Light, brightness
from fer_lib.worlds.people import People
from fer_lib.worlds.scene import HEADWEAR, OCCLUDERS, Scene


def worn(scene: Scene) -> Tensor:
    """Index into ``HEADWEAR`` (B,): what the scene says, or a cap where that is the occluder."""
    return torch.where(scene.occluder == OCCLUDERS.index("cap"), HEADWEAR.index("cap"), scene.headwear)


def is_scarf(scene: Scene) -> Tensor:
    """1 in pictures with a headscarf (B,)."""
    return (worn(scene) == HEADWEAR.index("headscarf")).to(scene.scale.dtype)


def hides_hair(scene: Scene, frame: Frame) -> Tensor:
    """How much of the hair (B,H,W) is covered: all of it by a scarf, what is above the rim by a hat."""
    scarf = field(is_scarf(scene))
    hat = field((worn(scene) > 0).to(frame.x.dtype)) - scarf
    return torch.maximum(
        scarf + 0 * frame.x, hat * ramp(frame.view_y, _rim(scene) + 0.05, _rim(scene) - 0.10)
    )


def _rim(scene: Scene) -> Tensor:
    """The height of a hat's lower edge: a cap in the way sits low on the brows."""
    low = field((scene.occluder == OCCLUDERS.index("cap")).to(scene.scale.dtype))
    return -0.41 + 0.12 * low + 0.06 * (field(scene.attire[:, 1]) - 0.5)


def paint_headwear(
    people: People, scene: Scene, frame: Frame, pose: Pose, light: Light, colour: Tensor
) -> Tensor:
    """Paint over pictures that all show something on the head."""
    kind = field(worn(scene))
    cap, knit, scarf = (
        (kind == HEADWEAR.index(n)).to(frame.x.dtype) for n in ("cap", "knitted hat", "headscarf")
    )
    x, y, pixel = frame.view_x, frame.view_y, frame.pixel
    nod = 0.55 * torch.sin(field(pose.pitch))
    turn = 0.55 * torch.sin(field(pose.yaw))
    thick = 0.07 + 0.04 * knit + 0.02 * scarf
    rim = _rim(scene) + nod - 0.10 * ((x - turn) / 0.6) ** 2 * cap
    tall = field(people["top"]) + thick
    across = (x / (field(people["width"]) + thick)).abs() + 1e-4
    dome = (across.pow(2.8) + ((-y).clamp_min(1e-4) / tall).pow(2.8)).pow(1 / 2.8) - 1
    inside = cover(dome * 0.7, 2 * pixel)
    hat = inside * cover(y - rim, 2 * pixel) * (cap + knit)
    cloth = _cloth(scene, light, frame, rim, knit, cap)
    shade = ramp(y, rim + 0.20, rim) * ramp(dome, 0.0, -0.1) * (cap + knit)
    colour = colour * (1 - (0.35 + 0.25 * cap) * shade).unsqueeze(1)
    colour = paint(colour, hat, cloth)
    colour = paint(colour, _scarf(frame, dome, people) * scarf, cloth)
    return _peak(scene, x - turn, y - rim, pixel, cap, colour, cloth)


def _cloth(scene: Scene, light: Light, frame: Frame, rim: Tensor, knit: Tensor, cap: Tensor) -> Tensor:
    x, y = frame.view_x, frame.view_y
    nx, ny = (x * 1.3).clamp(-0.9, 0.9), (y * 0.8).clamp(-0.7, 0.4)
    lit = brightness(light, nx, ny, torch.sqrt((1 - 0.9 * nx * nx - 0.9 * ny * ny).clamp_min(0.1)))
    folds = noise(x * 0.4 + field(scene.attire[:, 2]) * 9, y * 0.16 - 0.35 * x.abs())
    lit = lit * (1 + 0.5 * (folds[2] - 0.5) + (0.5 - 0.35 * cap) * (folds[1] - 0.5))
    ribs = 1 + 0.22 * knit * torch.sin(x * 75) * ramp(y, rim - 0.22, rim - 0.18)
    colour = 0.85 * scene.cloth[:, [1, 2, 0]] + 0.25 * scene.attire * (1 - scene.attire[:, :1])
    return colour[:, :, None, None] * (lit * ribs).unsqueeze(1)


def _scarf(frame: Frame, dome: Tensor, people: People) -> Tensor:
    """Everything round the face: over the crown, past the cheeks, under the chin."""
    x, y = frame.view_x, frame.view_y
    opening = (
        torch.sqrt((frame.x / (0.87 * field(people["width"]))) ** 2 + ((frame.y - 0.18) / 0.80) ** 2 + 1e-6)
        - 1
    )
    off_face = torch.maximum(ramp(opening, -0.02, 0.05), 1 - cover(frame.outside, frame.pixel))
    side = x.abs() - field(people["width"]) - 0.10 - 0.18 * ramp(y, 0.3, 1.3)
    falls = cover(torch.maximum(side, y - 1.45 + 0.4 * x * x), 0.05) * ramp(y, -0.12, -0.02)
    return torch.maximum(cover(dome * 0.7, 0.05) * ramp(y, 0.10, 0.0), falls) * off_face


def _peak(
    scene: Scene, x: Tensor, y: Tensor, pixel: Tensor, cap: Tensor, colour: Tensor, cloth: Tensor
) -> Tensor:
    """A cap's peak over the brows: a flat crescent whose edge catches the light."""
    reach = 0.10 + 0.07 * field(scene.attire[:, 1])
    half = 0.50
    bow = (1 - (x / half) ** 2).clamp_min(0)
    edge = y - reach * bow - 0.04
    mask = cover(torch.maximum(torch.maximum(edge, -y - 0.06 * bow - 0.02), x.abs() - half), 2 * pixel) * cap
    tone = 0.50 + 0.45 * ramp(edge, -0.06, -0.01) - 0.20 * ramp(y, 0.02, -0.03)
    return paint(colour, mask, cloth * tone.unsqueeze(1))
