"""Where in the picture the cells of a feature map look (chapter 09)."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from torch import nn

BESIDE = "downsample"  # a residual block's way past its convolutions; it strides with them


class Cells(NamedTuple):
    """Along one side of the picture: the pixel that the first cell is centred on, the pixels from one to the
    next, and their number."""

    start: float
    step: int
    number: int


def cells_of(encoder: Any, *, pooled: bool = False) -> Cells:
    """Where the cells of an encoder's map look, from its kernels, strides and paddings.

    Followed along the convolutions. What goes past them looks at the same places in all our encoders but
    BReG-NeXt, whose shortcuts look 1.5 pixels further right and down.

    Args:
        encoder: any.
        pooled: the map behind ``last_conv.finish`` instead of that before it.

    Example:
        >>> from fer_lib.encoders import make_encoder
        >>> cells_of(make_encoder("pk", size=96))
        Cells(start=0.0, step=16, number=6)
    """
    start, step, count = 0.0, 1, encoder.input_spec.size
    for layer in _strided(encoder, pooled):
        kernel, stride, padding = (_number(getattr(layer, n)) for n in ("kernel_size", "stride", "padding"))
        start += ((kernel - 1) / 2 - padding) * step
        step *= stride
        count = (count + 2 * padding - kernel) // stride + 1
    return Cells(start, step, count)


def centre_offset(encoder: Any) -> float:
    """By how many pixels too far right and down the first cell is drawn where a map is only stretched.

    Stretching puts the first cell half a cell inside the picture. With pooling that is where it looks. A
    convolution of stride 2 with symmetric padding is centred on the first pixel of each pair instead, and
    four of them in a row put the first cell's centre on the picture's edge. The maps of ``fer_lib.saliency``
    are moved back already.

    Example:
        >>> from fer_lib.encoders import make_encoder
        >>> centre_offset(make_encoder("pk")), centre_offset(make_encoder("vggface"))
        (7.5, 0.0)
    """
    cells = cells_of(encoder)
    return encoder.input_spec.size / cells.number / 2 - 0.5 - cells.start


def recentred(maps: np.ndarray, encoder: Any, *, pooled: bool = False) -> np.ndarray:
    """Move maps (..., S, S), stretched over the picture, to where the cells look.

    Beyond the outermost centres the map goes on as it is there.

    Args:
        maps: as stretching gives them; S is the side of the encoder's images.
        encoder: whose maps they are.
        pooled: as for :func:`cells_of`.
    """
    from scipy.ndimage import affine_transform

    cells, side = cells_of(encoder, pooled=pooled), maps.shape[-1]
    wide = side / cells.number  # pixels that stretching gives a cell
    scale = wide / cells.step
    offset = (0.5 - cells.start / cells.step) * wide - 0.5  # where pixel 0's value was drawn
    if scale == 1 and offset == 0:
        return maps
    still = maps.ndim - 2
    matrix, shift = [1.0] * still + [scale] * 2, [0.0] * still + [offset] * 2
    return affine_transform(maps, matrix, shift, order=1, mode="nearest").astype(maps.dtype)


def _strided(encoder: Any, pooled: bool) -> Iterator[nn.Module]:
    last = encoder.last_conv
    for part in (encoder.trunk, last.units, *([last.finish] if pooled else [])):
        for name, layer in part.named_modules():
            if isinstance(layer, nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d) and BESIDE not in name:
                yield layer


def _number(value: Any) -> int:
    return int(value[0] if isinstance(value, tuple) else value)
