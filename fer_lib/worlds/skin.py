"""Skin, stubble and beards: the face's own colour before anything shines on it."""

from torch import Tensor

from fer_lib.worlds.draw import bump, ellipse, noise, paint, ramp, tint
from fer_lib.worlds.geometry import field
from fer_lib.worlds.layout import Layout
from fer_lib.worlds.people import People


def grain(people: People, x: Tensor, y: Tensor) -> Tensor:
    """The texture this skin carries wherever it moves: (3,B,H,W) white, medium, broad noise."""
    place = field(people["texture"])
    return noise(x * 0.8 + place * 0.37, y * 0.8 + place * 0.61)


def skin_colour(people: People, face: Layout, x: Tensor, y: Tensor, rough: Tensor) -> Tensor:
    """Albedo (B,3,H,W): mottled, redder at cheeks, nose and chin, darker round the eyes."""
    ax = x.abs()
    here = face.on(x)
    mottle = 1 + 0.11 * (rough[1] - 0.5) + 0.07 * (rough[2] - 0.5) + 0.06 * (rough[0] - 0.5)
    colour = people["skin"][:, :, None, None] * mottle.unsqueeze(1)
    red = 0.55 * bump(ax - 0.37, y - 0.27, 0.17, 0.14) + 0.5 * bump(x, y - here.nose_y - 0.02, 0.12, 0.08)
    red = red + 0.3 * bump(x, y - here.chin + 0.15, 0.16, 0.10)
    made_up = field(people["makeup"])
    colour = tint(colour, (red * (0.55 + 0.5 * made_up)).clamp(max=1), (1.0, 0.80, 0.80))
    tired = 0.55 + 0.6 * field(people["old"])
    ring = bump(ax - here.eye_x + 0.02, y - here.eye_y + 0.015, 0.165, 0.105) * tired
    colour = tint(colour, ring.clamp(max=1), (0.66, 0.58, 0.60))
    spots = ramp(rough[1], 0.78, 1.0) * field(people["freckles"]).clamp_min(0) * ramp(ax, 0.5, 0.2)
    return tint(colour, spots * 0.7, (0.75, 0.6, 0.5))


def beard(people: People, face: Layout, x: Tensor, y: Tensor, colour: Tensor, rough: Tensor) -> Tensor:
    """Stubble's shadow and the beard's hair on the jaw, chin and in front of the ears."""
    ax = x.abs()
    here = face.on(x)
    line = here.mouth_y + 0.02 - 0.34 * ramp(ax, 0.24, 0.50)
    low = ramp(y + 0.08 * (rough[1] - 0.5), line - 0.03, line + 0.07) * ramp(y, -0.05, 0.12)
    lips = ellipse(
        x, y - here.mouth_y - 0.45 * here.gap - 0.5 * here.corner, here.mouth_w, 0.035 + 0.55 * here.gap
    )
    low = low * ramp(lips, 0.0, 0.035)
    colour = tint(colour, low * field(people["stubble"]), (0.62, 0.64, 0.68))
    full = field(people["beard"])
    hairy = (low * full * (0.95 + 1.0 * (rough[0] - 0.5) * (1.2 - full)) * ramp(full, 0.0, 0.1)).clamp(0, 1)
    streaks = (0.75 + 0.6 * (rough[0] - 0.5)).unsqueeze(1)
    return paint(colour, hairy * 0.93, people["hair"][:, :, None, None] * streaks)
