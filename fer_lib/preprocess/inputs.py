"""Bring images to the size, channels and value range that an encoder declares."""

import torch
from torch import Tensor
from torch.nn import functional as F

from fer_lib.encoders.contract import InputSpec

LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601: how bright red, green and blue look


def prepare(images: Tensor, spec: InputSpec) -> Tensor:
    """Make floating-point images that fit ``spec``, on the device where the images are.

    Grey is 0.299 R + 0.587 G + 0.114 B; colour from grey is three equal channels; size is changed by
    bilinear interpolation, smoothed first where the image shrinks.

    Args:
        images: uint8 in 0-255, or floating-point in [0, 1]; (B, 1 or 3, H, W).
        spec: an encoder's ``input_spec``.

    Returns:
        float32 (B, spec.channels, spec.size, spec.size) in [spec.low, spec.high].

    Raises:
        ValueError: another shape.

    Example:
        >>> white = torch.full((1, 3, 48, 48), 255, dtype=torch.uint8)
        >>> out = prepare(white, InputSpec(64, channels=1, low=-1.0, high=1.0))
        >>> tuple(out.shape), round(out.max().item(), 4)
        ((1, 1, 64, 64), 1.0)
    """
    if images.ndim != 4 or images.shape[1] not in (1, 3):
        raise ValueError(
            f"images must be of shape (B, 1 or 3, H, W); got {tuple(images.shape)}. Add the missing axes."
        )
    images = images.float() / 255 if images.dtype == torch.uint8 else images.float()
    if spec.channels == 1 and images.shape[1] == 3:
        images = (images * images.new_tensor(LUMA)[:, None, None]).sum(1, keepdim=True)
    if tuple(images.shape[2:]) != (spec.size, spec.size):
        side = (spec.size, spec.size)
        images = F.interpolate(images, side, mode="bilinear", align_corners=False, antialias=True)
    if spec.channels == 3 and images.shape[1] == 1:
        images = images.expand(-1, 3, -1, -1)
    return images.clamp(0, 1) * (spec.high - spec.low) + spec.low
