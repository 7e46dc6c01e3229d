"""The batch face renderer: people, action units and scenes in, pictures, landmarks and regions out."""

from dataclasses import dataclass

import torch
from torch import Tensor

from fer_lib.worlds import camera, eyes, hair, mouth, relief, skin
from fer_lib.worlds.action_units import NUMBERS
from fer_lib.worlds.backdrop import paint_backdrop
from fer_lib.worlds.draw import cover, paint
from fer_lib.worlds.extras import paint_glasses
from fer_lib.worlds.geometry import Frame, HeadShape, field, lift, unproject
from fer_lib.worlds.landmarks import landmarks
from fer_lib.worlds.layout import Layout, arrange
from fer_lib.worlds.light import Light, shade
from fer_lib.worlds.people import People
from fer_lib.worlds.scene import Scene

REGIONS = ("eyes", "brows", "nose", "mouth")
SIZES = (32, 256)


@dataclass(frozen=True)
class Rendered:
    """What the renderer returns.

    Attributes:
        images: (B,3,S,S) in [0,1].
        landmarks: (B,68,2) in pixels, x then y; the first pixel's centre is (0, 0).
        regions: (B,4,S,S) coverage in [0,1] of ``REGIONS``.
    """

    images: Tensor
    landmarks: Tensor
    regions: Tensor


def render(people: People, action_units: Tensor, scene: Scene, *, size: int) -> Rendered:
    """Paint faces, all of the batch at once, on the device of ``action_units``.

    Args:
        people: B people.
        action_units: (B,A,2) intensities in [0,1], as shown: gains and habits are not added.
        scene: B scenes.
        size: side of the picture in pixels, 32-256.

    Raises:
        ValueError: a size out of range, or inputs whose batch or shape do not fit.

    >>> from fer_lib.worlds import from_intensities, neutral_scene, sample_people
    >>> done = render(sample_people(1, seed=0), from_intensities({12: 1.0}), neutral_scene(), size=48)
    >>> tuple(done.images.shape), tuple(done.landmarks.shape), tuple(done.regions.shape)
    ((1, 3, 48, 48), (1, 68, 2), (1, 4, 48, 48))
    """
    _check(people, action_units, scene, size)
    pose, light = scene.pose(), scene.light()
    face = arrange(people, action_units)
    shape = _shape(people, face)
    frame = unproject(pose, shape, size)
    lift(frame, pose, lambda x, y: relief.nose_height(face, x, y))
    picture = paint_backdrop(scene.place, scene.style, size)
    picture = hair.paint_body(people, frame, light, scene.cloth, picture)
    strands = hair.hair_colour(people, light, frame, frame.view_x, frame.view_y)
    behind = hair.back_hair(people, frame, pose)
    picture = paint(picture, behind, strands * hair.depth_shade(frame))
    picture = hair.paint_neck(people, frame, light, picture)
    lit, regions = _face(people, face, frame, light, scene.gaze)
    ear = people["skin"][:, :, None, None] * (light.key + light.ambient)[:, :, None, None] * 0.55
    picture, _ = hair.paint_ears(people, frame, pose, picture, ear, near=False)
    picture = paint(picture, frame.head, lit)
    picture, _ = hair.paint_ears(people, frame, pose, picture, ear, near=True)
    over = cover(
        frame.outside - 1.5 * frame.pixel, frame.pixel
    )  # a little past the outline, so that no rim shows
    front = hair.front_hair(people, frame, frame.x, frame.y) * over
    picture = paint(picture, front, strands)
    picture = paint_glasses(people, face, frame, frame.x, frame.y, picture)
    images = _photograph(picture, scene, scene.exposure * camera.meter(people["skin"]))
    return Rendered(images, landmarks(pose, face, shape, size), regions * frame.head.unsqueeze(1))


def _check(people: People, units: Tensor, scene: Scene, size: int) -> None:
    if not SIZES[0] <= size <= SIZES[1]:
        raise ValueError(
            f"size must lie in {SIZES[0]}-{SIZES[1]}; got {size}. Resize the picture afterwards."
        )
    if units.dim() != 3 or units.shape[1:] != (len(NUMBERS), 2):
        raise ValueError(
            f"action_units must have the shape (B, {len(NUMBERS)}, 2); got {tuple(units.shape)}. "
            "Make them with from_intensities."
        )
    if not len(people) == len(units) == len(scene.scale):
        counts = (len(people), len(units), len(scene.scale))
        raise ValueError(f"people, action_units and scene must have one length; got {counts}. Use take().")


def _shape(people: People, face: Layout) -> HeadShape:
    return HeadShape(
        field(people["width"]),
        field(people["top"]),
        face.mean("chin"),
        field(people["taper"]),
        field(people["jaw"]),
    )


def _face(people: People, face: Layout, frame: Frame, light: Light, gaze: Tensor) -> tuple[Tensor, Tensor]:
    """The lit face (B,3,H,W) and the region masks (B,4,H,W)."""
    x, y, pixel = frame.x, frame.y, frame.pixel
    rough = skin.grain(people, x, y)
    nose = relief.nose_height(face, x, y)
    height = relief.heights(face, x, y, nose=nose)
    height = height + relief.wrinkles(face, x, y)
    normal = relief.bend(frame.normal, height, pixel)
    albedo = skin.skin_colour(people, face, x, y, rough)
    albedo = skin.beard(people, face, x, y, albedo, rough)
    albedo = mouth.paint_nose(face, x, y, pixel, albedo)
    albedo, brows = eyes.paint_brows(people, face, x, y, pixel, albedo)
    albedo, balls = eyes.paint_eyes(people, face, gaze, x, y, pixel, albedo)
    albedo, lips, gap = mouth.paint_mouth(people, face, x, y, pixel, albedo)
    gloss = field(people["gloss"]) * (1 - 0.8 * brows) * (1 - gap) * (1 + 0.8 * lips) * (1 + rough[0] - 0.5)
    lit = shade(light, normal, albedo, gloss)
    spark = eyes.catchlight(face, gaze, light.direction[:, 0], x, y, pixel) * balls
    lit = lit + (spark * 0.45).unsqueeze(1)
    in_front = cover(-frame.front, 0.3)
    regions = torch.stack([balls, brows, _nose_region(face, x, y, pixel), torch.maximum(lips, gap)], 1)
    return lit, regions * in_front.unsqueeze(1)


def _nose_region(face: Layout, x: Tensor, y: Tensor, pixel: Tensor) -> Tensor:
    here = face.on(x)
    down = ((y - here.eye_y) / (here.wing_y + 0.04 - here.eye_y)).clamp(0, 1)
    half = 0.035 + (here.wing_x + 0.035 - 0.035) * down**1.5
    ends = torch.maximum(here.eye_y - 0.02 - y, y - here.wing_y - 0.055)
    return cover(torch.maximum(x.abs() - half, ends), pixel)


def _photograph(picture: Tensor, scene: Scene, exposure: Tensor) -> Tensor:
    image = camera.soften(camera.develop(picture, exposure), scene.blur)
    generator = torch.Generator().manual_seed(scene.noise_seed)
    grain = torch.randn(image.shape, generator=generator).to(image.device)
    return (image + grain * scene.noise[:, None, None, None]).clamp(0, 1)
