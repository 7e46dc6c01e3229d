"""The head as a body: a tube of elliptic cross-sections that is turned, nodded and tilted.

Face coordinates: x to the image's right, y down, z out of the face; 1 unit is half an adult head's height
(about 115 mm); the origin lies between the ears, on an adult's eye line. For every height y the cross-section
is an ellipse with half width w(y) and half depth d(y), so the way back from a pixel to the skin, and the
outline of the turned head, are closed forms:

    X - z0 sin yaw = R sin(phi + delta),
    R^2 = (w cos yaw)^2 + (d sin yaw)^2,   tan(delta) = d sin yaw / (w cos yaw),

with z0 the depth at which the cross-section is centred.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from fer_lib.worlds.draw import cover, ramp

DEPTH = 1.05  # half depth of a head over its half width, measured at the ear
ANCHOR_Y = 0.2  # the point of the face that is put at the centre of the picture


@dataclass(frozen=True)
class Pose:
    """Where the camera sees the head: angles in radians (B,), size and shift in half pictures (B,)."""

    yaw: Tensor
    pitch: Tensor
    roll: Tensor
    scale: Tensor
    shift_x: Tensor
    shift_y: Tensor


@dataclass(frozen=True)
class HeadShape:
    """Half width, skull height, chin height, and the bend of the jaw; each (B,1,1)."""

    width: Tensor
    top: Tensor
    chin: Tensor
    taper: Tensor
    jaw: Tensor

    def section(self, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """At height ``y``: the half width without rounding, the rounding s = 1 - t^p, and ds/dy."""
        below = y > 0
        length = torch.where(below, self.chin, self.top)
        power = torch.where(below, self.jaw, torch.full_like(self.jaw, 2.5))
        t = (y.abs() / length).clamp(1e-4, 1.6)
        raised = t.pow(power)
        slope = -power * raised / t / length
        straight = self.width * (1 - torch.where(below, self.taper * t * t, 0.06 * t))
        return straight.clamp_min(0.05), 1 - raised, torch.where(below, slope, -slope)

    def depth(self, y: Tensor, root: Tensor) -> tuple[Tensor, Tensor]:
        """Half depth and the section's centre (its z): below the ears only the front half is face."""
        front = DEPTH * self.width * torch.sqrt(root)
        half = front * (1 - 0.5 * ramp(y, 0.0, 0.65))
        return half, front - half


@dataclass
class Frame:
    """Every pixel's place on the head.

    Attributes:
        x, y: face coordinates of the skin seen there (B,H,W).
        front: cosine of the angle around the head; 1 in front, 0 at the ears, negative behind.
        outside: signed distance to the head's outline, in face units.
        view_x, view_y: coordinates in the picture plane, face units, roll undone, origin between the ears.
        pixel: the side of a pixel in face units (B,1,1).
    """

    x: Tensor
    y: Tensor
    front: Tensor
    outside: Tensor
    view_x: Tensor
    view_y: Tensor
    pixel: Tensor

    @property
    def head(self) -> Tensor:
        """Coverage of the head, 0-1."""
        return cover(self.outside, self.pixel)


def field(value: Tensor) -> Tensor:
    """(B,) -> (B,1,1)."""
    return value[:, None, None]


def anchor(pose: Pose, shape: HeadShape) -> tuple[Tensor, Tensor]:
    """Where the middle of the face lands before the shift, (B,1,1) each."""
    depth = DEPTH * shape.width * 0.95
    yaw, pitch = field(pose.yaw), field(pose.pitch)
    forward = depth * torch.cos(yaw)
    return depth * torch.sin(yaw), ANCHOR_Y * torch.cos(pitch) - forward * torch.sin(pitch)


def picture_grid(pose: Pose, shape: HeadShape, size: int) -> tuple[Tensor, Tensor]:
    """View coordinates (roll, size and shift undone) of a size x size picture's pixels."""
    line = (torch.arange(size, device=pose.yaw.device, dtype=pose.yaw.dtype) + 0.5) / size * 2 - 1
    gx = (line[None, None, :] - field(pose.shift_x)) / field(pose.scale)
    gy = (line[None, :, None] - field(pose.shift_y)) / field(pose.scale)
    c, s = torch.cos(field(pose.roll)), torch.sin(field(pose.roll))
    ax, ay = anchor(pose, shape)
    return c * gx + s * gy + ax, c * gy - s * gx + ay


def unproject(pose: Pose, shape: HeadShape, size: int) -> Frame:
    """Find the skin behind each pixel. Three rounds suffice for the nod, because depth changes slowly."""
    view_x, view_y = picture_grid(pose, shape, size)
    c, s = torch.cos(field(pose.yaw)), torch.sin(field(pose.yaw))
    cp, sp = torch.cos(field(pose.pitch)), torch.sin(field(pose.pitch))
    reach = (1 - (view_x / shape.width) ** 2 - (view_y * 0.8) ** 2).clamp_min(0.0)
    forward = DEPTH * shape.width * torch.sqrt(reach)
    for _ in range(3):
        y = (view_y + forward * sp) / cp
        straight, s2, slope = shape.section(y)
        safe = s2.clamp_min(0.01)
        root = torch.sqrt(safe)
        width = straight * root
        depth, centre = shape.depth(y, root)
        wc, ds = width * c, depth * s
        reach = torch.sqrt(wc * wc + ds * ds)
        beside = view_x - centre * s
        q = (beside / reach).clamp(-0.999, 0.999)
        rest = torch.sqrt(1 - q * q)
        sin_phi, cos_phi = (q * wc - rest * ds) / reach, (rest * wc + q * ds) / reach
        x = width * sin_phi
        forward = (centre + depth * cos_phi) * c - x * s
    linear2 = reach * reach / safe
    gradient = torch.sqrt((2 * beside / linear2) ** 2 + slope * slope + 1e-6)
    outside = (beside * beside / linear2 - s2) / gradient
    pixel = 2.0 / size / field(pose.scale)
    return Frame(x, y, cos_phi, outside, view_x, view_y, pixel)


def project(
    pose: Pose, shape: HeadShape, x: Tensor, y: Tensor, height: Tensor, size: int
) -> tuple[Tensor, Tensor]:
    """Face points (B,P,1) that stand ``height`` above the smooth head -> pixel coordinates (B,P) each.

    Pixel centres are at whole numbers: the first pixel's centre is (0, 0).
    """
    straight, s2, _ = shape.section(y)
    root = torch.sqrt(s2.clamp_min(0.01))
    sin_phi = (x / (straight * root)).clamp(-1, 1)
    depth, centre = shape.depth(y, root)
    z = centre + depth * torch.sqrt(1 - sin_phi * sin_phi) + height
    c, s = torch.cos(field(pose.yaw)), torch.sin(field(pose.yaw))
    cp, sp = torch.cos(field(pose.pitch)), torch.sin(field(pose.pitch))
    forward = z * c - x * s
    ax, ay = anchor(pose, shape)
    vx, vy = x * c + z * s - ax, y * cp - forward * sp - ay
    c, s = torch.cos(field(pose.roll)), torch.sin(field(pose.roll))
    px = (c * vx - s * vy) * field(pose.scale) + field(pose.shift_x)
    py = (c * vy + s * vx) * field(pose.scale) + field(pose.shift_y)
    return ((px + 1) * size / 2 - 0.5).squeeze(-1), ((py + 1) * size / 2 - 0.5).squeeze(-1)
