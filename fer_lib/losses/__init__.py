"""Losses, one idea a module; each takes ``(pred, target)``."""

from fer_lib.losses.categorical import soft_cross_entropy
from fer_lib.losses.contrastive import contrastive_labels, supervised_contrastive_loss
from fer_lib.losses.predictive import candidate_scores, info_nce, picking
from fer_lib.losses.regression import ccc_loss
from fer_lib.losses.states import StateLoss

__all__ = [
    "StateLoss",
    "candidate_scores",
    "ccc_loss",
    "contrastive_labels",
    "info_nce",
    "picking",
    "soft_cross_entropy",
    "supervised_contrastive_loss",
]
