"""The 68 landmarks of the common (Multi-PIE / 300-W) scheme, in the order of the scheme.

0-16 jaw from the image's left ear to its right, 17-21 and 22-26 brows, 27-30 the nose's bridge, 31-35 its
base, 36-41 and 42-47 eyes, 48-59 outer lips, 60-67 inner lips.
"""

import torch
from torch import Tensor

from fer_lib.worlds.geometry import HeadShape, Pose, project
from fer_lib.worlds.layout import Layout, brow_curve, lid_curves, lip_curves
from fer_lib.worlds.sculpt import Strokes


def face_points(face: Layout, shape: HeadShape) -> tuple[Tensor, Tensor]:
    """Face coordinates (B,68,1) of all landmarks."""
    groups = [
        _jaw(shape),
        _brow(face, -1),
        _brow(face, 1),
        _nose(face),
        _eye(face, -1),
        _eye(face, 1),
        *_lips(face),
    ]
    return torch.cat([g[0] for g in groups], 1), torch.cat([g[1] for g in groups], 1)


def landmarks(pose: Pose, face: Layout, shape: HeadShape, strokes: Strokes, size: int) -> Tensor:
    """Pixel coordinates (B,68,2), x then y, of places on the face that ``strokes`` have sculpted."""
    x, y = face_points(face, shape)
    px, py = project(pose, shape, x, y, _heights(strokes, x, y), size)
    return torch.stack([px, py], -1)


def _heights(strokes: Strokes, x: Tensor, y: Tensor) -> Tensor:
    """Height of the skin at the points; the jaw's outline is the smooth head's."""
    high = strokes.at(x, y)
    return torch.cat([torch.zeros_like(high[:, :17]), high[:, 17:]], 1)


def _row(values: list[float], like: Tensor) -> Tensor:
    return torch.tensor(values, dtype=like.dtype, device=like.device)[None, :, None].expand(len(like), -1, 1)


def _jaw(shape: HeadShape) -> tuple[Tensor, Tensor]:
    heights = [
        0.02,
        0.20,
        0.38,
        0.55,
        0.70,
        0.83,
        0.925,
        0.98,
        1.0,
        0.98,
        0.925,
        0.83,
        0.70,
        0.55,
        0.38,
        0.20,
        0.02,
    ]
    y = _row(heights, shape.chin) * shape.chin
    straight, rest, _ = shape.section(y)
    edge = straight * torch.sqrt(rest.clamp_min(0)) * 0.96
    side = torch.tensor([-1.0] * 8 + [0.0] + [1.0] * 8, dtype=y.dtype, device=y.device)[None, :, None]
    return side * edge, y - 0.015


def _brow(face: Layout, side: int) -> tuple[Tensor, Tensor]:
    along = [1.0, 0.5, 0.0, -0.5, -1.0]
    u = _row(along if side < 0 else along[::-1], face.mean("chin"))
    here = face.on(torch.full_like(u, float(side)))
    y, _ = brow_curve(here, u * 0.92)
    return side * (here.brow_x + here.brow_w * u * 0.92), y


def _nose(face: Layout) -> tuple[Tensor, Tensor]:
    root, tip = face.mean("eye_y"), face.mean("nose_y")
    t = _row([0.0, 0.36, 0.68, 1.0], root)
    bridge_y = root + (tip - root) * t
    across = _row([-1.0, -0.5, 0.0, 0.5, 1.0], root)
    here = face.on(across)
    base_y = here.wing_y + 0.030 + 0.012 * (1 - across.abs())
    return torch.cat([0 * bridge_y, across * here.wing_x], 1), torch.cat([bridge_y, base_y], 1)


def _eye(face: Layout, side: int) -> tuple[Tensor, Tensor]:
    along = [1.0, 0.38, -0.38, -1.0, -0.38, 0.38] if side < 0 else [-1.0, -0.38, 0.38, 1.0, 0.38, -0.38]
    u = _row(along, face.mean("chin"))
    here = face.on(torch.full_like(u, float(side)))
    upper, lower = lid_curves(here, u)
    is_upper = torch.tensor([False, True, True, False, False, False], device=u.device)[None, :, None]
    return side * (here.eye_x + here.eye_w * u), here.eye_y + torch.where(is_upper, upper, lower)


def _lips(face: Layout) -> list[tuple[Tensor, Tensor]]:
    like = face.mean("chin")
    outer = _row([-1.0, -0.62, -0.26, 0.0, 0.26, 0.62, 1.0, 0.62, 0.26, 0.0, -0.26, -0.62], like)
    inner = _row([-0.90, -0.36, 0.0, 0.36, 0.90, 0.36, 0.0, -0.36], like)
    top = torch.tensor([True] * 7 + [False] * 5, device=like.device)[None, :, None]
    top_inner = torch.tensor([True] * 5 + [False] * 3, device=like.device)[None, :, None]
    here, inside = face.on(outer), face.on(inner)
    edges, lines = lip_curves(here, outer), lip_curves(inside, inner)
    outer_y = torch.where(top, edges[0], edges[3])
    outer_y = torch.where(outer.abs() == 1, edges[1], outer_y)
    inner_y = torch.where(top_inner, lines[1], lines[2])
    return [(outer * here.mouth_w, outer_y), (inner * inside.mouth_w, inner_y)]
