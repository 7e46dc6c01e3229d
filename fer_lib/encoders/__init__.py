"""Networks that turn a face into a feature map, all behind one contract."""

from fer_lib.encoders.alexnet import AlexNet
from fer_lib.encoders.bregnext import BReGNeXt
from fer_lib.encoders.contract import Encoder, InputSpec, LastConv, count_parameters
from fer_lib.encoders.cpc import CPC
from fer_lib.encoders.densenet import DenseNet121
from fer_lib.encoders.facechannel import FaceChannel
from fer_lib.encoders.prior_knowledge import PriorKnowledge
from fer_lib.encoders.registry import ENCODERS, make_encoder
from fer_lib.encoders.resnet import ResNet50
from fer_lib.encoders.saving import load_encoder, save_encoder
from fer_lib.encoders.shunting import ShuntingInhibition, shunting
from fer_lib.encoders.vggface import VGGFace

__all__ = [
    "CPC",
    "ENCODERS",
    "AlexNet",
    "BReGNeXt",
    "DenseNet121",
    "Encoder",
    "FaceChannel",
    "InputSpec",
    "LastConv",
    "PriorKnowledge",
    "ResNet50",
    "ShuntingInhibition",
    "VGGFace",
    "count_parameters",
    "load_encoder",
    "make_encoder",
    "save_encoder",
    "shunting",
]
