"""The batch face renderer: people, action units and scenes in, pictures, landmarks and regions out."""

from dataclasses import dataclass, fields

import torch
from torch import Tensor

from fer_lib.worlds import body, camera, extras, hair, headwear, occluders, relief
from fer_lib.worlds.action_units import NUMBERS
from fer_lib.worlds.backdrop import paint_backdrop
from fer_lib.worlds.compression import compress
from fer_lib.worlds.draw import cover, paint
from fer_lib.worlds.face import paint_face
from fer_lib.worlds.geometry import Frame, HeadShape, field, unproject
from fer_lib.worlds.landmarks import landmarks
from fer_lib.worlds.layout import Layout, arrange
from fer_lib.worlds.people import People
from fer_lib.worlds.scene import Scene
from fer_lib.worlds.surface import build, trace

REGIONS = ("eyes", "brows", "nose", "mouth")
SIZES = (32, 256)
PIECE = {True: 131_072, False: 4_000_000}  # pixels painted at once; on a CPU what its cache holds


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
    if not len(people):
        empty = action_units.new_zeros
        return Rendered(empty(0, 3, size, size), empty(0, 68, 2), empty(0, 4, size, size))
    step = max(2, PIECE[action_units.device.type == "cpu"] // size**2)
    pieces = [slice(k, k + step) for k in range(0, len(people), step)]
    done = [_render(people.take(i), action_units[i], scene.take(i), size) for i in pieces]
    images, points, regions = (torch.cat(parts) for parts in zip(*done, strict=True))
    return Rendered(images, points, regions)


def place_landmarks(people: People, action_units: Tensor, scene: Scene, *, size: int) -> Tensor:
    """The landmarks (B,68,2) that ``render`` returns, without painting a picture.

    Raises:
        ValueError: as ``render``.
    """
    _check(people, action_units, scene, size)
    face = arrange(people, action_units)
    return landmarks(scene.pose(), face, _shape(people, face), relief.carve(people, face), size)


def _render(people: People, units: Tensor, scene: Scene, size: int) -> tuple[Tensor, Tensor, Tensor]:
    pose, light = scene.pose(), scene.light()
    face = arrange(people, units)
    shape = _shape(people, face)
    frame = unproject(pose, shape, size)
    strokes = relief.carve(people, face)
    surface = build(strokes, shape, size)
    trace(frame, pose, surface)
    picture = paint_backdrop(scene.place, scene.style, size)
    picture, clothes = body.paint_body(people, frame, pose, light, scene, picture)
    grain = hair.flow(people, frame, pose)
    strands = hair.hair_colour(people, light, frame, grain)
    bare = 1 - headwear.hides_hair(scene, frame) if bool(headwear.worn(scene).any()) else 1.0
    behind = bare * hair.back_hair(people, frame, grain) * (1 - clothes * (1 - field(people["drape"])))
    picture = paint(picture, behind, strands * hair.depth_shade(frame))
    picture = body.paint_neck(people, frame, pose, light, picture)
    points = landmarks(pose, face, shape, strokes, size)
    lit, regions = paint_face(people, face, frame, light, scene.gaze, points, surface=surface, pose=pose)
    shown = (1 - hair.over_ears(people)) * (1 - field(headwear.is_scarf(scene)))
    ears = body.ears(people, frame, pose, light, shown=shown)
    front, shadow = hair.front_hair(people, frame, grain)
    picture = ears.paint(picture, ears.far)
    picture = paint(picture, frame.head, lit * (1 - 0.45 * shadow).unsqueeze(1))
    over = cover(frame.outside - 1.5 * frame.pixel, frame.pixel)  # past the outline: no rim may show
    front = front * over * bare
    if bool(occluders.has_strand(scene).any()):
        front = torch.maximum(front, occluders.strand_mask(scene, frame, grain) * frame.head)
    picture = paint(picture, front, strands)
    picture = ears.paint(picture, ears.near)
    picture = _add(people, scene, frame, face, points, picture)
    exposure = scene.exposure * camera.meter(0.82 * people["skin"] + 0.18 * people["hair"])
    return _photograph(picture, scene, exposure), points, regions


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


def _add(people: People, scene: Scene, frame: Frame, face: Layout, points: Tensor, picture: Tensor) -> Tensor:
    """What only some pictures show, painted on those alone: glasses, headwear, hands and things."""
    stages = (
        (people["glasses"] > 0) | (extras.sunglasses(scene) > 0),
        headwear.worn(scene) > 0,
        occluders.is_thing(scene.occluder),
    )
    for stage, needed in enumerate(stages):
        who = needed.nonzero()[:, 0]
        if not len(who):
            continue
        some, seen, here = people.take(who), scene.take(who), _take(frame, who)
        pose, light, patch = seen.pose(), seen.light(), picture[who]
        if stage == 0:
            own = Layout({name: value[who] for name, value in face.sides.items()})
            patch = extras.paint_glasses(some, seen, own, here, patch)
        elif stage == 1:
            patch = headwear.paint_headwear(some, seen, here, pose, light, patch)
        else:
            patch = occluders.paint_things(some, seen, here, pose, light, points[who], patch)
        picture = picture.index_copy(0, who, patch)
    return picture


def _take(frame: Frame, index: Tensor) -> Frame:
    """The frames of some pictures."""
    return Frame(**{f.name: getattr(frame, f.name)[index] for f in fields(frame)})


def _photograph(picture: Tensor, scene: Scene, exposure: Tensor) -> Tensor:
    """What the camera makes of the light: lens, exposure, colours, movement, focus, grain, compression."""
    picture = camera.vignette(picture, scene.vignette)
    image = camera.develop(picture, exposure[:, None] * scene.balance, scene.curve)
    image = camera.soften(camera.smear(image, scene.motion), scene.blur)
    image = camera.sense(image, scene.noise, scene.grain)
    return compress(image, scene.compression).clamp(0, 1)
