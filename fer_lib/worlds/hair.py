"""Hair on and around the head.

Strands run from the crown: ``flow`` gives each point its place across the strands and along them, and one
look into the noise there gives strands, locks and clumps, which everything else is made of: the ragged ends,
the soft edges, light and dark, the band of shine. Hair round the head lives in the picture plane (view
coordinates), hair on the face's side of the skull in face coordinates, where it turns with the head.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from fer_lib.worlds.draw import bump, cover, noise, ramp
from fer_lib.worlds.geometry import Frame, Pose, field
from fer_lib.worlds.light import Light, brightness
from fer_lib.worlds.people import People


@dataclass(frozen=True)
class Flow:
    """The grain of the hair at each pixel, three fields of mean 0, and the depth below the crown (B,H,W)."""

    strand: Tensor
    lock: Tensor
    clump: Tensor
    below: Tensor


def flow(people: People, frame: Frame, pose: Pose) -> Flow:
    """Strands leave the crown in all directions and soon hang down; curls break them into short pieces."""
    place, curl = field(people["texture"]), field(people["curl"])
    parting = 0.20 * field(people["parting"]) - 0.25 * torch.sin(field(pose.yaw))
    below = (frame.view_y + field(people["top"])).clamp_min(0.0)
    spread = (below + 0.45) / (below + 0.95)  # the crown itself lies behind
    wave = 0.05 * (0.3 + curl) * torch.sin(below * (6 + 5 * curl) + place + 3 * frame.view_x)
    across = (frame.view_x - parting + wave * below) / spread
    rough = noise(across * (1.0 - 0.68 * curl) + place, below * (0.10 + 0.7 * curl) + place * 1.3)
    return Flow(rough[0] - 0.5, rough[1] - 0.5, rough[2] - 0.5, below)


def hair_colour(people: People, light: Light, frame: Frame, grain: Flow) -> Tensor:
    """Linear colour (B,3,H,W) of hair wherever it may be."""
    width = people["width"][:, None, None] + 0.14
    nx = (frame.view_x / width).clamp(-1, 1)
    ny = (frame.view_y * 0.9).clamp(-0.95, 0.3)
    nz = torch.sqrt((1 - nx * nx * 0.9 - ny * ny * 0.9).clamp_min(0.05))
    lit = brightness(light, nx, ny, nz)
    curl = field(people["curl"])
    base = people["hair"][:, :, None, None]
    form = 0.62 + 0.45 * grain.strand + 0.65 * grain.lock + 0.75 * grain.clump * (1 + 0.6 * curl)
    towards = 0.5 * field(light.direction[:, 0])
    high = grain.below - 0.42 - 0.35 * grain.lock - 0.25 * grain.clump
    shine = bump(nx - towards, high, 0.75, 0.17) + 0.35 * bump(nx - towards, high - 0.75, 0.9, 0.20)
    shine = shine * (1 - 0.75 * curl) * (0.45 + 1.2 * grain.strand + 0.8 * grain.lock).clamp_min(0)
    matte, gloss = (form.clamp_min(0.12) * lit).unsqueeze(1), (shine * lit).unsqueeze(1)
    return base * (matte + 0.55 * gloss) + 0.022 * gloss


def back_hair(people: People, frame: Frame, grain: Flow) -> Tensor:
    """Coverage (B,H,W) of the hair behind and round the head, down to its ends, and of a bun."""
    bald, crop, tied = field(people["bald"]), field(people["crop"]), field(people["tied"])
    curl, length = field(people["curl"]), field(people["hair_length"])
    length = torch.lerp(length, torch.full_like(length, 0.15), tied)
    volume = field(people["hair_volume"]) * (1 - bald) * (1 - 0.9 * crop) * (1 - 0.7 * tied)
    x, y = frame.view_x, frame.view_y
    is_long = ramp(length, 0.4, 0.6)
    hang = ramp(y, -0.6, 0.5)
    beside = volume * (0.45 + 0.5 * curl + is_long * (0.25 + 0.55 * hang)) + 0.10 * is_long * hang
    rim = (1 - crop) * (0.06 * curl * grain.lock + (0.02 + 0.07 * curl) * grain.clump)
    width = field(people["width"]) + 0.012 - 0.035 * crop + beside
    top = field(people["top"]) + volume - 0.04 * bald - 0.05 * crop
    down = torch.where(y < 0, y / top, y / (1.2 + 3.0 * is_long))
    square = ((x / width).abs() + 1e-4).pow(2.4) + (down.abs() + 1e-4).pow(2.4)
    shell = (square.pow(1 / 2.4) - 1) * width + rim * (1 - 0.8 * bald)
    wild = 0.05 + 0.03 * curl
    mask = cover(shell + 0.02 * (1 - crop) * grain.strand, torch.maximum(2 * frame.pixel, wild + 0 * shell))
    end = y - length + 0.16 * grain.lock + 0.10 * grain.strand - 0.08 * is_long * (1 - (x / width) ** 2)
    mask = mask * ramp(end, 0.06, -0.06)
    knot = ((x - 0.10 * field(people["parting"])) ** 2 + ((y + top + 0.10) * 1.15) ** 2 + 1e-6).sqrt()
    return torch.maximum(mask, cover(knot - 0.24 + rim, wild) * field(people["bun"]))


def over_ears(people: People) -> Tensor:
    """1 where long hair hangs over the ears, 0 where it is short, tied, or tucked behind them (B,1,1)."""
    loose = ramp(people["hair_length"], 0.4, 0.6) * (1 - people["tied"]) * (people["sweep"] < 0.4)
    return field(loose)


def depth_shade(frame: Frame) -> Tensor:
    """Hair behind the face lies in its shadow, the more the lower and the nearer to the neck: (B,1,H,W)."""
    inward = ramp(frame.view_x.abs(), 0.85, 0.40)
    return (1 - 0.72 * inward * ramp(frame.view_y, -0.45, 0.40)).unsqueeze(1)


def front_hair(people: People, frame: Frame, grain: Flow) -> tuple[Tensor, Tensor]:
    """The hair that lies on the head: coverage, and how much of its shadow falls on the skin below."""
    x, y = frame.x, frame.y
    ax = x.abs()
    bald, crop = field(people["bald"]), field(people["crop"])
    is_long = ramp(field(people["hair_length"]), 0.4, 0.6)
    loose = is_long * (1 - field(people["tied"]))
    fringe = field(people["fringe"])
    fray = (0.03 + 0.03 * fringe) * grain.strand + 0.02 * grain.lock
    soft = 0.065 + 0.05 * crop - 0.02 * fringe
    past = y - _hairline(people, x, ax, grain) - fray
    above = ramp(past, soft, -soft)
    burn = 0.02 + 0.16 * field(people["male"]) * (1 - is_long)
    burn = torch.lerp(burn, field(people["hair_length"]), loose)
    reach = field(people["width"]) * (
        0.965 - 0.09 * ramp(y, -0.15, -0.50) - 0.07 * loose * ramp(y, 0.5, -0.1)
    )
    inside = reach - ax - 0.6 * fray - 0.9 * ramp(frame.front, 0.30, 0.0) * ramp(y, 0.25, 0.05)
    side = ramp(inside, 0.5 * soft, -0.5 * soft)
    side = side * ramp(y + 0.35 * grain.lock, burn + 0.10, burn - 0.12)
    side = side * torch.maximum(1 - bald, ramp(y, -0.45, -0.25))
    behind = ramp(frame.front, 0.04, -0.14) * ramp(y - 0.25 * is_long, 0.55, 0.35)  # seen when the head turns
    mask = torch.maximum(above, torch.maximum(side, behind))
    thin = 1 - crop * (0.30 + 0.6 * grain.strand + 0.3 * grain.clump).clamp(0, 0.7)
    shadow = torch.maximum(
        ramp(past, 0.16, -0.02), ramp(inside, 0.12, -0.02) * side.clamp_min(0.3) * (1 - bald)
    )
    return mask * thin, (shadow * (1 - 0.7 * crop) * (1 - bald)).clamp(0, 1)


def _hairline(people: People, x: Tensor, ax: Tensor, grain: Flow) -> Tensor:
    """The height (face y) above which hair grows or hangs: temples, peak, parting, fringe."""
    fringe = field(people["fringe"])
    parting = 0.24 * field(people["parting"])
    line = field(people["hairline"]) + 0.05 * field(people["child"]) + 0.05 * grain.clump
    line = line - field(people["recede"]) * 0.20 * bump(ax - 0.30, ax * 0, 0.15, 1.0)
    line = line + 0.08 * field(people["peak"]) * bump(x, x * 0, 0.09, 1.0) * (1 - fringe)
    line = line + 0.30 * ramp(ax, 0.30, 0.60) * (1 - fringe) + 0.05 * (x - parting).abs()
    apart = ((x - parting).abs() / 0.4).clamp(max=1.2)
    hang = (
        0.27
        + 0.07 * grain.lock
        + 0.06 * grain.clump
        + 0.14 * field(people["sweep"]) * (x / 0.4).clamp(-1, 1)
        + 0.04 * apart
    )
    return line + fringe * hang - 0.9 * field(people["bald"])
