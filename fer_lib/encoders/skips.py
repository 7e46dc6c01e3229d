"""Last blocks whose last convolution has something beside it: what skips it travels along in the map."""

import torch
from torch import Tensor, nn


class Beside(nn.Module):
    """Two paths from the same input, one behind the other in the channels.

    Args:
        skip: gives what goes past the last convolution.
        inner: gives what goes into it.
    """

    def __init__(self, skip: nn.Module, inner: nn.Module) -> None:
        super().__init__()
        self.skip, self.inner = skip, inner

    def forward(self, features: Tensor) -> Tensor:
        """Map (B, C, h, w) to (B, skipping + entering, h, w)."""
        return cat(self.skip(features), self.inner(features))


class Units(nn.Module):
    """The rest of a block behind :class:`Beside`: its last convolution and what joins the two paths.

    Args:
        skipping: channels that go past the convolution.
        convolution: takes the other channels.
        join: "sum" (residual networks) or "cat" (dense networks).
        finish: what follows the joined map.
    """

    def __init__(self, skipping: int, convolution: nn.Module, join: str, finish: nn.Module) -> None:
        super().__init__()
        self.skipping, self.join = skipping, join
        self.convolution, self.finish = convolution, finish

    def forward(self, features: Tensor) -> Tensor:
        """Map (B, skipping + entering, h, w) to (B, C, h, w)."""
        skip, inner = features[:, : self.skipping], features[:, self.skipping :]
        new = self.convolution(inner)
        return self.finish(skip + new if self.join == "sum" else cat(skip, new))


def cat(first: Tensor, second: Tensor) -> Tensor:
    """Both maps, one behind the other in the channels."""
    return torch.cat([first, second], dim=1)
