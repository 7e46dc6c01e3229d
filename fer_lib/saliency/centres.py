"""Where in the picture the cells of a feature map look (chapter 09)."""

from itertools import chain
from typing import Any

import numpy as np
from torch import nn

CHAINS = ("facechannel", "pk", "cpc", "vggface", "alexnet")


def centre_offset(encoder: Any) -> float:
    """By how many pixels a map that is stretched over the picture lies too far right and down.

    Stretching puts the first cell half a cell inside the picture. With pooling that is where it looks. A
    convolution of stride 2 with symmetric padding is centred on the first pixel of each pair instead, and
    four of them in a row put the first cell's centre on the picture's edge.

    Args:
        encoder: of convolutions and poolings one behind the other.

    Returns:
        The offset of the map before pooling (``last_conv.units``), in pixels of the encoder's input.

    Raises:
        ValueError: an encoder with layers in parallel, such as a ResNet.

    Example:
        >>> from fer_lib.encoders import make_encoder
        >>> centre_offset(make_encoder("pk")), centre_offset(make_encoder("vggface"))
        (7.5, 0.0)
    """
    if encoder.options["name"] not in CHAINS:
        raise ValueError(
            f"encoder must be one of {', '.join(CHAINS)}; got {encoder.options['name']!r}. The others have "
            "parallel branches."
        )
    start, step = 0.0, 1
    for layer in chain(encoder.trunk.modules(), encoder.last_conv.units.modules()):
        if isinstance(layer, nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d):
            kernel, stride, padding = (
                _number(getattr(layer, n)) for n in ("kernel_size", "stride", "padding")
            )
            start += ((kernel - 1) / 2 - padding) * step
            step *= stride
    return step / 2 - 0.5 - start


def recentred(maps: np.ndarray, encoder: Any) -> np.ndarray:
    """Move stretched maps (N, S, S) to where the encoder's cells look; the edge fills what comes in."""
    from scipy.ndimage import shift

    offset = centre_offset(encoder)
    if not offset:
        return maps
    return shift(maps, (0, -offset, -offset), order=1, mode="nearest").astype(maps.dtype)


def _number(value: Any) -> int:
    return int(value[0] if isinstance(value, tuple) else value)
