"""Corpora and worlds as `FaceSet`: load, describe, inspect."""

from fer_lib.datasets.corpora import CorpusInfo, describe, names
from fer_lib.datasets.faceset import FaceSet
from fer_lib.datasets.inspect import Inspection, inspect
from fer_lib.datasets.load import catalogue, load

__all__ = ["CorpusInfo", "FaceSet", "Inspection", "catalogue", "describe", "inspect", "load", "names"]
