"""Losses, one idea a module; each takes what a network gives, then what is true."""

from fer_lib.losses.categorical import soft_cross_entropy
from fer_lib.losses.centers import CenterLoss, center_local_loss, va_center_loss
from fer_lib.losses.contrastive import contrastive_labels, supervised_contrastive_loss
from fer_lib.losses.islands import IslandLoss
from fer_lib.losses.pairs import pair_contrastive_loss
from fer_lib.losses.predictive import PICKED, candidate_scores, info_nce, picked, picking
from fer_lib.losses.regression import ccc_loss
from fer_lib.losses.soft import logit_loss, soft_label_loss
from fer_lib.losses.states import StateLoss
from fer_lib.losses.subclasses import SubclassLoss
from fer_lib.losses.weighting import class_weights, focal_loss, weighted_cross_entropy

__all__ = [
    "PICKED",
    "CenterLoss",
    "IslandLoss",
    "StateLoss",
    "SubclassLoss",
    "candidate_scores",
    "ccc_loss",
    "center_local_loss",
    "class_weights",
    "contrastive_labels",
    "focal_loss",
    "info_nce",
    "logit_loss",
    "pair_contrastive_loss",
    "picked",
    "picking",
    "soft_cross_entropy",
    "soft_label_loss",
    "supervised_contrastive_loss",
    "va_center_loss",
    "weighted_cross_entropy",
]
