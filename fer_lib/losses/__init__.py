"""Losses, one idea a module; each takes ``(pred, target)``."""

from fer_lib.losses.categorical import soft_cross_entropy
from fer_lib.losses.regression import ccc_loss

__all__ = ["ccc_loss", "soft_cross_entropy"]
