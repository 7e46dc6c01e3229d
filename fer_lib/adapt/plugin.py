"""What a plug-in promises: a small module between an encoder and the decision layer (chapters 08, 09)."""

from typing import ClassVar

from torch import Tensor, nn

from fer_lib.encoders.contract import LastConv

READS = ("map", "trunk")


class PlugIn(nn.Module):
    """Base of all plug-ins.

    A plug-in that reads the "map" gets what the encoder gives, and changes it. One that reads the "trunk"
    gets what goes into the last convolution, and takes that convolution's place: it is handed the layer as
    well. Either learns together with the decision layer; the encoder need not.

    Args:
        feature_shape: (C, h, w) of what it gives to the decision layer.
    """

    reads: ClassVar[str] = "map"

    def __init__(self, feature_shape: tuple[int, int, int]) -> None:
        super().__init__()
        self.feature_shape = feature_shape

    def forward(
        self, features: Tensor, last_conv: LastConv | None = None, units: Tensor | None = None
    ) -> Tensor:
        """Give what the decision layer reads.

        Args:
            features: the encoder's map (B, C, h, w), or the trunk's answer.
            last_conv: of the encoder, for plug-ins that read the trunk.
            units: ``last_conv.units(features)``, where it is known already.

        Returns:
            (B, *feature_shape).
        """
        raise TypeError(f"{type(self).__name__} must define forward; got a class without it. Write it.")

    def extra_loss(self, features: Tensor, targets: Tensor, kind: str) -> Tensor | None:
        """A loss of its own that training adds to the decision layer's; None for none.

        Args:
            features: what ``forward`` gave, (B, C, h, w), or (B, T, C, h, w) for clips.
            targets: of the batch, as a FaceSet gives them.
            kind: of the decision layer: "softmax", "distribution", "valence_arousal" or "multi_label".
        """
        return None
