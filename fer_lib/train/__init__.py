"""Fit a model, predict with it, repeat both over seeds, compare models, look where they fail."""

from fer_lib.train.comparison import Comparison, compare, folder_of
from fer_lib.train.device import device, make_fabric
from fer_lib.train.evaluate import evaluate, pool, restrict
from fer_lib.train.loop import Fit, fit
from fer_lib.train.parts import Parts, check_task, dataset_of, load_parts
from fer_lib.train.predict import predict, score
from fer_lib.train.randomness import epoch_seed, seeded
from fer_lib.train.repeats import repeat
from fer_lib.train.settings import Settings
from fer_lib.train.support import svm_on_features

__all__ = [
    "Comparison",
    "Fit",
    "Parts",
    "Settings",
    "check_task",
    "compare",
    "dataset_of",
    "device",
    "epoch_seed",
    "evaluate",
    "fit",
    "folder_of",
    "load_parts",
    "make_fabric",
    "pool",
    "predict",
    "repeat",
    "restrict",
    "score",
    "seeded",
    "svm_on_features",
]
