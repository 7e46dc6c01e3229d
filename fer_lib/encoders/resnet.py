"""ResNet-50's convolutions, under torchvision's names."""

from collections import OrderedDict
from pathlib import Path
from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F

from fer_lib.encoders.contract import Encoder, InputSpec, LastConv, reset_convolutions
from fer_lib.encoders.normalise import Normalise
from fer_lib.encoders.scaling import check_scale, scaled
from fer_lib.encoders.skips import Beside, Units
from fer_lib.encoders.weights import fill, find_weights

BLOCKS = ((64, 3), (128, 4), (256, 6), (512, 3))  # inner channels at width 1, and number of blocks
STEM, EXPANSION = 64, 4
STRIDE = 32
PUBLISHED = "ResNet50_Weights.IMAGENET1K_V2"


class ResNet50(Encoder):
    """ResNet-50's convolutions: colour images to (2048, 7, 7), in sixteen bottleneck blocks.

    A block is 1 x 1, 3 x 3 and 1 x 1 convolutions with BatchNorm, added to its input; the 3 x 3 one carries
    the stride, as in torchvision. At width 1 it holds 23,508,032 numbers. Images in [0, 1] are centred and
    scaled as ImageNet's.

    The last convolution is the 1 x 1 one of the last block: the trunk gives the 2,048 channels that skip it
    and behind them the 512 that enter it; ``last_conv.units`` convolves, adds, and applies the ReLU.

    Args:
        width: factor on the channels of every convolution, > 0; small machines take 0.25.
        size: height and width of the images, a multiple of 32.
        weights: "none" starts at random; "imagenet" asks torchvision for its weights; else a file's path.

    Raises:
        ValueError: width or size outside these ranges, or weights at another width than 1.
        DataError: weights that are missing, damaged, or of another network; names the tensors.

    Example:
        >>> encoder = ResNet50(width=0.25, size=64)
        >>> encoder.feature_shape, encoder.num_parameters  # at width 1: 23508032
        ((512, 2, 2), 1480976)

    Reference:
        He, Zhang, Ren and Sun (2016), "Deep Residual Learning for Image Recognition", Table 1.
    """

    def __init__(self, *, width: float = 1.0, size: int = 224, weights: str | Path = "none") -> None:
        why = "Five layers of stride 2 halve it"
        check_scale(width, size, stride=STRIDE, smallest=STRIDE, usual=224, why=why)
        network = _layers(width)
        fill(network, find_weights(weights, PUBLISHED, width=width), weights)
        trunk, last_conv, channels = _cut(network)
        super().__init__(
            trunk,
            last_conv,
            input_spec=InputSpec(size, channels=3),
            feature_shape=(channels, size // STRIDE, size // STRIDE),
            options=dict(name="resnet50", width=width, size=size),
        )


class Bottleneck(nn.Module):
    """A residual block: (B, in_channels, h, w) to (B, 4 x channels, h / stride, w / stride).

    Args:
        in_channels: of the input.
        channels: of the 3 x 3 convolution.
        stride: of the 3 x 3 convolution.
    """

    def __init__(self, in_channels: int, channels: int, stride: int) -> None:
        super().__init__()
        wide = EXPANSION * channels
        self.conv1 = nn.Conv2d(in_channels, channels, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.conv3 = nn.Conv2d(channels, wide, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(wide)
        if stride != 1 or in_channels != wide:
            shortcut = nn.Conv2d(in_channels, wide, 1, stride=stride, bias=False)
            self.downsample: nn.Module = nn.Sequential(shortcut, nn.BatchNorm2d(wide))
        else:
            self.downsample = nn.Identity()

    def inner(self) -> nn.Sequential:
        """What comes before the last convolution."""
        return nn.Sequential(self.conv1, self.bn1, nn.ReLU(), self.conv2, self.bn2, nn.ReLU())

    def forward(self, features: Tensor) -> Tensor:
        inner = F.relu(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(features))))))
        return F.relu(self.downsample(features) + self.bn3(self.conv3(inner)))


def _layers(width: float) -> nn.Sequential:
    """All of the network before the decision layer."""
    channels = scaled(STEM, width)
    layers = OrderedDict[str, nn.Module](
        conv1=nn.Conv2d(3, channels, 7, stride=2, padding=3, bias=False),
        bn1=nn.BatchNorm2d(channels),
        relu=nn.ReLU(),
        maxpool=nn.MaxPool2d(3, stride=2, padding=1),
    )
    for i, (full, count) in enumerate(BLOCKS, start=1):
        inner, blocks = scaled(full, width), []
        for j in range(count):
            blocks.append(Bottleneck(channels, inner, stride=2 if i > 1 and j == 0 else 1))
            channels = EXPANSION * inner
        layers[f"layer{i}"] = nn.Sequential(*blocks)
    network = nn.Sequential(layers)
    reset_convolutions(network, mode="fan_out")  # as the authors drew them
    return network


def _cut(network: Any) -> tuple[nn.Sequential, LastConv, int]:
    """Trunk, last convolution, and channels of the map."""
    *before, group = network
    *blocks, last = group
    channels = last.bn3.num_features
    trunk = nn.Sequential(Normalise("imagenet"), *before, *blocks, Beside(last.downsample, last.inner()))
    units = Units(channels, nn.Sequential(last.conv3, last.bn3), "sum", nn.ReLU())
    return trunk, LastConv(units), channels
