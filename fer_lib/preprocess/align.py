"""Bring faces into one place, size and tilt: every step is a matrix (B,2,3) that moves pixels.

``similarity_from_eyes`` aligns, ``square_from_boxes`` crops; ``warp`` applies a matrix to pictures and
``move`` to points, and ``compose`` joins two steps into one, so that a picture is resampled only once.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from fer_lib.preprocess.headpose import check_landmarks

LEFT_EYE, RIGHT_EYE = slice(36, 42), slice(42, 48)  # as the picture shows them; counted from 0


def eye_centres(landmarks: Tensor) -> Tensor:
    """Means of the six landmarks of each eye: (B,68,2) -> (B,2,2), the eye on the image's left first.

    Raises:
        ValueError: another shape.
    """
    check_landmarks(landmarks)
    return torch.stack([landmarks[:, LEFT_EYE].mean(1), landmarks[:, RIGHT_EYE].mean(1)], 1)


def similarity_from_eyes(
    eyes: Tensor, *, size: int, eye_distance: float = 0.36, eye_height: float = 0.34
) -> Tensor:
    """Matrices that turn, scale and move pictures until the eyes are level and where they belong.

    With l and r the centres of the eyes on the image's left and right, the angle is that of r - l and the
    scale is the wanted distance over |r - l|, both about the mid-eye point, which lands in the middle of the
    output's width.

    Args:
        eyes: (B,2,2) pixels, x then y, the eye on the image's left first.
        size: side of the output in pixels.
        eye_distance: wanted distance of the eyes, as a share of the side, in (0, 1).
        eye_height: where the eyes lie, from the top, as a share of the side, in (0, 1).

    Returns:
        (B,2,3), from input to output pixels; the first pixel's centre is (0, 0).

    Raises:
        ValueError: a missing eye (nan), eyes nearer than a pixel, or a share out of range.

    Example:
        >>> eyes = torch.tensor([[[20.0, 30.0], [40.0, 30.0]]])
        >>> matrix = similarity_from_eyes(eyes, size=100, eye_distance=0.4, eye_height=0.35)
        >>> move(eyes, matrix)[0].tolist()  # 40 pixels apart, level, 35 below the top edge
        [[29.5, 34.5], [69.5, 34.5]]

    Reference:
        Antoniadis (2021), eqs. 3.1.1-3.1.2; chapter 03.
    """
    for name, share in (("eye_distance", eye_distance), ("eye_height", eye_height)):
        if not 0 < share < 1:
            raise ValueError(f"{name} must lie in (0, 1); got {share}. It is a share of the side.")
    _check_eyes(eyes)
    left, right = eyes.float().unbind(1)
    apart = right - left
    angle = torch.atan2(apart[:, 1], apart[:, 0])  # eq. 3.1.1; atan2 also turns faces back that lie or hang
    scale = eye_distance * size / torch.hypot(apart[:, 0], apart[:, 1])  # eq. 3.1.2
    cos, sin = scale * angle.cos(), scale * angle.sin()
    turn = torch.stack([torch.stack([cos, sin], 1), torch.stack([-sin, cos], 1)], 1)  # by minus the angle
    target = eyes.new_tensor([size / 2 - 0.5, eye_height * size - 0.5], dtype=torch.float32)
    shift = target - (turn @ ((left + right) / 2)[:, :, None])[..., 0]
    return torch.cat([turn, shift[:, :, None]], 2)


def _check_eyes(eyes: Tensor) -> None:
    if eyes.ndim != 3 or tuple(eyes.shape[1:]) != (2, 2):
        raise ValueError(f"eyes must be of shape (B, 2, 2); got {tuple(eyes.shape)}. Give two points a face.")
    missing = eyes.isnan().flatten(1).any(1)
    if missing.any():
        first = int(missing.nonzero()[0])
        raise ValueError(
            f"eyes must be known for every face; got {int(missing.sum())} without, the first in row {first}. "
            "Leave these faces out and count them."
        )
    near = (eyes[:, 0] - eyes[:, 1]).norm(dim=1) < 1
    if near.any():
        first = int(near.nonzero()[0])
        raise ValueError(
            f"eyes must be at least a pixel apart; got {eyes[first].tolist()} in row {first}. "
            "Check the points."
        )


def square_from_boxes(boxes: Tensor, *, size: int, margin: float = 0.0) -> Tensor:
    """Matrices that bring the square around each box to a picture of ``size`` x ``size``.

    Args:
        boxes: (B,4) pixels: left, top, width, height; the square shares its centre and longer side.
        size: side of the output in pixels.
        margin: share of the longer side that is added on each side, above -0.5.

    Returns:
        (B,2,3), from input to output pixels.

    Raises:
        ValueError: another shape, an empty or unknown box, or a margin that leaves nothing.

    Example:
        >>> matrix = square_from_boxes(torch.tensor([[10.0, 20.0, 40.0, 40.0]]), size=80)
        >>> move(torch.tensor([[[10.0, 20.0]]]), matrix)[0, 0].tolist()
        [0.5, 0.5]
    """
    if boxes.ndim != 2 or boxes.shape[1] != 4 or not (boxes[:, 2:] > 0).all():
        raise ValueError(
            f"boxes must be (B, 4) with a width and height above 0; got {tuple(boxes.shape)} "
            f"and {boxes.tolist()[:2]}. Leave out faces that were not found."
        )
    if margin <= -0.5:
        raise ValueError(f"margin must be above -0.5; got {margin}. Nothing would be left.")
    boxes = boxes.float()
    side = boxes[:, 2:].amax(1) * (1 + 2 * margin)
    corner = boxes[:, :2] + boxes[:, 2:] / 2 - side[:, None] / 2  # the edge, half a pixel before a centre
    scale = size / side
    turn = scale[:, None, None] * torch.eye(2, device=boxes.device)
    shift = -scale[:, None] * corner + (scale[:, None] - 1) / 2
    return torch.cat([turn, shift[:, :, None]], 2)


def box_of(landmarks: Tensor) -> Tensor:
    """The smallest box around each face's landmarks: (B,68,2) -> (B,4) left, top, width, height."""
    check_landmarks(landmarks)
    low, high = landmarks.amin(1), landmarks.amax(1)
    return torch.cat([low, (high - low).clamp_min(1.0)], 1)


def compose(first: Tensor, then: Tensor) -> Tensor:
    """One matrix (B,2,3) for two steps.

    Example:
        >>> shift = torch.tensor([[[1.0, 0.0, 3.0], [0.0, 1.0, 0.0]]])
        >>> double = torch.tensor([[[2.0, 0.0, 0.0], [0.0, 2.0, 0.0]]])
        >>> compose(shift, double)[0].tolist()
        [[2.0, 0.0, 6.0], [0.0, 2.0, 0.0]]
    """
    turn = then[:, :, :2] @ first[:, :, :2]
    shift = then[:, :, :2] @ first[:, :, 2:] + then[:, :, 2:]
    return torch.cat([turn, shift], 2)


def move(points: Tensor, matrices: Tensor) -> Tensor:
    """Points (B,P,2) through matrices (B,2,3)."""
    return points.to(matrices.dtype) @ matrices[:, :, :2].transpose(1, 2) + matrices[:, None, :, 2]


def warp(images: Tensor, matrices: Tensor, *, size: int, padding: str = "border") -> Tensor:
    """Pictures through matrices, all of the batch in one bilinear resampling, on their device.

    Where a picture shrinks, each output pixel is the mean of several samples, so that no detail turns into
    a false pattern.

    Args:
        images: uint8 or floating-point (B, C, H, W).
        matrices: (B,2,3), from input to output pixels.
        size: side of the output.
        padding: what lies outside the picture: "border" repeats its edge, "zeros" is black.

    Returns:
        (B, C, size, size), bytes for bytes, otherwise floating-point.

    Raises:
        ValueError: batches that do not fit.
    """
    if images.ndim != 4 or matrices.shape != (len(images), 2, 3):
        raise ValueError(
            f"images and matrices must be (B, C, H, W) and (B, 2, 3); got {tuple(images.shape)} and "
            f"{tuple(matrices.shape)}. Give one matrix a picture."
        )
    height, width = images.shape[2:]
    shrink = 1 / torch.linalg.det(matrices[:, :, :2].double()).abs().sqrt().clamp_min(1e-6)
    fine = max(1, min(4, math.ceil(float(shrink.max()) - 0.25))) if len(images) else 1
    line = (torch.arange(size * fine, device=images.device, dtype=torch.float32) + 0.5) / fine - 0.5
    target = torch.stack(torch.meshgrid(line, line, indexing="xy"), -1).view(1, -1, 2)
    turn = torch.linalg.inv(matrices[:, :, :2].to(images.device))
    source = (target - matrices[:, None, :, 2].to(images.device)) @ turn.transpose(1, 2)  # (B,P,2)
    extent = torch.tensor([width, height], device=images.device)
    grid = ((2 * source + 1) / extent - 1).view(len(images), size * fine, size * fine, 2)
    real = images.float()
    out = F.grid_sample(real, grid, mode="bilinear", padding_mode=padding, align_corners=False)
    out = F.avg_pool2d(out, fine) if fine > 1 else out
    return out.round().clamp(0, 255).to(torch.uint8) if images.dtype == torch.uint8 else out.to(images.dtype)


def align(
    images: Tensor,
    landmarks: Tensor,
    *,
    size: int = 227,
    eye_distance: float = 0.36,
    eye_height: float = 0.34,
) -> tuple[Tensor, Tensor]:
    """Align faces by their eye centres and crop them to one size, in one resampling.

    Args:
        images: uint8 or floating-point (B, C, H, W).
        landmarks: (B,68,2) pixels.
        size: side of the output; 227 is what the thesis gives its network.
        eye_distance, eye_height: see :func:`similarity_from_eyes`.

    Returns:
        Pictures (B, C, size, size), and the landmarks moved with them.

    Raises:
        ValueError: shapes that do not fit, or eyes that are missing or coincide.

    Reference:
        Antoniadis (2021), section 3.1; chapter 03.
    """
    matrices = similarity_from_eyes(
        eye_centres(landmarks), size=size, eye_distance=eye_distance, eye_height=eye_height
    )
    return warp(images, matrices, size=size), move(landmarks, matrices)
