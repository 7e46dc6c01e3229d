"""Networks whose layers stand in one row, under torchvision's names: ``features.0``, ``features.1``, ..."""

from collections import OrderedDict
from itertools import islice

from torch import nn

from fer_lib.encoders.contract import LastConv
from fer_lib.encoders.normalise import Normalise


class Chain(nn.Module):
    """Holder of a row of layers, so that their names are those of torchvision's files.

    Args:
        features: the layers in order.
    """

    def __init__(self, features: nn.Sequential) -> None:
        super().__init__()
        self.features = features

    def cut(self, normalisation: str) -> tuple[nn.Sequential, LastConv]:
        """Trunk and last convolution: the cut is before the last convolution of the row."""
        at = max(i for i, layer in enumerate(self.features) if isinstance(layer, nn.Conv2d))
        behind = list(islice(self.features, at, None))  # convolution, ReLU, pooling
        trunk = OrderedDict(normalise=Normalise(normalisation), features=self.features[:at])
        return nn.Sequential(trunk), LastConv(nn.Sequential(*behind[:2]), *behind[2:])
