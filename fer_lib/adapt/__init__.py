"""Adapt a trained model to new faces: what learns, how much it helps, and the file that is kept."""

from fer_lib.adapt.regimes import REGIMES, adapted_copy, apply_regime, learned
from fer_lib.adapt.saving import Saved, load_model, save_model
from fer_lib.adapt.study import AS_IS, YARDSTICK, Adaptation, relabel, study, train_final, train_source

__all__ = [
    "AS_IS",
    "REGIMES",
    "YARDSTICK",
    "Adaptation",
    "Saved",
    "adapted_copy",
    "apply_regime",
    "learned",
    "load_model",
    "relabel",
    "save_model",
    "study",
    "train_final",
    "train_source",
]
