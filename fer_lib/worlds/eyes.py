"""Eyes and brows, painted into the skin's albedo."""

import torch
from torch import Tensor

from fer_lib.worlds.draw import bump, cover, gauss, noise, paint, ramp, tint
from fer_lib.worlds.geometry import field
from fer_lib.worlds.layout import Layout, brow_curve, lid_curves
from fer_lib.worlds.people import People

IRIS_RADIUS = 0.053


def colour_of(red: float, green: float, blue: float, like: Tensor) -> Tensor:
    """A linear colour as (1,3,1,1)."""
    return torch.tensor([red, green, blue], dtype=like.dtype, device=like.device)[None, :, None, None]


def exposed(people: People, power: float) -> Tensor:
    """How bright eyes and teeth look (B,1,1): a camera that exposes for dark skin must not make them glow."""
    return field((people["skin"].mean(1) / 0.5).clamp(0.1, 1).pow(power))


def eye_opening(face: Layout, x: Tensor, y: Tensor, pixel: Tensor) -> tuple[Tensor, ...]:
    """Coverage of the open eye, with lid curves and place along the eye, for painting."""
    here = face.on(x)
    along = x.abs() - here.eye_x
    down = y - here.eye_y
    u = along / here.eye_w
    inside_u = u.clamp(-1, 1)
    upper, lower = lid_curves(here, inside_u)
    beyond = (u.abs() - 1) * here.eye_w
    gap = torch.maximum(torch.maximum(upper - down, down - lower), beyond)
    opened = ramp(lower - upper, 0.004, 0.012)
    return cover(gap, pixel) * opened, upper, lower, along, down, u


def paint_eyes(
    people: People, face: Layout, gaze: Tensor, x: Tensor, y: Tensor, pixel: Tensor, colour: Tensor
) -> tuple[Tensor, Tensor]:
    """White, iris, pupil, lids, lashes. Returns the albedo and the coverage of the visible eyeball."""
    here = face.on(x)
    eye, upper, lower, along, down, u = eye_opening(face, x, y, pixel)
    curves = (upper, lower, down, u)
    colour = _lids(people, here, colour, curves, pixel)
    round_ = (0.92 - 0.42 * u * u) * (0.80 + 0.20 * ramp(lower - down, 0.0, 0.03))
    white = colour_of(0.46, 0.41, 0.385, colour) * (round_ * exposed(people, 0.82)).unsqueeze(1)
    white = tint(white, ramp(u, -0.72, -0.98), (0.95, 0.55, 0.48))
    ball = _iris(people, here, gaze, (along, down, torch.sign(x)), pixel, white)
    under_lid = ramp(down - upper, 0.044, -0.006)
    ball = ball * ((1 - 0.68 * under_lid) * (1 - 0.40 * here.frown)).unsqueeze(1)
    rim = ramp(lower - down, 0.013, 0.004) * ramp(u.abs(), 1.0, 0.8)
    ball = paint(ball, 0.55 * rim, 0.75 * people["skin"][:, :, None, None] + 0.04)
    colour = paint(colour, eye, ball)
    return _lashes(people, here, colour, curves, pixel), eye


def _iris(
    people: People, here: Layout, gaze: Tensor, place: tuple[Tensor, ...], pixel: Tensor, white: Tensor
) -> Tensor:
    """Iris with its dark edge and pupil, covered a little by the upper lid, touching the lower one."""
    along, down, side = place
    ix = along - side * gaze[:, 0, None, None]
    iy = down + 0.014 - gaze[:, 1, None, None]
    r = torch.sqrt(ix * ix + iy * iy + 1e-8)
    soft = torch.maximum(pixel, torch.full_like(pixel, 0.008))
    depth = 0.55 + 0.45 * ramp(r, 0.044, 0.024) + 0.40 * ramp(iy, -0.02, 0.04)
    depth = depth * (0.30 + 0.70 * ramp(r, IRIS_RADIUS, IRIS_RADIUS - 0.013))
    tone = people["iris"][:, :, None, None] * (depth * exposed(people, 0.25)).unsqueeze(1)
    ball = paint(white, cover(r - IRIS_RADIUS, soft), tone)
    return paint(ball, cover(r - 0.022, soft), colour_of(0.004, 0.004, 0.004, white))


def _lids(people: People, here: Layout, colour: Tensor, eye: tuple[Tensor, ...], pixel: Tensor) -> Tensor:
    """The lid's crease and make-up; the shade above the crease is the relief's."""
    upper, lower, down, u = eye
    near = ramp(u.abs(), 1.22, 0.85)
    above = upper - down
    crease_at = 0.028 + 0.016 * (1 - u * u).clamp_min(0) - 0.010 * here.hood
    thick = torch.maximum(0.8 * pixel, torch.full_like(pixel, 0.009))
    crease = gauss(((above - crease_at) / thick) ** 2) * near * (0.009 / thick) ** 0.5
    lid = ramp(above, crease_at + 0.015, crease_at) * ramp(above, -0.01, 0.01) * near
    colour = tint(colour, lid * (0.15 + 0.7 * field(people["makeup"])), (0.66, 0.56, 0.58))
    colour = tint(colour, crease * 0.60 * (1 - 0.5 * here.shut), (0.40, 0.31, 0.29))
    below = down - lower
    line = (
        gauss(((below - 0.034 - 0.012 * (1 - u * u)) / torch.maximum(pixel, 0.5 * thick + 0.005)) ** 2) * near
    )
    return tint(
        colour, line * (0.10 + 0.30 * here.squeeze + 0.20 * here.wrinkled).clamp(max=0.6), (0.55, 0.44, 0.42)
    )


def _lashes(people: People, here: Layout, colour: Tensor, eye: tuple[Tensor, ...], pixel: Tensor) -> Tensor:
    """Dark upper lash line, heavier outwards and with make-up; a faint lower one."""
    upper, lower, down, u = eye
    made_up = field(people["makeup"])
    ends = ramp(u.abs(), 1.16, 0.98)
    thick = 0.017 + 0.009 * (u + 1) * 0.5 + 0.009 * made_up + 0.006 * here.shut
    faint = (thick / pixel).clamp(max=1)
    line = cover((down - upper + 0.25 * thick).abs() - 0.5 * torch.maximum(thick, pixel), 1.3 * pixel)
    dark = 0.16 * people["skin"][:, :, None, None] * colour_of(0.45, 0.34, 0.34, colour)
    colour = paint(colour, line * faint * ends * 0.92, dark)
    low = gauss(((down - lower - 0.004) / torch.maximum(pixel * 0.8, torch.full_like(pixel, 0.008))) ** 2)
    low = low * ramp(u, -0.9, 0.3) * ramp(u, 1.08, 0.9) * (1 - here.shut)
    return tint(colour, low * (0.45 + 0.4 * made_up), (0.35, 0.26, 0.26))


def paint_brows(
    people: People, face: Layout, x: Tensor, y: Tensor, pixel: Tensor, colour: Tensor
) -> tuple[Tensor, Tensor]:
    """Brows of many fine hairs. Returns the albedo and the brows' coverage."""
    here = face.on(x)
    u = (x.abs() - here.brow_x) / here.brow_w
    middle, thick = brow_curve(here, u.clamp(-1, 1))
    soft = torch.maximum(1.3 * pixel, 0.5 * thick)
    body = cover((y - middle).abs() - thick, soft)
    ends = ramp(u, -1.08, -0.72) * ramp(u, 1.06, 0.75)
    place = field(people["texture"])
    strands = noise(x * 2.6 - 1.3 * (y - middle) + place, y * 1.1 + place * 0.7)[0]
    mask = (body * ends * (0.86 + 0.45 * (strands - 0.5))).clamp(0, 1)
    strength = (0.44 + 9 * field(people["brow_thick"])).clamp(max=0.88)
    return paint(colour, mask * strength, people["brow_colour"][:, :, None, None] * 0.8), body * ends


def catchlight(face: Layout, gaze: Tensor, light_x: Tensor, x: Tensor, y: Tensor, pixel: Tensor) -> Tensor:
    """The light's small reflection on each eye (B,H,W), to be added after shading."""
    here = face.on(x)
    ix = x.abs() - here.eye_x - torch.sign(x) * (gaze[:, 0, None, None] + 0.016 * torch.sign(field(light_x)))
    iy = y - here.eye_y + 0.020 - gaze[:, 1, None, None]
    size = torch.maximum(0.6 * pixel, torch.full_like(pixel, 0.013))
    return bump(ix, iy, size, size) * (0.013 / size)
