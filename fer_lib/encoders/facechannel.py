"""The FaceChannel: ten convolutions, the last with shunting inhibition (chapter 04)."""

from torch import nn

from fer_lib.encoders.contract import Encoder, InputSpec, LastConv, reset_convolutions
from fer_lib.encoders.shunting import ShuntingInhibition

BLOCKS = ((64, 64), (128, 128), (128, 128, 128), (256, 256, 256))  # channels at width 1
STRIDE = 2 ** len(BLOCKS)


class FaceChannel(Encoder):
    """FaceChannel: grey faces to (256, 4, 4), in ten 3 x 3 convolutions and four poolings.

    Convolutions 1-9 have BatchNorm and ReLU; the tenth has no BatchNorm and divides its ReLU by that of an
    inhibitory twin that reads the same input. Each block ends in max-pooling by 2 and dropout. The encoder
    and the paper's decision layer (200 hidden units, 2 outputs) hold 3,592,090 numbers when BatchNorm's
    running statistics count and the decay does not; the paper's text says 2 million.

    Args:
        width: factor on the channels of every convolution, > 0; small machines take 0.25.
        inhibition: False leaves a plain convolution with ReLU.
        learn_decay: False keeps the decay at 0.5.
        dropout: share of the map's entries set to 0 after each block, in [0, 1).
        size: height and width of the images, a multiple of 16.

    Raises:
        ValueError: size, width or dropout outside these ranges.

    Example:
        >>> encoder = FaceChannel(width=0.25)
        >>> encoder.feature_shape, encoder.num_parameters
        ((64, 4, 4), 174096)

    Reference:
        Barros and Sciutti (2022), "Across the Universe", section III.A and Fig. 2. Chapter 04.
    """

    def __init__(
        self,
        *,
        width: float = 1.0,
        inhibition: bool = True,
        learn_decay: bool = True,
        dropout: float = 0.25,
        size: int = 64,
    ) -> None:
        _check(width, dropout, size)
        blocks = [[max(1, round(width * channels)) for channels in block] for block in BLOCKS]
        *most, last = blocks[-1]
        layers, channels = [], 1
        for block in (*blocks[:-1], most):
            for wider in block:
                layers += [nn.Conv2d(channels, wider, 3, padding=1), nn.BatchNorm2d(wider), nn.ReLU()]
                channels = wider
            if block is not most:
                layers += _finish(dropout)
        trunk = nn.Sequential(*layers)
        reset_convolutions(trunk)
        units = (
            ShuntingInhibition(channels, last, learn_decay=learn_decay)
            if inhibition
            else _plain(channels, last)
        )
        super().__init__(
            trunk,
            LastConv(units, nn.Sequential(*_finish(dropout))),
            input_spec=InputSpec(size, channels=1),
            feature_shape=(last, size // STRIDE, size // STRIDE),
            options=dict(
                name="facechannel",
                width=width,
                inhibition=inhibition,
                learn_decay=learn_decay,
                dropout=dropout,
                size=size,
            ),
        )


def _finish(dropout: float) -> list[nn.Module]:
    return [nn.MaxPool2d(2), nn.Dropout(dropout)]


def _plain(in_channels: int, channels: int) -> nn.Module:
    units = nn.Sequential(nn.Conv2d(in_channels, channels, 3, padding=1), nn.ReLU())
    reset_convolutions(units)
    return units


def _check(width: float, dropout: float, size: int) -> None:
    if not width > 0:
        raise ValueError(f"width must be above 0; got {width}. 1 is the paper's network.")
    if not 0 <= dropout < 1:
        raise ValueError(f"dropout must be in [0, 1); got {dropout}. The paper's networks use 0.25.")
    if size < STRIDE or size % STRIDE:
        raise ValueError(f"size must be a multiple of {STRIDE}; got {size}. Four poolings halve it; try 64.")
