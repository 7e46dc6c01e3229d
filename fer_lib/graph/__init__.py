"""Graphs over emotions: how labels go together, and networks that know it (chapter 15)."""

from fer_lib.graph.adjacency import (
    AFFECTS,
    EXPRESSIONS,
    conditional_probability,
    emotion_adjacency,
    normalised_adjacency,
    spearman_correlation,
)
from fer_lib.graph.convolution import GraphConvolution
from fer_lib.graph.emotion_gcn import EmotionGCN, GraphHead
from fer_lib.graph.words import read_glove

__all__ = [
    "AFFECTS",
    "EXPRESSIONS",
    "EmotionGCN",
    "GraphConvolution",
    "GraphHead",
    "conditional_probability",
    "emotion_adjacency",
    "normalised_adjacency",
    "read_glove",
    "spearman_correlation",
]
