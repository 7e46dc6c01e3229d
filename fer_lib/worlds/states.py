"""States that may be present together: what several annotators mark, each state by itself.

A feeling brings others with it: excitement looks happy and somewhat surprised. What is seen of a state is
the strength of what is shown times how much of the state belongs to it. An annotator marks it where that
passes a threshold of their own; the corpus's label is what most of three annotators marked.
"""

import itertools

import torch
from torch import Tensor

from fer_lib.worlds.annotators import Panel
from fer_lib.worlds.expressions import Shown
from fer_lib.worlds.feelings import FEELINGS

# feeling -> how much of which state is seen in it
COMPANIONS: dict[str, dict[str, float]] = {
    "happiness": {"happiness": 1.0, "excitement": 0.45},
    "sadness": {"sadness": 1.0, "frustration": 0.35},
    "surprise": {"surprise": 1.0, "curiosity": 0.35, "fear": 0.25, "excitement": 0.2},
    "fear": {"fear": 1.0, "surprise": 0.5, "uncertainty": 0.3},
    "disgust": {"disgust": 1.0, "anger": 0.35, "frustration": 0.3},
    "anger": {"anger": 1.0, "disgust": 0.4, "frustration": 0.6},
    "contempt": {"disgust": 0.5, "anger": 0.3, "uncertainty": 0.2},
    "anxiety": {"fear": 0.6, "uncertainty": 0.5},
    "boredom": {"sadness": 0.3},
    "puzzlement": {"uncertainty": 0.8, "curiosity": 0.4},
    "curiosity": {"curiosity": 1.0, "surprise": 0.35, "uncertainty": 0.3},
    "uncertainty": {"uncertainty": 1.0, "curiosity": 0.4, "frustration": 0.2},
    "excitement": {"excitement": 1.0, "happiness": 0.85, "surprise": 0.35, "curiosity": 0.3},
    "frustration": {"frustration": 1.0, "anger": 0.6, "disgust": 0.35, "uncertainty": 0.3},
}
THRESHOLD, SOFT = 0.40, 0.08


def evidence(shown: Shown, names: tuple[str, ...]) -> Tensor:
    """How much of each state is seen in each face: (B,S) in [0,1]."""
    table = torch.zeros(len(FEELINGS), len(names))
    for feeling, brought in COMPANIONS.items():
        for state, amount in brought.items():
            if state in names:
                table[FEELINGS.index(feeling), names.index(state)] = amount
    first, second = table[shown.emotion], table[shown.second]
    seen = torch.maximum(first * (1 - shown.share)[:, None] ** 0.5, second * shown.share[:, None] ** 0.5)
    return seen * shown.intensity[:, None]


def marks_of(seen: Tensor, panel: Panel, *, people_seed: int, names: tuple[str, ...]) -> Tensor:
    """How likely each annotator (J of them) is to mark each state: (B,J,S)."""
    own = torch.Generator().manual_seed(people_seed)
    bias = panel.bias * torch.randn(panel.count, seen.shape[1], generator=own)
    bias = bias + torch.tensor([panel.lean.get(name, 0.0) for name in names])
    plain = torch.sigmoid((seen[:, None] - THRESHOLD) / SOFT + bias)
    return (1 - panel.slips) * plain + panel.slips / 2


def mark(chances: Tensor, generator: torch.Generator) -> Tensor:
    """The label (B,S) in {0,1}: what at least two of three annotators, drawn anew for each face, marked."""
    batch, count, _ = chances.shape
    who = torch.rand(batch, count, generator=generator).argsort(1)[:, :3]
    asked = chances[torch.arange(batch)[:, None], who]
    return ((torch.rand(asked.shape, generator=generator) < asked).sum(1) >= 2).long()


def chance_of_label(chances: Tensor) -> Tensor:
    """How likely ``mark`` is to give each label: (B,S), exactly, over all trios of the panel."""
    trios = list(itertools.combinations(range(chances.shape[1]), 3))
    total = torch.zeros_like(chances[:, 0])
    for trio in trios:
        a, b, c = (chances[:, j] for j in trio)
        total = total + a * b + a * c + b * c - 2 * a * b * c
    return total / len(trios)
