"""Nostrils, lips, teeth and tongue, painted into the skin's albedo."""

import torch
from torch import Tensor

from fer_lib.worlds.draw import bump, cover, gauss, noise, paint, ramp, tint
from fer_lib.worlds.eyes import colour_of, exposed
from fer_lib.worlds.geometry import field
from fer_lib.worlds.layout import Layout, lip_curves
from fer_lib.worlds.people import People


def paint_nose(face: Layout, x: Tensor, y: Tensor, pixel: Tensor, colour: Tensor) -> Tensor:
    """Nostrils, and the groove behind the wings; the rest is relief."""
    ax = x.abs()
    here = face.on(x)
    base = here.wing_y + 0.028
    nostril_x = 0.56 * here.wing_x
    slanted = y - base - 0.30 * (ax - nostril_x)
    small = torch.maximum(0.5 * pixel, torch.full_like(pixel, 0.014))
    nostril = bump(ax - nostril_x, slanted, 0.034 * here.nose_w, small) * (0.014 / small)
    colour = tint(colour, nostril * 0.70, (0.16, 0.09, 0.085))
    under = bump(x, y - base - 0.012, 0.80 * here.wing_x, 0.020)
    colour = tint(colour, under * 0.30, (0.60, 0.48, 0.46))
    ring = torch.sqrt(((ax - here.wing_x + 0.022) / 0.046) ** 2 + ((y - here.wing_y) / 0.052) ** 2 + 1e-6)
    wing = gauss(((ring - 1) / 0.20) ** 2) * ramp(ax, here.wing_x - 0.005, here.wing_x + 0.02)
    return tint(colour, wing * (0.65 + 0.25 * here.sneer), (0.50, 0.37, 0.35))


def mouth_parts(face: Layout, x: Tensor, y: Tensor, pixel: Tensor) -> dict[str, Tensor]:
    """Coverage of lips and opening, and the four edges at each pixel."""
    here = face.on(x)
    u = x.abs() / here.mouth_w
    top, inner_top, inner_low, low = lip_curves(here, u)
    beyond = (u - 1) * here.mouth_w
    lips = cover(
        torch.maximum(torch.maximum(top - y, y - low), beyond),
        torch.maximum(1.5 * pixel, torch.full_like(pixel, 0.022)),
    )
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
    colour = _moustache(people, here, x, y, parts, colour)
    around = bump(x, y - parts["low"] - 0.035, 0.13, 0.030) * (1 - parts["lips"])
    colour = tint(colour, around * 0.40, (0.62, 0.52, 0.50))
    colour = paint(colour, parts["lips"] * 0.92, _lip_colour(people, x, y, parts))
    colour = _opening(
        here, x, y, pixel, parts | {"dim": exposed(people, 0.45) * field(people["teeth"])}, colour
    )
    thick = torch.maximum(0.75 * pixel, torch.full_like(pixel, 0.012))
    seam = gauss(((y - parts["inner_top"]) / thick) ** 2) * ramp(parts["beyond"], 0.018, -0.010)
    shut = 1 - ramp(parts["inner_low"] - parts["inner_top"], 0.004, 0.02)
    colour = tint(colour, seam * shut * (0.012 / thick).clamp(0.6, 1) * 0.95, (0.16, 0.09, 0.09))
    pit = bump(x.abs() - here.mouth_w - 0.004, y - here.mouth_y - here.corner - here.sag, 0.022, 0.018)
    colour = tint(colour, pit * (0.45 + 0.40 * here.dimple).clamp(max=0.9), (0.42, 0.31, 0.29))
    return colour, parts["lips"], parts["gap"]


def _lip_colour(people: People, x: Tensor, y: Tensor, parts: dict[str, Tensor]) -> Tensor:
    """Redder than skin, darker above than below, paler with age, lipstick with make-up."""
    made_up = field(people["makeup"])
    red = (0.30 + 0.42 * field(people["lip_red"]) - 0.22 * field(people["male"]) + 0.6 * made_up) * (
        1 - 0.35 * field(people["old"])
    )
    skin = people["skin"][:, :, None, None]
    tone = skin * torch.stack([0.78 - 0.10 * red, 0.58 - 0.32 * red, 0.60 - 0.28 * red], 1)
    upper = ramp(y, parts["inner_low"], parts["inner_top"])
    middle = 0.55 * parts["inner_low"] + 0.45 * parts["low"]
    glow = 0.16 * bump(x, y - middle, 0.12, 0.022)
    streak = 1 + 0.22 * (noise(x * 3.1, y * 0.4)[0] - 0.5)
    corner = 1 - 0.30 * ramp(parts["u"], 0.6, 1.0)
    return tone * ((0.94 - 0.34 * upper + glow) * streak * corner).unsqueeze(1)


def _opening(
    here: Layout, x: Tensor, y: Tensor, pixel: Tensor, parts: dict[str, Tensor], colour: Tensor
) -> Tensor:
    """Dark inside, tongue below when it is wide; the upper teeth as one band that follows the lip."""
    top, low, u = parts["inner_top"], parts["inner_low"], parts["u"].clamp(max=1)
    tall = low - top
    tongue = 0.8 * ramp(tall, 0.09, 0.16) * bump(x, y - low, 0.14, 0.075)
    inside = torch.lerp(
        colour_of(0.050, 0.012, 0.011, colour).expand_as(colour),
        colour_of(0.15, 0.045, 0.042, colour) * parts["dim"].unsqueeze(1).clamp(0.3, 1),
        tongue.unsqueeze(1),
    )
    bared = (0.16 + 0.90 * here.smile + 0.30 * here.sneer + 0.25 * here.stretched).clamp(max=1)
    length = 0.098 * bared * (1 - 0.35 * u * u)
    whole = ramp(bared, 0.5, 0.9)  # a smile's band reaches the lower lip unless the jaw drops
    length = torch.where(
        tall < 1.25 * length, torch.lerp(torch.minimum(length, 0.6 * tall), tall, whole), length
    )
    teeth = cover(y - top - length, 1.2 * pixel) * ramp(tall, 0.006, 0.020) * ramp(u, 0.99, 0.80)
    gaps = 1 - 0.10 * gauss(((torch.remainder(x.abs() + 0.0375, 0.075) - 0.0375) / 0.005) ** 2)
    shade = gaps * parts["dim"] * (1 - 0.75 * u * u) * (0.78 + 0.22 * ramp(y - top, 0.0, 0.03))
    ivory = colour_of(0.80, 0.75, 0.67, colour) * shade.unsqueeze(1)
    inside = paint(inside, teeth * 0.96, ivory)
    bottom = cover(low - 0.034 - y, 1.5 * pixel) * ramp(tall, 0.05, 0.09) * ramp(tall, 0.20, 0.13)
    bottom = bottom * ramp(u, 0.85, 0.55) * (0.65 - 0.5 * here.smile + 0.3 * here.stretched).clamp(0, 0.8)
    inside = paint(inside, bottom, 0.62 * ivory)
    lip_shadow = ramp(y, top + 0.026, top - 0.004)
    return paint(colour, parts["gap"], inside * (1 - 0.55 * lip_shadow).unsqueeze(1))


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
