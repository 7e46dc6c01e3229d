"""Which frames of one person to label, and how far a few labels go (chapter 11)."""

from fer_lib.sampling.curve import Advice, advise, elbow
from fer_lib.sampling.greedy import gsx, gsy, igs
from fer_lib.sampling.picking import STRATEGIES, Pool, mcdue, next_to_label, pick, random_pick
from fer_lib.sampling.uncertain import mc_dropout_std

__all__ = [
    "STRATEGIES",
    "Advice",
    "Pool",
    "advise",
    "elbow",
    "gsx",
    "gsy",
    "igs",
    "mc_dropout_std",
    "mcdue",
    "next_to_label",
    "pick",
    "random_pick",
]
