"""Lossy compression as cameras do it: 8 x 8 blocks, their cosine transforms rounded to coarse steps.

There is no codec here: only the loss is made, on the whole batch at once, with a strength for each picture.
"""

import functools
import math

import torch
from torch import Tensor
from torch.nn import functional as F

BLOCK = 8
# steps of the 64 frequencies at middle quality, brightness and colour: ITU-T T.81 (1992), tables K.1 and K.2
BRIGHTNESS = (
    (16, 11, 10, 16, 24, 40, 51, 61), (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56), (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77), (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101), (72, 92, 95, 98, 112, 100, 103, 99),
)  # fmt: skip
COLOUR = (
    (17, 18, 24, 47, *[99] * 4), (18, 21, 26, 66, *[99] * 4), (24, 26, 56, *[99] * 5), (47, 66, *[99] * 6),
    *[(99,) * 8] * 4,
)  # fmt: skip
TO_LUMA = ((0.299, 0.587, 0.114), (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312))


def step_scale(strength: Tensor) -> Tensor:
    """How many times the middle steps: 1 at strength 0.5, 5 at strength 1 (a codec's quality 50 and 10).

    >>> step_scale(torch.tensor([0.5, 1.0])).round(decimals=3).tolist()
    [1.0, 5.0]
    """
    return 5 * strength.pow(math.log2(5))


def cosine_matrix(side: int = BLOCK) -> Tensor:
    """The orthonormal DCT-II as a matrix: row k holds the k-th cosine at the ``side`` sample places."""
    k, n = torch.arange(side, dtype=torch.float64)[:, None], torch.arange(side, dtype=torch.float64)[None]
    cosines = torch.cos(math.pi * (2 * n + 1) * k / (2 * side)) * math.sqrt(2 / side)
    cosines[0] /= math.sqrt(2)
    return cosines


@functools.lru_cache(maxsize=4)
def _constants(device: torch.device) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The transform of a flattened block (64,64), the steps (3,64), the colour matrix and its inverse."""
    one = cosine_matrix()
    steps = torch.tensor([BRIGHTNESS, COLOUR, COLOUR], dtype=torch.float32).flatten(1) / 255
    mix = torch.tensor(TO_LUMA, dtype=torch.float64)
    both = [torch.kron(one, one).float(), steps, mix.float(), torch.linalg.inv(mix).float()]
    return tuple(value.to(device) for value in both)  # type: ignore[return-value]


def compress(image: Tensor, strength: Tensor) -> Tensor:
    """Quantise the cosine transforms of 8 x 8 blocks; blocks at the right and bottom edge repeat the edge.

    Args:
        image: (B,3,H,W) in [0,1].
        strength: (B,) from 0, which leaves a picture untouched, to 1, strong.

    Returns:
        (B,3,H,W); may leave [0,1] by a little, as decoded blocks do.
    """
    if not bool((strength > 0).any()):
        return image
    height, width = image.shape[-2:]
    transform, steps, mix, back = _constants(image.device)
    full = F.pad(image, (0, -width % BLOCK, 0, -height % BLOCK), mode="replicate")
    tall, wide = full.shape[-2] // BLOCK, full.shape[-1] // BLOCK
    luma = torch.einsum("kc,bchw->bkhw", mix, full)
    luma[:, 0] -= 0.5
    blocks = luma.unflatten(-1, (wide, BLOCK)).unflatten(-3, (tall, BLOCK)).transpose(-3, -2).flatten(-2)
    scaled = steps[:, None, None] * step_scale(strength.clamp_min(1e-3))[:, None, None, None, None]
    waves = ((blocks @ transform.T) / scaled).round_() * scaled  # (B,3,tall,wide,64)
    luma = (waves @ transform).unflatten(-1, (BLOCK, BLOCK)).transpose(-3, -2).reshape(full.shape)
    luma[:, 0] += 0.5
    done = torch.einsum("ck,bkhw->bchw", back, luma)[..., :height, :width]
    return torch.lerp(image, done, (strength > 0).to(image.dtype)[:, None, None, None])
