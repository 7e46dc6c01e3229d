"""Decision layers, and the model that joins them to an encoder."""

from fer_lib.heads.decisions import Decision, build_head
from fer_lib.heads.dense import KIND_OF_TASK, LOSSES, DenseHead, Loss, head_for
from fer_lib.heads.model import STAGES, FaceModel, Head, Inputs, Tail, build_model

__all__ = [
    "KIND_OF_TASK",
    "LOSSES",
    "STAGES",
    "Decision",
    "DenseHead",
    "FaceModel",
    "Head",
    "Inputs",
    "Loss",
    "Tail",
    "build_head",
    "build_model",
    "head_for",
]
