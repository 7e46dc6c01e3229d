"""A face as outlines: the curves of the face world, for pages that draw with lines instead of pixels.

``sketch`` asks the renderer's own geometry (``worlds.layout``, ``worlds.relief``) for the places of lids,
brows, lips, folds, hair and head. It holds no number about how a face moves.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from fer_lib.views.sketching import Sketch, place, posed
from fer_lib.worlds.action_units import NUMBERS
from fer_lib.worlds.affect_rules import affect
from fer_lib.worlds.draw import ramp
from fer_lib.worlds.eyes import IRIS_RADIUS
from fer_lib.worlds.geometry import field
from fer_lib.worlds.landmarks import face_points
from fer_lib.worlds.layout import arrange, brow_curve, fold_line, lid_curves, lip_curves
from fer_lib.worlds.people import People
from fer_lib.worlds.relief import carve

LEVELS = (
    "fold", "furrow", "frown", "squeeze", "sneer", "dimple", "press", "chin_boss", "wrinkled", "shut", "gap",
    "cheek_up",
)  # fmt: skip
SMOOTH = 17  # landmarks of the jaw, which lie on the smooth head
Points = dict[str, Tensor]  # name -> (P,2) pixels, x then y, or (P,3) places on the face, see Sketch.skin


class Places(NamedTuple):
    """What ``sketch`` finds; a page puts the places on the head and projects them.

    Attributes:
        skin: name -> (P,3) face coordinates, and 1 where the relief raises the point, 0 on the smooth head.
        flat: name -> (P,2) pixels of what is round the head.
        levels: name -> (2,) left and right.
        strokes: (5,K) amounts, places and widths of the relief's strokes.
        shape: (5,) of the head: width, top, chin, taper, jaw.
    """

    skin: Points
    flat: Points
    levels: dict[str, Tensor]
    strokes: Tensor
    shape: Tensor


def _spread(low: float, high: float, count: int) -> list[float]:
    return [low + (high - low) * k / (count - 1) for k in range(count)]


def _eye(k: Sketch, sign: int) -> Points:
    u = k.row([-1.0, -0.86, -0.6, -0.25, 0.1, 0.45, 0.75, 0.92, 1.0])
    here = k.side(sign, u)
    upper, lower = lid_curves(here, u)
    place = lambda u, y: k.skin(sign * (here.eye_x + here.eye_w * u), here.eye_y + y)  # noqa: E731
    rest = (1 - u * u).clamp_min(0)
    r = IRIS_RADIUS
    disc_x, disc_y = k.row([0.0, -r, r, 0.0]), k.row([0.0, 0.0, 0.0, r])
    disc = k.side(sign, disc_x)
    at = disc.eye_y + disc_y - 0.014 + 0.25 * disc.lower
    rays = k.row([0.02, 0.09, 0.025, 0.10, 0.02, 0.085])
    slant = k.row([-0.028, -0.066, 0.0, -0.004, 0.028, 0.060])
    feet = k.side(sign, rays)
    return {
        "upper": place(u, upper),
        "lower": place(u, lower),
        "crease": place(u * 1.04, upper - 0.018 - 0.026 * rest),
        "bag": place(u * 0.95, lower + 0.052 * rest + 0.012)[1:-1],
        "iris": k.skin(sign * disc.eye_x + disc_x, at),
        "crow": k.skin(sign * (feet.eye_x + feet.eye_w + rays), feet.eye_y + slant),
        "socket": k.skin(sign * disc.eye_x[:, :1] - sign * 0.02, disc.eye_y[:, :1] - 0.03),
    }


def _brow(k: Sketch, sign: int) -> Points:
    u = k.row([-1.0, -0.9, -0.65, -0.35, 0.0, 0.35, 0.65, 0.88, 1.0])
    here = k.side(sign, u)
    middle, thick = brow_curve(here, u)
    thick = thick * (0.12 + 0.88 * ramp(u, -1.1, -0.8)) * (0.06 + 0.94 * ramp(u, 1.06, 0.55))
    x = sign * (here.brow_x + here.brow_w * u)
    upright = k.row([-0.055, 0.0, 0.05])
    frown = k.side(sign, upright)
    return {
        "brow_top": k.skin(x, middle - thick),
        "brow_low": k.skin(x, middle + thick),
        "frown": k.skin(sign * (0.045 - 0.12 * upright * upright), frown.brow_y + 0.02 + upright),
    }


def _nose(k: Sketch, sign: int) -> Points:
    t = k.row([0.0, 0.25, 0.5, 0.75, 0.95])
    here = k.side(sign, t)
    root, tip = here.eye_y - 0.03, here.nose_y
    turn = k.row(_spread(-0.75 * math.pi, 0.55 * math.pi, 7))
    wing = k.side(sign, turn)
    one = wing.wing_x[:, :1]
    return {
        "bridge": k.skin(sign * (0.050 + 0.030 * t * t) * here.nose_w, root + (tip - root) * t),
        "wing": k.skin(
            sign * (wing.wing_x - 0.036 + 0.040 * torch.cos(turn)), wing.wing_y + 0.044 * torch.sin(turn)
        ),
        "nostril": k.skin(
            sign * one * k.row([0.32, 0.60, 0.86]), wing.wing_y[:, :1] + k.row([0.026, 0.018, 0.024])
        ),
    }


def _cheek(k: Sketch, sign: int) -> Points:
    t = k.row(_spread(0.0, 1.0, 6))
    here = k.side(sign, t)
    start, end = here.wing_y - 0.03, here.mouth_y + 0.25 * here.corner + here.sag + 0.05
    y = start + (end - start) * t
    pit = here.mouth_w[:, :1]
    return {
        "fold": k.skin(sign * fold_line(here, y), y),
        "pit": k.skin(sign * (pit + 0.012), (here.mouth_y + here.corner + here.sag)[:, :1]),
        "cheek": k.skin(sign * k.row([0.37]), 0.26 - here.cheek_up[:, :1]),
    }


def _mouth(k: Sketch) -> Points:
    u = k.row([-1.0, -0.95, -0.82, -0.62, -0.4, -0.2, 0.0, 0.2, 0.4, 0.62, 0.82, 0.95, 1.0])
    here = k.face.on(u)
    edges = lip_curves(here, u)
    names = ("lip_top", "lip_inner_top", "lip_inner_low", "lip_low")
    lines = {n: k.skin(u * here.mouth_w, y) for n, y in zip(names, edges, strict=True)}
    tall = edges[2] - edges[1]
    bared = (0.26 + 0.80 * here.smile + 18 * here.lift).clamp(max=1)
    length = torch.minimum(0.080 * bared, (0.45 + 0.4 * bared) * tall)
    lines["teeth"] = k.skin(u * here.mouth_w, edges[1] + length)
    low = k.row(_spread(-0.12, 0.12, 5))
    under = edges[3][:, 6:7] + 0.045 - 1.2 * low * low
    lines["under_lip"] = k.skin(low, under)
    return lines


def _head(k: Sketch) -> Points:
    bow = [1 - (1 - t) ** 2 for t in _spread(0.0, 1.0, 12)]
    crown, jaw = k.row([-t for t in bow[::-1]]) * k.shape.top, k.row(bow[1:]) * k.shape.chin
    y = torch.cat([crown, jaw], 1)
    lines = {"edge_left": k.edge(y, -1), "edge_right": k.edge(y, 1)}
    width = k.shape.width
    ear_x = width * 0.985 * torch.cos(field(k.pose.yaw)) + 0.02
    neck = width * (0.56 + 0.13 * field(k.people["male"])) * (1 - 0.15 * field(k.people["child"]))
    lines["ears"] = k.view(torch.cat([-ear_x, ear_x], 1), k.row([0.10, 0.10]))
    lines["neck"] = k.view(k.row([-1.0, 1.0]) * neck, k.row([1.0, 1.0]))
    return lines


def _lines(k: Sketch) -> Points:
    """Lines of the forehead, and the upper edge of a beard."""
    t = k.row(_spread(0.0, 1.0, 7))
    brow = 0.5 * (k.face.mean("inner") + k.face.mean("outer")) * (1 - t)
    lines = {}
    for line, height in enumerate((-0.29, -0.38, -0.47)):
        x = (t - 0.5) * 0.62
        lines[f"forehead_{line}"] = k.skin(x, height + 0.5 * brow + 0.08 * x * x)
    s = k.row(_spread(-1.0, 1.0, 13))
    x = s * k.shape.width * 0.93
    here = k.face.on(x)
    cheek = 0.34 * ramp(x.abs(), 0.24, 0.50)
    lip = here.mouth_y + here.gap + 0.04
    return lines | {"beard": k.skin(x, lip - cheek)}


def _hair(k: Sketch) -> tuple[Tensor, Points]:
    """The hairline on the forehead, and the hair's outer line, left and right from the crown down."""
    trait = lambda name: field(k.people[name])  # noqa: E731
    hair = 1 - trait("bald")
    is_long = ramp(trait("hair_length"), 0.4, 0.6)
    width = trait("width") + 0.015 + trait("hair_volume") * 0.85 * hair
    top = trait("top") + trait("hair_volume") * hair - 0.03 * trait("bald")
    turn = k.row(_spread(0.0, 0.5 * math.pi, 9))
    over_x, over_y = torch.sin(turn).pow(0.8), -torch.cos(turn).clamp_min(1e-6).pow(0.8)
    down = k.row(_spread(0.0, 1.0, 7)[1:])
    length = trait("hair_length").clamp(0.05, 1.25)
    fall_y = down * length
    bulge = (1 - (fall_y / (1.2 + 3.0 * is_long)).pow(2.5)).clamp_min(0.05).pow(0.4)
    fall_x = bulge * (1 + 0.16 * is_long * ramp(fall_y, 0.1, 0.9))
    x = torch.cat([over_x, fall_x], 1) * width
    y = torch.cat([over_y * top, fall_y], 1)
    shift = -0.16 * torch.sin(field(k.pose.yaw))
    s = k.row(_spread(-1.0, 1.0, 21))
    on = s * trait("width") * 0.97
    part = trait("parting") * 0.22
    away = (on - part).abs() / 0.4
    line = (
        trait("hairline") + 0.05 * trait("child") + 0.028 * torch.cos((on - part) * 9) * (1 - trait("fringe"))
    )
    line = line + 0.20 * away.clamp(max=1.2) ** 2 * (1 - 0.6 * trait("fringe"))
    line = (
        line + trait("fringe") * (0.26 + 0.05 * torch.cos(on * 14 + trait("texture"))) - 0.9 * trait("bald")
    )
    burn = 0.02 + 0.16 * trait("male") + 0.5 * is_long
    temple = ramp(s.abs(), 0.80, 0.97)
    outer = {"hair_left": k.view(shift - x, y), "hair_right": k.view(shift + x, y)}
    return k.skin(on, line + (burn - line) * temple, raised=False), outer


def sketch(people: People, units: Tensor, angles_deg: Tensor) -> Places:
    """Every curve of one face, and the numbers that say how strong its folds are.

    Args:
        people: one person.
        units: (1,A,2) intensities as shown.
        angles_deg: (3,) yaw, pitch, roll of the head.

    Returns:
        Places by name; a name that ends in ``-`` or ``+`` belongs to the picture's left or right half. The
        level ``affect`` is (valence, arousal).
    """
    k = Sketch(people, units, posed(angles_deg))
    raised = torch.ones(1, 68, 1)
    raised[:, :SMOOTH] = 0
    x, y = face_points(k.face, k.shape)
    skin = {"landmarks": torch.cat([x, y, raised], -1)[0], **_lines(k), **_mouth(k)}
    for sign, mark in ((-1, "-"), (1, "+")):
        for part in (_eye, _brow, _nose, _cheek):
            skin |= {name + mark: curve for name, curve in part(k, sign).items()}
    hairline, outer = _hair(k)
    skin["hairline"] = hairline
    levels = {name: k.face.sides[name][0] for name in LEVELS}
    levels["affect"] = torch.cat(affect(units))
    strokes = torch.cat(carve(people, k.face).packed())
    return Places(skin, _head(k) | outer, levels, strokes, k.numbers)


def outlines(people: People, units: Tensor, angles_deg: Tensor) -> tuple[Points, dict[str, Tensor]]:
    """Curves in pixels (P,2) and levels: what a page draws, computed here.

    >>> from fer_lib.worlds import from_intensities, sample_people
    >>> points, levels = outlines(sample_people(1, seed=0), from_intensities({12: 1.0}), torch.zeros(3))
    >>> tuple(points["landmarks"].shape), bool(levels["affect"][0] > 0.5)
    ((68, 2), True)
    """
    found = sketch(people, units, angles_deg)
    relief = carve(people, arrange(people, units))
    points = dict(found.flat)
    for name, spots in found.skin.items():
        x, y, raised = spots[None].split(1, -1)
        height = relief.at(x, y) * raised
        points[name] = place(found.shape, angles_deg, torch.cat([x, y, height], -1)[0])
    return points, found.levels


def unpack(numbers: Tensor, traits: list[str]) -> tuple[People, Tensor, Tensor]:
    """Person, units and angles from one row of numbers: traits, units left and right in turn, angles."""
    people = People({name: numbers[k : k + 1] for k, name in enumerate(traits)})
    first = len(traits)
    units = numbers[first : first + 2 * len(NUMBERS)].reshape(1, len(NUMBERS), 2)
    return people, units, numbers[first + 2 * len(NUMBERS) :]
