"""Glasses."""

import torch
from torch import Tensor

from fer_lib.worlds.draw import cover, paint, ramp
from fer_lib.worlds.eyes import colour_of
from fer_lib.worlds.geometry import Frame, field
from fer_lib.worlds.layout import Layout
from fer_lib.worlds.people import People


def paint_glasses(people: People, face: Layout, frame: Frame, x: Tensor, y: Tensor, colour: Tensor) -> Tensor:
    """Rims round each eye, a bridge and temples; lenses reflect a little."""
    worn = field(people["glasses"])
    ax = x.abs()
    wide, tall = 0.205, 0.150 + 0.035 * field(people["frame_round"])
    dx = (ax - face.mean("eye_x") - 0.015).abs()
    dy = (y - face.mean("eye_y") - 0.035).abs()
    corner = 0.05 + 0.10 * field(people["frame_round"])
    qx, qy = (dx - wide + corner).clamp_min(0), (dy - tall + corner).clamp_min(0)
    edge = torch.sqrt(qx * qx + qy * qy + 1e-8) - corner
    thick = 0.010 + 0.014 * field(people["frame_dark"])
    shown = (thick / frame.pixel).clamp(max=1)
    rim = cover(edge.abs() - torch.maximum(thick, frame.pixel) * 0.6, frame.pixel) * shown
    bridge = cover(
        (y - face.mean("eye_y") + 0.015 + 0.05 * (1 - (ax / 0.09) ** 2)).abs() - thick, frame.pixel
    )
    bridge = bridge * cover(ax - 0.09, frame.pixel)
    temple = cover((y - face.mean("eye_y") + 0.03).abs() - thick, frame.pixel) * ramp(ax, 0.47, 0.50)
    temple = temple * ramp(frame.front, 0.05, 0.15)
    lens = cover(edge, frame.pixel) * worn
    glare = ramp(y - 0.5 * x + 0.15 * ax, 0.06, -0.06) * 0.07 + 0.015
    seen = (people["skin"].mean(1) / 0.5).clamp(0.12, 1)[:, None, None, None]  # as the exposure has it
    colour = paint(colour, lens * glare, colour_of(0.75, 0.80, 0.85, colour) * seen)
    dark = field(people["frame_dark"])
    tone = torch.stack([0.25 - 0.23 * dark, 0.20 - 0.19 * dark, 0.17 - 0.155 * dark], 1)
    mask = torch.maximum(torch.maximum(rim, bridge), temple * 0.9) * worn * frame.head
    return paint(colour, mask, tone)
