"""The face as a sculptor models it: what stands out of the smooth head or lies sunk in it, stroke by stroke.

Heights are in face units. Bones and soft parts come from the person, folds and bulges from action units.
"""

import torch
from torch import Tensor

from fer_lib.worlds.layout import Layout, Sides, brow_curve, fold_line, lid_curves, lip_curves
from fer_lib.worlds.people import People
from fer_lib.worlds.sculpt import Strokes


def carve(people: People, face: Layout) -> Strokes:
    """All strokes of a batch of faces."""
    strokes = Strokes(face.sides["eye_x"])
    here = face.both()
    traits = {name: value[:, None] for name, value in people.traits.items() if value.dim() == 1}
    _nose(strokes, here)
    _brow_bone(strokes, here, traits)
    _sockets(strokes, here)
    _cheeks(strokes, here, traits)
    _mouth(strokes, here)
    _chin(strokes, here, traits)
    _folds(strokes, here)
    _forehead_lines(strokes, here)
    _small_lines(strokes, here)
    return strokes


def row(values: list[float], like: Tensor) -> Tensor:
    """Numbers along a chain of strokes, (1,1,n)."""
    return torch.tensor(values, dtype=like.dtype, device=like.device)[None, None]


def _nose(s: Strokes, face: Sides) -> None:
    """Root, bridge, ball, wings, and the step down to the lip."""
    tip, high, wide = (face.sides[name].mean(1)[:, None] for name in ("nose_y", "nose_h", "nose_w"))
    root = face.sides["eye_y"].mean(1)[:, None] - 0.035
    t = row([0.0, 0.2, 0.4, 0.6, 0.8, 1.0], tip)[0]
    rise = row([0.24, 0.30, 0.36, 0.43, 0.50, 0.50], tip)[0]
    across = row([0.058, 0.058, 0.061, 0.066, 0.074, 0.084], tip)[0]
    along = torch.lerp(root, tip, t)
    s.add(0.62 * high * rise, 0.0, along, 0.92 * across * wide, row([0.085] * 5 + [0.062], tip)[0])
    s.add(0.42 * high * rise, 0.0, along, 2.2 * across * wide, row([0.085] * 5 + [0.062], tip)[0])
    s.add(0.024 + 0.12 * high, 0.0, tip + 0.008, 0.062 * wide, 0.048)
    s.pair(0.076, 0.86 * face.wing_x, face.wing_y - 0.01, 0.036 * wide[:, :, None], 0.044)
    s.pair(-0.036, face.wing_x + 0.045, face.wing_y, 0.024, 0.055)
    s.add(-0.040, 0.0, tip + 0.125, 0.085 * wide, 0.040)


def _brow_bone(s: Strokes, face: Sides, p: dict[str, Tensor]) -> None:
    """Ridge over the eyes, glabella, forehead and temples; a frown piles skin up between the brows."""
    ridge = (0.026 + 0.020 * p["male"]) * (1 - 0.7 * p["child"])
    low = 0.028 + 0.55 * torch.cat([face.inner, face.outer], 2)
    x = torch.cat([face.eye_x - 0.10, face.eye_x + 0.07], 2)
    s.pair(ridge[:, :, None], x, face.brow_y + low, 0.115, 0.050)
    s.add(0.6 * ridge, 0.0, p["eye_y"] - 0.16, 0.09, 0.06)
    s.add(-0.025, 0.0, p["eye_y"] - 0.03, 0.045, 0.045)
    s.pair(0.018, 0.17, -0.45, 0.20, 0.16)
    s.pair(-0.040, 0.52, -0.22, 0.09, 0.20)
    heap = face.frown
    y = face.brow_y + 0.02 + 0.5 * face.inner
    s.pair(0.030 * heap, 0.085, y, 0.050, 0.045)
    s.pair(-0.026 * heap * (0.7 + 0.5 * face.wrinkled), 0.038, y - 0.01, 0.014, 0.060)
    s.add(0.012 * heap.mean(1), 0.0, y.mean(1), 0.020, 0.06)


def _sockets(s: Strokes, face: Sides) -> None:
    """The eye's hollow, the ball in it, the lid's fold, the bag and the groove below."""
    x, y = face.eye_x, face.eye_y
    s.pair(-0.100, x - 0.01, y - 0.018, 0.145, 0.085)
    s.pair(-0.050, x - 0.150, y - 0.005, 0.050, 0.062)
    s.pair(0.064, x, y + 0.002, 0.098, 0.060)
    u = row([-0.75, -0.25, 0.25, 0.75], x)
    upper, lower = lid_curves(face, u)
    rest = 1 - 0.5 * u * u
    s.pair(0.012 * rest, x + u * face.eye_w, y + upper - 0.012, 0.034, 0.014)
    s.pair(-0.016 * rest * (1 - 0.6 * face.shut), x + u * face.eye_w, y + upper - 0.036, 0.036, 0.012)
    s.pair(0.016 * face.hood, x + (u + 0.25) * face.eye_w, y + upper - 0.070, 0.040, 0.030)
    bag = 0.007 + 0.026 * (face.wrinkled - 0.15) + 0.014 * face.squeeze
    s.pair(bag * rest, x + u * face.eye_w, y + lower + 0.032, 0.036, 0.020)
    t = row([0.0, 0.33, 0.67, 1.0], x)
    depth = (0.008 + 0.026 * (face.wrinkled - 0.15) + 0.010 * face.squeeze) * (1 - 0.5 * t)
    s.pair(
        -depth,
        x - 0.155 + 0.20 * t,
        y + 0.075 + 0.060 * t * (1.4 - 0.4 * t) - 0.3 * face.cheek_up,
        0.040,
        0.016,
    )


def _cheeks(s: Strokes, face: Sides, p: dict[str, Tensor]) -> None:
    """Cheek bones, the apple that a smile lifts, and the hollow below that age and leanness deepen."""
    up = face.cheek_up
    full = face.cheek_full
    s.pair(full * 0.9, 0.355, face.eye_y + 0.215 - 0.5 * up, 0.155, 0.110)
    s.pair(
        0.9 * (full - 0.045).clamp_min(0) + 0.046 * face.apple,
        0.32,
        face.eye_y + 0.31 - 0.6 * up,
        0.115,
        0.10,
    )
    lean = (0.030 * (1.3 - p["cheek"]) + 0.018 * p["old"] + 0.012) * (1 - p["child"])
    s.pair(-lean[:, :, None], 0.38, face.mouth_y - 0.05, 0.13, 0.14)
    s.pair(0.030 * p["child"][:, :, None], 0.33, face.mouth_y - 0.12, 0.17, 0.16)


def _mouth(s: Strokes, face: Sides) -> None:
    """The muzzle of the teeth, the philtrum, and lips with volume."""
    mean = {n: face.sides[n].mean(1)[:, None] for n in ("mouth_y", "wing_y", "lip_upper", "pout", "press")}
    s.add(0.032, 0.0, mean["mouth_y"] - 0.01, 0.22, 0.12)
    top = mean["mouth_y"] - mean["lip_upper"]
    middle, tall = (mean["wing_y"] + 0.05 + top) / 2, (top - mean["wing_y"] - 0.05).clamp_min(0.03) * 0.6
    s.add(-0.012, 0.0, middle, 0.016, tall)
    s.pair(0.007, 0.034, middle[:, :, None], 0.013, tall[:, :, None])
    u = row([0.10, 0.35, 0.60, 0.85], tall)
    outer_up, inner_up, inner_low, outer_low = lip_curves(face, u)
    rest = 1 - 0.75 * u * u
    roll = rest * (1 + 0.8 * face.pout) * (1 - 0.7 * face.press)
    wide = 0.16 * face.mouth_w
    upper, lower = (inner_up - outer_up).clamp_min(0.01), (outer_low - inner_low).clamp_min(0.01)
    s.pair((0.006 + 0.40 * upper) * roll, u * face.mouth_w, inner_up - 0.45 * upper, wide, 0.55 * upper)
    s.pair((0.010 + 0.46 * lower) * roll, u * face.mouth_w, inner_low + 0.45 * lower, wide, 0.55 * lower)
    sulcus = 0.034 * rest * (1 + 0.3 * face.pout) * (1 - 0.8 * face.smile)
    s.pair(-sulcus[:, :, :3], (u * face.mouth_w)[:, :, :3], (outer_low + 0.030)[:, :, :3], 0.055, 0.026)
    corner_y = face.mouth_y + face.corner + face.sag
    s.pair(-0.016 - 0.010 * face.smile, face.mouth_w + 0.008, corner_y, 0.024, 0.030)
    s.pair(0.012 + 0.014 * face.smile, face.mouth_w + 0.055, corner_y, 0.028, 0.055)
    s.pair(-0.044 * face.dimple, face.mouth_w + 0.060, corner_y - 0.01, 0.024, 0.055)
    s.pair(0.030 * face.dimple, face.mouth_w + 0.125, corner_y - 0.01, 0.034, 0.055)


def _chin(s: Strokes, face: Sides, p: dict[str, Tensor]) -> None:
    """The chin's ball, the jaw's edge, jowls."""
    chin = face.sides["chin"].mean(1)[:, None]
    boss = face.sides["chin_boss"].mean(1)[:, None]
    s.add(0.058 + 0.02 * p["male"] + 0.02 * boss, 0.0, chin - 0.150, 0.12, 0.078)
    s.pair(0.018 + 0.014 * p["male"][:, :, None], 0.36, chin[:, :, None] - 0.30, 0.10, 0.10)
    sag = (0.034 * p["old"] * p["crease"].clamp_min(0.3))[:, :, None]
    s.pair(sag, 0.31, chin[:, :, None] - 0.24, 0.085, 0.075)
    s.pair(-0.65 * sag, 0.195, chin[:, :, None] - 0.21, 0.035, 0.080)
    spots = row([-0.6, 0.1, 0.7], chin)
    s.pair(
        -0.007 * boss[:, :, None],
        0.05 + 0.035 * spots,
        chin[:, :, None] - 0.17 + 0.04 * spots.flip(2),
        0.016,
        0.016,
    )


def _folds(s: Strokes, face: Sides) -> None:
    """Nasolabial folds from the nose's wing past the mouth's corner; marionette lines with age."""
    t = row([0.0, 0.18, 0.36, 0.54, 0.72, 0.90], face.eye_x)
    start, end = face.wing_y - 0.03, face.mouth_y + 0.3 * face.corner + face.sag + 0.04
    y = torch.lerp(start, end, t)
    x = fold_line(face, y)
    fade = row([0.8, 1.0, 1.0, 0.95, 0.75, 0.4], y)
    s.pair(-0.034 * face.fold * fade, x - 0.006, y, 0.020, 0.040)
    s.pair(0.034 * face.fold * fade, x + 0.044, y - 0.01, 0.044, 0.050)
    marionette = 0.022 * (face.wrinkled - 0.25).clamp_min(0) + 0.010 * face.frowning
    t = row([0.0, 0.5, 1.0], y)
    y = face.mouth_y + face.corner + face.sag + 0.04 + 0.10 * t
    s.pair(-marionette * (1 - 0.4 * t), face.mouth_w + 0.012 + 0.02 * t, y, 0.016, 0.040)


def _forehead_lines(s: Strokes, face: Sides) -> None:
    """Lines that raised brows fold, above the brows and in parallel to them; age leaves them."""
    u = row([-1.0, -0.4, 0.3, 1.0], face.eye_x)
    brow, _ = brow_curve(face, u)
    x = face.brow_x + face.brow_w * u * 0.95
    raised = face.furrow * (0.45 + 0.75 * face.wrinkled) + 0.75 * (face.wrinkled - 0.2).clamp_min(0)
    for k, (up, strength) in enumerate(((0.10, 0.8), (0.165, 1.0), (0.235, 0.9), (0.31, 0.6))):
        y = torch.lerp(brow, brow.mean(2, keepdim=True), 0.25 * k) - up
        s.pair(-0.0100 * strength * raised, x, y, 0.080, 0.0115)
        s.pair(0.0075 * strength * raised, x, y - 0.032, 0.080, 0.020)


def _small_lines(s: Strokes, face: Sides) -> None:
    """Crow's feet and the nose's wrinkles."""
    far = row([0.035, 0.065, 0.095], face.eye_x)
    for rise in (-0.55, -0.15, 0.25, 0.60):
        depth = 0.0075 * face.squeeze * (0.30 + 0.9 * face.wrinkled) + 0.008 * (
            face.wrinkled - 0.3
        ).clamp_min(0)
        x = face.eye_x + face.eye_w + far
        s.pair(-depth, x, face.eye_y - 0.01 + rise * (0.35 * far + 0.045), 0.022, 0.0075)
    for k in range(3):
        y = face.eye_y + 0.015 + 0.05 * k
        s.pair(-0.016 * face.sneer, 0.045 + 0.012 * k, y, 0.038, 0.011)
        s.pair(0.014 * face.sneer, 0.045 + 0.012 * k, y + 0.025, 0.040, 0.014)
