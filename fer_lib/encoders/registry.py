"""The encoders by name."""

from typing import Any

from fer_lib.encoders.alexnet import AlexNet
from fer_lib.encoders.bregnext import BReGNeXt
from fer_lib.encoders.contract import Encoder
from fer_lib.encoders.cpc import CPC
from fer_lib.encoders.densenet import DenseNet121
from fer_lib.encoders.facechannel import FaceChannel
from fer_lib.encoders.prior_knowledge import PriorKnowledge
from fer_lib.encoders.resnet import ResNet50
from fer_lib.encoders.vggface import VGGFace

ENCODERS: dict[str, type[Encoder]] = {
    "facechannel": FaceChannel,
    "pk": PriorKnowledge,
    "cpc": CPC,
    "vggface": VGGFace,
    "alexnet": AlexNet,
    "densenet121": DenseNet121,
    "resnet50": ResNet50,
    "bregnext": BReGNeXt,
}
"""Name of each encoder -> its class. Every class takes ``width`` and ``size`` by keyword."""


def make_encoder(name: str, **options: Any) -> Encoder:
    """Build an untrained encoder by its name.

    Args:
        name: a key of `ENCODERS`.
        **options: of its class, such as ``width=0.25``.

    Raises:
        ValueError: an unknown name, or an option outside its range.
        TypeError: an option that its class does not have.

    Example:
        >>> make_encoder("facechannel", width=0.25).feature_shape
        (64, 4, 4)
        >>> encoder = make_encoder("cpc", width=0.5, size=48)
        >>> make_encoder(**encoder.options).options == encoder.options
        True
    """
    if name not in ENCODERS:
        raise ValueError(f"name must be one of {', '.join(ENCODERS)}; got {name!r}. Choose one of these.")
    return ENCODERS[name](**options)
