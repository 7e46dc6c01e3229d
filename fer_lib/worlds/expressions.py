"""What faces show: an emotion, one of its variants, an intensity, a blend, and the habits of the person."""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from fer_lib.worlds.action_units import NUMBERS, ONE_SIDED, SIDED
from fer_lib.worlds.feelings import EMOTIONS, Variant, lexicon
from fer_lib.worlds.people import Draw, People


@dataclass(frozen=True)
class Dialect:
    """How a world speaks with its face.

    Attributes:
        variants: weights of a feeling's usual variants, where they are not equal.
        own: variants that only this world uses, each with its weight beside the usual ones.
        gains: factors of single action units.
        intensity: mean and concentration of the bell of intensities in (0,1).
        blend: how often a second emotion mixes in.
        uneven: spread of the difference between the sides of the face.
        restless: how much faces move without meaning anything, 1 as usual.
        turn_deg, stretch, offset, valence, arousal: how its annotators' valence and arousal read the units:
            a turn of the plane, factors and shifts of its axes, weights of single units that replace the
            usual ones; see ``affect_rules``.
    """

    variants: dict[str, tuple[float, ...]] = field(default_factory=dict)
    own: dict[str, tuple[tuple[float, Variant], ...]] = field(default_factory=dict)
    gains: dict[int, float] = field(default_factory=dict)
    intensity: tuple[float, float] = (0.62, 5.0)
    blend: float = 0.25
    uneven: float = 0.12
    restless: float = 1.0
    turn_deg: float = 0.0
    stretch: tuple[float, float] = (1.0, 1.0)
    offset: tuple[float, float] = (0.0, 0.0)
    valence: dict[int, float] = field(default_factory=dict)
    arousal: dict[int, float] = field(default_factory=dict)

    @property
    def reading(self) -> dict[str, Any]:
        """The arguments that ``affect`` takes from a dialect."""
        names = ("turn_deg", "stretch", "offset", "valence", "arousal")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True)
class Shown:
    """Expressions of a batch: what was meant and what the face does.

    Attributes:
        units: (B,A,2) action units as rendered.
        emotion: index into ``FEELINGS`` (B,); the first eight are ``EMOTIONS``.
        variant: which way of showing it (B,).
        intensity: 0-1 (B,).
        second, share: the emotion blended in and its weight (B,).
    """

    units: Tensor
    emotion: Tensor
    variant: Tensor
    intensity: Tensor
    second: Tensor
    share: Tensor


def sample_expressions(
    people: People, emotion: Tensor, generator: torch.Generator, dialect: Dialect
) -> Shown:
    """Let each person show a feeling (B,), an index into ``FEELINGS``, in a world's dialect."""
    batch = len(emotion)
    draw = Draw(batch, generator)
    mean, weight = dialect.intensity
    intensity = _beta(draw, mean, weight)
    second = torch.randint(1, len(EMOTIONS), (batch,), generator=generator)
    share = draw.chance(dialect.blend) * draw.uniform(0.1, 0.45) * (second != emotion) * (emotion != 0)
    first_units, variant = _variant_units(emotion, draw, dialect)
    second_units, _ = _variant_units(second, draw, dialect)
    units = first_units * (1 - share)[:, None] + second_units * share[:, None]
    units = units * (intensity * (emotion != 0))[:, None]
    spread = torch.randn(units.shape, generator=generator)
    units = units * (1 + 0.22 * spread)
    units = units + dialect.restless * _restless(batch, generator)
    gains = torch.tensor([dialect.gains.get(number, 1.0) for number in NUMBERS])
    units = units * gains * people["gain"] + people["habit"]
    units = _sides(units.clamp(0, 1), emotion, generator, dialect.uneven)
    return Shown(units, emotion, variant, intensity * (emotion != 0), second, share)


def _beta(draw: Draw, mean: float, weight: float) -> Tensor:
    """A bell on (0,1) with the given mean, narrower for a larger weight: a logistic of a normal variable."""
    centre = torch.logit(torch.tensor(mean))
    return torch.sigmoid(centre + draw.normal(0.0, 2.4 / weight**0.5))


def _variant_units(emotion: Tensor, draw: Draw, dialect: Dialect) -> tuple[Tensor, Tensor]:
    """One way of showing each feeling: action units (B,A), and which way."""
    units, shares = lexicon(dialect.variants, dialect.own)
    ladder = shares.cumsum(1)[emotion]
    variant = (draw.uniform()[:, None] > ladder).sum(1).clamp(max=shares.shape[1] - 1)
    return units[emotion, variant], variant


def _restless(batch: int, generator: torch.Generator) -> Tensor:
    """Small movements that mean nothing: a blink, lips apart, a brow."""
    size = {
        1: 0.2,
        2: 0.2,
        4: 0.15,
        5: 0.1,
        7: 0.2,
        12: 0.12,
        14: 0.1,
        17: 0.15,
        18: 0.2,
        25: 0.5,
        26: 0.3,
        43: 0.3,
    }
    odds = torch.tensor([0.12 if number in size else 0.0 for number in NUMBERS])
    reach = torch.tensor([size.get(number, 0.0) for number in NUMBERS])
    shape = (batch, len(NUMBERS))
    happens = torch.rand(shape, generator=generator) < odds
    return happens * torch.rand(shape, generator=generator) * reach


def _sides(units: Tensor, emotion: Tensor, generator: torch.Generator, uneven: float) -> Tensor:
    """(B,A) -> (B,A,2): slightly uneven sides; contempt on one side only."""
    batch = len(units)
    sided = torch.tensor([float(number in SIDED) for number in NUMBERS])
    tilt = uneven * torch.randn(batch, len(NUMBERS), generator=generator).clamp(-2, 2) * sided
    both = torch.stack([units * (1 - tilt), units * (1 + tilt)], -1)
    side = torch.randint(0, 2, (batch,), generator=generator)
    contempt = emotion == EMOTIONS.index("contempt")
    for number in ONE_SIDED["contempt"]:
        k = NUMBERS.index(number)
        weak = torch.where(contempt, 0.12, 1.0)
        both[torch.arange(batch), k, side] = both[torch.arange(batch), k, side] * weak
    return both.clamp(0, 1)
