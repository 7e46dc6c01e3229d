"""What is behind people: out-of-focus rooms, walls, streets and leaves, made of blurred noise and blocks."""

import torch
from torch import Tensor

from fer_lib.worlds.draw import noise, paint, ramp
from fer_lib.worlds.geometry import field

# display colours (top, bottom, detail) of places where photographs of faces are taken
PLACES = (
    ((176, 172, 164), (140, 134, 126), (98, 90, 82)),
    ((92, 104, 82), (58, 66, 48), (150, 158, 120)),
    ((168, 186, 204), (128, 132, 130), (84, 88, 86)),
    ((54, 48, 46), (30, 27, 27), (128, 104, 78)),
    ((206, 202, 196), (182, 176, 168), (150, 142, 132)),
    ((104, 84, 66), (66, 52, 42), (168, 146, 118)),
    ((72, 88, 112), (46, 54, 68), (120, 128, 136)),
    ((128, 118, 122), (92, 84, 90), (60, 56, 62)),
)


def paint_backdrop(place: Tensor, style: Tensor, size: int) -> Tensor:
    """Linear colour (B,3,S,S).

    Args:
        place: index into ``PLACES`` (B,).
        style: random numbers in [0,1] (B,6): detail, busyness, offset, tilt, block place, brightness.
    """
    line = torch.linspace(-1, 1, size, device=style.device)
    x, y = line[None, None, :], line[None, :, None]
    palette = (torch.tensor(PLACES, dtype=style.dtype, device=style.device) / 255) ** 2.2
    top, bottom, detail = (palette[place, k][:, :, None, None] for k in range(3))
    shift = field(style[:, 2]) * 50
    u = (x * (0.10 + 0.25 * field(style[:, 1])) + 0 * y) + shift
    v = (y * (0.08 + 0.20 * field(style[:, 3])) + 0 * x) + shift * 1.7
    texture = noise(u, v)
    colour = torch.lerp(top, bottom, ramp(y + 0.8 * (texture[2] - 0.5), -0.9, 0.9).unsqueeze(1))
    blobs = ramp(texture[2] + 0.25 * (texture[1] - 0.5), 0.35, 0.95) * field(style[:, 0])
    colour = paint(colour, blobs, detail)
    edge = field(style[:, 4]) * 3 - 1.5 + (field(style[:, 3]) - 0.5) * y
    block = ramp((x - edge).abs(), 0.30, 0.22) * (field(style[:, 1]) > 0.55) * 0.6
    colour = paint(colour, block, 0.5 * detail + 0.3 * bottom)
    return colour * (0.5 + 0.9 * style[:, 5])[:, None, None, None]
