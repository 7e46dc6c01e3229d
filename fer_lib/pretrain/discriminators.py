"""The three critics of the Prior-Knowledge autoencoder: of the affect, of the code, of the picture."""

import torch
from torch import Tensor, nn

from fer_lib.encoders.scaling import check_scale, scaled

REAL_CHANNELS = (16, 32, 64, 128)  # of D_real at width 1
PRIOR_HIDDEN = (64, 32, 16)
AFFECT_HIDDEN = 64
KERNEL = 5
SPREAD = 0.02  # of the first weights at width 1
SLOPE = 0.2  # of the leaky ReLU
LABELS_AFTER = ("all", "first")


class AffectCritic(nn.Module):
    """D_em: reads arousal and valence off a code, (B, latent) to (B, 2) = (arousal, valence) in [-1, 1].

    Two dense layers, ReLU and tanh. It is no adversary: encoder and critic want the same.

    Args:
        latent: length of the code.
        hidden: units of the first layer, which the paper does not give.

    Reference:
        Barros, Parisi and Wermter (2019), section 2.1.2; chapter 05.
    """

    def __init__(self, latent: int = 50, *, hidden: int = AFFECT_HIDDEN) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(latent, hidden), nn.ReLU(), nn.Linear(hidden, 2), nn.Tanh())
        start_small(self)

    def forward(self, codes: Tensor) -> Tensor:
        return self.layers(codes)


class PriorCritic(nn.Module):
    """D_prior: is a code drawn from the cube, or made from a face? (B, latent) to a logit (B,).

    Dense layers of 64, 32 and 16 units, each with BatchNorm and ReLU, and one that answers.

    Args:
        latent: length of the code.

    Reference:
        Barros, Parisi and Wermter (2019), section 2.1.3; chapter 05.
    """

    def __init__(self, latent: int = 50) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for hidden in PRIOR_HIDDEN:
            layers += [nn.Linear(latent, hidden), nn.BatchNorm1d(hidden), nn.ReLU()]
            latent = hidden
        self.layers = nn.Sequential(*layers, nn.Linear(latent, 1))
        start_small(self)

    def forward(self, codes: Tensor) -> Tensor:
        return self.layers(codes)[:, 0]


class PictureCritic(nn.Module):
    """D_real: is this a photograph of a face with this affect? (B, 3, S, S) and (B, 2) to a logit (B,).

    Four convolutions 5x5 of stride 2 with BatchNorm and ReLU. After each, the affect is joined as two further
    maps, each filled with its value. (The paper speaks of a reshape with zero padding; zeros would tell one
    corner of the map what the rest must guess.) Then two dense layers.

    Args:
        size: side of the pictures in pixels, a multiple of 16.
        width: factor on the channels and on the dense units.
        labels_after: "all" joins the affect after every convolution, "first" after the first alone.

    Raises:
        ValueError: a size, width or choice out of range.

    Reference:
        Barros, Parisi and Wermter (2019), section 2.1.4; chapter 05.
    """

    def __init__(self, size: int = 96, *, width: float = 1.0, labels_after: str = "all") -> None:
        super().__init__()
        check_frame(size, width)
        if labels_after not in LABELS_AFTER:
            raise ValueError(
                f"labels_after must be one of {', '.join(LABELS_AFTER)}; got {labels_after!r}. "
                "The paper joins them after all."
            )
        self.blocks, channels = nn.ModuleList(), 3
        self.joins = [labels_after == "all" or k == 0 for k in range(len(REAL_CHANNELS))]
        for wide, joined in zip(REAL_CHANNELS, self.joins, strict=True):
            out = scaled(wide, width)
            self.blocks.append(
                nn.Sequential(
                    nn.Conv2d(channels, out, KERNEL, stride=2, padding=2), nn.BatchNorm2d(out), nn.ReLU()
                )
            )
            channels = out + 2 * joined
        hidden, side = scaled(1024, width), size // 16
        self.decide = nn.Sequential(
            nn.Flatten(), nn.Linear(channels * side * side, hidden), nn.LeakyReLU(SLOPE), nn.Linear(hidden, 1)
        )
        start_small(self, width=width)

    def forward(self, images: Tensor, affect: Tensor) -> Tensor:
        for block, joined in zip(self.blocks, self.joins, strict=True):
            images = block(images)
            if joined:
                maps = affect[:, :, None, None].expand(-1, -1, *images.shape[2:])
                images = torch.cat([images, maps.to(images)], 1)
        return self.decide(images)[:, 0]


def check_frame(size: int, width: float) -> None:
    """Refuse a side that four halvings do not divide, and a width that is not above 0.

    Raises:
        ValueError: says what will do.
    """
    check_scale(width, size, stride=16, smallest=16, usual=96, why="Four strides of 2 halve it")


def start_small(*networks: nn.Module, width: float = 1.0) -> None:
    """Draw all weights from N(0, 0.02), cut at two deviations, and set the biases to 0, in place.

    A narrower network adds up fewer inputs; its spread is 0.02 / sqrt(width), which keeps the size of the
    signals. BatchNorm keeps its scale of 1.

    Args:
        *networks: any modules.
        width: of the networks.
    """
    for layer in _weighted(*networks):
        _draw(layer, SPREAD / width**0.5)


def start_by_inputs(*networks: nn.Module) -> None:
    """Draw weights so that signals neither die nor grow: N(0, 2 / inputs), cut at two deviations; in place.

    The paper's 0.02 fits wide layers. In small networks answers come out near 0 and so do the gradients, and
    a short training ends before it has begun.

    Args:
        *networks: any modules.

    Reference:
        He, Zhang, Ren and Sun (2015), "Delving deep into rectifiers".
    """
    for layer in _weighted(*networks):
        _draw(layer, (2 / inputs_of(layer)) ** 0.5)


def inputs_of(layer: nn.Module) -> float:
    """How many inputs an output of a dense layer, convolution or transposed convolution adds up.

    Example:
        >>> inputs_of(nn.Linear(50, 2)), inputs_of(nn.Conv2d(3, 8, 5, stride=2))
        (50, 75)
        >>> inputs_of(nn.ConvTranspose2d(8, 4, 5, stride=2))  # a quarter of the places hold zeros
        50.0
    """
    if isinstance(layer, nn.Linear):
        return layer.in_features
    assert isinstance(layer, nn.Conv2d | nn.ConvTranspose2d)
    inputs = layer.in_channels * layer.kernel_size[0] * layer.kernel_size[1]
    if isinstance(layer, nn.ConvTranspose2d):
        return inputs / (layer.stride[0] * layer.stride[1])
    return inputs


def _weighted(*networks: nn.Module) -> list[nn.Module]:
    kinds = (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)
    return [layer for network in networks for layer in network.modules() if isinstance(layer, kinds)]


def _draw(layer: nn.Module, spread: float) -> None:
    nn.init.trunc_normal_(layer.weight, std=spread, a=-2 * spread, b=2 * spread)  # type: ignore[arg-type]
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
