"""Eyes and brows, painted into the skin's albedo."""

import torch
from torch import Tensor

from fer_lib.worlds.draw import bump, cover, noise, paint, ramp, tint
from fer_lib.worlds.geometry import field
from fer_lib.worlds.layout import Layout, brow_curve, lid_curves
from fer_lib.worlds.people import People

IRIS_RADIUS = 0.057


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
    colour = _lids(people, here, colour, (upper, lower, down, u), pixel)
    shade = 0.42 + 0.50 * ramp(down - upper, -0.005, 0.045) - 0.22 * u * u
    white = colour_of(0.62, 0.58, 0.55, colour) * shade.unsqueeze(1)
    white = white * exposed(people, 0.52).unsqueeze(1)
    duct = ramp(u, -0.80, -0.98)
    white = tint(white, duct, (0.9, 0.55, 0.5))
    side = torch.sign(x)
    ix = along - side * gaze[:, 0, None, None]
    iy = down + 0.006 - gaze[:, 1, None, None] - 0.25 * here.lower + 0.008
    r = torch.sqrt(ix * ix + iy * iy + 1e-8)
    soft = torch.maximum(pixel, torch.full_like(pixel, 0.008))
    inner = people["iris"][:, :, None, None] * (
        0.50 + 0.55 * ramp(r, 0.046, 0.022) + 0.35 * ramp(iy, -0.02, 0.04)
    ).unsqueeze(1)
    inner = (
        inner
        * exposed(people, 0.25).unsqueeze(1)
        * (0.35 + 0.65 * ramp(r, IRIS_RADIUS, IRIS_RADIUS - 0.014)).unsqueeze(1)
    )
    ball = paint(white, cover(r - IRIS_RADIUS, soft), inner)
    ball = paint(ball, cover(r - 0.023, soft), colour_of(0.004, 0.004, 0.004, colour))
    lid_shadow = ramp(down - upper, 0.030, 0.0)
    ball = ball * (1 - 0.55 * lid_shadow).unsqueeze(1)
    colour = paint(colour, eye, ball)
    return _lashes(people, here, colour, (upper, lower, down, u), pixel), eye


def _lids(people: People, here: Layout, colour: Tensor, eye: tuple[Tensor, ...], pixel: Tensor) -> Tensor:
    """The lid's crease, its shade and make-up, and the soft hollow at the nose."""
    upper, lower, down, u = eye
    near = ramp(u.abs(), 1.25, 0.85)
    openness = (here.upper / 0.06).clamp(0, 1.4)
    crease_at = upper - 0.020 - 0.020 * (1 - u * u).clamp_min(0) * (1.3 - 0.6 * openness)
    thickness = torch.maximum(pixel, torch.full_like(pixel, 0.012))
    crease = torch.exp(-(((down - crease_at) / thickness) ** 2)) * near * (1 - 0.5 * here.shut)
    lid = ramp(down, crease_at - 0.015, crease_at) * ramp(down, upper + 0.01, upper) * near
    colour = tint(colour, lid * (0.25 + 0.6 * field(people["makeup"])), (0.72, 0.60, 0.60))
    colour = tint(colour, crease * 0.55, (0.42, 0.34, 0.32))
    under = torch.exp(-(((down - lower - 0.010) / 0.018) ** 2)) * near
    return tint(colour, under * (0.22 + 0.25 * here.squeeze), (0.70, 0.58, 0.58))


def _lashes(people: People, here: Layout, colour: Tensor, eye: tuple[Tensor, ...], pixel: Tensor) -> Tensor:
    """Dark upper lash line, heavier outwards and with make-up; a faint lower one."""
    upper, lower, down, u = eye
    made_up = field(people["makeup"])
    ends = ramp(u.abs(), 1.14, 0.98)
    thick = 0.011 + 0.007 * (u + 1) * 0.5 + 0.007 * made_up
    faint = (thick / pixel).clamp(max=1)
    line = cover((down - upper + 0.3 * thick).abs() - 0.5 * torch.maximum(thick, pixel), pixel) * faint * ends
    colour = paint(colour, line * 0.88, colour_of(0.012, 0.008, 0.007, colour))
    low = torch.exp(-(((down - lower) / torch.maximum(pixel * 0.7, torch.full_like(pixel, 0.006))) ** 2))
    dark = colour_of(0.03, 0.018, 0.015, colour)
    return paint(colour, low * ramp(u.abs(), 1.02, 0.8) * (0.25 + 0.3 * made_up) * (1 - here.shut), dark)


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
    strength = (0.55 + 14 * field(people["brow_thick"])).clamp(max=0.95)
    return paint(colour, mask * strength, people["brow_colour"][:, :, None, None] * 0.8), body * ends


def catchlight(face: Layout, gaze: Tensor, light_x: Tensor, x: Tensor, y: Tensor, pixel: Tensor) -> Tensor:
    """The light's small reflection on each eye (B,H,W), to be added after shading."""
    here = face.on(x)
    ix = x.abs() - here.eye_x - torch.sign(x) * (gaze[:, 0, None, None] + 0.016 * torch.sign(field(light_x)))
    iy = y - here.eye_y + 0.020 - gaze[:, 1, None, None]
    size = torch.maximum(0.6 * pixel, torch.full_like(pixel, 0.013))
    return bump(ix, iy, size, size) * (0.013 / size)
