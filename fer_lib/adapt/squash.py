"""CIAO's mask as it is before any training, for a control: what does squashing alone bring? (chapter 09)"""

from typing import ClassVar

from torch import Tensor
from torch.nn import functional as F

from fer_lib.adapt.plugin import PlugIn
from fer_lib.encoders.contract import Encoder, LastConv
from fer_lib.encoders.shunting import INITIAL_DECAY, shunting


class Squash(PlugIn):
    r"""The last convolution's answer, divided by itself and a constant; nothing learns.

    .. math:: M = \frac{u}{a + \max(u, 0)}, \qquad a = 0.5

    The same numbers as a new :class:`fer_lib.adapt.CIAO` gives, whose twin still is a copy. Where the
    encoder is frozen it is a fixed change of scale of each unit, and no mask: no unit hears of another.

    Args:
        feature_shape: (C, h, w) of the encoder's map.
    """

    reads: ClassVar[str] = "trunk"

    def forward(
        self, features: Tensor, last_conv: LastConv | None = None, units: Tensor | None = None
    ) -> Tensor:
        """Give the squashed features, pooled as the encoder pools; see ``CIAO.forward``.

        Raises:
            ValueError: no last convolution.
        """
        if last_conv is None:
            raise ValueError("last_conv must be given: its pooling comes last; got None. Give it.")
        units = last_conv.units(features) if units is None else units
        return last_conv.finish(shunting(units, F.relu(units), INITIAL_DECAY))


def squash(encoder: Encoder) -> Squash:
    """The squashing for an encoder; see :class:`Squash`."""
    return Squash(encoder.feature_shape)
