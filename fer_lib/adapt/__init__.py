"""Adapt a trained model to new faces: what learns, how much it helps, and the file that is kept."""

from fer_lib.adapt.adapting import Adapted, adapt, folder_for
from fer_lib.adapt.ciao import CIAO
from fer_lib.adapt.face_stn import FaceSTN
from fer_lib.adapt.frozen import FeatureSet, features_of
from fer_lib.adapt.grid import Cell, Plan, run_cell, run_grid
from fer_lib.adapt.plugin import PlugIn
from fer_lib.adapt.plugins import PLUG_INS
from fer_lib.adapt.regimes import REGIMES, adapted_copy, apply_regime, learned
from fer_lib.adapt.saving import Saved, load_model, save_model
from fer_lib.adapt.search import Search, search, search_corpus
from fer_lib.adapt.space import Space, space_of
from fer_lib.adapt.study import AS_IS, YARDSTICK, Adaptation, relabel, study, train_final, train_source

__all__ = [
    "AS_IS",
    "CIAO",
    "PLUG_INS",
    "REGIMES",
    "YARDSTICK",
    "Adaptation",
    "Adapted",
    "Cell",
    "FaceSTN",
    "FeatureSet",
    "Plan",
    "PlugIn",
    "Saved",
    "Search",
    "Space",
    "adapt",
    "adapted_copy",
    "apply_regime",
    "features_of",
    "folder_for",
    "learned",
    "load_model",
    "relabel",
    "run_cell",
    "run_grid",
    "save_model",
    "search",
    "search_corpus",
    "space_of",
    "study",
    "train_final",
    "train_source",
]
