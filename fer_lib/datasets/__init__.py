"""Corpora and worlds as `FaceSet`: load, describe, inspect."""

from fer_lib.datasets.check import Report, check
from fer_lib.datasets.corpora import CorpusInfo, describe, names
from fer_lib.datasets.faceset import FaceSet
from fer_lib.datasets.inspect import Inspection, inspect
from fer_lib.datasets.load import catalogue, load
from fer_lib.datasets.protocols import PROTOCOLS, Fold, Protocol, folds, leak
from fer_lib.datasets.sizes import limit_for

__all__ = [
    "PROTOCOLS", "CorpusInfo", "FaceSet", "Fold", "Inspection", "Protocol", "Report", "catalogue", "check",
    "describe", "folds", "inspect", "leak", "limit_for", "load", "names",
]  # fmt: skip
