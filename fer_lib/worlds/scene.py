"""Scenes: pose, light, background, camera; all of a picture that is neither person nor expression."""

import math
from dataclasses import dataclass, fields
from typing import Any

import torch
from torch import Tensor

from fer_lib.worlds.backdrop import PLACES
from fer_lib.worlds.geometry import Pose
from fer_lib.worlds.light import Light
from fer_lib.worlds.people import Draw


@dataclass(frozen=True)
class SceneStyle:
    """How a corpus's pictures were taken. Angles are standard deviations, cut at two of them.

    Attributes:
        scale, shift_y: size of the head (half its height over half the picture) and its place.
        busy: 0 plain wall, 1 anything.
        contrast: strength of the key light against the surroundings, low and high.
    """

    yaw_deg: float = 11.0
    pitch_deg: float = 6.0
    roll_deg: float = 6.0
    scale: tuple[float, float] = (0.70, 0.84)
    shift: float = 0.05
    shift_y: float = 0.0
    busy: float = 1.0
    contrast: tuple[float, float] = (0.6, 2.2)
    blur: tuple[float, float] = (0.0, 0.6)
    noise: tuple[float, float] = (0.003, 0.020)
    warmth: float = 0.10
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
    exposure: Tensor
    place: Tensor
    style: Tensor  # (B,6)
    cloth: Tensor  # (B,3) linear
    blur: Tensor
    noise: Tensor
    noise_seed: int = 0

    def pose(self) -> Pose:
        """Angles in radians, for the geometry."""
        turn = math.pi / 180
        yaw, pitch, roll = self.yaw_deg * turn, self.pitch_deg * turn, self.roll_deg * turn
        return Pose(yaw, pitch, roll, self.scale, self.shift[:, 0], self.shift[:, 1])

    def light(self) -> Light:
        """The light's direction and colours."""
        azimuth, elevation = torch.deg2rad(self.light_azimuth_deg), torch.deg2rad(self.light_elevation_deg)
        flat = torch.cos(elevation)
        direction = torch.stack(
            [torch.sin(azimuth) * flat, -torch.sin(elevation), torch.cos(azimuth) * flat], -1
        )
        warm = self.light_warmth
        key = torch.stack([1 + warm, 1 + 0.1 * warm, 1 - warm], -1) * self.light_key[:, None]
        sky = (
            torch.stack([1 - 0.6 * warm, torch.ones_like(warm), 1 + 0.6 * warm], -1)
            * self.light_ambient[:, None]
        )
        return Light(direction, key, sky)

    def to(self, device: torch.device | str) -> "Scene":
        """The same scenes on another device."""
        moved: dict[str, Any] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            moved[field.name] = value.to(device) if isinstance(value, Tensor) else value
        return Scene(**moved)


def sample_scene(batch: int, generator: torch.Generator, style: SceneStyle) -> Scene:
    """Draw ``batch`` scenes in a style; also the seed of the pictures' grain."""
    draw = Draw(batch, generator)
    strength = draw.uniform(*style.contrast)
    ambient = 1.0 / (1 + 0.72 * strength)
    bounds = (("yaw", style.yaw_deg), ("pitch", style.pitch_deg), ("roll", style.roll_deg))
    angles = {f"{name}_deg": draw.normal(0, sd).clamp(-2 * sd, 2 * sd) for name, sd in bounds}
    shift = torch.stack([draw.normal(0, style.shift), style.shift_y + draw.normal(0, style.shift)], -1)
    gaze = torch.stack([draw.normal(0, 0.014), draw.normal(0, 0.006)], -1).clamp(-0.035, 0.035)
    random_style = torch.rand(batch, 6, generator=generator)
    random_style[:, :2] *= style.busy
    cloth = torch.rand(batch, 3, generator=generator) * 0.12 + (draw.uniform() ** 2.2 * 0.6)[:, None]
    return Scene(
        **angles,
        scale=draw.bell(*style.scale),
        shift=shift.clamp(-2.2 * style.shift - 0.2, 2.2 * style.shift + 0.2),
        gaze=gaze,
        light_azimuth_deg=draw.normal(0, 38).clamp(-75, 75),
        light_elevation_deg=draw.bell(0, 65),
        light_key=strength * ambient,
        light_ambient=ambient,
        light_warmth=draw.normal(0.03, style.warmth).clamp(-0.25, 0.3),
        exposure=draw.bell(0.65, 1.30),
        place=torch.randint(0, len(PLACES), (batch,), generator=generator),
        style=random_style,
        cloth=cloth,
        blur=draw.uniform(*style.blur),
        noise=draw.uniform(*style.noise),
        noise_seed=int(torch.randint(0, 2**31 - 1, (1,), generator=generator)),
    )


def neutral_scene(
    batch: int = 1,
    *,
    yaw_deg: float = 0.0,
    pitch_deg: float = 0.0,
    roll_deg: float = 0.0,
    scale: float = 0.8,
) -> Scene:
    """A passport photograph: soft light from above, a plain wall, no blur, no grain.

    Args:
        batch: number of scenes, all alike.
        yaw_deg, pitch_deg, roll_deg: turn to the image's right, nod down, tilt clockwise.
        scale: half an adult head's height over half the picture.

    >>> float(neutral_scene(2, yaw_deg=10).yaw_deg[1])
    10.0
    """
    full = lambda value: torch.full((batch,), float(value))  # noqa: E731
    return Scene(
        yaw_deg=full(yaw_deg), pitch_deg=full(pitch_deg), roll_deg=full(roll_deg),
        scale=full(scale), shift=torch.zeros(batch, 2), gaze=torch.zeros(batch, 2),
        light_azimuth_deg=full(-20), light_elevation_deg=full(35),
        light_key=full(0.75), light_ambient=full(0.5),
        light_warmth=full(0.03), exposure=full(0.95), place=torch.full((batch,), 4),
        style=torch.full((batch, 6), 0.3),
        cloth=torch.tensor([[0.05, 0.07, 0.11]]).repeat(batch, 1), blur=full(0), noise=full(0),
    )  # fmt: skip
