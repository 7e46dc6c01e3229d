"""People: the traits that stay when the expression changes, drawn once for each identity.

Lengths are in face units (half an adult head's height); colours are linear RGB. A trait is a (N,) tensor, a
colour (N,3), ``gain`` and ``habit`` (N,A).
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from fer_lib.worlds.action_units import NUMBERS
from fer_lib.worlds.hairstyles import hairstyle

# name: (low, high) of an adult; drawn bell-shaped between them
BELL: dict[str, tuple[float, float]] = {
    "width": (0.543, 0.712),
    "taper": (0.069, 0.342),
    "jaw": (2.235, 3.665),
    "top": (0.911, 1.019),
    "chin": (0.876, 1.074),
    "eye_x": (0.258, 0.326),
    "eye_w": (0.125, 0.161),
    "eye_open": (0.748, 1.272),
    "eye_tilt": (-0.076, 0.236),
    "brow_gap": (0.103, 0.191),
    "brow_w": (0.142, 0.198),
    "brow_thick": (0.019, 0.045),
    "brow_arch": (0.005, 0.050),
    "brow_slope": (-0.03, 0.03),
    "nose_y": (0.262, 0.373),
    "nose_w": (0.815, 1.465),
    "nose_h": (0.133, 0.237),
    "mouth_y": (0.565, 0.669),
    "mouth_w": (0.196, 0.289),
    "mouth_rest": (-0.029, 0.011),
    "lip_upper": (0.025, 0.069),
    "lip_lower": (0.040, 0.090),
    "cheek": (0.5, 1.5),
    "crease": (0.0, 1.2),
    "gloss": (0.3, 1.2),
    "freckles": (-0.6, 0.5),
    "ear": (0.8, 1.2),
    "teeth": (0.45, 1.15),
}
SKIN = (
    (245, 216, 200),
    (238, 204, 184),
    (224, 184, 158),
    (204, 160, 130),
    (172, 128, 100),
    (136, 98, 76),
    (104, 74, 58),
    (74, 53, 43),
)
HAIR = (
    (28, 24, 23),
    (48, 35, 28),
    (78, 54, 38),
    (112, 80, 52),
    (152, 116, 74),
    (192, 160, 110),
    (130, 62, 34),
)
GREY_HAIR = (158, 156, 154)
IRIS = ((62, 38, 22), (88, 58, 32), (104, 84, 48), (92, 110, 84), (96, 124, 148), (118, 134, 142))


@dataclass(frozen=True)
class People:
    """Traits by name, one entry a person: ``people["eye_x"]`` is (N,), ``people["skin"]`` (N,3)."""

    traits: dict[str, Tensor]

    def __getitem__(self, name: str) -> Tensor:
        return self.traits[name]

    def __len__(self) -> int:
        return len(self.traits["width"])

    def take(self, index: Tensor | slice) -> "People":
        """The people at ``index``, in that order, repeated where it repeats."""
        return People({name: value[index] for name, value in self.traits.items()})

    def to(self, device: torch.device | str) -> "People":
        """The same people on another device."""
        return People({name: value.to(device) for name, value in self.traits.items()})

    def with_traits(self, **traits: float | Tensor) -> "People":
        """The same people with some traits set, e.g. ``with_traits(age=70.0)`` or ``glasses=0.0``.

        Raises:
            ValueError: a trait that people do not have.
        """
        unknown = sorted(set(traits) - set(self.traits))
        if unknown:
            raise ValueError(f"traits must be known names; got {unknown}. Choose from {sorted(self.traits)}.")
        changed = {k: torch.as_tensor(v).to(self[k]).expand_as(self[k]).clone() for k, v in traits.items()}
        return People({**self.traits, **changed})


def linear(colours: tuple[tuple[int, int, int], ...]) -> Tensor:
    """8-bit display colours -> linear light."""
    return (torch.tensor(colours, dtype=torch.float32) / 255) ** 2.2


def between(anchors: Tensor, position: Tensor) -> Tensor:
    """Colours (N,3) at ``position`` in [0,1] along the anchor colours (K,3)."""
    place = position.clamp(0, 1) * (len(anchors) - 1)
    low = place.floor().long().clamp(max=len(anchors) - 2)
    return torch.lerp(anchors[low], anchors[low + 1], (place - low)[:, None])


class Draw:
    """Random (N,) tensors from one generator; the order of calls is part of what a seed means."""

    def __init__(self, count: int, generator: torch.Generator) -> None:
        self.count, self.generator = count, generator

    def uniform(self, low: float = 0.0, high: float = 1.0) -> Tensor:
        """Even between the bounds."""
        return low + (high - low) * torch.rand(self.count, generator=self.generator)

    def bell(self, low: float, high: float) -> Tensor:
        """Between the bounds, more often in the middle: the mean of three even draws."""
        return low + (high - low) * torch.rand(self.count, 3, generator=self.generator).mean(1)

    def normal(self, mean: float, spread: float) -> Tensor:
        """Gaussian."""
        return mean + spread * torch.randn(self.count, generator=self.generator)

    def chance(self, probability: float | Tensor) -> Tensor:
        """1 with the given probability, else 0."""
        return (self.uniform() < probability).float()


def sample_people(count: int, *, seed: int, ages: tuple[float, float] = (5.0, 85.0)) -> People:
    """Draw ``count`` people.

    Args:
        count: number of people N, at least 1.
        seed: the same seed gives the same people.
        ages: youngest and oldest, in years; the density is highest in young adulthood.

    Raises:
        ValueError: ``count`` below 1, or ages that are not an increasing pair.

    >>> people = sample_people(100, seed=0)
    >>> len(people), bool(people["age"].min() >= 5)
    (100, True)
    """
    if count < 1:
        raise ValueError(f"count must be at least 1; got {count}. Ask for one person or more.")
    if not ages[0] < ages[1]:
        raise ValueError(f"ages must be (youngest, oldest); got {ages}. Put the younger age first.")
    draw = Draw(count, torch.Generator().manual_seed(seed))
    traits = {name: draw.bell(*bounds) for name, bounds in BELL.items()}
    traits["age"] = ages[0] + (ages[1] - ages[0]) * draw.uniform() ** 1.35
    traits["male"] = draw.chance(0.5)
    _grow(traits)
    _colour(traits, draw)
    _groom(traits, draw)
    traits["gain"] = 0.82 + 0.4 * torch.rand(count, len(NUMBERS), generator=draw.generator)
    traits["habit"] = _habits(count, draw.generator)
    traits["texture"] = draw.uniform(0, 64)
    traits |= hairstyle(traits, draw)
    return People(traits)


def _grow(t: dict[str, Tensor]) -> None:
    """Ages and sexes shape the face: children's features sit low, big eyes, small nose; jaws grow."""
    child = ((16 - t["age"]) / 11).clamp(0, 1)
    old = ((t["age"] - 40) / 40).clamp(0, 1)
    male, grown = t["male"], (1 - child)
    t["child"], t["old"] = child, old
    t["taper"] = t["taper"] + 0.05 * (1 - male) - 0.05 * male * grown
    t["jaw"] = t["jaw"] + 0.25 * male * grown - 0.15 * child
    t["width"] = t["width"] + 0.02 * male * grown + 0.02 * child
    t["chin"] = t["chin"] - 0.09 * child - 0.02 * (1 - male)
    t["eye_y"] = 0.09 * child
    t["eye_w"] = t["eye_w"] * (1 + 0.14 * child + 0.04 * (1 - male))
    t["eye_w"] = torch.minimum(t["eye_w"], t["eye_x"] - 0.115)  # room for the nose's root
    t["eye_open"] = t["eye_open"] * (1 + 0.12 * child + 0.06 * (1 - male) - 0.14 * old)
    t["brow_gap"] = t["brow_gap"] + 0.012 * (1 - male) - 0.015 * male * grown
    t["brow_thick"] = t["brow_thick"] * (1 - 0.3 * child) * (0.85 + 0.35 * male)
    t["brow_arch"] = t["brow_arch"] + 0.012 * (1 - male)
    t["nose_y"] = t["nose_y"] + 0.02 * child
    t["nose_w"] = t["nose_w"] * (1 - 0.15 * child + 0.07 * male * grown + 0.06 * old)
    t["nose_h"] = t["nose_h"] * (1 - 0.35 * child + 0.08 * male)
    t["mouth_w"] = t["mouth_w"] * (1 - 0.12 * child)
    t["mouth_rest"] = t["mouth_rest"] + 0.010 * old
    for lip in ("lip_upper", "lip_lower"):
        t[lip] = t[lip] * (1 + 0.12 * (1 - male) - 0.35 * old)


def _colour(t: dict[str, Tensor], draw: Draw) -> None:
    """Skin over the whole range; dark hair and eyes go more often with dark skin; hair greys with age."""
    tone = draw.uniform()
    jitter = torch.stack([draw.normal(1, 0.04), draw.normal(1, 0.02), draw.normal(1, 0.05)], -1)
    t["skin_tone"] = tone
    t["skin"] = between(linear(SKIN), tone) * jitter.clamp(0.88, 1.12)
    grey = t["skin"].mean(1, keepdim=True)  # the light is warm already
    t["skin"] = torch.lerp(t["skin"], grey, 0.05 + 0.15 * tone[:, None])
    shade = draw.uniform() ** (1 + 3 * tone) * (1 - 0.75 * tone)
    t["hair"] = between(linear(HAIR[:6]), shade)
    red = draw.chance(0.05 * (tone < 0.35).float())[:, None]
    t["hair"] = torch.lerp(t["hair"], linear(HAIR[6:]).expand_as(t["hair"]), red)
    grey = ((t["age"] - draw.bell(34, 74)) / 14).clamp(0, 1) * draw.uniform(0.4, 1)
    t["brow_colour"] = torch.lerp(t["hair"], linear((GREY_HAIR,)), 0.5 * grey[:, None]) * 0.75
    t["hair"] = torch.lerp(t["hair"], linear((GREY_HAIR,)), grey[:, None])
    t["iris"] = between(linear(IRIS), draw.uniform() ** (0.8 + 2.5 * tone) * (1 - 0.6 * tone))
    t["lip_red"] = draw.bell(0.2, 1.0)


def _groom(t: dict[str, Tensor], draw: Draw) -> None:
    """Hair, beards, glasses, make-up."""
    male, grown = t["male"], (t["age"] > 17).float()
    long = draw.chance(0.10 + 0.60 * (1 - male))
    t["hair_length"] = torch.where(long > 0, draw.uniform(0.55, 1.6), draw.uniform(-0.25, 0.25))
    t["hair_volume"] = draw.bell(0.02, 0.14) * (1 + 0.3 * long)
    curls = 0.15 + 0.45 * (t["skin_tone"] > 0.6).float()
    t["curl"] = draw.chance(curls) * draw.uniform(0.4, 1.0)
    t["hair_volume"] = t["hair_volume"] * (1 + 0.8 * t["curl"])
    t["hairline"] = draw.bell(-0.70, -0.54) - 0.06 * male * draw.uniform() * t["old"]
    bald = draw.chance(male * grown * (0.05 + 0.40 * t["old"]))
    t["bald"] = bald
    t["fringe"] = draw.chance(0.28 - 0.12 * male) * (1 - bald) * draw.uniform(0.5, 1.0)
    t["parting"] = draw.uniform(-1, 1) * draw.chance(0.7)
    beard = draw.chance(0.38 * male * grown)
    t["stubble"] = draw.uniform() * male * grown * 0.8
    t["beard"] = beard * draw.uniform(0.35, 1.0)
    t["moustache"] = torch.maximum(t["beard"] * draw.chance(0.9), draw.chance(0.06 * male * grown) * 0.9)
    t["glasses"] = draw.chance(0.10 + 0.16 * t["old"])
    t["frame_dark"] = draw.uniform()
    t["frame_round"] = draw.uniform(0.35, 1.0)
    t["makeup"] = draw.chance(0.5 * (1 - male) * grown) * draw.uniform(0.3, 1.0)


def _habits(count: int, generator: torch.Generator) -> Tensor:
    """What a resting face already does: a little of some units, different for everybody, (N,A)."""
    size = {
        1: 0.10,
        2: 0.10,
        4: 0.16,
        5: 0.08,
        6: 0.08,
        7: 0.14,
        12: 0.12,
        14: 0.10,
        15: 0.14,
        17: 0.10,
        24: 0.14,
        25: 0.12,
    }
    spread = torch.tensor([size.get(number, 0.0) for number in NUMBERS])
    drawn = torch.randn(count, len(NUMBERS), generator=generator).abs() - 0.6
    return (drawn.clamp_min(0) * spread * math.sqrt(2)).clamp(0, 0.35)
