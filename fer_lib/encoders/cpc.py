"""The convolutions of the Contrastive Predictive Coding (CPC) encoder (chapter 06)."""

from itertools import pairwise

from torch import nn

from fer_lib.encoders.contract import Encoder, InputSpec, LastConv, reset_convolutions
from fer_lib.encoders.scaling import check_scale, scaled

CHANNELS = (1, 64, 64, 64, 64)  # at width 1
STRIDE = 16
SLOPE = 0.3  # of the LeakyReLU below 0


class CPC(Encoder):
    """CPC's encoder: grey faces to (64, 4, 4), in four 3 x 3 convolutions of stride 2.

    Each is followed by BatchNorm and a LeakyReLU. At width 1 it holds 111,936 numbers. The code of 128 values
    and the GRU that predicts codes from codes are in ``fer_lib.pretrain``.

    The paper draws the network (its Fig. 4) without naming colour or the LeakyReLU's slope. Read here as grey
    images in [0, 1], as the FaceChannel takes them, and a slope of 0.3.

    Args:
        width: factor on the channels of every convolution, > 0; small machines take 0.25.
        size: height and width of the images, a multiple of 16.

    Raises:
        ValueError: width or size outside these ranges.

    Example:
        >>> encoder = CPC()
        >>> encoder.feature_shape, encoder.num_parameters
        ((64, 4, 4), 111936)

    Reference:
        van den Oord, Li and Vinyals (2018), "Representation Learning with Contrastive Predictive Coding";
        Barros and Sciutti (2022), "Across the Universe", section III.C. Chapter 06.
    """

    def __init__(self, *, width: float = 1.0, size: int = 64) -> None:
        why = "Four convolutions of stride 2 halve it"
        check_scale(width, size, stride=STRIDE, smallest=STRIDE, usual=64, why=why)
        channels = (CHANNELS[0], *(scaled(count, width) for count in CHANNELS[1:]))
        *most, last = [_convolution(*pair) for pair in pairwise(channels)]
        super().__init__(
            nn.Sequential(*(layer for block in most for layer in block)),
            LastConv(last),
            input_spec=InputSpec(size, channels=1),
            feature_shape=(channels[-1], size // STRIDE, size // STRIDE),
            options=dict(name="cpc", width=width, size=size),
        )


def _convolution(in_channels: int, channels: int) -> nn.Sequential:
    block = nn.Sequential(
        nn.Conv2d(in_channels, channels, 3, stride=2, padding=1),
        nn.BatchNorm2d(channels),
        nn.LeakyReLU(SLOPE),
    )
    reset_convolutions(block)
    return block
