"""What is behind people: walls, rooms, windows, shelves, leaves, crowds, streets, lights; all out of focus.

Painted at half the picture's size, as nothing in it is sharp. One layer of soft noise and two grids of soft
rectangles or discs make every place; ``_RECIPES`` says how large, how many and in which colours.
"""

import functools

import torch
from torch import Tensor
from torch.nn import functional as F

from fer_lib.worlds.draw import noise, paint, ramp
from fer_lib.worlds.geometry import field

# place: display colours (top, bottom, first detail, second detail), then
# (blotches, folds, cell width, cell height, share of cells, roundness) of the far and the near grid.
_RECIPES: dict[str, tuple[tuple[tuple[int, int, int], ...], tuple[float, ...]]] = {
    "wall": (((176, 172, 164), (150, 145, 138), (0, 0, 0), (0, 0, 0)), (0.1, 0, 1, 1, 0, 0, 1, 1, 0, 0)),
    "white": (((226, 226, 226), (212, 212, 214), (0, 0, 0), (0, 0, 0)), (0, 0, 1, 1, 0, 0, 1, 1, 0, 0)),
    "grey": (((112, 114, 118), (92, 94, 98), (0, 0, 0), (0, 0, 0)), (0.1, 0, 1, 1, 0, 0, 1, 1, 0, 0)),
    "dark": (((46, 46, 50), (24, 24, 28), (0, 0, 0), (0, 0, 0)), (0.1, 0, 1, 1, 0, 0, 1, 1, 0, 0)),
    "blue": (((70, 92, 124), (44, 62, 92), (0, 0, 0), (0, 0, 0)), (0.3, 0, 1, 1, 0, 0, 1, 1, 0, 0)),
    "room": (
        ((150, 138, 122), (96, 82, 70), (60, 48, 40), (200, 186, 160)),
        (0.3, 0, 0.8, 1.1, 0.5, 0, 0.5, 0.45, 0.3, 0),
    ),
    "window": (
        ((90, 84, 78), (62, 56, 52), (236, 240, 244), (190, 206, 220)),
        (0.2, 0, 0.75, 1.3, 0.6, 0, 0.22, 2.0, 0.12, 0),
    ),
    "shelf": (
        ((70, 56, 46), (48, 38, 32), (150, 104, 70), (92, 104, 122)),
        (0.1, 0, 0.11, 0.42, 0.9, 0, 3.0, 0.42, 0, 0),
    ),
    "leaves": (
        ((112, 128, 92), (54, 66, 40), (150, 170, 104), (40, 52, 30)),
        (1.0, 0, 0.30, 0.26, 0.6, 1, 0.17, 0.15, 0.5, 1),
    ),
    "crowd": (
        ((58, 52, 52), (42, 38, 40), (168, 124, 100), (48, 46, 60)),
        (0.4, 0, 0.36, 0.40, 0.8, 0.7, 0.62, 0.9, 0.55, 0.8),
    ),
    "street": (
        ((176, 190, 206), (92, 90, 88), (112, 100, 94), (150, 142, 134)),
        (0.3, 0, 0.55, 2.4, 0.8, 0, 0.16, 0.2, 0.35, 0),
    ),
    "lights": (
        ((34, 30, 36), (18, 16, 20), (255, 214, 150), (230, 130, 110)),
        (0.3, 0, 0.34, 0.30, 0.5, 1, 0.55, 0.5, 0.35, 1),
    ),
    "curtain": (
        ((112, 40, 38), (64, 22, 24), (150, 70, 60), (40, 20, 20)),
        (0.2, 1, 1, 1, 0, 0, 1, 1, 0, 0),
    ),
    "poster": (
        ((120, 126, 140), (96, 98, 108), (214, 206, 196), (58, 66, 112)),
        (0.2, 0, 1.1, 0.7, 0.6, 0, 0.30, 0.12, 0.45, 0),
    ),
}
PLACES = tuple(_RECIPES)
PLAIN = 5  # so many of them, the first, are studio walls


@functools.lru_cache(maxsize=4)
def _tables(device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Linear colours (P,4,3), numbers (P,10), and a table of random numbers (1024,6) that cells look up."""
    colours = torch.tensor([r[0] for r in _RECIPES.values()], dtype=torch.float32) / 255
    numbers = torch.tensor([r[1] for r in _RECIPES.values()], dtype=torch.float32)
    chance = torch.rand(1024, 6, generator=torch.Generator().manual_seed(20260103))
    return (colours**2.2).to(device), numbers.to(device), chance.to(device)


def paint_backdrop(place: Tensor, style: Tensor, size: int) -> Tensor:
    """Linear colour (B,3,S,S).

    Args:
        place: index into ``PLACES`` (B,).
        style: random numbers in [0,1] (B,8): where, tilt, defocus, light's place, its strength, and a tint.
        size: side of the picture.
    """
    half = max(16, size // 2)
    line = torch.linspace(-1, 1, half, device=style.device)
    x, y = line[None, None, :].expand(len(place), half, half), line[None, :, None]
    colours, numbers, _ = _tables(style.device)
    top, bottom, *details = (colours[place, k][:, :, None, None] for k in range(4))
    recipe = numbers[place]
    start, lean = field(style[:, 0]) * 50, (field(style[:, 1]) - 0.5) * 0.25
    u, v = x + lean * y, y - lean * x
    rough = noise(u * 0.16 + start, v * 0.13 + start * 1.7)
    colour = torch.lerp(top, bottom, ramp(v + 0.5 * (rough[2] - 0.5), -0.9, 0.9).unsqueeze(1))
    spots = ramp(rough[2] + 0.35 * (rough[1] - 0.5), 0.40, 0.75) * field(recipe[:, 0])
    colour = paint(colour, spots, 0.55 * details[0] + 0.45 * bottom)
    folds = torch.sin(u * 17 + 14 * rough[2] + start) * field(recipe[:, 1])
    colour = colour * (1 + 0.55 * folds).unsqueeze(1)
    soft = 0.08 + 0.28 * field(style[:, 2])
    for grid, offset in ((recipe[:, 2:6], 0), (recipe[:, 6:], 517)):
        mask, tone = _cells(u, v, start, grid, soft, offset)
        colour = paint(colour, mask, torch.lerp(details[0], details[1], tone[0][:, None]) * tone[1][:, None])
    lamp = (u - 3 * field(style[:, 3]) + 1.5) ** 2 + (v + 0.8) ** 2
    fall = (0.4 + 1.7 * field(style[:, 4])) * 1.3 / (1 + 0.28 * lamp)
    tint = 0.88 + 0.24 * style[:, 5:8]
    colour = colour * fall.unsqueeze(1) * tint[:, :, None, None]
    return F.interpolate(colour, size=(size, size), mode="bilinear", align_corners=False)


def _cells(
    u: Tensor, v: Tensor, start: Tensor, recipe: Tensor, soft: Tensor, offset: int
) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """A grid of soft things: coverage, and for each its place between two colours and its brightness.

    ``recipe`` (B,4): width and height of a cell, share of cells with something in them, roundness.
    """
    wide, high, share, round_ = (field(recipe[:, k]) for k in range(4))
    across, down = u / wide + start * 3, v / high + start * 7
    column = across.floor()
    across = across - column - 0.5
    down = down + 0.37 * column * round_
    row = down.floor()
    down = down - row - 0.5
    index = (column * 73 + row * 179 + offset + (start * 1000).floor()).long() & 1023
    chance = _tables(u.device)[2][index]  # (B,h,w,6)
    reach = 0.26 + 0.22 * chance[..., 2]
    dx, dy = (across + (chance[..., 4] - 0.5) * 0.25).abs(), (down + (chance[..., 5] - 0.5) * 0.25).abs()
    disc = torch.sqrt(dx * dx + dy * dy + 1e-6)
    distance = torch.lerp(torch.maximum(dx, dy), disc, round_) - reach
    soft = soft / torch.minimum(wide, high).clamp(0.15, 0.8)
    mask = ramp(distance, 0.5 * soft.clamp(max=0.9), -0.5 * soft) * (chance[..., 3] < share)
    return mask, (chance[..., 0], 0.45 + 0.9 * chance[..., 1])
