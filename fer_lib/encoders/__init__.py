"""Networks that turn a face into a feature map, all behind one contract."""

from fer_lib.encoders.contract import Encoder, InputSpec, LastConv, count_parameters
from fer_lib.encoders.cpc import CPC
from fer_lib.encoders.facechannel import FaceChannel
from fer_lib.encoders.prior_knowledge import PriorKnowledge
from fer_lib.encoders.registry import ENCODERS, make_encoder
from fer_lib.encoders.saving import load_encoder, save_encoder
from fer_lib.encoders.shunting import ShuntingInhibition, shunting

__all__ = [
    "CPC",
    "ENCODERS",
    "Encoder",
    "FaceChannel",
    "InputSpec",
    "LastConv",
    "PriorKnowledge",
    "ShuntingInhibition",
    "count_parameters",
    "load_encoder",
    "make_encoder",
    "save_encoder",
    "shunting",
]
