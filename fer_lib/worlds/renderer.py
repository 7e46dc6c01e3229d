"""The batch face renderer: people, action units and scenes in, pictures, landmarks and regions out."""

from dataclasses import dataclass

import torch
from torch import Tensor

from fer_lib.worlds import camera, hair, relief
from fer_lib.worlds.action_units import NUMBERS
from fer_lib.worlds.backdrop import paint_backdrop
from fer_lib.worlds.draw import cover, paint
from fer_lib.worlds.extras import paint_glasses
from fer_lib.worlds.face import paint_face
from fer_lib.worlds.geometry import HeadShape, field, lift, unproject
from fer_lib.worlds.landmarks import landmarks
from fer_lib.worlds.layout import Layout, arrange
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
    points = landmarks(pose, face, shape, size)
    lit, regions = paint_face(people, face, frame, light, scene.gaze, points)
    ear = people["skin"][:, :, None, None] * (light.key + light.ambient)[:, :, None, None] * 0.55
    picture, _ = hair.paint_ears(people, frame, pose, picture, ear, near=False)
    picture = paint(picture, frame.head, lit)
    picture, _ = hair.paint_ears(people, frame, pose, picture, ear, near=True)
    over = cover(frame.outside - 1.5 * frame.pixel, frame.pixel)  # past the outline: no rim may show
    front = hair.front_hair(people, frame, frame.x, frame.y) * over
    picture = paint(picture, front, strands)
    picture = paint_glasses(people, face, frame, frame.x, frame.y, picture)
    images = _photograph(picture, scene, scene.exposure * camera.meter(people["skin"]))
    return Rendered(images, points, regions)


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


def _photograph(picture: Tensor, scene: Scene, exposure: Tensor) -> Tensor:
    image = camera.soften(camera.develop(picture, exposure), scene.blur)
    generator = torch.Generator().manual_seed(scene.noise_seed)
    grain = torch.randn(image.shape, generator=generator).to(image.device)
    return (image + grain * scene.noise[:, None, None, None]).clamp(0, 1)
