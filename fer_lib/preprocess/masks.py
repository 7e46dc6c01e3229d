"""Put face masks on pictures of faces; they tilt and turn with the head and share the picture's light."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from fer_lib.preprocess.fabrics import KINDS, Wear, draw_wear, hash_noise, weave
from fer_lib.preprocess.headpose import Head, check_landmarks, fit_head, project, surface
from fer_lib.preprocess.inputs import LUMA

GAP = 0.03  # how far a mask stands off the skin, in face units (115 mm)


@dataclass(frozen=True)
class _Cloth:
    """The mask as each pixel sees it: place on the head, normal, cover; all (B,H,W)."""

    x: Tensor
    y: Tensor
    skin_normal: tuple[Tensor, Tensor]
    normal: tuple[Tensor, Tensor]
    body: Tensor
    edge: Tensor
    head: Tensor


@torch.no_grad()
def overlay(
    images: Tensor, landmarks: Tensor, *, generator: torch.Generator, kinds: Sequence[str] | None = None
) -> tuple[Tensor, Tensor]:
    """Put a mask over mouth and nose of each face, each of a kind, colour and fit of its own.

    The landmarks give the head's turn, size and shape (``fit_head``). The mask is a tent over a model of that
    head: it stands off the nose, wraps round the chin, ends before the ears, and is lit by the light that
    fits the face below it best (ambient light and one direction, so that nothing of the mouth's expression
    shows through). Nothing but the landmarks is moved by an opened jaw, as in real masks.

    The random numbers are drawn on the CPU, a fixed number for each image in turn: the first images of a
    longer batch get the same masks, and every device gets the same.

    Args:
        images: floating-point (B, 1 or 3, H, W) in [0, 1].
        landmarks: (B,68,2) pixels, x then y; the first pixel's centre is (0, 0).
        generator: a CPU generator.
        kinds: which of ``KINDS`` ("surgical", "cloth", "ffp2") to choose from, evenly; None for all.

    Returns:
        The masked images, and the mask's coverage (B,H,W) in [0,1], ear loops included. Beside the coverage
        only a faint shadow on the skin changes.

    Raises:
        ValueError: shapes that do not fit, or an unknown kind.

    Example:
        >>> from fer_lib.preprocess.headpose import TEMPLATE
        >>> points = torch.full((1, 68, 2), 32.0)
        >>> for k, (x, y, _, _) in TEMPLATE.items():
        ...     points[0, k] = torch.tensor([24 * x + 32, 24 * y + 24])
        >>> for k in range(17):  # a jaw round the face
        ...     angle = torch.tensor(3.1416 * k / 16)
        ...     points[0, k] = torch.stack([32 - 14 * angle.cos(), 24 + 24 * angle.sin()])
        >>> image = torch.full((1, 1, 64, 64), 0.5)
        >>> masked, coverage = overlay(image, points, generator=torch.Generator().manual_seed(0))
        >>> coverage[0, 38, 32].item(), coverage[0, 20, 32].item()  # below the nose, between the eyes
        (1.0, 0.0)

    Reference:
        Barros, Churamani and Sciutti (2022), section IV.A: MaskedAffectNet; chapter 03.
    """
    check_landmarks(landmarks)
    _check(images, landmarks, kinds)
    wear = draw_wear(len(images), generator, kinds).to(images.device)
    head = fit_head(landmarks.to(images.device))
    index, head, (height, width) = _window(head, *images.shape[2:])
    grain = hash_noise(wear.seed, index) * _roughness(images)[:, None]
    patch, cover = _put_on(_take(images, index).unflatten(2, (height, width)), head, wear, grain)
    masked, coverage = images.flatten(2).clone(), torch.zeros_like(images[:, 0]).flatten(1)
    masked.scatter_(2, index[:, None].expand(-1, images.shape[1], -1), patch.flatten(2))
    coverage.scatter_(1, index, cover.to(coverage.dtype).flatten(1))
    return masked.view_as(images), coverage.view_as(images[:, 0])


def _window(head: Head, height: int, width: int) -> tuple[Tensor, Head, tuple[int, int]]:
    """Where the faces' lower parts lie: pixel numbers (B,h*w), the heads seen from there, and the size.

    All windows have one size, so that the work stays vectorised; most of a picture is never looked at.
    """
    down = torch.stack([-head.roll.sin(), head.roll.cos()], -1)  # (B,2)
    middle = head.centre + 0.48 * head.scale[:, None] * down
    side = 1.8 * head.scale.max()
    across, along = (max(2, min(whole, int(side) + 1)) for whole in (width, height))
    left = (middle[:, 0] - across / 2).round().long().clamp(0, width - across)
    top = (middle[:, 1] - along / 2).round().long().clamp(0, height - along)
    rows = top[:, None] + torch.arange(along, device=left.device)
    columns = left[:, None] + torch.arange(across, device=left.device)
    index = (rows[:, :, None] * width + columns[:, None, :]).flatten(1)
    moved = head.centre - torch.stack([left, top], -1)
    return index, replace(head, centre=moved), (along, across)


def _take(images: Tensor, index: Tensor) -> Tensor:
    """Pixels (B,C,P) of images at (B,P) pixel numbers."""
    return images.flatten(2).gather(2, index[:, None].expand(-1, images.shape[1], -1))


def _put_on(images: Tensor, head: Head, wear: Wear, grain: Tensor) -> tuple[Tensor, Tensor]:
    """Masked windows and their coverage."""
    height, width = images.shape[2:]
    cloth = _drape(head, wear, height, width)
    light = _light(images, cloth)
    colour = weave(wear, cloth.x, cloth.y, 1 / head.field("scale"))  # (B,3,H,W)
    if images.shape[1] == 1:
        colour = (colour * colour.new_tensor(LUMA)[:, None, None]).sum(1, keepdim=True)
    shaded = colour * light[:, None] + grain.view_as(light)[:, None]
    shadow = 0.22 * (1 - cloth.edge / 0.12).clamp(0, 1) ** 2 * cloth.head
    below = images * (1 - shadow * (1 - cloth.body))[:, None]
    loops = _loops(head, wear, height, width) * (1 - cloth.body)
    strings = 0.8 * light[:, None] * _string_colour(wear)[:, None, None, None]
    below = torch.lerp(below, strings.expand_as(below), loops[:, None].to(below.dtype))
    masked = torch.lerp(below, shaded.to(below.dtype), cloth.body[:, None].to(below.dtype)).clamp(0, 1)
    return masked, torch.maximum(cloth.body, loops)


def _check(images: Tensor, landmarks: Tensor, kinds: Sequence[str] | None) -> None:
    if images.ndim != 4 or images.shape[1] not in (1, 3) or not images.is_floating_point():
        raise ValueError(
            f"images must be floating-point (B, 1 or 3, H, W) in [0, 1]; got {images.dtype} "
            f"{tuple(images.shape)}. Divide bytes by 255."
        )
    if len(images) != len(landmarks):
        raise ValueError(
            f"landmarks must be one set an image; got {len(landmarks)} for {len(images)}. Match them."
        )
    if kinds is not None and (isinstance(kinds, str) or not kinds or set(kinds) - set(KINDS)):
        raise ValueError(f"kinds must be some of {', '.join(KINDS)}; got {kinds!r}. None takes all.")


def _drape(head: Head, wear: Wear, height: int, width: int) -> _Cloth:
    """Lay the mask over the head."""
    tube = surface(head, height, width, margin=GAP)
    tan_x, tan_y = head.field("yaw").tan(), head.field("pitch").tan()
    x, y = tube.x, tube.y
    for _ in range(2):  # what stands out is seen in front of what lies farther to the side
        tent = _tent(wear, x, y)
        x, y = tube.x - tent * tan_x, tube.y + tent * tan_y
    tent = _tent(wear, x, y)
    pixel = 1 / head.field("scale")
    behind = 0.4 * (0.2 - tube.front)  # the jaw's back, seen when the head turns, is bare
    outline = torch.maximum(torch.maximum(_outline(head, wear, x, y), tube.outside), behind)
    body = (0.5 - outline / pixel).clamp(0, 1)
    normal = _normal(tube.depth + tent * head.field("yaw").cos() * head.field("pitch").cos(), pixel)
    skin = (0.5 - (tube.outside + GAP) / pixel).clamp(0, 1)
    return _Cloth(x, y, _normal(tube.depth, pixel), normal, body, outline, skin)


def _tent(wear: Wear, x: Tensor, y: Tensor) -> Tensor:
    """How far the mask stands above the smooth head: a ridge from the nose's bridge to the chin."""
    along = torch.where(
        y < 0.38, torch.exp(-(((y - 0.38) / 0.16) ** 2)), torch.exp(-(((y - 0.38) / 0.34) ** 2))
    )
    side = wear.field("spread") * (0.6 + 0.9 * ((y - 0.1) / 0.5).clamp(0, 1))
    keel = wear.field("keel")  # 0: round, 1: folded along the middle
    round_ = torch.exp(-((x / side) ** 2))
    sharp = torch.exp(-(torch.sqrt(x * x + 4e-4) - 0.02) / (0.75 * side))
    return 0.20 * wear.field("stand") * along * torch.lerp(round_, sharp, keel)


def _outline(head: Head, wear: Wear, x: Tensor, y: Tensor) -> Tensor:
    """Signed distance to the mask's edge on the head, negative inside."""
    length, wide = head.field("length"), head.field("width")
    reach = wear.field("side") * wide
    u = (x.abs() / reach).clamp(max=1.3)
    top = wear.field("top") + wear.field("dip") * u.pow(1.3)
    bottom = length * (1.05 - wear.field("rise") * u.pow(2.2))
    across = x.abs() - reach * (1 - 0.10 * ((y - 0.5) / 0.5).clamp(-1, 1) ** 2)
    down, up = y - bottom, top - y
    soft = 0.03  # radius of the corners
    three = torch.stack([across, down, up])
    return soft * torch.logsumexp(three / soft, 0)


def _normal(depth: Tensor, pixel: Tensor) -> tuple[Tensor, Tensor]:
    """The x and y parts of the unit normal of a depth map that the camera sees."""
    dx, dy = torch.zeros_like(depth), torch.zeros_like(depth)
    dx[:, :, 1:-1] = depth[:, :, 2:] - depth[:, :, :-2]
    dy[:, 1:-1] = depth[:, 2:] - depth[:, :-2]
    nx, ny = (-dx / (2 * pixel)).clamp(-2.5, 2.5), (-dy / (2 * pixel)).clamp(-2.5, 2.5)
    length = torch.rsqrt(1 + nx * nx + ny * ny)
    return nx * length, ny * length


def _light(images: Tensor, cloth: _Cloth) -> Tensor:
    """How bright a white cloth would be at each pixel: the light that explains the face best, (B,H,W).

    The face's brightness is fitted by a + b nx + c ny, its first spherical harmonics; b and c are held back
    a little, towards light from above.
    """
    bright = images.float()
    if images.shape[1] == 3:
        bright = (bright * bright.new_tensor(LUMA)[:, None, None]).sum(1, keepdim=True)
    bright = bright[:, 0]
    nx, ny = cloth.skin_normal
    inside = (cloth.head > 0.9) & (cloth.y > 0.06) & (cloth.y < 0.75) & (cloth.x.abs() < 0.5)
    weight = inside.float() * torch.where(cloth.y < 0.42, 1.0, 0.3)
    total = weight.sum((1, 2)).clamp_min(1e-3)
    level = (weight * bright).sum((1, 2)) / total
    terms = torch.stack([nx, ny], -1)  # (B,H,W,2)
    mean = (weight[..., None] * terms).sum((1, 2)) / total[:, None]
    apart = terms - mean[:, None, None]
    square = torch.einsum("bhw,bhwi,bhwj->bij", weight, apart, apart) / total[:, None, None]
    product = torch.einsum("bhw,bhwi,bhw->bi", weight, apart, bright - level[:, None, None])
    hold = torch.diag(bright.new_tensor([0.02, 0.06]))
    prior = torch.stack([0 * level, -0.15 * level], -1)
    right = product / total[:, None] + prior @ hold
    slope = torch.linalg.solve(square + hold, right[..., None])[..., 0]
    level = level.clamp(0.05, 1)
    slope = (slope / level[:, None]).clamp(-1.2, 1.2)
    mx, my = cloth.normal
    around = 1 + slope[:, 0, None, None] * (mx - mean[:, 0, None, None])
    around = around + slope[:, 1, None, None] * (my - mean[:, 1, None, None])
    # a well exposed white is about .9; brighter in pictures of brighter faces, but less than in proportion
    white = 0.90 * (level / 0.5).pow(0.45)
    return white.clamp(0.25, 1.05)[:, None, None] * around.clamp(0.35, 1.35).pow(0.8)


def _roughness(images: Tensor) -> Tensor:
    """Spread (B,) of the picture's grain, so that the mask is not cleaner than the face."""
    grey = images.float().mean(1)
    rough = grey[:, 1:-1, 1:-1] - (grey[:, :-2, 1:-1] + grey[:, 2:, 1:-1]) / 2
    return (rough.abs().flatten(1).quantile(0.3, dim=1) / 0.47).clamp(max=0.06)


def _string_colour(wear: Wear) -> Tensor:
    """Strings are white, but black on dark masks, (B,)."""
    return torch.where(wear.colour.mean(1) < 0.3, 0.2, 0.95)


def _loops(head: Head, wear: Wear, height: int, width: int) -> Tensor:
    """Coverage of the two ear loops: straight strings from the mask's corners to the ears."""
    drawn = torch.zeros(len(head.yaw), height, width, device=head.yaw.device)
    px = torch.arange(width, device=drawn.device)[None, None, :]
    py = torch.arange(height, device=drawn.device)[None, :, None]
    for side in (-1.0, 1.0):
        seen = ((0.42 * head.yaw.cos() - side * 0.9 * head.yaw.sin() - 0.12) / 0.12).clamp(0, 1)
        for start_y, end_y in ((0.34, 0.13), (0.70, 0.28)):
            reach = side * wear.side * head.width
            x = torch.stack([reach * 0.94, side * head.width * 1.0], -1)
            z = torch.stack([0 * reach - 0.20, 0 * reach - 0.42], -1)
            y = torch.stack([start_y + 0.5 * wear.dip, 0 * reach + end_y], -1)
            ends = project(head, torch.stack([x, y, z], -1))  # (B,2,2)
            a, along = ends[:, 0], ends[:, 1] - ends[:, 0]
            dx, dy = px - a[:, 0, None, None], py - a[:, 1, None, None]
            ax, ay = along[:, 0, None, None], along[:, 1, None, None]
            t = ((dx * ax + dy * ay) / (ax * ax + ay * ay).clamp_min(1e-3)).clamp(0, 1)
            apart = torch.hypot(dx - t * ax, dy - t * ay)
            half = 0.009 * head.field("scale")
            line = (0.5 + half - apart).clamp(0, 1) * (2 * half).clamp(max=1) * seen[:, None, None]
            drawn = torch.maximum(drawn, line)
    return drawn
