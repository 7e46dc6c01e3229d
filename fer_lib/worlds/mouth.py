"""Nostrils, lips, teeth and tongue, painted into the skin's albedo."""

import torch
from torch import Tensor

from fer_lib.worlds.draw import bump, cover, noise, paint, ramp, tint
from fer_lib.worlds.eyes import colour_of, exposed
from fer_lib.worlds.geometry import field
from fer_lib.worlds.layout import Layout, lip_curves
from fer_lib.worlds.people import People


def paint_nose(face: Layout, x: Tensor, y: Tensor, pixel: Tensor, colour: Tensor) -> Tensor:
    """Nostrils and the soft shade beneath the tip and round the wings; the rest is relief."""
    ax = x.abs()
    here = face.on(x)
    base = here.wing_y + 0.030
    under = bump(x, y - base - 0.012, 0.095 * here.nose_w, 0.024)
    colour = tint(colour, under * 0.45, (0.62, 0.53, 0.50))
    nostril_x = 0.58 * here.wing_x
    slanted = y - base + 0.010 - 0.25 * (ax - nostril_x)
    nostril = bump(ax - nostril_x, slanted, 0.034 * here.nose_w, 0.0155)
    colour = tint(colour, nostril * 0.80, (0.24, 0.15, 0.14))
    ring = torch.sqrt(((ax - here.wing_x + 0.012) / 0.050) ** 2 + ((y - here.wing_y) / 0.050) ** 2 + 1e-6)
    wing = torch.exp(-(((ring - 1) / 0.22) ** 2)) * ramp(ax, here.wing_x - 0.01, here.wing_x + 0.03)
    return tint(colour, wing * (0.30 + 0.25 * here.sneer), (0.60, 0.48, 0.46))


def mouth_parts(face: Layout, x: Tensor, y: Tensor, pixel: Tensor) -> dict[str, Tensor]:
    """Coverage of lips and opening, and the four edges at each pixel."""
    here = face.on(x)
    u = x.abs() / here.mouth_w
    top, inner_top, inner_low, low = lip_curves(here, u)
    beyond = (u - 1) * here.mouth_w
    lips = cover(torch.maximum(torch.maximum(top - y, y - low), beyond), 1.4 * pixel)
    gap = torch.maximum(torch.maximum(inner_top - y, y - inner_low), beyond + 0.01)
    wide = ramp(inner_low - inner_top, 0.004, 0.014)
    return {
        "u": u, "top": top, "inner_top": inner_top, "inner_low": inner_low, "low": low,
        "beyond": beyond, "lips": lips, "gap": cover(gap, pixel) * wide,
    }  # fmt: skip


def paint_mouth(
    people: People, face: Layout, x: Tensor, y: Tensor, pixel: Tensor, colour: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Returns albedo, coverage of lips and opening together, and coverage of the opening."""
    here = face.on(x)
    parts = mouth_parts(face, x, y, pixel)
    u = parts["u"]
    colour = _moustache(people, here, x, y, parts, colour)
    around = bump(x, y - parts["low"] - 0.035, 0.13, 0.030) * (1 - parts["lips"])
    colour = tint(colour, around * 0.40, (0.62, 0.52, 0.50))
    red = (field(people["lip_red"]) * 0.6 + 0.7 * field(people["makeup"])).clamp(max=1.2)
    skin = people["skin"][:, :, None, None]
    tone = skin * torch.stack([0.92 - 0.02 * red, 0.70 - 0.34 * red, 0.70 - 0.30 * red], 1)
    upper = ramp(y, parts["inner_low"], parts["inner_top"])
    streak = 1 + 0.25 * (noise(x * 3.1, y * 0.4)[0] - 0.5)
    form = (
        (1 - 0.30 * upper)
        * streak
        * (0.90 + 0.25 * bump(x, y - 0.6 * parts["inner_low"] - 0.4 * parts["low"], 0.11, 0.02))
    )
    corner = 1 - 0.25 * ramp(u, 0.7, 1.0)
    edge = parts["lips"] * (0.80 + 0.15 * red)
    colour = paint(colour, edge.clamp(max=1), tone * (form * corner).unsqueeze(1))
    colour = _opening(here, x, y, pixel, parts | {"dim": exposed(people, 0.30)}, colour)
    thick = torch.maximum(0.75 * pixel, torch.full_like(pixel, 0.0075))
    seam = torch.exp(-(((y - parts["inner_top"]) / thick) ** 2)) * ramp(parts["beyond"], 0.014, -0.006)
    seam = (
        seam
        * (1 - ramp(parts["inner_low"] - parts["inner_top"], 0.004, 0.02))
        * (0.0075 / thick).clamp(0.55, 1)
    )
    colour = tint(colour, seam * 0.85, (0.22, 0.13, 0.13))
    pit = bump(x.abs() - here.mouth_w, y - here.mouth_y - here.corner - here.sag, 0.020, 0.020)
    colour = tint(colour, pit * (0.40 + 0.45 * here.dimple), (0.45, 0.34, 0.32))
    return colour, parts["lips"], parts["gap"]


def _opening(
    here: Layout, x: Tensor, y: Tensor, pixel: Tensor, parts: dict[str, Tensor], colour: Tensor
) -> Tensor:
    """Dark inside, tongue below when it is wide, teeth: upper in most open mouths, lower when stretched."""
    tall = parts["inner_low"] - parts["inner_top"]
    depth = colour_of(0.060, 0.014, 0.013, colour)
    tongue = ramp(tall, 0.09, 0.16) * bump(x, y - parts["inner_low"], 0.13, 0.07)
    inside = torch.lerp(
        depth.expand_as(colour), colour_of(0.32, 0.085, 0.080, colour), (0.75 * tongue).unsqueeze(1)
    )
    bared = (0.26 + 0.80 * here.smile + 0.9 * here.lift / 0.05).clamp(max=1)
    length = torch.minimum(0.080 * bared, (0.45 + 0.4 * bared) * tall)
    sides = ramp(parts["u"], 0.93, 0.70)
    teeth = cover(y - parts["inner_top"] - length, 1.2 * pixel) * sides * ramp(tall, 0.008, 0.025)
    gaps = 1 - 0.10 * torch.exp(-(((torch.remainder(x.abs() + 0.0225, 0.045) - 0.0225) / 0.004) ** 2))
    ivory = colour_of(0.84, 0.79, 0.70, colour) * (
        gaps * parts["dim"] * (1 - 0.45 * parts["u"].clamp(max=1) ** 2)
    ).unsqueeze(1)
    inside = paint(inside, teeth * 0.95, ivory)
    bottom = (
        cover(parts["inner_low"] - 0.035 - y, 1.5 * pixel) * ramp(tall, 0.03, 0.06) * ramp(tall, 0.16, 0.10)
    )
    inside = paint(inside, bottom * sides * 0.55 * (1 - here.smile.clamp(max=1)), 0.75 * ivory)
    lip_shadow = ramp(y, parts["inner_top"] + 0.022, parts["inner_top"])
    return paint(colour, parts["gap"], inside * (1 - 0.45 * lip_shadow).unsqueeze(1))


def _moustache(
    people: People, here: Layout, x: Tensor, y: Tensor, parts: dict[str, Tensor], colour: Tensor
) -> Tensor:
    amount = field(people["moustache"])
    base = here.wing_y + 0.07
    reach = ramp(x.abs(), here.mouth_w + 0.07, here.mouth_w - 0.02)
    droop = 0.5 * (x.abs() / here.mouth_w) ** 2 * 0.05
    band = ramp(y, base - 0.02 + droop, base + 0.03 + droop) * ramp(
        y, parts["top"] + 0.035, parts["top"] - 0.01
    )
    place = field(people["texture"])
    hairs = noise(x * 2.2 + place, y * 0.8 + place)[0]
    mask = (band * reach * amount * (1 + 1.1 * (hairs - 0.5) * (1.3 - amount))).clamp(0, 1)
    return paint(
        colour, mask * 0.9, people["hair"][:, :, None, None] * (0.7 + 0.6 * (hairs - 0.5)).unsqueeze(1)
    )
