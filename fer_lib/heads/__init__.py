"""Decision layers, and the model that joins them to an encoder."""

from fer_lib.heads.decisions import Decision, build_head, decision_for
from fer_lib.heads.dense import KIND_OF_TASK, LOSSES, DenseHead, Loss, head_for
from fer_lib.heads.joint import JointHead
from fer_lib.heads.masked import MaskedHead, mask_targets
from fer_lib.heads.model import STAGES, FaceModel, Head, Inputs, Tail, build_model
from fer_lib.heads.sequence import SequenceHead

__all__ = [
    "KIND_OF_TASK",
    "LOSSES",
    "STAGES",
    "Decision",
    "DenseHead",
    "FaceModel",
    "Head",
    "Inputs",
    "JointHead",
    "Loss",
    "MaskedHead",
    "SequenceHead",
    "Tail",
    "build_head",
    "build_model",
    "decision_for",
    "head_for",
    "mask_targets",
]
