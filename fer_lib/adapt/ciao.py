"""CIAO: contrastive inhibitory adaptation, a mask that divides the last convolution's answer (chapter 09)."""

import math
from copy import deepcopy
from typing import ClassVar, NamedTuple, Self

from torch import Tensor, nn
from torch.nn import functional as F

from fer_lib.adapt.plugin import PlugIn
from fer_lib.encoders.contract import Encoder, LastConv
from fer_lib.encoders.shunting import guarded_decay, initial_raw_decay, shunting
from fer_lib.losses.contrastive import (
    DENOMINATORS,
    VA_BINS,
    contrastive_labels,
    positives,
    supervised_contrastive_loss,
)


class MaskParts(NamedTuple):
    """What goes into CIAO's mask and what comes out, each (B, C, h', w'), before pooling."""

    excitation: Tensor
    inhibition: Tensor
    masked: Tensor


class CIAO(PlugIn):
    r"""A second copy of the last convolution that inhibits the first: the encoder itself may stay frozen.

    .. math:: M = \frac{u}{a + I}, \qquad I = \mathrm{ReLU}(\mathrm{twin}(x))

    u is the answer of the encoder's last convolution to the trunk's answer x, and the twin a copy of that
    convolution which learns. It starts with the same weights, so that at first I = u and M = u / (a + u): a
    squashing that keeps the order of the answers, and no identity. The decay a is learned, one number a
    channel, from 0.5, and kept above 0.001 as in ``fer_lib.encoders.ShuntingInhibition``. Pooling comes
    behind the mask. BatchNorm inside the twin keeps the statistics that it was copied with.

    Besides the decision layer's loss, training minimises the supervised contrastive loss of the masked
    features, flattened and brought to length 1; of a clip, of the mean over its frames.

    Args:
        last_conv: of the encoder; its ``units`` are copied, never changed.
        feature_shape: (C, h, w) of the encoder's map.
        temperature: of the contrastive loss, > 0.
        denominator: "all" or "negatives", see ``fer_lib.losses.supervised_contrastive_loss``.
        bins: squares along each axis that valence and arousal are cut into for it.
        weight: factor on the contrastive loss; 1 in the paper, 0 leaves it out.

    Raises:
        ValueError: a value outside its range.

    Example:
        >>> from fer_lib.encoders import FaceChannel, count_parameters
        >>> encoder = FaceChannel(width=0.125, size=32, inhibition=False)
        >>> plug = CIAO(encoder.last_conv, encoder.feature_shape)
        >>> count_parameters(plug) - count_parameters(encoder.last_conv)  # one decay a channel
        32

    Reference:
        Barros and Sciutti (2022), "CIAO! A Contrastive Adaptation Mechanism", eqs. 1-5. Chapter 09.
    """

    reads: ClassVar[str] = "trunk"

    def __init__(
        self,
        last_conv: LastConv,
        feature_shape: tuple[int, int, int],
        *,
        temperature: float = 0.1,
        denominator: str = "all",
        bins: int = VA_BINS,
        weight: float = 1.0,
    ) -> None:
        super().__init__(feature_shape)
        if not 0 < temperature < math.inf:
            raise ValueError(f"temperature must be positive and finite; got {temperature}. Try 0.1.")
        if denominator not in DENOMINATORS:
            known = ", ".join(DENOMINATORS)
            raise ValueError(f"denominator must be one of {known}; got {denominator!r}. Choose one of these.")
        if bins < 1:
            raise ValueError(f"bins must be at least 1; got {bins}. 3 separates low, middle and high.")
        if not weight >= 0:
            raise ValueError(f"weight must be at least 0; got {weight}. 0 leaves the contrastive loss out.")
        self.temperature, self.denominator, self.bins, self.weight = temperature, denominator, bins, weight
        self.twin = deepcopy(last_conv.units).requires_grad_(True)
        self.raw_decay = nn.Parameter(initial_raw_decay(feature_shape[0]))
        self.train(self.training)

    @property
    def decay(self) -> Tensor:
        """The decay a of every channel, (C,), above 0.001."""
        return guarded_decay(self.raw_decay)

    def train(self, mode: bool = True) -> Self:
        """Set the mode; the twin's BatchNorm and dropout stay as in evaluation."""
        super().train(mode)
        self.twin.eval()
        return self

    def parts(
        self, features: Tensor, last_conv: LastConv | None = None, units: Tensor | None = None
    ) -> MaskParts:
        """Excitation u, inhibition I and the masked answer M; see :meth:`forward` for the arguments."""
        if units is None:
            if last_conv is None:
                raise ValueError("last_conv must be given where units are not; got neither. Give one.")
            units = last_conv.units(features)
        inhibition = F.relu(self.twin(features))
        return MaskParts(units, inhibition, shunting(units, inhibition, self.decay))

    def forward(
        self, features: Tensor, last_conv: LastConv | None = None, units: Tensor | None = None
    ) -> Tensor:
        """Give the masked features, pooled as the encoder pools.

        Args:
            features: the trunk's answer.
            last_conv: of the encoder.
            units: ``last_conv.units(features)``, where it is known already.

        Returns:
            (B, C, h, w).

        Raises:
            ValueError: no last convolution.
        """
        if last_conv is None:
            raise ValueError("last_conv must be given: its pooling comes behind the mask; got None. Give it.")
        return last_conv.finish(self.parts(features, last_conv, units).masked)

    def extra_loss(self, features: Tensor, targets: Tensor, kind: str) -> Tensor | None:
        """The contrastive loss of a batch: 0 where it has nothing to compare (no pair alike, one sample).

        Args:
            features: what ``forward`` gave, (B, C, h, w), or (B, T, C, h, w) for clips.
            targets: of the batch, as a FaceSet gives them.
            kind: of the decision layer.
        """
        if not self.weight:
            return None
        if features.ndim == 5:
            features = features.mean(1)
        labels = contrastive_labels(targets, kind, bins=self.bins)
        if len(labels) < 2 or (self.denominator == "negatives" and bool(positives(labels).all())):
            return features.sum() * 0.0
        loss = supervised_contrastive_loss(
            features.flatten(1), labels, self.temperature, denominator=self.denominator
        )
        return self.weight * loss


def ciao(
    encoder: Encoder,
    *,
    temperature: float = 0.1,
    denominator: str = "all",
    bins: int = VA_BINS,
    weight: float = 1.0,
) -> CIAO:
    """CIAO for an encoder: a twin of its last convolution; see :class:`CIAO` for the options."""
    return CIAO(
        encoder.last_conv, encoder.feature_shape,
        temperature=temperature, denominator=denominator, bins=bins, weight=weight,
    )  # fmt: skip
