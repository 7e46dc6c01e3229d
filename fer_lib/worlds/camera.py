"""From light to picture: exposure, vignette, tone curve, blur, grain, grey."""

import functools

import torch
from torch import Tensor
from torch.nn import functional as F

LUMA = (0.299, 0.587, 0.114)
GRAIN_SIDE = 384  # side of the stored grain; pictures cut their pieces out of it


def meter(seen: Tensor) -> Tensor:
    """How much longer a camera exposes for a head of this colour (B,3): mostly evens dark and light out."""
    return (0.40 / seen.mean(1).clamp_min(0.02)).pow(0.60)


def vignette(light: Tensor, amount: Tensor) -> Tensor:
    """Light (B,C,H,W) that falls off with the squared distance from the middle: by ``amount`` at corners."""
    down, across = (
        torch.linspace(-1, 1, n, dtype=light.dtype, device=light.device) ** 2 / 2 for n in light.shape[-2:]
    )
    return light * (1 - amount[:, None, None, None] * (down[:, None] + across))


def develop(light: Tensor, exposure: Tensor, curve: Tensor | float = 0.0) -> Tensor:
    """Linear light (B,C,H,W) -> display values in [0,1]: a soft shoulder, gamma 2, then a curve.

    Args:
        light: linear light.
        exposure: factor for each picture (B,), or for each picture and colour (B,C).
        curve: contrast (B,); 0 none, 1 strong: an S that deepens shadows and lifts lights.
    """
    exposure = exposure[:, None] if exposure.dim() == 1 else exposure
    exposed = light * exposure[:, :, None, None]
    display = (exposed * (exposed * exposed).mul_(0.22).add_(1).rsqrt_()).clamp_(0, 1).sqrt_()
    if isinstance(curve, float):
        return display
    bend = display * (1 - display) * (2 * display - 0.80)
    return (display + bend * curve[:, None, None, None]).clamp_(0, 1)


def soften(image: Tensor, amount: Tensor) -> Tensor:
    """Blur each picture by its own amount (B,): 0 none, 1 a binomial 5x5, 2 a blur twice as wide on top.

    The mix is linear in between.
    """
    image = torch.lerp(image, _binomial(image, 1), amount.clamp(max=1)[:, None, None, None])
    more = (amount > 1).nonzero()[:, 0]
    if len(more):
        wide = torch.lerp(image[more], _binomial(image[more], 2), (amount[more] - 1)[:, None, None, None])
        image = image.index_copy(0, more, wide)
    return image


def _binomial(image: Tensor, gap: int) -> Tensor:
    """Weights 1 4 6 4 1 along both axes, at pixels ``gap`` apart; shifted sums beat a convolution here."""
    out = F.pad(image, (2 * gap,) * 4, mode="replicate")
    for axis in (-1, -2):
        n = out.shape[axis] - 4 * gap
        far, near, here, after, last = (out.narrow(axis, k * gap, n) for k in range(5))
        out = (near + after).mul_(4).add_(far).add_(last).add_(here, alpha=6).div_(16)
    return out


def smear(image: Tensor, motion: Tensor, *, taps: int = 5) -> Tensor:
    """Blur along a straight movement (B,2) of the camera, in half pictures; (0, 0) changes nothing."""
    moved = motion.abs().amax(1).nonzero()[:, 0]
    if not len(moved):
        return image
    part, way = image[moved], motion[moved]
    eye = torch.eye(2, dtype=image.dtype, device=image.device).expand(len(part), 2, 2)
    total = torch.zeros_like(part)
    for k in range(taps):
        shift = way * (k / (taps - 1) - 0.5)
        grid = F.affine_grid(torch.cat([eye, shift[:, :, None]], 2), list(part.shape), align_corners=False)
        total += F.grid_sample(part, grid, padding_mode="border", align_corners=False)
    return image.index_copy(0, moved, total / taps)


@functools.lru_cache(maxsize=4)
def _grain_store(device: torch.device) -> Tensor:
    """(3,side,side) grain of spread 1: neighbours agree a little, colours mostly, as after demosaicing."""
    generator = torch.Generator().manual_seed(20260102)
    white = torch.randn(4, 1, GRAIN_SIDE, GRAIN_SIDE, generator=generator)
    ring = F.pad(white, (1, 1, 1, 1), mode="circular")
    kernel = torch.tensor([0.26, 1.0, 0.26])
    soft = F.conv2d(ring, (kernel[:, None] * kernel)[None, None])
    wide = F.conv2d(F.pad(white, (2, 2, 2, 2), mode="circular"), torch.full((1, 1, 5, 5), 0.04))
    luma, colour = (value / value.std() for value in (soft[:1], wide[1:]))
    grain = (luma + torch.tensor([0.45, 0.25, 0.6])[:, None, None, None] * colour)[:, 0]
    return (grain / grain.std(dim=(1, 2), keepdim=True)).to(device)


def grain(place: Tensor, height: int, width: int) -> Tensor:
    """Grain (B,3,H,W) of mean 0 and spread 1; ``place`` (B,) in [0,1) says which piece of the store."""
    store = _grain_store(place.device)
    rooms = (GRAIN_SIDE - height, GRAIN_SIDE - width)
    spot = (place.double() * (rooms[0] * rooms[1])).long()
    cuts = store.unfold(1, height, 1).unfold(2, width, 1).permute(1, 2, 0, 3, 4)
    return cuts[spot // rooms[1], spot % rooms[1]]


def sense(image: Tensor, noise: Tensor, place: Tensor) -> Tensor:
    """Add a sensor's grain to display values (B,C,H,W): spread ``noise`` (B,) in mid-grey, more in dark."""
    rough = grain(place, *image.shape[-2:]) * (0.9 - 0.5 * image)
    return (image + rough * noise[:, None, None, None]).clamp_(0, 1)


def to_grey(image: Tensor) -> Tensor:
    """Colour (B,3,H,W) -> luma (B,1,H,W)."""
    red, green, blue = image.unbind(1)
    return (LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue).unsqueeze(1)


def to_uint8(image: Tensor) -> Tensor:
    """Values in [0,1] -> 0-255, rounded."""
    return (image.clamp(0, 1) * 255 + 0.5).to(torch.uint8)
