"""Glasses and sunglasses."""

import torch
from torch import Tensor

from fer_lib.worlds.draw import cover, paint, ramp
from fer_lib.worlds.eyes import colour_of
from fer_lib.worlds.geometry import Frame, field
from fer_lib.worlds.layout import Layout
from fer_lib.worlds.people import People
from fer_lib.worlds.scene import OCCLUDERS, Scene


def sunglasses(scene: Scene) -> Tensor:
    """1 in pictures whose occluder are sunglasses (B,)."""
    return (scene.occluder == OCCLUDERS.index("sunglasses")).to(scene.scale.dtype)


def paint_glasses(people: People, scene: Scene, face: Layout, frame: Frame, colour: Tensor) -> Tensor:
    """Rims round each eye, bridge and temples, over pictures that all show glasses; lenses reflect a little.

    A half of the frames have no rim below, or none at all; ``frame_dark`` goes from thin light metal to thick
    dark plastic, ``frame_round`` from oblong to round.
    """
    x, y, pixel = frame.x, frame.y, frame.pixel
    shaded = field(sunglasses(scene))
    dark = torch.maximum(field(people["frame_dark"]), 0.7 * shaded)
    round_ = field(people["frame_round"])
    ax, eye_y = x.abs(), face.mean("eye_y")
    wide, tall = 0.190 + 0.030 * dark, 0.112 + 0.055 * round_ + 0.02 * shaded
    dx = (ax - face.mean("eye_x") - 0.012).abs()
    down = y - eye_y - 0.030
    corner = 0.05 + 0.09 * round_
    qx, qy = (dx - wide + corner).clamp_min(0), (down.abs() - tall + corner).clamp_min(0)
    edge = torch.sqrt(qx * qx + qy * qy + 1e-8) - corner
    thick = 0.006 + 0.014 * dark * dark
    shown = (thick / (0.6 * pixel)).clamp(max=1)
    line = torch.maximum(thick, 0.6 * pixel)
    rim = cover(edge.abs() - line, pixel) * shown
    style = torch.frac(field(people["texture"]) * 7.3)
    bare = (style < 0.35) * (1 - shaded)  # no rim below, and for some none above
    rim = rim * (1 - bare * ramp(down, -0.03, 0.04) * 0.85) * (1 - 0.7 * bare * (style < 0.12))
    bow = y - eye_y + 0.010 + 0.04 * (1 - (ax / 0.09) ** 2)
    bridge = cover(bow.abs() - line, pixel) * cover(ax - 0.10, pixel) * shown
    arm = (y - eye_y + 0.035).abs() - 1.3 * line
    temple = cover(arm, pixel) * ramp(ax, 0.46, 0.50) * ramp(frame.front, 0.05, 0.15) * shown
    return _lay(people, frame, (rim, bridge, temple), cover(edge, pixel), (dark, shaded), colour)


def _lay(
    people: People,
    frame: Frame,
    metal: tuple[Tensor, Tensor, Tensor],
    lens: Tensor,
    look: tuple[Tensor, Tensor],
    colour: Tensor,
) -> Tensor:
    """Lenses, then what holds them, in brightness that fits the exposure for this skin."""
    rim, bridge, temple = metal
    dark, shaded = look
    x, y = frame.x, frame.y
    seen = field((people["skin"].mean(1) / 0.5).clamp(0.10, 1)).unsqueeze(1)
    glare = ramp(y - 0.5 * x + 0.15 * x.abs(), 0.06, -0.06) * 0.05 + 0.012
    tint = shaded * lens * (0.97 - 0.12 * ramp(y, -0.05, 0.15))
    colour = paint(colour, tint, colour_of(0.012, 0.011, 0.012, colour) * seen.sqrt())
    colour = paint(colour, lens * glare * (1 + 2 * shaded), colour_of(0.75, 0.80, 0.85, colour) * seen)
    mask = torch.maximum(torch.maximum(rim, bridge), temple * 0.9) * frame.head
    tone = torch.stack([0.26 - 0.25 * dark, 0.22 - 0.213 * dark, 0.18 - 0.174 * dark], 1) * seen.sqrt()
    return paint(colour, mask * (0.70 + 0.25 * dark), tone)
