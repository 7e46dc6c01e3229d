"""How a head is turned, from its 68 landmarks; and which point of its surface each pixel shows.

Head coordinates: x to the image's right, y down, z out of the face, the origin between the eyes. The unit is
half an adult head's height, about 115 mm; the centres of the eyes lie 0.58 apart.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

# landmark (counted from 0): x, y, z on an adult's resting face, and how far it can be trusted not to move
TEMPLATE = {
    36: (-0.436, 0.00, -0.10, 1.0),
    39: (-0.141, 0.02, 0.07, 1.0),
    42: (0.141, 0.02, 0.07, 1.0),
    45: (0.436, 0.00, -0.10, 1.0),
    27: (0.0, 0.01, 0.18, 0.4),
    28: (0.0, 0.13, 0.23, 0.5),
    29: (0.0, 0.23, 0.26, 0.6),
    30: (0.0, 0.33, 0.307, 0.8),
    31: (-0.11, 0.41, 0.12, 0.6),
    33: (0.0, 0.42, 0.108, 0.7),
    35: (0.11, 0.41, 0.12, 0.6),
    48: (-0.246, 0.61, 0.0, 0.2),
    54: (0.246, 0.61, 0.0, 0.2),
}
JAW_Y = (0.35, 0.51, 0.66, 0.79)  # heights of landmarks 2-5 and 14-11


@dataclass(frozen=True)
class Head:
    """Pose, size and shape of B heads; angles in radians, all (B,) but ``centre``, (B,2) in pixels.

    Attributes:
        yaw, pitch, roll: turn to the image's right, look up, tilt clockwise.
        scale: pixels a face unit.
        centre: where the point between the eyes is seen.
        width: half width between the ears, in face units.
        length: from the eyes to the chin, in face units.
    """

    yaw: Tensor
    pitch: Tensor
    roll: Tensor
    scale: Tensor
    centre: Tensor
    width: Tensor
    length: Tensor

    def field(self, name: str) -> Tensor:
        """An attribute as (B,1,1), to meet pictures."""
        return getattr(self, name)[:, None, None]


def fit_head(landmarks: Tensor) -> Head:
    """Estimate pose and shape from landmarks by a scaled orthographic camera.

    The affine camera that maps the template's points to the picture best, in the sense of least squares, is
    replaced by the nearest rotation with a scale. The eyes, the nose and, with little weight, the corners of
    the mouth decide, so that an open mouth does not look like a nod.

    Args:
        landmarks: (B,68,2) pixels, x then y.

    Returns:
        B heads. A flat or impossible constellation still gives finite numbers.

    Raises:
        ValueError: another shape.

    Example:
        >>> points = torch.zeros(1, 68, 2)
        >>> for k, (x, y, z, _) in TEMPLATE.items():  # seen from the front, 50 pixels a unit
        ...     points[0, k] = torch.tensor([50 * x + 80, 50 * y + 60])
        >>> head = fit_head(points)
        >>> round(head.scale.item()), abs(round(head.yaw.item(), 2)), round(head.centre[0, 0].item())
        (50, 0.0, 80)
    """
    check_landmarks(landmarks)
    points = landmarks.float()
    rows = torch.tensor([place for place in TEMPLATE.values()], device=points.device)  # (P,4)
    seen = points[:, list(TEMPLATE)]
    body = torch.cat([rows[:, :3], torch.ones_like(rows[:, :1])], 1)  # x, y, z, 1
    weight = rows[:, 3:]
    solve = torch.linalg.pinv(body * weight) * weight.T  # (4,P)
    camera = solve @ seen  # (B,4,2)
    u, stretch, vt = torch.linalg.svd(camera[:, :3].transpose(1, 2), full_matrices=False)
    turn = u @ vt  # (B,2,3): the first two rows of the nearest rotation
    toward = torch.linalg.cross(turn[:, 0], turn[:, 1])
    yaw = torch.atan2(-toward[:, 0], toward[:, 2])
    pitch = torch.asin(toward[:, 1].clamp(-1, 1))
    roll = torch.atan2(-turn[:, 0, 1], turn[:, 1, 1])
    scale, centre = stretch.mean(1).clamp_min(1e-3), camera[:, 3]
    width, length = _shape(points, turn, scale, centre)
    return Head(yaw, pitch, roll, scale, centre, width, length)


def check_landmarks(landmarks: Tensor) -> None:
    """Refuse what is not a batch of 68 points."""
    if landmarks.ndim != 3 or tuple(landmarks.shape[1:]) != (68, 2):
        raise ValueError(
            f"landmarks must be of shape (B, 68, 2); got {tuple(landmarks.shape)}. "
            "Give pixels, x then y, in the common order of 68."
        )


def _shape(points: Tensor, turn: Tensor, scale: Tensor, centre: Tensor) -> tuple[Tensor, Tensor]:
    """Half width and length, within what heads can be, from the jaw's pairs and the chin."""
    down = turn[:, :, 1]  # where the head's y axis points in the picture
    z = turn[:, :, 2]
    chin = (points[:, 8] - centre) / scale[:, None] + 0.26 * z
    length = ((chin * down).sum(1) / (down * down).sum(1).clamp_min(0.2)).clamp(0.75, 1.5)
    left, right = points[:, [2, 3, 4, 5]], points[:, [14, 13, 12, 11]]
    across = turn[:, :, 0].norm(dim=1).clamp_min(0.4) * scale  # pixels a unit of x
    half = (right - left).norm(dim=2) / (2 * across[:, None])
    t = torch.tensor(JAW_Y, device=points.device) / length[:, None]
    width = (half / section(t.clamp(max=0.95))[0]).mean(1).clamp(0.45, 0.8)
    return width, length


def section(t: Tensor) -> tuple[Tensor, Tensor]:
    """Half width of a head over its width between the ears, and the rounding s, t of the way to the chin."""
    rest = (1 - t.clamp(0, 1.5).pow(2.6)).clamp_min(0.01)
    return rest.sqrt() * (1 - 0.10 * t.clamp(0, 1.5) ** 2), rest


@dataclass(frozen=True)
class Surface:
    """What each pixel shows of a smooth head; all (B,H,W), lengths in face units.

    Attributes:
        x, y: head coordinates of the point seen there.
        front: cosine of its angle round the head: 1 in front, 0 beside the ears, negative behind.
        depth: how near it is to the camera.
        outside: signed distance to the head's outline, negative inside.
    """

    x: Tensor
    y: Tensor
    front: Tensor
    depth: Tensor
    outside: Tensor


def surface(head: Head, height: int, width: int, *, margin: float = 0.0) -> Surface:
    """Find the point of a smooth head behind each pixel.

    Each height of the head is an ellipse, so a line of sight meets it in closed form; two rounds settle
    which height a nodding head shows.

    Args:
        head: B heads.
        height, width: of the pictures.
        margin: how much larger than the head the surface is, in face units (at the chin more than twice).
    """
    vx, vy = _view(head, height, width)
    cos, sin = head.field("yaw").cos(), head.field("yaw").sin()
    cp, sp = head.field("pitch").cos(), head.field("pitch").sin()
    full, long = head.field("width"), head.field("length") + 2.5 * margin
    forward = torch.zeros_like(vx)
    for _ in range(3):
        y = (vy + forward * sp) / cp
        share, rest = section(y / long)
        wide = full * share + margin
        half = (0.65 * full / 0.60) * rest.pow(0.25) * (1 - 0.5 * _step(y, 0.0, 0.65)) + margin
        front = 0.69 * (rest.pow(0.25) - 1) + 0.09 + margin
        wc, ds = wide * cos, half * sin
        reach = torch.sqrt(wc * wc + ds * ds)
        beside = vx - (front - half) * sin
        q = (beside / reach).clamp(-0.999, 0.999)
        other = torch.sqrt(1 - q * q)
        sin_phi, cos_phi = (q * wc - other * ds) / reach, (other * wc + q * ds) / reach
        x = wide * sin_phi
        forward = (front - half + half * cos_phi) * cos - x * sin
    below = (y - 0.985 * long) * cp  # past the chin
    return Surface(x, y, cos_phi, forward, torch.maximum(beside.abs() - reach, below))


def _view(head: Head, height: int, width: int) -> tuple[Tensor, Tensor]:
    """Face units right of and below the point between the eyes, roll undone, for each pixel."""
    device = head.scale.device
    px = torch.arange(width, device=device)[None, None, :] - head.centre[:, 0, None, None]
    py = torch.arange(height, device=device)[None, :, None] - head.centre[:, 1, None, None]
    cos, sin = head.field("roll").cos(), head.field("roll").sin()
    scale = head.field("scale")
    return (cos * px + sin * py) / scale, (cos * py - sin * px) / scale


def project(head: Head, points: Tensor) -> Tensor:
    """Head coordinates (B,P,3) -> pixels (B,P,2)."""
    x, y, z = points.unbind(-1)
    cos, sin = head.yaw.cos()[:, None], head.yaw.sin()[:, None]
    cp, sp = head.pitch.cos()[:, None], head.pitch.sin()[:, None]
    vx, vy = x * cos + z * sin, y * cp - (z * cos - x * sin) * sp
    cos, sin = head.roll.cos()[:, None], head.roll.sin()[:, None]
    turned = torch.stack([cos * vx - sin * vy, cos * vy + sin * vx], -1)
    return turned * head.scale[:, None, None] + head.centre[:, None]


def _step(value: Tensor, low: float, high: float) -> Tensor:
    t = ((value - low) / (high - low)).clamp(0, 1)
    return t * t * (3 - 2 * t)
