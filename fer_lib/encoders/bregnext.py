"""BReG-NeXt: a residual network whose shortcuts are bounded in their slope and learn two numbers each."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fer_lib.encoders.contract import Encoder, InputSpec, LastConv, reset_convolutions
from fer_lib.encoders.scaling import check_scale, scaled
from fer_lib.encoders.skips import Beside, Units

STAGES = ((32, 7), (64, 9), (128, 8))  # channels at width 1, and number of blocks
STRIDE = 4
NEAR_ZERO = 1e-4  # below it atan(u) / u is 1 to the last bit of a float32


def bounded_shortcut(features: Tensor, alpha: Tensor, beta: Tensor) -> Tensor:
    r"""The shortcut of a BReG-NeXt block: close to a straight line near 0, flat far from it.

    .. math:: h(x) = \frac{\arctan\bigl(\alpha x / \sqrt{\beta^2 + 1}\bigr)}{\alpha \sqrt{\beta^2 + 1}},
        \qquad h'(x) = \frac{1}{1 + \beta^2 + \alpha^2 x^2} \in (0, 1]

    Where alpha is 0 its limit is taken, the straight line x / (1 + beta^2).

    Args:
        features: x, any shape.
        alpha: how soon it flattens, a scalar.
        beta: how much the slope at 0 stays below 1, a scalar.

    Returns:
        h(x), the same shape.

    Example:
        >>> x, one = torch.tensor([0.0, 1.0]), torch.tensor(1.0)
        >>> bounded_shortcut(x, one, 0 * one).tolist()  # the second is pi / 4
        [0.0, 0.7853981852531433]

    Reference:
        Hasani, Negi and Mahoor (2020), "BReG-NeXt: Facial Affect Computing Using Adaptive Residual Networks
        With Bounded Gradient".
    """
    spread = beta.square() + 1
    u = alpha * features / spread.sqrt()
    small = u.abs() < NEAR_ZERO
    away = torch.where(small, 1.0, u)  # so that no gradient passes through 0 / 0
    ratio = torch.where(small, 1 - u.square() / 3, torch.atan(away) / away)  # atan(u) / u
    return features / spread * ratio


class BoundedShortcut(nn.Module):
    """:func:`bounded_shortcut` with its two numbers, then average-pooling and channels of zeros.

    Args:
        in_channels: of the input.
        channels: of the output, at least as many; zeros are added, half of them in front.
        stride: factor by which the sides shrink.
    """

    def __init__(self, in_channels: int, channels: int, stride: int = 1) -> None:
        super().__init__()
        self.stride, self.more = stride, channels - in_channels
        self.alpha, self.beta = nn.Parameter(torch.ones(())), nn.Parameter(torch.ones(()))

    def forward(self, features: Tensor) -> Tensor:
        short = bounded_shortcut(features, self.alpha, self.beta)
        short = F.avg_pool2d(short, self.stride) if self.stride > 1 else short
        front = self.more // 2
        return F.pad(short, (0, 0, 0, 0, front, self.more - front))


class Block(nn.Module):
    """A BReG-NeXt block: (B, in_channels, h, w) to (B, channels, h / stride, w / stride).

    BatchNorm, ELU, 3 x 3 convolution with the stride; BatchNorm, ELU, 3 x 3 convolution; plus the shortcut.

    Args:
        in_channels: of the input.
        channels: of the output.
        stride: of the first convolution.
    """

    def __init__(self, in_channels: int, channels: int, stride: int = 1) -> None:
        super().__init__()
        self.shortcut = BoundedShortcut(in_channels, channels, stride)
        self.inner = nn.Sequential(
            nn.BatchNorm2d(in_channels),
            nn.ELU(),
            nn.Conv2d(in_channels, channels, 3, stride=stride, padding=1),
            nn.BatchNorm2d(channels),
            nn.ELU(),
        )
        self.convolution = nn.Conv2d(channels, channels, 3, padding=1)
        reset_convolutions(self)

    def forward(self, features: Tensor) -> Tensor:
        return self.shortcut(features) + self.convolution(self.inner(features))


class BReGNeXt(Encoder):
    """BReG-NeXt-50's convolutions: colour faces to (128, 16, 16), in 24 residual blocks.

    A residual network learns what to add to its input. Here the input goes through a function of bounded
    slope first, :func:`bounded_shortcut`, with two numbers a block that are learned (both start at 1). A
    3 x 3 convolution to 32 channels is followed by 7 blocks of 32, 9 of 64 and 8 of 128 channels, and by
    BatchNorm and ELU; the first block of 64 and that of 128 halve the sides. At width 1 it holds 3,071,664
    numbers, 3.07 million with the paper's decision layer, which says 3.1 million.

    Our reading, where the abstract and the equation leave it open: BatchNorm and ELU come before each
    convolution; where sides shrink the shortcut is averaged, and where channels grow zeros are added on both
    sides; images lie in [-1, 1]; the paper's average over the map is left to what follows the encoder.

    The last convolution is the second one of the last block: the trunk gives the 128 channels of the shortcut
    and behind them the 128 that enter it.

    Args:
        width: factor on the channels of every convolution, > 0; small machines take 0.25.
        size: height and width of the images, a multiple of 4.

    Raises:
        ValueError: width or size outside these ranges.

    Example:
        >>> encoder = BReGNeXt()
        >>> encoder.feature_shape, encoder.num_parameters
        ((128, 16, 16), 3071664)

    Reference:
        Hasani, Negi and Mahoor (2020), "BReG-NeXt: Facial Affect Computing Using Adaptive Residual Networks
        With Bounded Gradient", IEEE Transactions on Affective Computing.
    """

    def __init__(self, *, width: float = 1.0, size: int = 64) -> None:
        why = "Two blocks of stride 2 halve it"
        check_scale(width, size, stride=STRIDE, smallest=STRIDE, usual=64, why=why)
        *blocks, last = _blocks(width)
        channels = last.convolution.out_channels
        stem = nn.Conv2d(3, scaled(STAGES[0][0], width), 3, padding=1)
        reset_convolutions(stem)
        finish = nn.Sequential(nn.BatchNorm2d(channels), nn.ELU())
        super().__init__(
            nn.Sequential(stem, *blocks, Beside(last.shortcut, last.inner)),
            LastConv(Units(channels, last.convolution, "sum", finish)),
            input_spec=InputSpec(size, channels=3, low=-1.0, high=1.0),
            feature_shape=(channels, size // STRIDE, size // STRIDE),
            options=dict(name="bregnext", width=width, size=size),
        )


def _blocks(width: float) -> list[Block]:
    blocks: list[Block] = []
    before = scaled(STAGES[0][0], width)
    for full, count in STAGES:
        channels = scaled(full, width)
        for i in range(count):
            blocks.append(Block(before, channels, stride=2 if blocks and i == 0 else 1))
            before = channels
    return blocks
