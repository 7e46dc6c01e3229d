"""Networks that turn a face into a feature map, all behind one contract."""

from fer_lib.encoders.contract import Encoder, InputSpec, LastConv, count_parameters
from fer_lib.encoders.facechannel import FaceChannel
from fer_lib.encoders.shunting import ShuntingInhibition, shunting

__all__ = [
    "Encoder",
    "FaceChannel",
    "InputSpec",
    "LastConv",
    "ShuntingInhibition",
    "count_parameters",
    "shunting",
]
