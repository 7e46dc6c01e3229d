"""The face's picture: how the sculpted surface and the painted features look from the camera."""

import torch
from torch import Tensor

from fer_lib.worlds import eyes, mouth, skin
from fer_lib.worlds.draw import cover
from fer_lib.worlds.geometry import Frame, Pose
from fer_lib.worlds.layout import Layout
from fer_lib.worlds.light import Light
from fer_lib.worlds.people import People
from fer_lib.worlds.sculpt import look_up, places
from fer_lib.worlds.surface import Surface, illuminate
from fer_lib.worlds.windows import Window, window_around

MARGIN = 0.15  # face units round the landmarks of eyes and mouth in which something is painted


def paint_face(
    people: People, face: Layout, frame: Frame, light: Light, gaze: Tensor, points: Tensor,
    *, surface: Surface, pose: Pose,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """The lit face (B,3,H,W) and the region masks (B,4,H,W); ``points`` are its landmarks."""
    x, y, pixel = frame.x, frame.y, frame.pixel
    rough = skin.grain(people, x, y)
    factors, gloss = skin.complexion(people, face, surface.canvas)
    maps = torch.cat([illuminate(surface, light, pose, gloss), factors], 1)
    seen = look_up(maps, places(x, y))
    lit, shine, factors = seen[:, :3], seen[:, 3], seen[:, 4:]
    albedo = skin.beard(people, face, frame, skin.skin_colour(people, factors, x, pixel, rough), rough)
    margin = MARGIN / pixel[:, 0, 0]
    upper = window_around(points[:, 17:48], margin, x.shape[-1])
    lower = window_around(torch.cat([points[:, 31:36], points[:, 48:]], 1), margin, x.shape[-1])
    albedo, brows, balls, spark = _upper(people, face, frame, light, gaze, upper, albedo)
    albedo, lips, gap = _lower(people, face, frame, lower, albedo)
    shine = shine * (1 - 0.8 * brows) * (1 - gap) * (1 - balls) * (1 + 0.8 * lips)
    picture = torch.addcmul(spark.unsqueeze(1), albedo, lit) + shine.unsqueeze(1)
    regions = torch.stack([balls, brows, _nose_region(face, x, y, pixel), torch.maximum(lips, gap)], 1)
    return picture, regions * (cover(-frame.front, 0.3) * frame.head).unsqueeze(1)


def _upper(
    people: People, face: Layout, frame: Frame, light: Light, gaze: Tensor, window: Window, albedo: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Brows and eyes; also the sparks that go on top of the shading."""
    x, y, pixel, patch = window.take(frame.x), window.take(frame.y), frame.pixel, window.take(albedo)
    patch, brows = eyes.paint_brows(people, face, x, y, pixel, patch)
    patch, balls = eyes.paint_eyes(people, face, gaze, x, y, pixel, patch)
    spark = 0.45 * balls * eyes.catchlight(face, gaze, light.direction[:, 0], x, y, pixel)
    empty = torch.zeros_like(frame.x)
    brows, balls, spark = (window.put(empty, part) for part in (brows, balls, spark))
    return window.put(albedo, patch), brows, balls, spark


def _lower(
    people: People, face: Layout, frame: Frame, window: Window, albedo: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """The nose's shadows, the lips and what is between them."""
    x, y, pixel, patch = window.take(frame.x), window.take(frame.y), frame.pixel, window.take(albedo)
    patch = mouth.paint_nose(face, x, y, pixel, patch)
    patch, lips, gap = mouth.paint_mouth(people, face, x, y, pixel, patch)
    empty = torch.zeros_like(frame.x)
    return window.put(albedo, patch), window.put(empty, lips), window.put(empty, gap)


def _nose_region(face: Layout, x: Tensor, y: Tensor, pixel: Tensor) -> Tensor:
    here = face.on(x)
    down = ((y - here.eye_y) / (here.wing_y + 0.04 - here.eye_y)).clamp(0, 1)
    half = 0.035 + here.wing_x * down**1.5
    ends = torch.maximum(here.eye_y - 0.02 - y, y - here.wing_y - 0.055)
    return cover(torch.maximum(x.abs() - half, ends), pixel)
