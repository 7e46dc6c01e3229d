"""Change each training image a little, each by its own amount, on the device where the images are."""

from dataclasses import dataclass, fields

import torch
from torch import Tensor
from torch.nn import functional as F

from fer_lib.preprocess.inputs import LUMA
from fer_lib.processes import Share


@dataclass(frozen=True)
class Augmentation:
    """How much to change; every amount is drawn for each image alone, evenly within its range.

    Args:
        flip: chance to mirror left and right, in [0, 1].
        rotate_deg: turn by up to this many degrees either way, in [0, 180].
        zoom: scale by a factor in [1 - zoom, 1 + zoom], zoom in [0, 1).
        shift: move by up to this share of the side, both axes, in [0, 1].
        brightness: add up to this share of the value range, in [0, 1].
        contrast: scale about the image's mean by a factor in [1 - contrast, 1 + contrast], in [0, 1].
        cutout: side of a square of the image's mean value, as a share of the image's side, in [0, 1]; half
            of the images get one.
        saturation: scale the colours about the image's grey by a factor in [1 - saturation, 1 + saturation],
            in [0, 1]; grey images have none.
        hue_deg: turn the hue by up to this many degrees either way, in [0, 180].

    Raises:
        ValueError: an amount outside its range.
    """

    flip: float = 0.5
    rotate_deg: float = 10.0
    zoom: float = 0.1
    shift: float = 0.06
    brightness: float = 0.1
    contrast: float = 0.2
    cutout: float = 0.0
    saturation: float = 0.0
    hue_deg: float = 0.0

    def __post_init__(self) -> None:
        for field in fields(self):
            high = 180.0 if field.name.endswith("_deg") else 1.0
            value = getattr(self, field.name)
            if not 0 <= value <= high or (field.name == "zoom" and value == 1):
                raise ValueError(f"{field.name} must be in [0, {high:g}]; got {value}. 0 turns it off.")


THESIS = Augmentation(
    flip=0.5, rotate_deg=15.0, zoom=0.0, shift=0.0, brightness=0.2, contrast=0.3, saturation=0.3, hue_deg=12.0
)
"""The six augmentations of Antoniadis (2021), section 3.1. The thesis names them; the ranges are ours."""


def augment(
    images: Tensor,
    amounts: Augmentation | None = None,
    *,
    generator: torch.Generator,
    low: float = 0.0,
    high: float = 1.0,
    share: Share | None = None,
) -> Tensor:
    """Mirror, turn, scale, move, relight, recolour and cover each image by amounts of its own.

    The random numbers are drawn on the CPU and then moved: the same generator gives the same amounts on
    every device. What comes in from outside the picture repeats its border.

    Args:
        images: floating-point (B, C, H, W) in [low, high].
        amounts: the ranges to draw from; None for the defaults.
        generator: a CPU generator; it is advanced by the same amount whatever the ranges (and by a little
            more where saturation or hue are changed).
        low: value of a black pixel.
        high: value of a white pixel.
        share: which rows of a batch these are, where several processes share it; None where they are all.

    Returns:
        New images of the same shape, type and range.

    Example:
        >>> images = torch.rand(4, 1, 8, 8)
        >>> off = Augmentation(0, 0, 0, 0, 0, 0)
        >>> torch.equal(augment(images, off, generator=torch.Generator().manual_seed(0)), images)
        True
    """
    amounts = Augmentation() if amounts is None else amounts
    share = share or Share(len(images))
    draws = share.rand(10, generator).to(images.device, non_blocking=True)  # each in [0, 1)
    changed = _move(images, amounts, draws[:5])
    changed = _light(changed, amounts, draws[5:7], low, high)
    if (amounts.saturation or amounts.hue_deg) and images.shape[1] == 3:
        colour = share.rand(2, generator).to(images.device, non_blocking=True)
        changed = _recolour(changed, amounts, 2 * colour - 1, low, high)
    return _cover(changed, amounts.cutout, draws[7:])


def _move(images: Tensor, amounts: Augmentation, draws: Tensor) -> Tensor:
    """Mirror, turn, scale and move by one bilinear resampling."""
    mirror = torch.where(draws[0] < amounts.flip, -1.0, 1.0)
    if not (amounts.rotate_deg or amounts.zoom or amounts.shift):
        return torch.where((mirror < 0)[:, None, None, None], images.flip(3), images)
    signed = 2 * draws[1:] - 1  # (4, B) in [-1, 1)
    angle = torch.deg2rad(signed[0] * amounts.rotate_deg)
    scale = 1 / (1 + signed[1] * amounts.zoom)  # the grid says where to read, hence the inverse
    shift = 2 * signed[2:] * amounts.shift  # grid units: the side is 2 long
    cos, sin = scale * angle.cos(), scale * angle.sin()
    rows = [mirror * cos, -sin, shift[0], mirror * sin, cos, shift[1]]
    theta = torch.stack(rows, dim=1).view(-1, 2, 3).to(images.dtype)
    grid = F.affine_grid(theta, list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, mode="bilinear", padding_mode="border", align_corners=False)


def _light(images: Tensor, amounts: Augmentation, draws: Tensor, low: float, high: float) -> Tensor:
    """Scale the contrast about each image's mean, then shift the brightness."""
    if not (amounts.brightness or amounts.contrast):
        return images
    signed = (2 * draws - 1)[:, :, None, None, None]  # (2, B, 1, 1, 1)
    mean = images.mean((1, 2, 3), keepdim=True)
    factor = 1 + signed[0] * amounts.contrast
    offset = signed[1] * amounts.brightness * (high - low)
    return (mean + (images - mean) * factor + offset).clamp(low, high)


def _recolour(images: Tensor, amounts: Augmentation, signed: Tensor, low: float, high: float) -> Tensor:
    """Scale the colours about the grey, then turn the hue."""
    real = (images - low) / (high - low)
    grey = (real * real.new_tensor(LUMA)[:, None, None]).sum(1, keepdim=True)
    factor = 1 + (signed[0] * amounts.saturation)[:, None, None, None]
    real = turn_hue((grey + (real - grey) * factor).clamp(0, 1), signed[1] * amounts.hue_deg)
    return real * (high - low) + low


def turn_hue(images: Tensor, angle_deg: Tensor) -> Tensor:
    """Turn the hue of each image, leaving its largest and smallest channel value at every pixel.

    Args:
        images: (B, 3, H, W) in [0, 1].
        angle_deg: (B,); 120 turns red into green.

    Example:
        >>> red = torch.tensor([1.0, 0.0, 0.0]).view(1, 3, 1, 1)
        >>> turn_hue(red, torch.tensor([120.0])).flatten().tolist()
        [0.0, 1.0, 0.0]
    """
    high, low = images.amax(1), images.amin(1)
    red, green, blue = images.unbind(1)
    spread = (high - low).clamp_min(1e-12)
    # sixths of the circle, from the channel that is largest (the hue of a hexcone)
    hue = torch.where(
        high == red,
        (green - blue) / spread,
        torch.where(high == green, 2 + (blue - red) / spread, 4 + (red - green) / spread),
    )
    hue = hue + (angle_deg / 60)[:, None, None]
    place = torch.stack([torch.remainder(hue + shift, 6) for shift in (5, 3, 1)], 1)  # (B,3,H,W)
    fall = torch.minimum(place, 4 - place).clamp(0, 1)
    return high[:, None] - (high - low)[:, None] * fall


def _cover(images: Tensor, share: float, draws: Tensor) -> Tensor:
    """Cover half of the images with a square of their own mean value."""
    if not share:
        return images
    height, width = images.shape[2:]
    rows = torch.arange(height, device=images.device) / height  # (H,) in [0, 1)
    columns = torch.arange(width, device=images.device) / width
    top, left = draws[1] * (1 - share), draws[2] * (1 - share)
    inside_rows = (rows >= top[:, None]) & (rows < top[:, None] + share)  # (B, H)
    inside_columns = (columns >= left[:, None]) & (columns < left[:, None] + share)
    chosen = (draws[0] < 0.5)[:, None, None]
    square = (inside_rows[:, :, None] & inside_columns[:, None, :] & chosen)[:, None]  # (B, 1, H, W)
    return torch.where(square, images.mean((1, 2, 3), keepdim=True), images)
