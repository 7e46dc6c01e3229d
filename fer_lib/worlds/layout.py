"""Where the features of each face lie once its action units have acted, and the curves they follow.

``arrange`` turns traits and action units into numbers (B,2), one for each side of the picture; the painters
read them as fields, ``landmarks`` reads them at points, so what is painted and what is reported agree.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from fer_lib.worlds.action_units import NUMBERS
from fer_lib.worlds.draw import gauss
from fer_lib.worlds.people import People

Sided = dict[str, Tensor]


@dataclass(frozen=True)
class Layout:
    """Numbers (B,2) by name; ``layout.on(x)`` gives those of the side on which the points x lie."""

    sides: Sided
    right: Tensor | None = None

    def on(self, x: Tensor) -> "Layout":
        """The same layout read at points x (B,...): left numbers where x < 0, right ones elsewhere."""
        return Layout(self.sides, (x >= 0).to(x.dtype))  # numbers: far quicker to mix with than truths

    def __getattr__(self, name: str) -> Tensor:
        sides = self.__dict__["sides"]
        if name not in sides:
            raise AttributeError(name)
        if self.right is None:
            raise AttributeError(f"{name} is read at points: use on(x).{name}, or mean({name!r})")
        left, right = sides[name][:, 0, None, None], sides[name][:, 1, None, None]
        return torch.addcmul(left, self.right, right - left)

    def mean(self, name: str) -> Tensor:
        """The mean of both sides (B,1,1)."""
        return self.sides[name].mean(1)[:, None, None]

    def both(self) -> "Sides":
        """The same layout read side by side: every number is (B,2,1)."""
        return Sides(self.sides)


class Sides(Layout):
    """A layout whose numbers are (B,2,1), for what is made on both sides at once."""

    def __getattr__(self, name: str) -> Tensor:
        sides = self.__dict__["sides"]
        if name not in sides:
            raise AttributeError(name)
        return sides[name][:, :, None]


def arrange(people: People, units: Tensor) -> Layout:
    """Lay the features out. ``units`` (B,A,2) are intensities as they are to be shown, 0-1."""
    au = {number: units[:, k] for k, number in enumerate(NUMBERS)}
    p = {name: value[:, None] for name, value in people.traits.items() if value.dim() == 1}
    sides: Sided = {}
    sides.update(_jaw(p, au))
    sides.update(_eyes(p, au))
    sides.update(_brows(p, au))
    sides.update(_mouth(p, au, sides))
    sides.update(_cheeks(p, au))
    zero = torch.zeros_like(au[1])
    return Layout({name: value + zero for name, value in sides.items()})


def _jaw(p: dict[str, Tensor], au: dict[int, Tensor]) -> Sided:
    drop = (0.20 * au[26] + 0.33 * au[27]).mean(1, keepdim=True).clamp(max=0.36)
    return {"jaw_drop": drop, "chin": p["chin"] + 0.72 * drop}


def _eyes(p: dict[str, Tensor], au: dict[int, Tensor]) -> Sided:
    shut = au[43]
    upper = 0.060 * p["eye_open"] * (1 + 0.62 * au[5] - 0.42 * au[7] - 0.18 * au[6] - 0.12 * au[4])
    lower = 0.031 * p["eye_open"] * (1 + 0.12 * au[5] - 0.80 * au[7] - 0.75 * au[6] - 0.25 * au[9])
    upper = upper - 0.010 * au[12] * p["eye_open"]
    lower = torch.maximum(lower, torch.full_like(lower, 0.004))
    return {
        "eye_x": p["eye_x"],
        "eye_y": p["eye_y"],
        "eye_w": p["eye_w"],
        "tilt": p["eye_tilt"],
        "upper": (upper * (1 - shut) - 0.75 * lower * shut).clamp_min(-0.03),
        "lower": lower,
        "shut": shut,
        "hood": (0.25 + 0.9 * p["old"] + 0.5 * au[4] - 0.6 * au[5] - 0.4 * au[2]).clamp_min(0)
        * (1 - 0.6 * p["child"]),
        "squeeze": (0.9 * au[6] + 0.6 * au[7] + 0.5 * au[9]).clamp(max=1.2),
    }


def _brows(p: dict[str, Tensor], au: dict[int, Tensor]) -> Sided:
    inner = -0.086 * au[1] + 0.075 * au[4] + 0.030 * au[9] - 0.012 * au[5]
    outer = -0.086 * au[2] + 0.022 * au[4] - 0.010 * au[5] + 0.008 * au[6]
    middle = -0.012 * au[2] + 0.022 * au[4] + 0.010 * au[9] - 0.006 * au[5] + 0.008 * au[43]
    return {
        "brow_x": p["eye_x"] + 0.015 - 0.030 * au[4],
        "brow_y": p["eye_y"] - p["brow_gap"],
        "brow_w": p["brow_w"] - 0.008 * au[4],
        "brow_arch": p["brow_arch"],
        "brow_slope": p["brow_slope"],
        "brow_thick": p["brow_thick"] * (1 + 0.3 * au[4]),
        "inner": inner,
        "middle": middle,
        "outer": outer,
        "frown": (au[4] + 0.5 * au[9]).clamp(max=1),
        "furrow": (0.55 * au[1] + 0.55 * au[2] - 0.25 * au[4]).clamp(0, 1),
    }


def _mouth(p: dict[str, Tensor], au: dict[int, Tensor], jaw: Sided) -> Sided:
    drop = jaw["jaw_drop"]
    both = {n: v.mean(1, keepdim=True) for n, v in au.items()}
    stretch = 0.36 * au[12] + 0.26 * au[20] + 0.12 * au[14] - 0.45 * both[18] - 0.20 * both[23]
    stretch = stretch - 0.30 * both[27] - 0.20 * both[26] * (1 - 0.8 * both[12]) - 0.04 * au[15]
    corner = p["mouth_rest"] - 0.100 * au[12] + 0.075 * au[15] + 0.012 * au[20] - 0.024 * au[14]
    thin = 1 - 0.22 * au[12] - 0.44 * both[23] - 0.62 * both[24] - 0.22 * au[20] + 0.35 * both[18]
    thin = (thin - 0.15 * both[27]).clamp_min(0.25)
    gap = 0.042 * both[25] + both[25] * (0.052 * both[12] + 0.014 * both[10]) + 0.90 * drop
    part = (both[25] + drop * 8).clamp(max=1)
    lift = 0.052 * au[10] + 0.022 * both[9] + 0.022 * both[12] * part
    return {
        "mouth_y": p["mouth_y"] - 0.018 * both[17] + 0.10 * drop - 0.010 * both[12],
        "mouth_w": p["mouth_w"] * (1 + stretch),
        "corner": corner,
        "sag": 0.30 * drop,
        "arch": 0.022 * both[17] + 0.016 * au[15] - 0.010 * both[12],
        "lift": lift,
        "gap": gap,
        "lip_upper": p["lip_upper"] * thin * (1 - 0.25 * au[10]),
        "lip_lower": p["lip_lower"] * thin * (1 + 0.12 * both[17]),
        "pout": both[17] * (1 - both[24]) * 0.6 + both[18],
        "press": (both[24] + 0.6 * both[23]).clamp(max=1),
        "smile": au[12],
        "stretched": (au[20] + 0.8 * au[10]).clamp(max=1),
        "dimple": (au[14] + 0.35 * au[12]).clamp(max=1),
    }


def _cheeks(p: dict[str, Tensor], au: dict[int, Tensor]) -> Sided:
    fold = (
        0.22
        + 0.75 * p["old"] * p["crease"].clamp_min(0.35)
        + 0.95 * au[12]
        + 0.75 * au[10]
        + 0.6 * au[9]
        + 0.3 * au[20]
    )
    return {
        "fold": (fold * (0.55 + 0.45 * p["crease"]) * (1 - 0.5 * p["child"])).clamp(0, 1.5),
        "cheek_up": 0.05 * au[6] + 0.035 * au[12],
        "apple": (0.45 * au[6] + 0.85 * au[12] + 0.3 * au[9]).clamp(max=1.2),
        "frowning": au[15],
        "groove": (0.85 * au[12] + 0.9 * au[10] + 0.7 * au[9] + 0.25 * au[6]).clamp(max=1.3),
        "cheek_full": 0.045 * p["cheek"] * (1 + 0.35 * au[6] + 0.25 * au[12] + 0.4 * p["child"]),
        "sneer": (au[9] + 0.35 * au[10]).clamp(max=1.2),
        "wing_y": p["nose_y"] + 0.045 - 0.028 * au[9] - 0.012 * au[10],
        "wing_x": 0.098 * p["nose_w"] * (1 + 0.10 * au[12] + 0.10 * au[9] + 0.05 * au[10]),
        "nose_y": p["nose_y"] - 0.010 * au[9],
        "nose_h": p["nose_h"],
        "nose_w": p["nose_w"],
        "wrinkled": 0.15 + 0.95 * (p["old"] * (0.45 + 0.75 * p["crease"])).clamp(max=1),
        "chin_boss": au[17],
    }


def lid_curves(face: Layout, u: Tensor) -> tuple[Tensor, Tensor]:
    """Upper and lower lid, relative to the eye's centre; u from -1 (at the nose) to 1 (at the temple)."""
    rest = (1 - u * u).clamp_min(0)
    slant = -face.tilt * face.eye_w * u
    upper = slant - face.upper * rest.pow(0.8) * (1 - 0.16 * u)
    lower = slant + face.lower * rest.pow(0.9) * (1 + 0.22 * u)
    return upper, torch.maximum(upper, lower)


def brow_curve(face: Layout, u: Tensor) -> tuple[Tensor, Tensor]:
    """Middle line (face y) and half thickness of a brow; u from -1 (inner end) to 1 (outer end)."""
    outer = ((u + 0.85) / 1.6).clamp(0, 1)
    outer = outer * outer * (3 - 2 * outer)
    middle = (1 - u * u).clamp_min(0)
    move = face.inner * (1 - outer) + face.outer * outer + face.middle * middle
    arch = -face.brow_arch * (1 - (u - 0.35) ** 2 / 1.2) + face.brow_slope * u + 0.012 * outer * outer
    thick = (
        face.brow_thick
        * (1 - 0.62 * ((u + 0.5) / 1.5).clamp(0, 1))
        * (0.8 + 0.2 * ((u + 1) * 2.5).clamp(0, 1))
    )
    return face.brow_y + arch + move, thick


def lip_curves(face: Layout, u: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The lips' four edges (face y), top to bottom: outer upper, inner upper, inner lower, outer lower.

    u runs from 0 in the middle to 1 at the corner.
    """
    u = u.abs().clamp(max=1)
    u2 = u * u
    rest = 1 - u2
    bend = face.mouth_y + face.corner * u2 + face.sag * (1 - rest.sqrt()) - face.arch * rest
    open_ = face.gap * rest.pow(0.62)
    flat = 0.24 + 0.16 * face.smile  # a smile draws the upper lip up to a flat line
    inner_up = bend - flat * open_ - face.lift * rest * (0.6 + 0.9 * u2)
    inner_low = bend + (1 - flat) * open_
    bow = 1 - 0.30 * gauss((u / 0.13) ** 2) + 0.10 * gauss(((u - 0.28) / 0.16) ** 2)
    outer_up = inner_up - face.lip_upper * rest.pow(0.8) * bow - 0.004
    outer_low = inner_low + face.lip_lower * rest.pow(0.65) + 0.004
    return outer_up, inner_up, torch.maximum(inner_up, inner_low), outer_low


def fold_line(face: Layout, y: Tensor) -> Tensor:
    """|x| of the fold from the nose's wing past the mouth's corner at height y."""
    start_y = face.wing_y - 0.02
    end = 0.80 * face.mouth_w + 0.115
    t = ((y - start_y) / (face.mouth_y + 0.25 * face.corner + face.sag + 0.05 - start_y)).clamp(-0.3, 1.5)
    return torch.lerp(face.wing_x + 0.055, end, t) + 0.035 * t * (1 - t)
