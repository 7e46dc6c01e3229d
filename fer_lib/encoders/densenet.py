"""DenseNet-121's convolutions, under torchvision's names."""

import re
from collections import OrderedDict
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from fer_lib.encoders.contract import Encoder, InputSpec, LastConv, reset_convolutions
from fer_lib.encoders.normalise import Normalise
from fer_lib.encoders.scaling import check_scale, scaled
from fer_lib.encoders.skips import Beside, Units, cat
from fer_lib.encoders.weights import fill, find_weights

LAYERS = (6, 12, 24, 16)  # of each block
STEM, GROWTH, BOTTLENECK = 64, 32, 4  # channels at width 1; a bottleneck is 4 times the growth
STRIDE = 32
PUBLISHED = "DenseNet121_Weights.IMAGENET1K_V1"
OLD_NAME = re.compile(r"\.(norm|conv)\.([12])\.")  # of files older than torchvision's present names


class DenseNet121(Encoder):
    """DenseNet-121's convolutions: colour images to (1024, 7, 7), in four blocks of dense layers.

    A dense layer (BatchNorm, ReLU, 1 x 1, BatchNorm, ReLU, 3 x 3) reads all maps before it in its block
    and adds 32. Between blocks a 1 x 1 convolution and average-pooling halve channels and sides. At width 1
    it holds 6,953,856 numbers. Images in [0, 1] are centred and scaled as ImageNet's.

    The last convolution is the 3 x 3 one of the last dense layer. It adds 32 of the map's 1,024 channels: the
    trunk gives the 992 channels before it and behind them the 128 that enter it; ``last_conv.units`` adds the
    32, and applies the last BatchNorm and ReLU.

    Args:
        width: factor on the channels of the stem and of the growth, > 0; small machines take 0.25.
        size: height and width of the images, a multiple of 32.
        weights: "none" starts at random; "imagenet" asks torchvision for its weights; else a file's path.

    Raises:
        ValueError: width or size outside these ranges, or weights at another width than 1.
        DataError: weights that are missing, damaged, or of another network; names the tensors.

    Example:
        >>> encoder = DenseNet121(width=0.25, size=64)
        >>> encoder.feature_shape, encoder.num_parameters  # at width 1: 6953856
        ((256, 2, 2), 452064)

    Reference:
        Huang, Liu, van der Maaten and Weinberger (2017), "Densely Connected Convolutional Networks", Table 1.
    """

    def __init__(self, *, width: float = 1.0, size: int = 224, weights: str | Path = "none") -> None:
        why = "Five layers of stride 2 halve it"
        check_scale(width, size, stride=STRIDE, smallest=STRIDE, usual=224, why=why)
        state = find_weights(weights, PUBLISHED, width=width)
        state = state and {OLD_NAME.sub(r".\1\2.", name): value for name, value in state.items()}
        network = nn.ModuleDict({"features": _layers(scaled(STEM, width), scaled(GROWTH, width))})
        fill(network, state, weights)
        trunk, last_conv, channels = _cut(network["features"])
        super().__init__(
            trunk,
            last_conv,
            input_spec=InputSpec(size, channels=3),
            feature_shape=(channels, size // STRIDE, size // STRIDE),
            options=dict(name="densenet121", width=width, size=size),
        )


class DenseLayer(nn.Sequential):
    """A dense layer: (B, C, h, w) to the same with `growth` new channels behind it.

    Args:
        channels: C.
        growth: new channels.
    """

    def __init__(self, channels: int, growth: int) -> None:
        middle = BOTTLENECK * growth
        super().__init__(
            OrderedDict(
                norm1=nn.BatchNorm2d(channels),
                relu1=nn.ReLU(),
                conv1=nn.Conv2d(channels, middle, 1, bias=False),
                norm2=nn.BatchNorm2d(middle),
                relu2=nn.ReLU(),
                conv2=nn.Conv2d(middle, growth, 3, padding=1, bias=False),
            )
        )

    def forward(self, features: Tensor) -> Tensor:
        return cat(features, super().forward(features))


def _layers(channels: int, growth: int) -> nn.Sequential:
    """All of the network before the decision layer, but for its last ReLU."""
    features = OrderedDict[str, nn.Module](
        conv0=nn.Conv2d(3, channels, 7, stride=2, padding=3, bias=False),
        norm0=nn.BatchNorm2d(channels),
        relu0=nn.ReLU(),
        pool0=nn.MaxPool2d(3, stride=2, padding=1),
    )
    for i, count in enumerate(LAYERS, start=1):
        layers = {f"denselayer{j + 1}": DenseLayer(channels + j * growth, growth) for j in range(count)}
        features[f"denseblock{i}"] = nn.Sequential(OrderedDict(layers))
        channels += count * growth
        if i < len(LAYERS):
            features[f"transition{i}"] = _transition(channels)
            channels //= 2
    features["norm5"] = nn.BatchNorm2d(channels)
    network = nn.Sequential(features)
    reset_convolutions(network)
    return network


def _transition(channels: int) -> nn.Sequential:
    layers = OrderedDict[str, nn.Module](
        norm=nn.BatchNorm2d(channels),
        relu=nn.ReLU(),
        conv=nn.Conv2d(channels, channels // 2, 1, bias=False),
        pool=nn.AvgPool2d(2),
    )
    return nn.Sequential(layers)


def _cut(features: Any) -> tuple[nn.Sequential, LastConv, int]:
    """Trunk, last convolution, and channels of the map."""
    *before, block, norm = features
    *layers, last = block
    *inner, convolution = last.children()
    beside = Beside(nn.Identity(), nn.Sequential(*inner))
    units = Units(last.norm1.num_features, convolution, "cat", nn.Sequential(norm, nn.ReLU()))
    trunk = nn.Sequential(Normalise("imagenet"), *before, *layers, beside)
    return trunk, LastConv(units), norm.num_features
