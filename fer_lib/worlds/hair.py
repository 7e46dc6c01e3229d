"""Hair on and around the head, ears, neck and shoulders."""

import torch
from torch import Tensor

from fer_lib.worlds.draw import bump, cover, ellipse, noise, paint, ramp
from fer_lib.worlds.geometry import Frame, Pose, field
from fer_lib.worlds.light import Light, brightness
from fer_lib.worlds.people import People


def hair_texture(people: People, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Strands that run from the parting, and clumps: two fields with mean 0."""
    place = field(people["texture"])
    curl = field(people["curl"])
    part = field(people["parting"]) * 0.25
    across = (x - part) / (1.15 + 0.55 * y.clamp(-1.2, 1.5))
    strand = noise(across * (3.1 - 1.2 * curl) + place, y * (0.16 + 1.6 * curl) + place)
    return strand[0] - 0.5 + 0.5 * (strand[1] - 0.5), strand[2] - 0.5


def hair_colour(people: People, light: Light, frame: Frame, x: Tensor, y: Tensor) -> Tensor:
    """Linear colour (B,3,H,W) of hair wherever it may be."""
    strands, clumps = hair_texture(people, x, y)
    width = people["width"][:, None, None] + 0.12
    nx = (x / width).clamp(-1, 1)
    ny = (y * 0.9).clamp(-0.95, 0.3)
    nz = torch.sqrt((1 - nx * nx * 0.9 - ny * ny * 0.9).clamp_min(0.05))
    lit = brightness(light, nx, ny, nz)
    curl = field(people["curl"])
    shine = bump(nx - 0.4 * field(light.direction[:, 0]), ny + 0.62, 0.6, 0.22) * (1 - 0.8 * curl)
    tone = (0.66 + 0.62 * strands + 0.75 * clumps).clamp_min(0.15) * lit
    base = people["hair"][:, :, None, None]
    return base * tone.unsqueeze(1) + (0.03 + 0.35 * base) * (shine * lit * (0.35 + strands)).clamp_min(
        0
    ).unsqueeze(1)


def back_hair(people: People, frame: Frame, pose: Pose) -> Tensor:
    """Coverage (B,H,W) of the hair behind and round the head, down to its length."""
    volume, length = field(people["hair_volume"]), field(people["hair_length"])
    bald = field(people["bald"])
    place = field(people["texture"])
    x, y = frame.view_x + 0.16 * torch.sin(field(pose.yaw)), frame.view_y
    wobble = noise(x * 0.35 + place, y * 0.35 + place)
    rough = (0.025 + 0.13 * field(people["curl"])) * (wobble[1] - 0.5) + 0.07 * (wobble[2] - 0.5)
    width = field(people["width"]) + 0.015 + volume * 0.85 * (1 - bald)
    top = field(people["top"]) + volume * (1 - bald) - 0.03 * bald
    is_long = ramp(length, 0.4, 0.6)
    fall = 0.10 * is_long * ramp(y, 0.1, 0.9)
    down = torch.where(y < 0, y / top, y / (1.2 + 3.0 * is_long))
    square = ((x / (width + fall)).abs() + 1e-4).pow(2.5) + (down.abs() + 1e-4).pow(2.5)
    shell = (square.pow(0.4) - 1) * width + rough
    end = y - length - 0.08 * (wobble[1] - 0.5) - 0.1 * (1 - (x / width) ** 2) * is_long
    return cover(shell, 2.0 * frame.pixel.clamp_min(0.022)) * ramp(end, 0.05, -0.05)


def depth_shade(frame: Frame) -> Tensor:
    """Hair behind the face lies in its shadow, the more the lower and the nearer to the neck: (B,1,H,W)."""
    inward = ramp(frame.view_x.abs(), 0.80, 0.45)
    return (1 - 0.62 * inward * ramp(frame.view_y, -0.35, 0.45)).unsqueeze(1)


def front_hair(people: People, frame: Frame, x: Tensor, y: Tensor) -> Tensor:
    """Coverage of the hair that lies on the head: hairline, fringe, temples, side hair, bald crowns."""
    place = field(people["texture"])
    wobble = noise(x * 0.9 + place, y * 0.3 + place * 0.5)
    part = field(people["parting"]) * 0.22
    fringe, bald = field(people["fringe"]), field(people["bald"])
    line = field(people["hairline"]) + 0.05 * field(people["child"])
    peak = 0.07 * torch.cos((x - part) * 9) * (1 - fringe)
    sweep = 0.20 * ((x - part).abs() / 0.4).clamp(max=1.2) ** 2
    line = line + peak * 0.4 + sweep + fringe * (0.26 + 0.05 * torch.cos(x * 14 + place) - 0.6 * sweep)
    line = line - bald * 0.9
    jag = (0.03 + 0.10 * fringe) * (wobble[0] - 0.5) + 0.06 * (wobble[1] - 0.5)
    above = ramp(y - line - jag, 0.035, -0.030)
    burn = 0.02 + 0.16 * field(people["male"]) + 0.5 * ramp(field(people["hair_length"]), 0.4, 0.6)
    is_long = ramp(field(people["hair_length"]), 0.4, 0.6)
    reach = field(people["width"]) * (
        0.95 - 0.10 * ramp(y, -0.15, -0.50) - 0.05 * is_long * field(people["fringe"])
    )
    reach = reach + 0.07 * (wobble[1] - 0.5) - 0.9 * ramp(frame.front, 0.30, 0.0)
    side = cover(reach - x.abs(), 2.0 * frame.pixel.clamp_min(0.02))
    side = side * ramp(y + 0.3 * (wobble[1] - 0.5), burn + 0.10, burn - 0.10)
    side = side * torch.maximum(1 - bald, ramp(y, -0.45, -0.30))
    return torch.maximum(above, side)


def paint_ears(
    people: People, frame: Frame, pose: Pose, colour: Tensor, skin: Tensor, *, near: bool
) -> tuple[Tensor, Tensor]:
    """The far ear goes behind the head, the near one over it. Returns the picture and the coverage."""
    turn = torch.sin(field(pose.yaw))
    side = torch.where(frame.view_x >= 0, 1.0, -1.0)
    is_near = (side * turn) < 0
    size = field(people["ear"])
    hang = field(people["width"]) * 0.985 * torch.cos(field(pose.yaw))
    dx = frame.view_x.abs() - hang - 0.035
    dy = frame.view_y - 0.10 - 0.30 * torch.sin(-field(pose.pitch)) + 0.2 * dx
    wide = (0.075 + 0.10 * turn.abs() * is_near) * size
    mask = cover(ellipse(dx, dy, wide, 0.175 * size), frame.pixel) * (is_near == near)
    hollow = 0.62 + 0.45 * ramp((dx / wide) ** 2 + (dy / (0.175 * size)) ** 2, 0.25, 0.95)
    return paint(colour, mask, skin * hollow.unsqueeze(1)), mask


def paint_body(people: People, frame: Frame, light: Light, cloth: Tensor, colour: Tensor) -> Tensor:
    """Shoulders in a cloth of a colour (B,3)."""
    x, y = frame.view_x, frame.view_y
    broad = 1.22 + 0.22 * x * x + 0.12 * (x.abs() - 0.35).clamp_min(0) - 0.05 * field(people["male"])
    collar = 0.16 * ramp(x.abs(), 0.45, 0.0)
    mask = cover(broad + collar - y, 2 * frame.pixel)
    folds = noise(x * 0.35 + field(people["texture"]), y * 0.25)
    lit = brightness(light, (x * 0.5).clamp(-0.9, 0.9), torch.full_like(x, -0.25), torch.full_like(x, 0.75))
    lit = (
        lit
        * (1 + 0.5 * (folds[2] - 0.5) + 0.25 * (folds[1] - 0.5))
        * (0.55 + 0.45 * ramp(y - broad, 0.0, 0.25))
    )
    return paint(colour, mask, cloth[:, :, None, None] * lit.unsqueeze(1))


def paint_neck(people: People, frame: Frame, light: Light, colour: Tensor) -> Tensor:
    """The neck, dark under the chin."""
    x, y = frame.view_x, frame.view_y
    half = (
        field(people["width"]) * (0.56 + 0.13 * field(people["male"])) * (1 - 0.15 * field(people["child"]))
    )
    half = half + 0.25 * ramp(y, 1.05, 1.5) ** 2
    mask = cover(torch.maximum(x.abs() - half, 0.3 - y), frame.pixel) * cover(y - 1.45 + 0.5 * x * x, 0.1)
    nx = (x / half).clamp(-0.97, 0.97)
    lit = brightness(light, nx, torch.full_like(x, 0.12), torch.sqrt(1 - nx * nx))
    shadow = 0.34 + 0.55 * ramp(y - 0.35 * x * x, field(people["chin"]) - 0.02, field(people["chin"]) + 0.34)
    return paint(colour, mask, people["skin"][:, :, None, None] * (lit * shadow).unsqueeze(1))
