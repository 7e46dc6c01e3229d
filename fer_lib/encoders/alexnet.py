"""AlexNet's convolutions, in the form in which torchvision has it."""

from pathlib import Path

from torch import nn

from fer_lib.encoders.chain import Chain
from fer_lib.encoders.contract import Encoder, InputSpec, reset_convolutions
from fer_lib.encoders.scaling import check_scale, scaled
from fer_lib.encoders.weights import fill, find_weights

CHANNELS = (64, 192, 384, 256, 256)  # at width 1
SMALLEST = 63  # side that leaves one feature
PUBLISHED = "AlexNet_Weights.IMAGENET1K_V1"


class AlexNet(Encoder):
    """AlexNet's convolutions: colour images to (256, 6, 6), in five convolutions and three poolings.

    The first convolution is 11 x 11 with stride 4, the second 5 x 5, the others 3 x 3; each has a ReLU, and
    poolings are 3 x 3 with stride 2. At width 1 it holds 2,469,696 numbers. Images in [0, 1] are centred and
    scaled as ImageNet's.

    Args:
        width: factor on the channels of every convolution, > 0; small machines take 0.25.
        size: height and width of the images, at least 63.
        weights: "none" starts at random; "imagenet" asks torchvision for its weights; else a file's path.

    Raises:
        ValueError: width or size outside these ranges, or weights at another width than 1.
        DataError: weights that are missing, damaged, or of another network; names the tensors.

    Example:
        >>> encoder = AlexNet()
        >>> encoder.feature_shape, encoder.num_parameters
        ((256, 6, 6), 2469696)

    Reference:
        Krizhevsky (2014), "One weird trick for parallelizing convolutional neural networks".
    """

    def __init__(self, *, width: float = 1.0, size: int = 224, weights: str | Path = "none") -> None:
        why = "A convolution of stride 4 and three poolings shrink it"
        check_scale(width, size, stride=1, smallest=SMALLEST, usual=224, why=why)
        channels = [scaled(count, width) for count in CHANNELS]
        chain = Chain(_layers(channels))
        fill(chain, find_weights(weights, PUBLISHED, width=width), weights)
        side = (size + 2 * 2 - 11) // 4 + 1
        for _ in range(3):
            side = (side - 3) // 2 + 1
        super().__init__(
            *chain.cut("imagenet"),
            input_spec=InputSpec(size, channels=3),
            feature_shape=(channels[-1], side, side),
            options=dict(name="alexnet", width=width, size=size),
        )


def _layers(channels: list[int]) -> nn.Sequential:
    first, second, third, fourth, last = channels
    features = nn.Sequential(
        nn.Conv2d(3, first, 11, stride=4, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(3, stride=2),
        nn.Conv2d(first, second, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(3, stride=2),
        nn.Conv2d(second, third, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(third, fourth, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(fourth, last, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(3, stride=2),
    )
    reset_convolutions(features)
    return features
