"""Action units: the letters of facial expression, and the words (prototypes) that emotions make of them.

After the Facial Action Coding System (Ekman and Friesen, 1978) and its emotion dictionary (EMFACS). An
intensity runs from 0 (absent) to 1 (the most a face can do). Arrays of action units have the shape (B, A, 2):
image, unit in the order of ``NUMBERS``, side (the image's left, then the image's right).
"""

import torch
from torch import Tensor

NAMES: dict[int, str] = {
    1: "inner brow raiser",
    2: "outer brow raiser",
    4: "brow lowerer",
    5: "upper lid raiser",
    6: "cheek raiser",
    7: "lid tightener",
    9: "nose wrinkler",
    10: "upper lip raiser",
    12: "lip corner puller",
    14: "dimpler",
    15: "lip corner depressor",
    17: "chin raiser",
    18: "lip pucker",
    20: "lip stretcher",
    23: "lip tightener",
    24: "lip pressor",
    25: "lips part",
    26: "jaw drop",
    27: "mouth stretch",
    43: "eyes closed",
}
NUMBERS: tuple[int, ...] = tuple(NAMES)
COLUMNS: tuple[str, ...] = tuple(f"au_{number}" for number in NUMBERS)
SIDED = frozenset({1, 2, 4, 5, 6, 7, 10, 12, 14, 15, 20, 43})  # units that can act on one side alone

# Each emotion may be spoken in several ways; the first is the textbook one.
PROTOTYPES: dict[str, tuple[dict[int, float], ...]] = {
    "neutral": ({},),
    "happiness": (
        {6: 0.7, 12: 0.85, 25: 0.7},
        {6: 0.5, 12: 0.7},
        {6: 0.9, 12: 1.0, 25: 0.9, 26: 0.45, 7: 0.3},
        {12: 0.75, 25: 0.5},
    ),
    "sadness": (
        {1: 0.8, 4: 0.6, 15: 0.8, 17: 0.35},
        {1: 0.7, 15: 0.7, 43: 0.35},
        {4: 0.5, 15: 0.9, 17: 0.7},
        {1: 0.9, 4: 0.5, 6: 0.4, 15: 0.6, 20: 0.4, 25: 0.5},
    ),
    "surprise": (
        {1: 0.85, 2: 0.85, 5: 0.7, 25: 0.7, 26: 0.8},
        {1: 0.8, 2: 0.9, 5: 0.6, 25: 0.6, 27: 0.75},
        {1: 0.9, 2: 0.9, 5: 0.5},
        {5: 0.6, 2: 0.5, 1: 0.5, 25: 0.6, 26: 0.5},
    ),
    "fear": (
        {1: 0.8, 2: 0.5, 4: 0.6, 5: 0.85, 20: 0.7, 25: 0.6},
        {1: 0.7, 2: 0.5, 4: 0.5, 5: 0.8, 25: 0.7, 26: 0.6},
        {1: 0.8, 4: 0.5, 5: 0.9, 7: 0.3, 20: 0.8, 25: 0.7, 26: 0.3},
    ),
    "disgust": (
        {9: 0.85, 10: 0.5, 17: 0.4, 4: 0.4},
        {10: 0.9, 4: 0.3, 15: 0.4, 17: 0.3},
        {9: 0.8, 10: 0.8, 25: 0.6, 7: 0.4},
    ),
    "anger": (
        {4: 0.9, 5: 0.4, 7: 0.6, 23: 0.7},
        {4: 0.9, 7: 0.6, 24: 0.8, 17: 0.4},
        {4: 1.0, 5: 0.5, 7: 0.5, 10: 0.7, 25: 0.8, 26: 0.6},
        {4: 0.8, 9: 0.4, 10: 0.6, 25: 0.7, 20: 0.3},
    ),
    "contempt": ({12: 0.5, 14: 0.8}, {14: 1.0, 7: 0.3}, {12: 0.6, 10: 0.3, 24: 0.3}),
}
ONE_SIDED = {"contempt": (12, 14, 10)}  # contempt lives in one half of the face


def zeros(batch: int) -> Tensor:
    """Faces at rest: (B, A, 2) zeros."""
    return torch.zeros(batch, len(NUMBERS), 2)


def from_intensities(intensities: dict[int, float], *, batch: int = 1) -> Tensor:
    """The same face for the whole batch, both sides alike.

    Args:
        intensities: number of the unit -> intensity in [0, 1].
        batch: number of faces B.

    Returns:
        (B, A, 2).

    Raises:
        ValueError: a number that is not in ``NUMBERS``, or an intensity outside [0, 1].

    >>> float(from_intensities({12: 0.5}).sum())
    1.0
    """
    units = zeros(batch)
    for number, value in intensities.items():
        if number not in NAMES:
            raise ValueError(f"intensities must name action units; got {number}. Choose from {NUMBERS}.")
        if not 0 <= value <= 1:
            raise ValueError(f"intensities must lie in [0, 1]; got {value} for AU {number}. Scale it.")
        units[:, NUMBERS.index(number)] = value
    return units


def prototype_table(emotion: str) -> Tensor:
    """All variants of an emotion: (V, A), both sides alike.

    Raises:
        ValueError: an emotion without a prototype.

    >>> prototype_table("disgust").shape
    torch.Size([3, 20])
    """
    if emotion not in PROTOTYPES:
        raise ValueError(f"emotion must be one of {tuple(PROTOTYPES)}; got {emotion!r}. Check the spelling.")
    return torch.cat([from_intensities(variant)[:, :, 0] for variant in PROTOTYPES[emotion]])
