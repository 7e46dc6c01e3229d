"""Scenes: pose, light, background, camera; all of a picture that is neither person nor expression."""

import math
from dataclasses import dataclass, fields
from typing import Any

import torch
from torch import Tensor

from fer_lib.worlds.backdrop import PLACES, PLAIN
from fer_lib.worlds.geometry import Pose
from fer_lib.worlds.light import Light
from fer_lib.worlds.people import Draw

POSE_LIMITS_DEG = {"yaw": 40.0, "pitch": 25.0, "roll": 30.0}
# what may lie over part of a face; Scene.occluder is the place in this list
OCCLUDERS = (
    "none", "hand at the chin", "hand at the cheek", "microphone", "cup", "strand of hair", "cap",
    "sunglasses",
)  # fmt: skip
OCCLUDER_ODDS = (0.0, 1.0, 0.8, 1.0, 0.7, 0.8, 0.9, 0.6)
HEADWEAR = ("none", "cap", "knitted hat", "headscarf")
HEADWEAR_ODDS = (0.0, 1.0, 0.7, 0.9)


@dataclass(frozen=True)
class SceneStyle:
    """How a corpus's pictures were taken. Pairs are lowest and highest values, drawn between them.

    Attributes:
        yaw_deg, pitch_deg, roll_deg: standard deviations, cut at two of them and at ``POSE_LIMITS_DEG``.
        scale, shift_y: size of the head (half its height over half the picture) and its place.
        busy: 0 plain wall, 1 anything.
        contrast: strength of the key light against the surroundings.
        second_light: share of pictures with a second lamp.
        posed: a studio: small turns, eyes to the camera, an even light, a plain wall, nothing in the way.
        occluder: share of pictures with a hand or thing over part of the face (``OCCLUDERS``).
        headwear: share of pictures with a cap, a knitted hat or a headscarf.
        blur: 0 none, 1 a binomial 5x5, 2 more.
        motion: share of pictures with a little motion blur.
        noise: grain's spread in display values.
        compression: strength of the loss of 8 x 8 cosine blocks, 0 none, 1 strong.
        vignette: loss of light at the corners.
        curve: contrast of the tone curve, 0 none, 1 strong.
        warmth, balance: spread of the lamp's colour and of the camera's white balance.
    """

    yaw_deg: float = 11.0
    pitch_deg: float = 6.0
    roll_deg: float = 6.0
    scale: tuple[float, float] = (0.70, 0.84)
    shift: float = 0.05
    shift_y: float = 0.0
    busy: float = 1.0
    contrast: tuple[float, float] = (0.6, 2.2)
    second_light: float = 0.35
    posed: bool = False
    occluder: float = 0.0
    headwear: float = 0.03
    blur: tuple[float, float] = (0.0, 0.6)
    motion: float = 0.04
    noise: tuple[float, float] = (0.003, 0.020)
    compression: tuple[float, float] = (0.0, 0.0)
    vignette: tuple[float, float] = (0.0, 0.25)
    curve: tuple[float, float] = (0.1, 0.9)
    warmth: float = 0.10
    balance: float = 0.025
    colour: bool = True


@dataclass(frozen=True)
class Scene:
    """One scene a picture; every tensor has B first. ``neutral_scene`` shows the usual values."""

    yaw_deg: Tensor
    pitch_deg: Tensor
    roll_deg: Tensor
    scale: Tensor
    shift: Tensor  # (B,2) in half pictures
    gaze: Tensor  # (B,2) in face units
    light_azimuth_deg: Tensor
    light_elevation_deg: Tensor
    light_key: Tensor
    light_ambient: Tensor
    light_warmth: Tensor
    second_azimuth_deg: Tensor
    second_elevation_deg: Tensor
    second_key: Tensor  # 0 where there is no second lamp
    second_warmth: Tensor
    exposure: Tensor
    place: Tensor  # index into backdrop.PLACES
    style: Tensor  # (B,8) in [0,1]: what the place looks like
    cloth: Tensor  # (B,3) linear
    attire: Tensor  # (B,3) in [0,1]: which clothes, their second colour, their pattern
    occluder: Tensor  # index into OCCLUDERS, 0 none
    occluder_place: Tensor  # (B,3) in [0,1]: where it lies
    headwear: Tensor  # index into HEADWEAR, 0 none
    blur: Tensor
    motion: Tensor  # (B,2) in half pictures
    noise: Tensor
    grain: Tensor  # in [0,1): which piece of grain
    compression: Tensor
    vignette: Tensor
    curve: Tensor
    balance: Tensor  # (B,3) gains

    def pose(self) -> Pose:
        """Angles in radians, for the geometry."""
        turn = math.pi / 180
        yaw, pitch, roll = self.yaw_deg * turn, self.pitch_deg * turn, self.roll_deg * turn
        return Pose(yaw, pitch, roll, self.scale, self.shift[:, 0], self.shift[:, 1])

    def light(self) -> Light:
        """Directions and colours of the lamps and of their surroundings."""
        warm = self.light_warmth
        sky = torch.stack([1 - 0.6 * warm, torch.ones_like(warm), 1 + 0.6 * warm], -1)
        return Light(
            direction(self.light_azimuth_deg, self.light_elevation_deg),
            _lamp(warm) * self.light_key[:, None],
            sky * self.light_ambient[:, None],
            second_direction=direction(self.second_azimuth_deg, self.second_elevation_deg),
            second=_lamp(self.second_warmth) * self.second_key[:, None],
        )

    def take(self, index: Tensor | slice) -> "Scene":
        """The scenes at ``index``, in that order."""
        return Scene(**{f.name: getattr(self, f.name)[index] for f in fields(self)})

    def to(self, device: torch.device | str) -> "Scene":
        """The same scenes on another device."""
        return Scene(**{f.name: getattr(self, f.name).to(device) for f in fields(self)})


def direction(azimuth_deg: Tensor, elevation_deg: Tensor) -> Tensor:
    """Unit vectors (B,3) towards a lamp: x to the image's right, y down, z to the camera."""
    azimuth, elevation = torch.deg2rad(azimuth_deg), torch.deg2rad(elevation_deg)
    flat = torch.cos(elevation)
    return torch.stack([torch.sin(azimuth) * flat, -torch.sin(elevation), torch.cos(azimuth) * flat], -1)


def _lamp(warmth: Tensor) -> Tensor:
    return torch.stack([1 + warmth, 1 + 0.1 * warmth, 1 - warmth], -1)


def sample_scene(batch: int, generator: torch.Generator, style: SceneStyle) -> Scene:
    """Draw ``batch`` scenes in a style.

    >>> scene = sample_scene(500, torch.Generator().manual_seed(0), SceneStyle(yaw_deg=30))
    >>> bool(scene.yaw_deg.abs().max() <= 40)
    True
    """
    draw = Draw(batch, generator)
    calm = 0.3 if style.posed else 1.0
    gaze = torch.stack([draw.normal(0, 0.014), draw.normal(0, 0.006)], -1).clamp(-0.035, 0.035)
    busy = 0.0 if style.posed else style.busy
    plain = torch.randint(0, PLAIN, (batch,), generator=generator)
    place = torch.where(draw.chance(busy) > 0, _pick(draw, (1.0,) * len(PLACES)), plain)
    return Scene(
        **_pose(draw, style, calm),
        gaze=gaze * calm,
        **_lights(draw, style, calm),
        exposure=draw.bell(0.65, 1.30) if not style.posed else draw.bell(0.85, 1.10),
        place=place,
        style=torch.rand(batch, 8, generator=generator),
        cloth=torch.rand(batch, 3, generator=generator) * 0.12 + (draw.uniform() ** 2.2 * 0.6)[:, None],
        attire=torch.rand(batch, 3, generator=generator),
        occluder=_some(draw, 0.0 if style.posed else style.occluder, OCCLUDER_ODDS),
        occluder_place=torch.rand(batch, 3, generator=generator),
        headwear=_some(draw, 0.0 if style.posed else style.headwear, HEADWEAR_ODDS),
        **_camera(draw, style),
    )


def _some(draw: Draw, share: float, odds: tuple[float, ...]) -> Tensor:
    """A kind by its odds in a share of the pictures, 0 in the others."""
    return _pick(draw, odds) * (draw.chance(share) > 0)


def _pick(draw: Draw, odds: tuple[float, ...]) -> Tensor:
    """Places (B,) in a list, by their odds."""
    return torch.multinomial(torch.tensor(odds), draw.count, replacement=True, generator=draw.generator)


def _truncated(draw: Draw, cut: float) -> Tensor:
    """Standard normal, without what lies beyond +-``cut``; nothing piles up at the ends."""
    tail = float(torch.special.ndtr(torch.tensor(-cut)))
    return torch.special.ndtri(draw.uniform(tail, 1 - tail)).clamp(-cut, cut)


def _pose(draw: Draw, style: SceneStyle, calm: float) -> dict[str, Tensor]:
    found = {}
    for name, limit in POSE_LIMITS_DEG.items():
        spread = getattr(style, f"{name}_deg") * calm
        cut = min(2.0, limit / max(spread, 1e-6))
        found[f"{name}_deg"] = spread * _truncated(draw, cut)
    shift = torch.stack([_truncated(draw, 2.2), _truncated(draw, 2.2)], -1) * style.shift
    return found | {
        "scale": draw.bell(*style.scale),
        "shift": shift + torch.tensor([0.0, style.shift_y]),
    }


def _lights(draw: Draw, style: SceneStyle, calm: float) -> dict[str, Tensor]:
    """A key light, what the surroundings give back, and for some a lamp on the other side or behind."""
    strength = draw.uniform(*style.contrast) * (0.6 if style.posed else 1.0)
    ambient = 1.0 / (1 + 0.72 * strength)
    azimuth = draw.normal(0, 38 * calm).clamp(-75, 75)
    other = -torch.sign(azimuth) * draw.uniform(25, 120)
    lit = draw.chance(style.second_light)
    return {
        "light_azimuth_deg": azimuth,
        "light_elevation_deg": draw.bell(0, 65),
        "light_key": strength * ambient,
        "light_ambient": ambient,
        "light_warmth": draw.normal(0.03, style.warmth).clamp(-0.25, 0.3),
        "second_azimuth_deg": other,
        "second_elevation_deg": draw.bell(-10, 50),
        "second_key": lit * draw.uniform(0.2, 0.8) * strength * ambient,
        "second_warmth": draw.normal(0.0, style.warmth).clamp(-0.25, 0.3),
    }


def _camera(draw: Draw, style: SceneStyle) -> dict[str, Tensor]:
    angle, far = draw.uniform(0, math.pi), draw.uniform(0.03, 0.09) * draw.chance(style.motion)
    gains = torch.stack([1 + draw.normal(0, style.balance) for _ in range(3)], -1)
    return {
        "blur": draw.uniform(*style.blur),
        "motion": torch.stack([torch.cos(angle), torch.sin(angle)], -1) * far[:, None],
        "noise": draw.uniform(*style.noise),
        "grain": draw.uniform(),
        "compression": draw.uniform(*style.compression),
        "vignette": draw.uniform(*style.vignette),
        "curve": draw.uniform(*style.curve),
        "balance": gains.clamp(0.8, 1.25),
    }


def neutral_scene(
    batch: int = 1,
    *,
    yaw_deg: float = 0.0,
    pitch_deg: float = 0.0,
    roll_deg: float = 0.0,
    scale: float = 0.8,
    light_azimuth_deg: float = -20.0,
    light_elevation_deg: float = 35.0,
    background: str = "wall",
) -> Scene:
    """A passport photograph: soft light from above, a plain wall, no blur, no grain.

    Args:
        batch: number of scenes, all alike.
        yaw_deg, pitch_deg, roll_deg: turn to the image's right, look up, tilt clockwise.
        scale: half an adult head's height over half the picture.
        light_azimuth_deg, light_elevation_deg: where the lamp stands: to the image's right, and above.
        background: one of ``backdrop.PLACES``.

    Raises:
        ValueError: an unknown background.

    >>> float(neutral_scene(2, yaw_deg=10).yaw_deg[1])
    10.0
    """
    if background not in PLACES:
        raise ValueError(f"background must be one of {PLACES}; got {background!r}. Choose one of these.")

    def full(value: float, *more: int) -> Tensor:
        return torch.full((batch, *more), float(value))

    none = torch.zeros(batch, dtype=torch.long)
    values: dict[str, Any] = dict(
        yaw_deg=full(yaw_deg), pitch_deg=full(pitch_deg), roll_deg=full(roll_deg),
        scale=full(scale), shift=full(0, 2), gaze=full(0, 2),
        light_azimuth_deg=full(light_azimuth_deg), light_elevation_deg=full(light_elevation_deg),
        light_key=full(0.75), light_ambient=full(0.5), light_warmth=full(0.03),
        second_azimuth_deg=full(60), second_elevation_deg=full(10), second_key=full(0),
        second_warmth=full(0), exposure=full(0.95), place=none + PLACES.index(background),
        style=full(0.5, 8), cloth=torch.tensor([[0.05, 0.07, 0.11]]).repeat(batch, 1), attire=full(0.3, 3),
        occluder=none, occluder_place=full(0.5, 3), headwear=none, blur=full(0), motion=full(0, 2),
        noise=full(0), grain=full(0), compression=full(0), vignette=full(0), curve=full(0.3),
        balance=full(1, 3),
    )  # fmt: skip
    return Scene(**values)
