"""Skin, stubble and beards: the face's own colour before light falls on it."""

import torch
from torch import Tensor

from fer_lib.worlds.draw import ellipse, noise, paint, ramp, tint
from fer_lib.worlds.geometry import Frame, field
from fer_lib.worlds.layout import Layout, Sides, fold_line, lip_curves
from fer_lib.worlds.people import People
from fer_lib.worlds.relief import row
from fer_lib.worlds.sculpt import Canvas, Strokes

# what more or less blood, or more pigment, does to red, green and blue (powers of e)
BLOOD, PIGMENT, BLUSH = (0.02, -0.26, -0.22), (-0.26, -0.34, -0.34), (0.03, -0.34, -0.26)


def grain(people: People, x: Tensor, y: Tensor) -> Tensor:
    """The texture this skin carries wherever it moves: (3,B,H,W) white, medium, broad noise."""
    place = field(people["texture"])
    return noise(x * 0.8 + place * 0.37, y * 0.8 + place * 0.61)


def complexion(people: People, face: Layout, canvas: Canvas) -> tuple[Tensor, Tensor]:
    """Factors (B,3,h,w) of the skin's colour over the face, and its gloss (B,h,w)."""
    here = face.both()
    rouge = Strokes(face.sides["eye_x"])
    rouge.pair(0.7, 0.40, here.eye_y + 0.24 - here.cheek_up, 0.12, 0.08)
    reds, browns = _blood(face).on(canvas), _dark(people, face).on(canvas)
    pinks = field(people["makeup"]) * rouge.on(canvas)
    powers = [reds * b + browns * p + pinks * r for b, p, r in zip(BLOOD, PIGMENT, BLUSH, strict=True)]
    return torch.exp(torch.stack(powers, 1)), _gloss(people, face, canvas)


def _middle(face: Layout, *names: str) -> list[Tensor]:
    """Numbers of the middle line, (B,1) each."""
    return [face.sides[name].mean(1)[:, None] for name in names]


def _blood(face: Layout) -> Strokes:
    """Where blood shows: cheeks, nose, chin, below the eyes; less on the forehead."""
    here, blood = face.both(), Strokes(face.sides["eye_x"])
    nose_y, chin = _middle(face, "nose_y", "chin")
    blood.pair(0.55, 0.36, here.eye_y + 0.27 - here.cheek_up, 0.16, 0.13)
    blood.add(0.55, 0.0, nose_y + 0.02, 0.11, 0.08)
    blood.pair(0.35, here.wing_x + 0.03, here.wing_y, 0.04, 0.06)
    blood.add(0.30, 0.0, chin - 0.15, 0.15, 0.09)
    blood.pair(0.35, here.eye_x, here.eye_y + here.lower + 0.03, 0.11, 0.035)
    blood.add(-0.25, 0.0, -0.45, 0.35, 0.25)
    return blood


def _dark(people: People, face: Layout) -> Strokes:
    """Where skin is darker, or lies so deep that light does not leave it: eyes, nose, folds, mouth."""
    here, dark = face.both(), Strokes(face.sides["eye_x"])
    tired = (0.50 + 0.60 * people["old"])[:, None, None]
    dark.pair(0.95 * tired, here.eye_x - 0.01, here.eye_y - 0.015, 0.155, 0.070)
    dark.pair(0.45 * tired, here.eye_x - 0.06, here.eye_y + 0.075, 0.095, 0.035)
    dark.pair(0.16, here.eye_x + 0.04, here.eye_y + 0.05, 0.12, 0.045)
    dark.pair(0.30, 0.135, here.eye_y - 0.02, 0.05, 0.07)
    dark.pair(1.5 * here.frown, here.eye_x - 0.065, here.eye_y - 0.060, 0.150, 0.065)
    dark.pair(0.18, here.wing_x + 0.02, here.wing_y + 0.01, 0.030, 0.050)
    (base,) = _middle(face, "wing_y")
    dark.add(0.22, 0.0, base + 0.075, 0.15, 0.05)
    dark.pair(0.20, 0.55, 0.45, 0.12, 0.25)
    dark.pair(0.20, here.mouth_w, here.mouth_y + here.corner + here.sag + 0.01, 0.05, 0.04)
    u = row([0.1, 0.4, 0.7], tired)
    low = lip_curves(here, u)[3]
    dark.pair(0.30 * (1 - here.smile.clamp(max=0.8)), u * here.mouth_w, low + 0.028, 0.06, 0.022)
    _grooves(dark, here)
    return dark


def _grooves(dark: Strokes, here: Sides) -> None:
    """The fold from the nose to the mouth's corner, and the shade that a lifted cheek leaves inside it."""
    t = row([0.0, 0.25, 0.5, 0.75, 1.0], here.eye_x)
    y = torch.lerp(here.wing_y - 0.04, here.mouth_y + 0.3 * here.corner + here.sag + 0.05, t)
    fade = row([0.6, 1.0, 1.0, 1.0, 0.8], y)
    dark.pair(0.20 * here.fold * fade, fold_line(here, y) - 0.008, y, 0.030, 0.050)
    y = torch.lerp(here.wing_y - 0.10, here.mouth_y - 0.02 + 0.5 * here.corner, t)
    fade = row([0.6, 1.0, 1.0, 0.9, 0.5], y)
    dark.pair(1.05 * here.groove * fade, here.wing_x + 0.09 + 0.19 * t, y, 0.060, 0.060)


def _gloss(people: People, face: Layout, canvas: Canvas) -> Tensor:
    """Oil: most on the nose and the forehead's middle, some on cheek bones and chin."""
    strokes = Strokes(face.sides["eye_x"])
    here = face.both()
    nose_y, chin = _middle(face, "nose_y", "chin")
    strokes.add(0.45, 0.0, nose_y - 0.02, 0.07, 0.10)
    strokes.add(0.6, 0.0, -0.40, 0.26, 0.16)
    strokes.pair(0.55, 0.36, here.eye_y + 0.19 - here.cheek_up, 0.13, 0.08)
    strokes.add(0.3, 0.0, chin - 0.15, 0.10, 0.07)
    return (0.25 + strokes.on(canvas)) * field(people["gloss"]) * 0.15


def skin_colour(people: People, factors: Tensor, x: Tensor, pixel: Tensor, rough: Tensor) -> Tensor:
    """Albedo (B,3,H,W): the person's colour, its changes over the face, mottling, pores and freckles."""
    fine = (0.010 / pixel).clamp(max=1) * (
        1 + field(people["old"])
    )  # what is smaller than a pixel averages out
    mottle = 1 + 0.10 * (rough[2] - 0.5) + fine * (0.07 * (rough[1] - 0.5) + 0.05 * (rough[0] - 0.5))
    colour = people["skin"][:, :, None, None] * factors * mottle.unsqueeze(1)
    spots = ramp(rough[1], 0.78, 1.0) * field(people["freckles"]).clamp_min(0) * ramp(x.abs(), 0.5, 0.2)
    return tint(colour, spots * 0.7, (0.75, 0.6, 0.5))


def beard(people: People, face: Layout, frame: Frame, colour: Tensor, rough: Tensor) -> Tensor:
    """Stubble's shadow and the beard's hair on the jaw, chin and in front of the ears."""
    x, y = frame.x, frame.y
    ax, here = x.abs(), face.on(x)
    fine = (0.016 / frame.pixel).clamp(max=1)
    line = here.mouth_y + 0.02 - 0.34 * ramp(ax, 0.20, 0.56)
    low = ramp(y + 0.12 * (rough[1] - 0.5), line - 0.10, line + 0.10) * ramp(y, -0.05, 0.12)
    lips = ellipse(
        x, y - here.mouth_y - 0.45 * here.gap - 0.5 * here.corner, here.mouth_w, 0.035 + 0.55 * here.gap
    )
    low = low * ramp(lips, 0.0, 0.035)
    colour = tint(colour, low * field(people["stubble"]), (0.62, 0.64, 0.68))
    full = field(people["beard"])
    hairy = (low * full * (0.95 + fine * (rough[0] - 0.5) * (1.2 - full)) * ramp(full, 0.0, 0.1)).clamp(0, 1)
    streaks = (0.75 + 0.6 * fine * (rough[0] - 0.5)).unsqueeze(1)
    return paint(colour, hairy * 0.93, people["hair"][:, :, None, None] * streaks)
