"""What face masks are made of: kinds, cuts, colours and patterns, one draw for each face."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor

KINDS = ("surgical", "cloth", "ffp2")
SURGICAL = (
    (0.66, 0.82, 0.92), (0.58, 0.78, 0.90), (0.72, 0.87, 0.87), (0.95, 0.96, 0.96), (0.70, 0.88, 0.80),
    (0.93, 0.78, 0.83), (0.13, 0.13, 0.15),
)  # fmt: skip
CLOTH = (
    (0.10, 0.10, 0.12), (0.16, 0.20, 0.36), (0.55, 0.12, 0.16), (0.84, 0.82, 0.76), (0.30, 0.42, 0.34),
    (0.50, 0.52, 0.55), (0.86, 0.62, 0.30), (0.44, 0.30, 0.52), (0.20, 0.48, 0.62), (0.92, 0.93, 0.95),
)  # fmt: skip
FFP2 = ((0.96, 0.96, 0.95), (0.95, 0.95, 0.97), (0.90, 0.90, 0.88), (0.16, 0.16, 0.18))
PATTERNS = ("plain", "stripes", "checks", "dots")
# standing off the nose, width of the tent, fold along the middle, sideways reach, top edge in the middle and
# its fall to the side, rise of the lower edge to the side: means by kind, in face units
CUT = {
    "surgical": (1.00, 0.17, 0.05, 0.84, 0.140, 0.14, 0.26),
    "cloth": (1.05, 0.16, 0.55, 0.82, 0.145, 0.16, 0.30),
    "ffp2": (1.40, 0.18, 0.95, 0.80, 0.130, 0.175, 0.30),
}
SPREAD = (0.10, 0.015, 0.04, 0.03, 0.015, 0.020, 0.03)
DRAWS = 16


@dataclass(frozen=True)
class Wear:
    """The masks of B faces; every entry has B first, lengths in face units.

    Attributes:
        kind: index into ``KINDS``.
        stand, spread, keel: the tent over the nose: height (1: as the nose), width, how sharp its fold is.
        side: how far towards the ear it reaches, as a share of the head's half width.
        top, dip, rise: height of the upper edge in the middle, its fall to the side, rise of the lower edge.
        colour, second: (B,3) as displayed in full light.
        pattern: index into ``PATTERNS``, of cloth.
        period, phase: of the pattern.
        seed: of the grain.
    """

    kind: Tensor
    stand: Tensor
    spread: Tensor
    keel: Tensor
    side: Tensor
    top: Tensor
    dip: Tensor
    rise: Tensor
    colour: Tensor
    second: Tensor
    pattern: Tensor
    period: Tensor
    phase: Tensor
    seed: Tensor

    def field(self, name: str) -> Tensor:
        """An attribute as (B,1,1), to meet pictures."""
        return getattr(self, name)[:, None, None]

    def to(self, device: torch.device) -> "Wear":
        """The same masks on another device."""
        return Wear(**{field.name: getattr(self, field.name).to(device) for field in fields(self)})


def draw_wear(batch: int, generator: torch.Generator, kinds: Sequence[str] | None = None) -> Wear:
    """Draw a mask for each of ``batch`` faces; ``DRAWS`` random numbers a face.

    Example:
        >>> wear = draw_wear(3, torch.Generator().manual_seed(0), ["ffp2"])
        >>> [KINDS[k] for k in wear.kind]
        ['ffp2', 'ffp2', 'ffp2']
    """
    draws = torch.rand(batch, DRAWS, generator=generator)
    offered = torch.tensor([KINDS.index(kind) for kind in kinds or KINDS])
    kind = offered[_pick(draws[:, 0], len(offered))]
    cut = torch.tensor([CUT[name] for name in KINDS])[kind] + (2 * draws[:, 1:8] - 1) * torch.tensor(SPREAD)
    colour = torch.zeros(batch, 3)
    for number, palette in enumerate((SURGICAL, CLOTH, FFP2)):
        # the first colours of a palette are the usual ones
        share = draws[:, 8] if number == 1 else draws[:, 8] ** 1.8
        own = torch.tensor(palette)[_pick(share, len(palette))]
        colour = torch.where((kind == number)[:, None], own, colour)
    colour = (colour * (1 + 0.12 * (draws[:, 9] - 0.5))[:, None]).clamp(0, 1)
    second = torch.tensor(CLOTH)[_pick(draws[:, 10], len(CLOTH))]
    pattern = _pick(draws[:, 11].sub(0.4).clamp_min(0) / 0.6, len(PATTERNS))  # plain is the usual one
    period, phase = 0.07 + 0.12 * draws[:, 12], draws[:, 13:15]
    seed = (draws[:, 15] * 2**24).long()
    stand, spread, keel, side, top, dip, rise = cut.unbind(1)
    shape = (stand, spread, keel, side, top, dip, rise)
    return Wear(kind, *shape, colour, second, pattern, period, phase, seed)


def _pick(share: Tensor, count: int) -> Tensor:
    """Shares in [0,1) to whole numbers below ``count``."""
    return (share * count).long().clamp(max=count - 1)


def weave(wear: Wear, x: Tensor, y: Tensor, pixel: Tensor) -> Tensor:
    """Colours (B,3,H,W) of the cloth at head coordinates (B,H,W), in full light; ``pixel`` (B,1,1) long."""
    base = wear.colour[:, :, None, None].expand(-1, -1, *x.shape[1:])
    cloth, surgical, ffp2 = (wear.kind == KINDS.index(name) for name in ("cloth", "surgical", "ffp2"))
    print_ = _pattern(wear, x, y, pixel) * cloth[:, None, None]
    base = torch.lerp(base, wear.second[:, :, None, None].expand_as(base), print_[:, None])
    shade = 1 - _pleats(x, y, pixel) * surgical[:, None, None] - _seams(x, y, pixel) * ffp2[:, None, None]
    shade = shade - 0.18 * _line(x, 0.012, pixel) * cloth[:, None, None] * (wear.field("keel") > 0.5)
    return base * shade[:, None]


def _line(distance: Tensor, width: float, pixel: Tensor) -> Tensor:
    """Coverage of a line of a width about distance 0; fainter, not broader, where it is below a pixel."""
    half = torch.maximum(torch.full_like(pixel, width / 2), pixel * 0.6)
    return torch.exp(-((distance / half) ** 2)) * (width / (2 * half)).clamp(max=1)


def _pleats(x: Tensor, y: Tensor, pixel: Tensor) -> Tensor:
    """Three folds across: a thin shadow below each, fading upwards; and the wire over the nose."""
    dark = torch.zeros_like(y)
    spread = 1 + 0.25 * torch.exp(-((x / 0.25) ** 2))  # pulled apart over the mouth
    for at in (-0.11, 0.02, 0.15):
        below = y - (0.55 + at * spread)
        dark = dark + 0.26 * _line(below, 0.022, pixel)
        dark = dark + 0.10 * torch.exp(-(below.clamp_min(0) / 0.05)) * (below > 0)
    return dark + 0.10 * _line(y - 0.205 - 0.12 * x.abs(), 0.02, pixel)


def _seams(x: Tensor, y: Tensor, pixel: Tensor) -> Tensor:
    """The ridge down the middle and the welded edges of a folded respirator."""
    ridge = 0.22 * _line(x - 0.012, 0.022, pixel) - 0.06 * _line(x + 0.015, 0.02, pixel)
    return ridge + 0.14 * _line(x.abs() - 0.40 + 0.10 * (y - 0.5), 0.016, pixel)


def _pattern(wear: Wear, x: Tensor, y: Tensor, pixel: Tensor) -> Tensor:
    """Share of the second colour, by the cloth's pattern."""
    period = wear.field("period")
    u, v = x / period + wear.phase[:, :1, None], y / period + wear.phase[:, 1:, None]
    soft = (1.5 * pixel / period).clamp(0.05, 1)
    fade = (1.2 - soft).clamp(0, 1)  # a pattern finer than the pixels blurs into its mean
    stripes = _wave(u, soft)
    checks = 0.5 * _wave(u, soft) + 0.5 * _wave(v, soft)
    row = torch.floor(v)
    du, dv = u + 0.5 * row - torch.floor(u + 0.5 * row) - 0.5, v - row - 0.5
    dots = (0.5 - (torch.hypot(du, dv) - 0.26) / soft).clamp(0, 1)
    found = torch.zeros_like(x)
    for number, value, mean in ((1, stripes, 0.5), (2, checks, 0.5), (3, dots, 0.21)):
        chosen = (wear.pattern == number)[:, None, None]
        found = torch.where(chosen, mean + (value - mean) * fade, found)
    return found


def _wave(u: Tensor, soft: Tensor) -> Tensor:
    """A square wave of period 1 with soft edges, 0 to 1."""
    return (0.5 + ((u - torch.floor(u) - 0.5).abs() - 0.25) / soft).clamp(0, 1)


def hash_noise(seed: Tensor, place: Tensor) -> Tensor:
    """White noise (B,P), mean 0 and spread 1, a function of seed (B,) and place (B,P): alike everywhere.

    Example:
        >>> noise = hash_noise(torch.tensor([1, 2]), torch.arange(4096).expand(2, -1))
        >>> round(noise.std().item(), 1), bool((noise[0] == noise[1]).any())
        (1.0, False)
    """
    h = (place * 0x9E3779B1 + seed[:, None] * 0x85EBCA6B + 0x1234567) & 0xFFFFFFFF
    for multiplier in (0x7FEB352D, 0x46A7ACB1):
        h = ((h ^ (h >> 16)) * multiplier) & 0xFFFFFFFF
    h = h ^ (h >> 15)
    return (h.float() / 2**32 - 0.5) * 12**0.5
