"""From light to picture: exposure, tone curve, blur, grain, grey."""

import torch
from torch import Tensor
from torch.nn import functional as F

LUMA = (0.299, 0.587, 0.114)


def meter(skin: Tensor) -> Tensor:
    """How much longer a camera exposes for a skin of this colour (B,3): partly evens dark and light out."""
    return (0.30 / skin.mean(1).clamp_min(0.02)).pow(0.45)


def develop(light: Tensor, exposure: Tensor) -> Tensor:
    """Linear light (B,3,H,W) -> display values in [0,1]: a soft shoulder, then gamma 2."""
    exposed = light * exposure[:, None, None, None]
    return torch.sqrt((exposed / (1 + 0.22 * exposed * exposed).sqrt()).clamp(0, 1))


def soften(image: Tensor, amount: Tensor) -> Tensor:
    """Blur each picture by its own amount (B,): 0 none, 1 a binomial 5x5; the mix is linear in between."""
    channels = image.shape[1]
    kernel = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0], dtype=image.dtype, device=image.device) / 16
    row = kernel.view(1, 1, 1, 5).expand(channels, 1, 1, 5)
    padded = F.pad(image, (2, 2, 2, 2), mode="replicate")
    blurred = F.conv2d(F.conv2d(padded, row, groups=channels), row.transpose(2, 3), groups=channels)
    return torch.lerp(image, blurred, amount[:, None, None, None])


def to_grey(image: Tensor) -> Tensor:
    """Colour (B,3,H,W) -> luma (B,1,H,W)."""
    red, green, blue = image.unbind(1)
    return (LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue).unsqueeze(1)


def to_uint8(image: Tensor) -> Tensor:
    """Values in [0,1] -> 0-255, rounded."""
    return (image.clamp(0, 1) * 255 + 0.5).to(torch.uint8)
