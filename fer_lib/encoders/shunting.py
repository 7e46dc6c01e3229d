"""Shunting inhibition: a unit whose answer is divided by that of an inhibitory twin (chapter 04)."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fer_lib.encoders.contract import reset_convolutions

INITIAL_DECAY = 0.5
MINIMUM_DECAY = 1e-3


def shunting(excitation: Tensor, inhibition: Tensor, decay: Tensor | float) -> Tensor:
    r"""Divide an excitation by the decay plus an inhibition.

    .. math:: S = u / (a + I)

    Args:
        excitation: u >= 0, (B, C, h, w).
        inhibition: I >= 0, the same shape.
        decay: a > 0, a number or one a channel, (C,). Nothing is guarded here: a = I = 0 divides by zero.

    Returns:
        S, (B, C, h, w), between 0 and u / a.

    Example:
        >>> u, i = torch.full((1, 1, 1, 1), 3.0), torch.full((1, 1, 1, 1), 1.0)
        >>> shunting(u, i, 0.5).item()
        2.0

    Reference:
        Barros and Sciutti (2022), "Across the Universe", eq. 1. Chapter 04.
    """
    if isinstance(decay, Tensor) and decay.ndim == 1:
        decay = decay[:, None, None]  # (C, 1, 1)
    return excitation / (decay + inhibition)  # eq. 1


def initial_raw_decay(channels: int) -> Tensor:
    """The r of every channel, (channels,), whose guarded decay is 0.5."""
    return torch.full((channels,), math.log(math.expm1(INITIAL_DECAY - MINIMUM_DECAY)))


def guarded_decay(raw: Tensor) -> Tensor:
    """The decay a = 0.001 + softplus(r) of free numbers r: above 0.001 whatever training does to r."""
    return MINIMUM_DECAY + F.softplus(raw)


class ShuntingInhibition(nn.Module):
    """Two 3 x 3 convolutions of the same input, the first divided by the second plus a decay.

    Both have a ReLU and the same number of channels. The paper says that the decay is learned and "shared
    among each inhibitory filter": read here as ONE NUMBER A CHANNEL. It starts at 0.5 and is kept above
    0.001 by a softplus, a = 0.001 + softplus(r), because a silent twin (I = 0) and a = 0 divide by zero.

    Args:
        in_channels: channels of the input.
        channels: channels of the output.
        learn_decay: False keeps the constant 0.5.

    Example:
        >>> layer = ShuntingInhibition(2, 4)
        >>> layer(torch.zeros(1, 2, 5, 5)).shape, round(layer.decay[0].item(), 4)
        (torch.Size([1, 4, 5, 5]), 0.5)

    Reference:
        Barros and Sciutti (2022), eq. 1; Fregnac et al. (2003) for the neurons. Chapter 04.
    """

    def __init__(self, in_channels: int, channels: int, *, learn_decay: bool = True) -> None:
        super().__init__()
        self.excite = nn.Conv2d(in_channels, channels, 3, padding=1)
        self.inhibit = nn.Conv2d(in_channels, channels, 3, padding=1)
        reset_convolutions(self)
        if learn_decay:
            self.raw_decay = nn.Parameter(initial_raw_decay(channels))
        else:
            self.register_buffer("raw_decay", initial_raw_decay(channels))

    @property
    def decay(self) -> Tensor:
        """The decay a of every channel, (C,), above 0.001."""
        return guarded_decay(self.raw_decay)

    def parts(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Excitation u and inhibition I, both (B, C, h, w) and >= 0."""
        return F.relu(self.excite(features)), F.relu(self.inhibit(features))

    def forward(self, features: Tensor) -> Tensor:
        """Map (B, in_channels, h, w) to S = u / (a + I), (B, channels, h, w)."""
        excitation, inhibition = self.parts(features)
        return shunting(excitation, inhibition, self.decay)
