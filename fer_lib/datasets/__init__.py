"""Corpora and worlds as `FaceSet`: load, describe, inspect."""

from fer_lib.datasets.corpora import CorpusInfo, describe, names
from fer_lib.datasets.faceset import FaceSet
from fer_lib.datasets.inspect import Inspection, inspect
from fer_lib.datasets.load import catalogue, load
from fer_lib.datasets.sizes import limit_for

__all__ = [
    "CorpusInfo", "FaceSet", "Inspection", "catalogue", "describe", "inspect", "limit_for", "load", "names",
]  # fmt: skip
