"""The convolutions of the Prior-Knowledge (PK) adversarial autoencoder's encoder (chapter 05)."""

from itertools import pairwise

from torch import nn

from fer_lib.encoders.contract import Encoder, InputSpec, LastConv
from fer_lib.encoders.scaling import check_scale, scaled

CHANNELS = (3, 64, 128, 256, 512)  # at width 1
KERNEL = 5
STRIDE = 16
SPREAD = 0.02  # standard deviation of the first weights at width 1


class PriorKnowledge(Encoder):
    """PK's encoder: colour faces in [-1, 1] to (512, 6, 6), in four 5 x 5 convolutions of stride 2 with ReLU.

    There is no pooling and no BatchNorm. At width 1 it holds 4,306,560 numbers, and its map of a 96 x 96 face
    has 18,432 entries. What makes it an autoencoder (the latent layer of 50 values, the generator and the
    discriminators) is in ``fer_lib.pretrain``.

    The first weights are drawn from N(0, 0.02), cut off at two standard deviations, and the biases are 0. At
    another width the spread is divided by the square root of the change in inputs a unit, so that the answers
    are as large as at width 1.

    Args:
        width: factor on the channels of every convolution, > 0; small machines take 0.25.
        size: height and width of the images, a multiple of 16.

    Raises:
        ValueError: width or size outside these ranges.

    Example:
        >>> encoder = PriorKnowledge()
        >>> encoder.feature_shape, encoder.num_parameters
        ((512, 6, 6), 4306560)

    Reference:
        Barros, Parisi and Wermter (2019), "A Personalized Affective Memory Model", section 2.1; Barros and
        Sciutti (2022), "Across the Universe", section III.B. Chapter 05.
    """

    def __init__(self, *, width: float = 1.0, size: int = 96) -> None:
        why = "Four convolutions of stride 2 halve it"
        check_scale(width, size, stride=STRIDE, smallest=STRIDE, usual=96, why=why)
        channels = (CHANNELS[0], *(scaled(count, width) for count in CHANNELS[1:]))
        fulls = CHANNELS[:-1]
        layers = [
            _convolution(*pair, full=full) for pair, full in zip(pairwise(channels), fulls, strict=True)
        ]
        *most, last = layers
        super().__init__(
            nn.Sequential(*(layer for pair in most for layer in pair)),
            LastConv(last),
            input_spec=InputSpec(size, channels=3, low=-1.0, high=1.0),
            feature_shape=(channels[-1], size // STRIDE, size // STRIDE),
            options=dict(name="pk", width=width, size=size),
        )


def _convolution(in_channels: int, channels: int, *, full: int) -> nn.Sequential:
    """One convolution and its ReLU; `full` is what goes into it at width 1."""
    layer = nn.Conv2d(in_channels, channels, KERNEL, stride=2, padding=KERNEL // 2)
    spread = SPREAD * (full / in_channels) ** 0.5
    nn.init.trunc_normal_(layer.weight, std=spread, a=-2 * spread, b=2 * spread)
    nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
    return nn.Sequential(layer, nn.ReLU())
