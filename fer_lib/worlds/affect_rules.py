"""Valence and arousal of a face, from its action units.

Each axis is a weighted sum of action units and of pairs that mean more together (a smile with raised cheeks),
squashed by tanh and kept inside the unit disc, as Russell's circumplex (1980) and AffectNet's annotation
(Mollahosseini et al., 2017) have it. The weights are our own rule, not measured ones; a world may turn the
plane by an angle or stretch an axis, and so have its own dialect of feeling.
"""

import math

import torch
from torch import Tensor

from fer_lib.worlds.action_units import NUMBERS, PROTOTYPES, prototype_table

# weights of single units; a resting face, with its habits, comes out near the origin
VALENCE = {
    1: -0.06, 2: 0.14, 4: -0.42, 5: 0.02, 6: -0.05, 7: -0.06, 9: -0.50, 10: -0.40, 12: 1.15, 14: -0.95,
    15: -0.62, 17: -0.15, 20: -0.42, 23: -0.22, 24: -0.22, 25: 0.04, 26: 0.12, 27: 0.12, 43: -0.05,
}  # fmt: skip
AROUSAL = {
    1: 0.10, 2: 0.30, 4: 0.24, 5: 0.58, 6: 0.04, 7: 0.12, 9: 0.22, 10: 0.22, 12: 0.05, 14: 0.12,
    15: -0.52, 17: -0.10, 18: 0.05, 20: 0.25, 23: 0.22, 24: 0.16, 25: 0.12, 26: 0.22, 27: 0.40, 43: -0.70,
}  # fmt: skip
PAIRS_VALENCE = {(6, 12): 0.30, (10, 12): 0.35, (9, 12): 0.30, (4, 12): -0.25, (12, 14): -1.10, (1, 4): -0.25}
PAIRS_AROUSAL = {(12, 25): 0.22, (1, 15): -0.45, (4, 23): 0.25, (4, 25): 0.15}


def _weigh(units: Tensor, single: dict[int, float], pairs: dict[tuple[int, int], float]) -> Tensor:
    place = {number: k for k, number in enumerate(NUMBERS)}
    total = torch.zeros(len(units), dtype=units.dtype, device=units.device)
    for number, weight in single.items():
        total = total + weight * units[:, place[number]]
    for (first, second), weight in pairs.items():
        total = total + weight * units[:, place[first]] * units[:, place[second]]
    return total


def affect(
    action_units: Tensor,
    *,
    turn_deg: float = 0.0,
    stretch: tuple[float, float] = (1.0, 1.0),
    offset: tuple[float, float] = (0.0, 0.0),
    valence: dict[int, float] | None = None,
    arousal: dict[int, float] | None = None,
) -> tuple[Tensor, Tensor]:
    """Valence and arousal (B,) each, in the unit disc.

    Args:
        action_units: (B,A,2) or (B,A) intensities.
        turn_deg: a dialect's turn of the plane, counter-clockwise.
        stretch: a dialect's factors for valence and for arousal.
        offset: a dialect's shifts of valence and arousal, after the turn.
        valence, arousal: a dialect's weights of single units; they replace the usual ones.

    >>> from fer_lib.worlds import from_intensities
    >>> valence, arousal = affect(from_intensities({6: 0.7, 12: 0.85, 25: 0.7}))
    >>> bool(valence > 0.6), bool(0 < arousal < 0.5)
    (True, True)
    """
    units = action_units.mean(-1) if action_units.dim() == 3 else action_units
    weights = VALENCE | (valence or {}), AROUSAL | (arousal or {})
    v = torch.tanh(1.15 * stretch[0] * (0.06 + _weigh(units, weights[0], PAIRS_VALENCE)))
    a = torch.tanh(1.05 * stretch[1] * (_weigh(units, weights[1], PAIRS_AROUSAL) - 0.08))
    c, s = math.cos(math.radians(turn_deg)), math.sin(math.radians(turn_deg))
    v, a = c * v - s * a + offset[0], s * v + c * a + offset[1]
    beyond = torch.sqrt(v * v + a * a).clamp_min(1.0)
    return v / beyond, a / beyond


def _bank() -> Tensor:
    """Faces to choose from: variants at ten intensities, pairs, both with drooping lids as well (M,A).

    Contempt is not among them: it needs one side of the face.
    """
    faces = [torch.zeros(1, len(NUMBERS))]
    tables = [prototype_table(name) for name in PROTOTYPES if name not in ("neutral", "contempt")]
    steps = torch.linspace(0.1, 1, 10)
    faces += [(steps[:, None, None] * table).flatten(0, 1) for table in tables]
    for first in range(len(tables)):
        for second in range(first):
            for share in (0.3, 0.5, 0.7):
                mixed = share * tables[first][0] + (1 - share) * tables[second][0]
                faces.append(steps[:, None] * mixed)
    bank = torch.cat(faces)
    drooping = bank.clone()
    drooping[:, NUMBERS.index(43)] = 0.40
    return torch.cat([bank, drooping])


def express(valence: Tensor, arousal: Tensor) -> Tensor:
    """Faces that ``affect`` reads as near as can be to the wanted values: (B,A,2), both sides alike.

    There are many such faces; of two that fit alike, the one that moves less is taken. Corners of the plane
    that no face reaches get the nearest one.

    >>> units = express(torch.tensor([0.7]), torch.tensor([0.3]))
    >>> bool(affect(units)[0] > 0.6)
    True
    """
    bank = _bank()
    reached = torch.stack(affect(bank), -1)  # (M, 2)
    wanted = torch.stack([valence, arousal], -1)  # (B, 2)
    cost = torch.cdist(wanted, reached) ** 2 + 0.004 * bank.sum(1)
    return bank[cost.argmin(1)][:, :, None].repeat(1, 1, 2)
